"""Children that end when their parent does, however that ends.

The parent keeps the write end of a pipe whose read end is the child's standard input. No one ever writes:
when the parent is gone, SIGKILL included, the system closes the pipe and the child reads its end.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

MARK: Final = "TELLTALE_PARENT_FD"
ORPHANED: Final = 70

# How a child's log marks the line that is meant for the person who started it.
SAID: Final = "telltale: "

_LOG_BYTES: Final = 5_000_000


def spawn(
    arguments: Sequence[str], *, environment: Mapping[str, str], log: Path, folder: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start a process that ends with this one.

    Parameters
    ----------
    arguments
        The program and its arguments.
    environment
        All of the child's environment variables.
    log
        Where its output is appended; one that grew large is first moved to ``<log>.1``.
    folder
        Its current folder; this process's when not given.

    Returns
    -------
    subprocess.Popen
        In a session of its own, so that Ctrl+C in the terminal reaches this process alone. Its `stdin` is
        the pipe: closing it ends the child.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.replace(log.with_name(log.name + ".1"))
    with log.open("ab") as output:
        return subprocess.Popen(
            arguments,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**environment, MARK: "0"},
            cwd=folder,
            start_new_session=True,
        )


def exit_with_parent() -> None:
    """End this process at once when the one that spawned it is gone; nothing happens when it was not spawned.

    Everything that was acknowledged is committed, so there is nothing to tidy up.
    """
    if os.environ.pop(MARK, None) is None:
        return
    pipe = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    def watch() -> None:
        while os.read(pipe, 1):
            pass
        sys.stderr.write("the parent process is gone: ending\n")
        sys.stderr.flush()
        os._exit(ORPHANED)

    threading.Thread(target=watch, name="parent watch", daemon=True).start()


def end(process: subprocess.Popen[bytes], *, grace_s: float) -> int:
    """Ask a spawned process to stop, kill it after `grace_s` seconds, and return its exit status."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(grace_s)
        except subprocess.TimeoutExpired:
            process.kill()
    status = process.wait()
    if process.stdin is not None:
        process.stdin.close()
    return status


def how_it_ended(status: int) -> str:
    """Return an exit status in words: ``signal 9`` or ``exit status 1``."""
    return f"signal {-status}" if status < 0 else f"exit status {status}"
