"""Parquet that survives a crash when it is written and is not believed unseen when it is read."""

import errno
import hashlib
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import polars as pl

from warehouse.durable import make_folder, sync_folder
from warehouse.errors import HomeError, IntegrityError
from warehouse.files import File
from warehouse.room import unwritable

ROW_GROUP: Final = 65_536
_ZSTD_LEVEL: Final = 3

_REMEMBERED: Final = 100_000
_NO_FAULT_OF_THE_FILE: Final = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
_REMEDY: Final = "run `telltale doctor --verify`, then `telltale repair`"


class Stored(Protocol):
    """What the manifest knows of a file: where it lies below the home, and its SHA-256."""

    @property
    def path(self) -> str: ...  # noqa: D102 -- named by the class

    @property
    def sha256(self) -> str: ...  # noqa: D102 -- named by the class


@dataclass(frozen=True)
class Written:
    """A file that lies durably in its place."""

    path: Path
    sha256: str
    size: int
    rows: int


def new_stem() -> str:
    """Return a file name that no other write uses."""
    return secrets.token_hex(8)


def write_parquet(frame: pl.DataFrame, folder: Path, stem: str, *, row_group: int = ROW_GROUP) -> Written:
    """Write `frame` as ``folder/stem.parquet`` so that it is there, whole, or not at all.

    The order is: temporary file, fsync, SHA-256, rename, fsync of the folder. The file is nothing until
    the manifest names it.

    Raises
    ------
    HomeError
        The disk is full, read-only or failing.
    """
    path = folder / f"{stem}.parquet"
    partial = folder / f".{stem}.partial"
    try:
        make_folder(folder)
        try:
            frame.write_parquet(
                partial,
                compression="zstd",
                compression_level=_ZSTD_LEVEL,
                row_group_size=row_group,
                statistics=True,
            )
            with partial.open("rb") as file:
                os.fsync(file.fileno())
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                size = file.tell()
            partial.rename(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        sync_folder(folder)
    except (OSError, pl.exceptions.ComputeError) as error:
        raise unwritable(path, error) from error
    return Written(path, digest, size, frame.height)


# What this process has verified. The size and time of change are part of the key, so that a file that
# was changed by a person later is looked at again.
_verified: dict[tuple[str, str, int, int], None] = {}


def open_verified(root: Path, file: Stored) -> Path:
    """Return where `file` lies, having compared its SHA-256 when this process first opens it.

    Raises
    ------
    IntegrityError
        It is missing or is not what was written.
    """
    fault = fault_at_first_sight(root, file)
    path = root / file.path
    if fault is not None:
        named = file if isinstance(file, File) else None
        raise IntegrityError(f"{path} {fault}: {_REMEDY}", file=named)
    return path


def fault_at_first_sight(root: Path, file: Stored) -> str | None:
    """Return what is wrong with `file`, None if it is what was written or was so when first opened.

    Raises
    ------
    HomeError
        The system has no room to open it.
    """
    path = root / file.path
    try:
        status = path.stat()
    except OSError as error:
        return _unreadable(path, error)
    key = (str(path), file.sha256, status.st_size, status.st_mtime_ns)
    if key in _verified:
        return None
    fault = find_fault(root, file)
    if fault is None:
        if len(_verified) >= _REMEMBERED:
            _verified.clear()
        _verified[key] = None
    return fault


def find_fault(root: Path, file: Stored) -> str | None:
    """Return what is wrong with `file`, reading every byte of it anew; None if it is what was written.

    The words end a sentence that begins with the file's path.

    Raises
    ------
    HomeError
        The system has no room to open it.
    """
    path = root / file.path
    try:
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        return _unreadable(path, error)
    if found == file.sha256:
        return None
    return f"is not the file that was written (SHA-256 {found[:12]}…, expected {file.sha256[:12]}…)"


def _unreadable(path: Path, error: OSError) -> str:
    if error.errno in _NO_FAULT_OF_THE_FILE:
        raise HomeError(f"{path} can't be opened: {error.strerror}; close other programs") from error
    return f"can't be read ({error.strerror or error})"


def scan(root: Path, files: Sequence[Stored], schema: pl.Schema, *, grown: bool = False) -> pl.LazyFrame:
    """Return the rows of verified `files` together, lazily; no file gives no rows of `schema`.

    Parameters
    ----------
    grown
        Whether `schema` has columns that files of an older release lack: they are null there.

    Raises
    ------
    IntegrityError
        A file is missing or is not what was written.
    """
    if not files:
        return pl.LazyFrame(schema=schema)
    paths = [open_verified(root, one) for one in files]
    if grown:
        return pl.scan_parquet(paths, glob=False, schema=schema, missing_columns="insert")
    return pl.scan_parquet(paths, glob=False)
