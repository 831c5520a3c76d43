"""Processes that write to a home, to be killed or to be read against; see `storage_writer`."""

import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

from running import ROOT


class Writer:
    """A writer process that waits for its start."""

    program = Path(__file__).with_name("storage_writer.py")

    def __init__(self, root: Path, *work: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(self.program), str(root), *work],
            env={"PYTHONPATH": str(ROOT), "PATH": ""},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout.readline() == b"ready\n"

    def start(self) -> None:
        self._process.stdin.write(b"go\n")
        self._process.stdin.flush()

    def acknowledged(self) -> str:
        """Return the next thing that it acknowledges."""
        return self._process.stdout.readline().decode().strip()

    def kill(self) -> list[str]:
        """Kill it as a crash does and return what it acknowledged that was not asked for yet."""
        self._process.kill()
        rest, _ = self._process.communicate()
        return [line.decode().strip() for line in rest.splitlines(keepends=True) if line.endswith(b"\n")]


class Counted(Writer):
    """A writer process whose acknowledgements are counted while it goes on."""

    def __init__(self, root: Path, *work: str) -> None:
        super().__init__(root, *work)
        self.count = 0
        self._listener = threading.Thread(target=self._listen)

    def start(self) -> None:
        super().start()
        self._listener.start()

    def _listen(self) -> None:
        for _ in self._process.stdout:
            self.count += 1

    def stop(self) -> None:
        """Kill it; from then on the count is that of all it acknowledged."""
        self._process.kill()
        self._process.wait()
        self._listener.join()
        self._process.stdin.close()
        self._process.stdout.close()


def duration(root: Path, *work: str) -> float:
    """Return how many seconds a work takes when nothing kills it."""
    writer = Writer(root, *work)
    begun = time.monotonic()
    writer.start()
    assert writer.acknowledged() == "done"
    took = time.monotonic() - begun
    writer.kill()
    return took


def moment(kill: int, took: float, rng: random.Random) -> dict[str, float | bool]:
    """Return when to kill: any time in the work, or for every other one soon after it began to write."""
    if kill % 2:
        return {"after_s": rng.uniform(0.1, 0.9) * took}
    return {"after_s": rng.uniform(0.0, 0.3) * took, "once_begun": True}


def killed(root: Path, *work: str, after_s: float, once_begun: bool = False) -> bool:
    """Kill a work after some seconds and return whether it was done before.

    With `once_begun` they count from the moment at which it has begun to write files.
    """
    writer = Writer(root, *work)
    before = _files(root)
    writer.start()
    if once_begun:
        deadline, pause = time.monotonic() + 40, threading.Event()
        while _files(root) == before and time.monotonic() < deadline:
            pause.wait(0.001)
    threading.Event().wait(after_s)
    return "done" in writer.kill()


def _files(root: Path) -> set[str]:
    return {
        name
        for _, _, names in os.walk(root)
        for name in names
        if name.endswith((".parquet", ".partial", ".arrow"))
    }
