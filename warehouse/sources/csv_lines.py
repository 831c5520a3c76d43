"""Delimited text as numbered rows of cells: a line is a row, so that line numbers stay exact.

A quoted field must close on its own line; one that runs over lines is refused, the lines around it are kept.
Lines that are plain, with as many cells as the header and quotes around whole cells at most, are split by
the million; every other line is looked at by itself.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from warehouse.errors import SourceError
from warehouse.quarantine import Refusal

MAX_BYTES: Final = 64 * 1024**3
MAX_LINE: Final = 1024**2
BLOCK: Final = 16 * 1024**2
DELIMITERS: Final = (",", ";", "\t", "|")
BOM: Final = b"\xef\xbb\xbf"

_LF: Final = 10
_QUOTE: Final = 34


@dataclass(frozen=True, eq=False)
class Block:
    """Whole lines of a file, each ended by a line feed.

    Parameters
    ----------
    first
        Number of the first line, counted from 1.
    data
        Valid UTF-8 without zero bytes and carriage returns.
    read
        The share of the file up to its end.
    """

    first: int
    data: bytes
    read: float = 1.0

    @property
    def lines(self) -> int:
        """How many lines there are."""
        return int(np.count_nonzero(np.frombuffer(self.data, np.uint8) == _LF))

    def after(self, lines: int) -> "Block":
        """Return what follows the first `lines` lines."""
        at = 0
        for _ in range(lines):
            at = self.data.index(b"\n", at) + 1
        return Block(self.first + lines, self.data[at:], self.read)


@dataclass(frozen=True, eq=False)
class Cells:
    """Rows of one block: ``line`` (as an editor counts) and one string column a wanted column, ``c0`` on."""

    rows: pl.DataFrame
    refusals: tuple[Refusal, ...]
    block: Block
    ends: NDArray[np.int64]

    @property
    def read(self) -> float:
        """The share of the file up to their end."""
        return self.block.read

    def text(self, line: int) -> str:
        """Return a line as it stands in the file."""
        return _line(self.block, self.ends, line - self.block.first)


def read_blocks(path: Path, name: str, max_bytes: int | None = None) -> Iterator[Block]:
    """Yield the lines of a file in blocks.

    Raises
    ------
    SourceError
        The file can't be read, is too large, is not UTF-8, or has a line without end.
    """
    try:
        size = path.stat().st_size
        limit = MAX_BYTES if max_bytes is None else max_bytes
        if size > limit:
            raise SourceError(
                f"{name}: {size / 1024**2:,.0f} MiB, at most {limit // 1024**2:,} are read; split it"
            )
        with path.open("rb") as file:
            yield from _blocks(name, iter(lambda: file.read(BLOCK), b""), size)
    except OSError as error:
        raise SourceError(f"{name}: can't be read ({error.strerror or error})") from error


def split_cells(name: str, block: Block, *, delimiter: str, width: int, wanted: list[int]) -> Cells:
    """Return the `wanted` columns of a block, refusing rows that are not `width` cells wide."""
    bytes_ = np.frombuffer(block.data, np.uint8)
    if len(delimiter.encode()) > 1:
        ends = np.flatnonzero(bytes_ == _LF)
        plain = np.zeros(len(ends), bool)
    else:
        plain, ends = _plain_lines(bytes_, ord(delimiter), width)
    if BOM in block.data:
        # Within a file it is a character like others, but at the start of text a reader would swallow it.
        plain &= bytes_[np.append(0, ends[:-1] + 1)] != BOM[0]
    frame = _split_plain(block, bytes_, plain, ends, delimiter=delimiter, width=width, wanted=wanted)
    odd = np.flatnonzero(~plain)
    if not len(odd):
        return Cells(frame, (), block, ends)
    lines = pl.DataFrame(
        {"line": odd + block.first, "text": [_line(block, ends, int(at)) for at in odd]},
        schema={"line": pl.Int64, "text": pl.String},
    )
    rest, refusals = split_carefully(name, lines, delimiter=delimiter, width=width, wanted=wanted)
    return Cells(pl.concat([frame, rest]).sort("line"), refusals, block, ends)


def split_carefully(
    name: str, frame: pl.DataFrame, *, delimiter: str, width: int, wanted: list[int]
) -> tuple[pl.DataFrame, tuple[Refusal, ...]]:
    """Return the `wanted` columns of lines, one at a time, and what was refused.

    Parameters
    ----------
    frame
        Columns ``line`` and ``text``.
    """
    frame = frame.filter(pl.col("text").str.strip_chars() != "")
    quoted = frame.filter(pl.col("text").str.contains('"', literal=True))
    cells = frame.filter(~pl.col("text").str.contains('"', literal=True)).with_columns(
        cells=pl.col("text").str.split(delimiter)
    )
    refusals: list[Refusal] = []
    if quoted.height:
        parsed = [parse_quoted(line, delimiter) for line in quoted["text"]]
        quoted = quoted.with_columns(cells=pl.Series(parsed, dtype=pl.List(pl.String)))
        reason = "quotes are malformed: a quoted field must close on its own line and fill its cell"
        refusals += [
            Refusal(name, int(line), reason, content)
            for line, content in quoted.filter(pl.col("cells").is_null()).select("line", "text").iter_rows()
        ]
        cells = pl.concat([cells, quoted.filter(pl.col("cells").is_not_null())]).sort("line")
    found = pl.col("cells").list.len()
    for line, content, count in cells.filter(found != width).select("line", "text", found).iter_rows():
        refusals.append(Refusal(name, int(line), f"{count} fields, the header has {width}", content))
    rows = cells.filter(found == width).select(
        "line", *(pl.col("cells").list.get(column).alias(f"c{column}") for column in wanted)
    )
    return rows, tuple(sorted(refusals, key=lambda one: one.row or 0))


def parse_quoted(line: str, delimiter: str) -> list[str] | None:
    """Return the cells of a line with quotes, None where these are malformed."""
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error:
        return None


def decode(name: str, data: bytes, first: int, offset: int) -> str:
    """Return the text of `data` with line feeds; line `first` and byte `offset` of the file are its first.

    Raises
    ------
    SourceError
        It is not UTF-8 or holds zero bytes.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        line = first + before.count(b"\n")
        raise SourceError(
            f"{name}: not UTF-8 at line {line} (byte {offset + error.start}); save it as UTF-8"
        ) from error
    if "\0" in text:
        raise SourceError(f"{name}: holds zero bytes; this is no table of text")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _plain_lines(
    bytes_: NDArray[np.uint8], delimiter: int, width: int
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return which lines are plain, and where each line ends."""
    marks = np.flatnonzero((bytes_ == _LF) | (bytes_ == delimiter))
    last = np.flatnonzero(bytes_[marks] == _LF)
    ends = marks[last]
    plain = np.diff(last, prepend=-1) == width
    if chr(delimiter).isspace():
        # A line of blanks alone is no row, however many of them separate cells.
        shown = np.append(0, np.cumsum((bytes_ > 32) & (bytes_ < 127)))
        plain &= np.diff(shown[ends], prepend=0) > 0
    quotes = np.flatnonzero(bytes_ == _QUOTE)
    if len(quotes):
        # A cell may stand in quotes if these are its first and its last character and there are no others.
        cell = np.searchsorted(marks, quotes)
        start = np.where(cell == 0, 0, marks[cell - 1] + 1)
        again = cell[1:] == cell[:-1]
        opens = (quotes == start) & np.append(again, False)
        closes = (quotes == marks[cell] - 1) & np.append(False, again)
        plain[np.searchsorted(ends, quotes[~(opens ^ closes)])] = False
    return plain, ends


def _split_plain(
    block: Block,
    bytes_: NDArray[np.uint8],
    plain: NDArray[np.bool_],
    ends: NDArray[np.int64],
    *,
    delimiter: str,
    width: int,
    wanted: list[int],
) -> pl.DataFrame:
    names = [f"c{column}" for column in wanted]
    schema = {"line": pl.Int64, **dict.fromkeys(names, pl.String)}
    if not plain.any():
        return pl.DataFrame(schema=schema)
    data = block.data
    if not plain.all():
        data = bytes_[np.repeat(plain, np.diff(ends, prepend=-1))].tobytes()
    if b'"' in data:
        data = data.translate(None, b'"')
    rows = pl.read_csv(
        data,
        has_header=False,
        separator=delimiter,
        quote_char=None,
        schema={f"c{column}": pl.String for column in range(width)},
        columns=wanted,
        empty_string_is_null=False,
    )
    lines = pl.Series("line", np.flatnonzero(plain) + block.first, dtype=pl.Int64)
    return rows.select(names).insert_column(0, lines)


def _line(block: Block, ends: NDArray[np.int64], at: int) -> str:
    start = 0 if at == 0 else int(ends[at - 1]) + 1
    return block.data[start : int(ends[at])].decode()


def _blocks(name: str, chunks: Iterator[bytes], size: int) -> Iterator[Block]:
    carry, first, offset, beginning = b"", 1, 0, True
    for chunk in chunks:
        data = carry + chunk
        if beginning and data.startswith(BOM):
            data, offset = data[3:], 3
        beginning = False
        # A carriage return at the very end may belong to a line feed that follows.
        cut = max(data.rfind(b"\n"), data.rfind(b"\r", 0, len(data) - 1)) + 1
        carry = data[cut:]
        if len(carry) > MAX_LINE:
            raise SourceError(
                f"{name}: a line longer than {MAX_LINE // 1024} KiB; this is not a table of text"
            )
        if cut:
            lines = _checked(name, data[:cut], first, offset)
            block = Block(first, lines, min(1.0, (offset + cut) / size) if size else 1.0)
            yield block
            first, offset = first + block.lines, offset + cut
    if carry:
        last = _checked(name, carry, first, offset)
        yield Block(first, last if last.endswith(b"\n") else last + b"\n")


def _checked(name: str, data: bytes, first: int, offset: int) -> bytes:
    """Return `data` with line feeds alone, known to be UTF-8 without zero bytes."""
    if not data.isascii() or b"\0" in data:
        decode(name, data, first, offset)
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in data else data
