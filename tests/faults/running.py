"""A whole Telltale, started as a person starts it, for tests that break it."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

TELLTALE = (sys.executable, "-m", "app.commands.entry")
ROOT = Path(__file__).parents[2]
SOAK = bool(os.environ.get("TELLTALE_SOAK"))


def times(few: int, many: int) -> int:
    """Return how often a fault is made: `many` in a soak, else `few`."""
    return many if SOAK else few


def wait_for(condition: Callable[[], object], seconds: float = 40.0) -> bool:
    pause, deadline = threading.Event(), time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        pause.wait(0.05)
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def bare_environment(home: Path, port: int, **more: str) -> dict[str, str]:
    """Return an environment as a stranger's shell has it: nothing of a test runner or of CI."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    user = home.parent / "user"
    user.mkdir(exist_ok=True)
    return {
        **kept,
        "HOME": str(user),
        "PYTHONPATH": str(ROOT),
        "TELLTALE_HOME": str(home),
        "TELLTALE_PORT": str(port),
        "TELLTALE_PROFILE": "ada",
        **more,
    }


class Telltale:
    """`telltale run` in a process of its own."""

    def __init__(self, home: Path, *arguments: str, port: int | None = None, **more: str) -> None:
        self.home = home
        self.port = port or free_port()
        self.environment = bare_environment(home, self.port, **more)
        self.url = f"http://127.0.0.1:{self.port}"
        self._output = home.parent / f"launcher-{self.port}.out"
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [*TELLTALE, "run", "--no-browser", *arguments],
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=home.parent,
            )

    @property
    def output(self) -> str:
        return self._output.read_text("utf-8", errors="replace")

    def up(self) -> Self:
        """Wait until it answers and its worker runs."""
        assert wait_for(lambda: "answers at" in self.output or self.process.poll() is not None), self.output
        assert self.process.poll() is None, self.output
        assert wait_for(lambda: self.child("core.jobs.worker")), self.family()
        return self

    def family(self) -> list[psutil.Process]:
        """Return the launcher and all its descendants."""
        try:
            launcher = psutil.Process(self.process.pid)
            return [launcher, *launcher.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def child(self, part: str) -> psutil.Process | None:
        """Return the living descendant whose command line holds `part`, None if there is none."""
        for one in self.family()[1:]:
            with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                if part in " ".join(one.cmdline()):
                    return one
        return None

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another command of Telltale's in the same home."""
        return run(self.environment, *arguments)

    def stop(self) -> int:
        """Stop it as Ctrl+C does and return the exit status."""
        family = self.family()
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(30)
        finally:
            for one in family:
                with suppress(psutil.NoSuchProcess):
                    one.kill()
            self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def run(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one command of Telltale's to its end."""
    return subprocess.run(
        [*TELLTALE, *arguments], env=environment, capture_output=True, text=True, timeout=240, check=False
    )


def gone(family: list[psutil.Process]) -> bool:
    """Return whether none of the processes lives; what only waits to be reaped is dead."""
    return not [one for one in family if lives(one)]


def lives(process: psutil.Process) -> bool:
    """Return whether a process runs; it may end between two looks at it."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def visit(port: int, page: str = "", origin: str | None = None) -> list[ForwardMsg]:
    """Run a page as a browser makes the server do, and return the messages up to the script's end."""
    origin = origin or f"http://127.0.0.1:{port}"

    async def talk() -> list[ForwardMsg]:
        answers = []
        url = f"ws://127.0.0.1:{port}/_stcore/stream"
        async with websockets.connect(
            url,
            origin=websockets.Origin(origin),
            subprotocols=[websockets.Subprotocol("streamlit")],
            proxy=None,
            max_size=None,
        ) as stream:
            message = BackMsg()
            message.rerun_script.page_name = page
            await stream.send(message.SerializeToString())
            async with asyncio.timeout(60):
                async for data in stream:
                    answers.append(ForwardMsg.FromString(data))
                    if answers[-1].WhichOneof("type") == "script_finished":
                        break
        return answers

    return asyncio.run(talk())
