"""The first line of a table of text: its column names, and the delimiter that shows them."""

from typing import Final

from warehouse.errors import SourceError
from warehouse.sources.csv_lines import DELIMITERS, parse_quoted

MAX_COLUMNS: Final = 2000


def read_header(name: str, line: str, delimiter: str | None, needed: list[str]) -> tuple[list[str], str]:
    """Return the stripped column names and the delimiter: the given one, or the one that shows `needed`.

    Raises
    ------
    SourceError
        A needed column is not there, a name occurs twice, or there are too many columns.
    """
    tried = {mark: _names(line, mark) for mark in ([delimiter] if delimiter else DELIMITERS)}
    mark, columns = max(tried.items(), key=lambda item: (len(set(needed) & set(item[1])), len(item[1])))
    check_header(name, columns, needed)
    return columns, mark


def check_header(name: str, columns: list[str], needed: list[str]) -> None:
    """Refuse a header that lacks a column, names one twice, or has too many.

    Raises
    ------
    SourceError
        Which.
    """
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


def _names(line: str, delimiter: str) -> list[str]:
    cells = parse_quoted(line, delimiter) if '"' in line else line.split(delimiter)
    return [cell.strip() for cell in cells or [line]]
