"""A lock file held by one living process, which says who holds it."""

import os
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout


class LockHeld(Exception):
    """Another process holds the lock.

    Parameters
    ----------
    pid
        Its number, None if it did not say.
    """

    def __init__(self, path: Path, pid: int | None) -> None:
        super().__init__(f"{path} is held by {'another process' if pid is None else f'process {pid}'}")
        self.pid = pid


class ProcessLock:
    """A lock that ends with the process that holds it, however that ends.

    Parameters
    ----------
    path
        The lock file. Beside it lies ``<name>.pid`` with the number of the last holder.
    """

    def __init__(self, path: Path) -> None:
        self._lock = FileLock(path, thread_local=False, fallback_to_soft=False)
        self._pid_file = path.with_name(path.name + ".pid")
        self.path = path

    def acquire(self, timeout: float = 0) -> None:
        """Take the lock, waiting up to `timeout` seconds.

        Raises
        ------
        LockHeld
            Another process, or another lock object of this one, holds it.
        """
        try:
            self._lock.acquire(timeout=timeout, poll_interval=0.02)
        except Timeout as error:
            raise LockHeld(self.path, self.holder()) from error
        self._pid_file.write_text(str(os.getpid()), encoding="ascii")

    def release(self) -> None:
        """Give the lock back; a lock that is not held stays as it is."""
        if self._lock.is_locked:
            with suppress(OSError):
                self._pid_file.unlink(missing_ok=True)
            self._lock.release()

    def holder(self) -> int | None:
        """Return the process that last said it holds the lock, None if unknown."""
        try:
            return int(self._pid_file.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None


def is_held(path: Path) -> bool:
    """Return whether a living process holds the lock at `path`."""
    if not path.exists():
        return False
    probe = FileLock(path, fallback_to_soft=False)
    try:
        probe.acquire(timeout=0)
    except Timeout:
        return True
    probe.release()
    return False
