"""Two-dimensional float arrays from npy bytes, without pickle and within stated bounds.

The header is read by our own pattern (NEP 1 of numpy fixes its form), so that nothing is evaluated.
"""

import re
import struct
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from warehouse.errors import SourceError

MAX_ROWS: Final = 5_000_000
MAX_COLUMNS: Final = 512
MAX_CELLS: Final = 50_000_000
MAX_HEADER: Final = 4096

_MAGIC: Final = b"\x93NUMPY"
_SIZE: Final = r"(?:0|[1-9][0-9]{0,11})"
_DESCR: Final = re.compile(r"'descr' *: *(?:'([^'\\\n]*)'|\[[^\]]*\])")
_ORDER: Final = re.compile(r"'fortran_order' *: *(True|False)")
_SHAPE: Final = re.compile(rf"'shape' *: *\( *((?:{_SIZE} *(?:, *{_SIZE} *)*,?)?) *\)")
_ITEM: Final = f"(?:{_DESCR.pattern}|{_ORDER.pattern}|{_SHAPE.pattern})"
_HEADER: Final = re.compile(rf" *\{{ *{_ITEM} *, *{_ITEM} *, *{_ITEM} *,? *\}} *\n?")
_FLOAT: Final = re.compile(r"[<>=]f[248]")


class Readable(Protocol):
    """Bytes that are read once, from the front."""

    def read(self, n: int, /) -> bytes:
        """Return the next `n` bytes, fewer at the end."""
        ...


@dataclass(frozen=True)
class Header:
    """What an npy file states of itself."""

    dtype: np.dtype[np.floating]
    fortran_order: bool
    rows: int
    columns: int

    @property
    def size(self) -> int:
        """Bytes that the array takes."""
        return self.rows * self.columns * self.dtype.itemsize


def read_header(file: Readable, what: str) -> Header:
    """Read and check the header.

    Raises
    ------
    SourceError
        Not npy, truncated, not plain floats, not two-dimensional or too large; the message names `what`.
    """
    start = file.read(8)
    if not start.startswith(_MAGIC) or len(start) < 8:
        raise SourceError(f"{what}: is not an npy file")
    length_of = {(1, 0): "<H", (2, 0): "<I", (3, 0): "<I"}.get((start[6], start[7]))
    if length_of is None:
        raise SourceError(f"{what}: npy version {start[6]}.{start[7]} is not known")
    (length,) = struct.unpack(length_of, _exactly(file, struct.calcsize(length_of), what))
    if length > MAX_HEADER:
        raise SourceError(f"{what}: npy header of {length} bytes, at most {MAX_HEADER} are read")
    text = _exactly(file, length, what).decode("latin-1")
    found = [pattern.search(text) for pattern in (_DESCR, _ORDER, _SHAPE)]
    descr, order, shape = found
    # Three items, all three found: each is there once.
    if not _HEADER.fullmatch(text) or descr is None or order is None or shape is None:
        raise SourceError(f"{what}: its npy header is damaged")
    if descr[1] is None or not _FLOAT.fullmatch(descr[1]):
        kind = "a record" if descr[1] is None else repr(descr[1])
        pickled = " (pickled Python objects)" if "O" in (descr[1] or "") else ""
        raise SourceError(f"{what}: holds values of type {kind}{pickled}; only plain floats are read")
    sizes = [int(size) for size in shape[1].split(",") if size.strip()]
    if len(sizes) != 2:
        raise SourceError(
            f"{what}: has shape {tuple(sizes)}; a channel has two dimensions, steps and columns"
        )
    rows, columns = sizes
    if rows < 1 or columns < 1 or rows > MAX_ROWS or columns > MAX_COLUMNS or rows * columns > MAX_CELLS:
        raise SourceError(
            f"{what}: has shape ({rows}, {columns}); from 1 x 1 to {MAX_ROWS:,} steps, {MAX_COLUMNS} columns"
            f" and {MAX_CELLS:,} values are read"
        )
    return Header(np.dtype(descr[1]), order[1] == "True", rows, columns)


def read_array(file: Readable, what: str) -> NDArray[np.float64]:
    """Read an array of shape (rows, columns) in any float type; every value is kept exactly.

    Raises
    ------
    SourceError
        As `read_header`, or the data are shorter or longer than the header states.
    """
    header = read_header(file, what)
    data = _exactly(file, header.size, what)
    # Reading on to the end also makes a zip member check its checksum.
    if file.read(1):
        raise SourceError(f"{what}: holds more bytes than its header states")
    shape = (header.rows, header.columns)
    flat = np.frombuffer(data, dtype=header.dtype)
    array = flat.reshape(shape, order="F") if header.fortran_order else flat.reshape(shape)
    return np.ascontiguousarray(array, dtype=np.float64)


def _exactly(file: Readable, size: int, what: str) -> bytes:
    # In pieces: a header that promises gigabytes must not reserve them before they are there.
    pieces: list[bytes] = []
    missing = size
    while missing:
        piece = file.read(min(missing, 1 << 20))
        if not piece:
            raise SourceError(f"{what}: is truncated, {missing} of {size} bytes are missing")
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)
