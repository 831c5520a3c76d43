"""Attempts that others may overtake, repeated until one succeeds, with an end to being overtaken."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from filelock import FileLock, Timeout

from warehouse.errors import ManifestConflict

Outcome = TypeVar("Outcome")

# Attempts beside others, then attempts for which others wait. While others wait, each of them can overtake
# once more with what it had begun.
FREE_ATTEMPTS: Final = 3
HELD_ATTEMPTS: Final = 20

# The lock is a courtesy, not what keeps data right, so nobody waits for it for ever.
_PATIENCE_S: Final = 60.0
_POLL_S: Final = 0.005


def in_turn(lock: Path, attempt: Callable[[], Outcome]) -> Outcome:
    """Return what `attempt` returns, repeating it from the start while it meets a conflict.

    Parameters
    ----------
    lock
        File by which writers of one home let the one pass that was overtaken too often. A long write
        would otherwise be overtaken by short ones for ever.

    Raises
    ------
    ManifestConflict
        Every attempt met a conflict.
    """
    for _ in range(FREE_ATTEMPTS):
        with suppress(Timeout), _way(lock):
            pass
        try:
            return attempt()
        except ManifestConflict:
            continue
    way = _way(lock)
    with suppress(Timeout):
        way.acquire()
    try:
        for _ in range(HELD_ATTEMPTS - 1):
            try:
                return attempt()
            except ManifestConflict:
                continue
        return attempt()
    finally:
        way.release()


def _way(lock: Path) -> FileLock:
    return FileLock(lock, timeout=_PATIENCE_S, poll_interval=_POLL_S, fallback_to_soft=False)
