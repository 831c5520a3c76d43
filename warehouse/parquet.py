"""Parquet that survives a crash when it is written and is not believed unseen when it is read."""

import hashlib
import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import polars as pl

from warehouse.errors import HomeError, IntegrityError

ROW_GROUP: Final = 131_072

_REMEMBERED: Final = 100_000


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


def write_parquet(frame: pl.DataFrame, folder: Path, stem: str) -> Written:
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
            frame.write_parquet(partial, compression="zstd", row_group_size=ROW_GROUP, statistics=True)
            with partial.open("rb") as file:
                os.fsync(file.fileno())
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                size = file.tell()
            partial.rename(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        sync_folder(folder)
    except OSError as error:
        raise HomeError(f"{path} can't be written: {error.strerror or error}") from error
    return Written(path, digest, size, frame.height)


def make_folder(folder: Path) -> None:
    """Create `folder` with its parents so that they survive a crash."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(exist_ok=True)
        sync_folder(one.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    if os.name == "nt":
        return  # Windows opens no folders; its file system logs names itself.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
    path = root / file.path
    try:
        status = path.stat()
        key = (str(path), file.sha256, status.st_size, status.st_mtime_ns)
        if key in _verified:
            return path
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise IntegrityError(
            f"{path} can't be read ({error.strerror}): run `telltale doctor --verify`, "
            "then restore the file from a backup or ingest its source again"
        ) from error
    if found != file.sha256:
        raise IntegrityError(
            f"{path} is not the file that was written (SHA-256 {found[:12]}…, expected {file.sha256[:12]}…): "
            "run `telltale doctor --verify`, then restore the file from a backup or ingest its source again"
        )
    if len(_verified) >= _REMEMBERED:
        _verified.clear()
    _verified[key] = None
    return path


def scan(root: Path, files: Sequence[Stored], schema: pl.Schema) -> pl.LazyFrame:
    """Return the rows of verified `files` together, lazily; no file gives no rows of `schema`.

    Raises
    ------
    IntegrityError
        A file is missing or is not what was written.
    """
    if not files:
        return pl.LazyFrame(schema=schema)
    return pl.scan_parquet([open_verified(root, one) for one in files], glob=False)


def damaged(root: Path, files: Iterable[Stored]) -> list[str]:
    """Return what is wrong with each of `files` that is missing or changed, reading every byte anew."""
    found = []
    for one in files:
        path = root / one.path
        try:
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            found.append(f"{one.path}: {error.strerror}")
            continue
        if digest != one.sha256:
            found.append(f"{one.path}: SHA-256 is {digest[:12]}…, {one.sha256[:12]}… was written")
    return found
