"""A full disk, told from other failures of a write and said in one way."""

import errno
import shutil
from pathlib import Path
from typing import Final

from warehouse.errors import DiskFull, HomeError

_NUMBERS: Final = (errno.ENOSPC, errno.EDQUOT)
# As the system, SQLite and, through them, Polars and DuckDB say it.
_WORDS: Final = ("No space left on device", "disk is full", "Disk quota exceeded", "not enough space")
# SQLite calls it an input/output error where it finds no room for what its readers share.
_VAGUE: Final = "disk I/O error"
_LITTLE: Final = 2**20


def is_full(error: BaseException, path: Path) -> bool:
    """Tell whether a write below `path` failed because its disk is full."""
    if isinstance(error, OSError) and error.errno in _NUMBERS:
        return True
    text = str(error)
    return any(words in text for words in _WORDS) or (_VAGUE in text and _free(path) < _LITTLE)


def disk_full(path: Path) -> DiskFull:
    """Return the error to raise where a write to `path` found no room."""
    return DiskFull(
        f"the disk of {path} is full: nothing of this was stored, "
        "what is stored can still be read; make room and do it again"
    )


def unwritable(path: Path, error: Exception) -> HomeError:
    """Return the error to raise where a file could not be written."""
    if is_full(error, path):
        return disk_full(path)
    reason = (error.strerror if isinstance(error, OSError) else None) or error
    return HomeError(f"{path} can't be written: {reason}")


def _free(path: Path) -> int:
    nearest = next(one for one in (path, *path.parents) if one.exists())
    return shutil.disk_usage(nearest).free
