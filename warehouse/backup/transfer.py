"""Copying of files that are hashed on the way and lie durably in their place afterwards."""

import errno
import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from warehouse.backup.document import StoredFile
from warehouse.durable import make_folder, sync_folder

_PIECE: Final = 1 << 20


class Report(Protocol):
    """Takes how far the work is: a fraction in [0, 1] and what it does now."""

    def __call__(self, fraction: float, message: str, /) -> None:
        """Take one report."""


def silent(_fraction: float, _message: str, /) -> None:
    """Take a report and drop it."""


class NotSound(Exception):
    """The file to be copied is missing, can't be read, or is not the one that was written."""


@dataclass(frozen=True)
class Wanted:
    """A file to be copied.

    Parameters
    ----------
    path
        Below the home, with forward slashes.
    sha256
        What it must be; None for a file whose hash nobody knows yet.
    unchanging
        Written once and never again: a hard link is as good as a copy.
    """

    path: str
    sha256: str | None
    size: int
    unchanging: bool = False


def transfer(source: Path, target: Path, wanted: Wanted, *, link: bool = False) -> StoredFile:
    """Copy one file from below `source` to below `target` and return what was copied.

    Parameters
    ----------
    link
        Make a hard link of an unchanging file where the file system can.

    Raises
    ------
    NotSound
        It is not what it should be; nothing is left at the target.
    OSError
        The target can't be written.
    """
    origin, place = source / wanted.path, target / wanted.path
    make_folder(place.parent)
    linked = link and wanted.unchanging and _link(origin, place)
    try:
        digest, size = _hashed(origin) if linked else _copied(origin, place)
    except NotSound:
        place.unlink(missing_ok=True)
        raise
    if wanted.sha256 not in {None, digest}:
        place.unlink()
        raise NotSound(f"SHA-256 is {digest[:12]}…, {str(wanted.sha256)[:12]}… was written")
    return StoredFile(wanted.path, digest, size)


def check(root: Path, file: StoredFile) -> str | None:
    """Return what is wrong with a file below `root`, reading every byte of it; None if it is sound."""
    try:
        digest, _ = _hashed(root / file.path)
    except NotSound as error:
        return str(error)
    if digest != file.sha256:
        return f"SHA-256 is {digest[:12]}…, {file.sha256[:12]}… was written"
    return None


def as_it_lies(root: Path, path: str) -> StoredFile:
    """Return what lies at `path` below `root`, forced to the disk."""
    with (root / path).open("rb+") as stream:
        os.fsync(stream.fileno())
        return StoredFile(path, hashlib.file_digest(stream, "sha256").hexdigest(), stream.tell())


def write_durably(path: Path, text: str) -> None:
    """Write a new text file and force it to the disk."""
    with path.open("x", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def sync_folders(root: Path, paths: Iterable[str]) -> None:
    """Make the names of `paths` below `root` durable."""
    for folder in {(root / path).parent for path in paths} | {root}:
        sync_folder(folder)


def _hashed(origin: Path) -> tuple[str, int]:
    try:
        with origin.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest(), stream.tell()
    except OSError as error:
        raise NotSound(error.strerror or str(error)) from error


def _copied(origin: Path, place: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    try:
        stream = origin.open("rb")
    except OSError as error:
        raise NotSound(error.strerror or str(error)) from error
    with stream, place.open("xb") as out:
        while piece := _piece(stream.fileno()):
            digest.update(piece)
            size += len(piece)
            out.write(piece)
        out.flush()
        os.fsync(out.fileno())
    return digest.hexdigest(), size


def _piece(descriptor: int) -> bytes:
    # Apart, so that a source that can't be read is told from a target that can't be written.
    try:
        return os.read(descriptor, _PIECE)
    except OSError as error:
        raise NotSound(error.strerror or str(error)) from error


def _link(origin: Path, place: Path) -> bool:
    try:
        os.link(origin, place)
    except FileNotFoundError as error:
        raise NotSound(error.strerror or str(error)) from error
    except OSError as error:
        if error.errno in {errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EMLINK}:
            return False  # another file system, or one without hard links
        raise
    return True
