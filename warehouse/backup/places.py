"""Folders that a backup or a restored home grows in: beside the place it is for, renamed when it is whole."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from warehouse.backup.document import BackupError
from warehouse.durable import sync_folder
from warehouse.errors import WarehouseError

# Lies in what grows until it is whole, so that nothing else is ever removed for being in the way.
UNFINISHED: Final = ".unfinished"

# For what databases need while they are written, and for the folders.
_SPARE_BYTES: Final = 16 * 2**20


def absolute(path: Path) -> Path:
    """Return `path` from the root, without ``..``, its links as they are."""
    return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 -- Path.absolute keeps ".."


def refuse_nesting(outer: Path, inner: Path, message: str) -> None:
    """Let two folders pass unless the second lies in the first or is it.

    Raises
    ------
    BackupError
        With `message`.
    """
    if inner.resolve().is_relative_to(outer.resolve()):
        raise BackupError(message)


def refuse_too_little_room(partial: Path, needed: int, what: str) -> None:
    """Let `needed` bytes pass if the disk of the folder that grows has them and a little more.

    Raises
    ------
    BackupError
        It has not.
    """
    free = shutil.disk_usage(partial).free
    if free < needed + _SPARE_BYTES:
        raise BackupError(
            f"{partial.parent} has {free / 1e6:,.0f} MB free and {what} takes {needed / 1e6:,.0f} MB: "
            "make room or name another place"
        )


@contextmanager
def grown(target: Path, what: str, *, force: bool) -> Iterator[Path]:
    """Lend a new folder ``<target>.partial`` that becomes `target` when the block ends well.

    Any exception removes it again; a kill leaves it, and nothing at `target`.

    Parameters
    ----------
    what
        What grows there, for messages.
    force
        Replace what an earlier attempt left.

    Raises
    ------
    BackupError
        `target` is a file or not empty, its parent is missing, an earlier attempt left something, or the
        disk is full.
    """
    _refuse_filled(target, what)
    partial = target.with_name(f"{target.name}.partial")
    try:
        if partial.exists():
            _clear(partial, force=force)
        partial.mkdir()
        try:
            (partial / UNFINISHED).touch()
            yield partial
            (partial / UNFINISHED).unlink()
            if target.exists():
                target.rmdir()
            partial.rename(target)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        sync_folder(target.parent)
    except WarehouseError:
        raise
    except OSError as error:
        raise BackupError(
            f"{target} can't be written: {error.strerror or error}; nothing was left there. "
            "Make room or name another place, then start it again"
        ) from error


def _refuse_filled(target: Path, what: str) -> None:
    if target.exists() and not target.is_dir():
        raise BackupError(f"{target} is a file, not a folder: name a folder for {what}")
    found = next(target.iterdir(), None) if target.is_dir() else None
    if found is not None:
        raise BackupError(
            f"{target} is not empty (it holds {found.name}): name an empty or a new folder for {what}"
        )
    if not target.parent.is_dir():
        raise BackupError(f"{target.parent} does not exist: create it, or mount the disk that it is on")


def _clear(partial: Path, *, force: bool) -> None:
    ours = (partial / UNFINISHED).is_file() or (partial.is_dir() and not any(partial.iterdir()))
    if not ours:
        raise BackupError(f"{partial} is in the way and was left by something else: remove it, or rename it")
    if not force:
        raise BackupError(
            f"{partial} is what an interrupted attempt left, not whole and of no use: "
            "--force replaces it, or remove it"
        )
    shutil.rmtree(partial)
