"""Delimited text as numbered rows of cells: a line is a row, so that line numbers stay exact.

A quoted field must close on its own line; one that runs over lines is refused, the lines around it are kept.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from warehouse.errors import SourceError
from warehouse.quarantine import Refusal

MAX_BYTES: Final = 512 * 1024**2
MAX_LINE: Final = 1024**2
MAX_COLUMNS: Final = 2000
BLOCK: Final = 16 * 1024**2
DELIMITERS: Final = (",", ";", "\t", "|")

_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Cells:
    """Rows of one block: ``line`` (as an editor counts) and one string column a header column, ``c0`` on."""

    rows: pl.DataFrame
    refusals: tuple[Refusal, ...]


def read_lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield blocks of lines with the number of their first line, counted from 1.

    Raises
    ------
    SourceError
        The file can't be read, is too large, is not UTF-8, or has a line without end.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise SourceError(
                f"{path.name}: {size / 1024**2:.0f} MiB, at most {MAX_BYTES // 1024**2} are read; split it"
            )
        with path.open("rb") as file:
            yield from _blocks(path.name, iter(lambda: file.read(BLOCK), b""))
    except OSError as error:
        raise SourceError(f"{path.name}: can't be read ({error.strerror or error})") from error


def split_cells(
    name: str, first: int, lines: list[str], *, delimiter: str, width: int, wanted: list[int]
) -> Cells:
    """Return the `wanted` columns of a block of `lines`, refusing rows that are not `width` cells wide."""
    text = pl.Series("text", lines, dtype=pl.String)
    frame = pl.DataFrame({"text": text}).with_row_index("line", offset=first)
    frame = frame.filter(pl.col("text").str.strip_chars() != "")
    quoted = frame.filter(pl.col("text").str.contains('"', literal=True))
    cells = frame.filter(~pl.col("text").str.contains('"', literal=True)).with_columns(
        cells=pl.col("text").str.split(delimiter)
    )
    refusals: list[Refusal] = []
    if quoted.height:
        parsed = [_parse_quoted(line, delimiter) for line in quoted["text"]]
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
        "line", "text", *(pl.col("cells").list.get(column).alias(f"c{column}") for column in wanted)
    )
    return Cells(rows, tuple(sorted(refusals, key=lambda one: one.row or 0)))


def read_header(name: str, line: str, delimiter: str | None, needed: list[str]) -> tuple[list[str], str]:
    """Return the stripped column names and the delimiter: the given one, or the one that shows `needed`.

    Raises
    ------
    SourceError
        A needed column is not there, a name occurs twice, or there are too many columns.
    """
    tried = {mark: _names(line, mark) for mark in ([delimiter] if delimiter else DELIMITERS)}
    mark, columns = max(tried.items(), key=lambda item: (len(set(needed) & set(item[1])), len(item[1])))
    missing = [column for column in needed if column not in columns]
    if missing:
        raise SourceError(
            f"{name}: no column {', '.join(map(repr, missing))}; the header has"
            f" {', '.join(repr(column[:40]) for column in columns[:20])}"
        )
    if len(columns) > MAX_COLUMNS:
        raise SourceError(f"{name}: {len(columns)} columns, at most {MAX_COLUMNS} are read")
    twice = sorted({column for column in columns if column and columns.count(column) > 1})
    if twice:
        raise SourceError(f"{name}: the header names {', '.join(map(repr, twice[:5]))} more than once")
    return columns, mark


def _names(line: str, delimiter: str) -> list[str]:
    cells = _parse_quoted(line, delimiter) if '"' in line else line.split(delimiter)
    return [cell.strip() for cell in cells or [line]]


def _parse_quoted(line: str, delimiter: str) -> list[str] | None:
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error:
        return None


def _blocks(name: str, chunks: Iterator[bytes]) -> Iterator[tuple[int, list[str]]]:
    carry, first, offset, beginning = b"", 1, 0, True
    for chunk in chunks:
        data = carry + chunk
        if beginning and data.startswith(_BOM):
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
            lines = _decode(name, data[:cut], first, offset).split("\n")[:-1]
            yield first, lines
            first, offset = first + len(lines), offset + cut
    if carry:
        yield first, _decode(name, carry, first, offset).rstrip("\n").split("\n")


def _decode(name: str, data: bytes, first: int, offset: int) -> str:
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
