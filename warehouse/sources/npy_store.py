"""Where npy files lie: a zip or a folder, opened without extracting anything."""

import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from warehouse.errors import SourceError
from warehouse.sources.npy import read_array

MAX_MEMBERS: Final = 20_000
MAX_MEMBER_BYTES: Final = 512 * 1024**2

_READABLE: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED: Final = 0x1
# What zipfile raises on damaged bytes; RuntimeError includes NotImplementedError.
_DAMAGE: Final = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError, OverflowError)


class NpyStore(Protocol):
    """A place of npy files."""

    def members(self) -> tuple[str, ...]:
        """Return the paths inside, with forward slashes, in a fixed order."""
        ...

    def array(self, member: str) -> NDArray[np.float64]:
        """Read the member whole.

        Raises
        ------
        SourceError
            It is damaged, too large or not a two-dimensional float array.
        """
        ...


@contextmanager
def open_store(path: Path) -> Iterator[NpyStore]:
    """Open the zip or folder at `path`.

    Raises
    ------
    SourceError
        It is not there, can't be read, is no zip, or holds too many members.
    """
    if path.is_dir():
        yield _Folder(path)
        return
    try:
        archive = zipfile.ZipFile(path)
    except OSError as error:
        raise SourceError(f"{path.name}: can't be read ({error.strerror or error})") from error
    except _DAMAGE as error:
        raise SourceError(f"{path.name}: is no zip file, or a truncated one ({error})") from error
    with archive:
        yield _Archive(path.name, archive)


class _Archive:
    def __init__(self, name: str, archive: zipfile.ZipFile) -> None:
        self._name, self._archive = name, archive
        self._infos: dict[str, zipfile.ZipInfo] = {}
        self._twice: set[str] = set()
        infos = [one for one in archive.infolist() if not one.is_dir()]
        _limit(name, len(infos))
        for info in infos:
            member = info.filename.replace("\\", "/")
            if member in self._infos:
                self._twice.add(member)
            self._infos[member] = info

    def members(self) -> tuple[str, ...]:
        return tuple(sorted(self._infos))

    def array(self, member: str) -> NDArray[np.float64]:
        what = f"{self._name}:{member}"
        info = self._infos[member]
        if member in self._twice:
            raise SourceError(f"{what}: the zip holds two members of this name")
        if info.flag_bits & _ENCRYPTED:
            raise SourceError(f"{what}: is encrypted")
        if info.compress_type not in _READABLE:
            raise SourceError(f"{what}: is compressed by method {info.compress_type}; only deflate is read")
        if info.file_size > MAX_MEMBER_BYTES:
            raise SourceError(
                f"{what}: {info.file_size:,} bytes unpacked, at most {MAX_MEMBER_BYTES:,} are read"
            )
        try:
            with self._archive.open(info) as file:
                return read_array(file, what)
        except _DAMAGE as error:
            raise SourceError(f"{what}: is damaged ({error})") from error


class _Folder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        found: list[str] = []
        for parent, _, files in os.walk(folder):
            found += [(Path(parent) / file).relative_to(folder).as_posix() for file in files]
            _limit(folder.name, len(found))
        self._members = tuple(sorted(found))

    def members(self) -> tuple[str, ...]:
        return self._members

    def array(self, member: str) -> NDArray[np.float64]:
        what = f"{self._folder.name}/{member}"
        file: IO[bytes]
        try:
            with (self._folder / member).open("rb") as file:
                return read_array(file, what)
        except OSError as error:
            raise SourceError(f"{what}: can't be read ({error.strerror or error})") from error


def _limit(name: str, count: int) -> None:
    if count > MAX_MEMBERS:
        raise SourceError(f"{name}: holds more than {MAX_MEMBERS:,} files; is this the published telemetry?")
