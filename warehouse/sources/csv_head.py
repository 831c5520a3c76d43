"""The beginning of delimited text, split into cells by the delimiter that fits it best."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from warehouse.errors import SourceError
from warehouse.sources import csv_lines
from warehouse.sources.headers import MAX_COLUMNS

HEAD: Final = 256 * 1024
_LINES: Final = 2000


@dataclass(frozen=True)
class Head:
    """Column names, each once, the delimiter, and the first rows of full width."""

    columns: list[str]
    delimiter: str
    rows: list[list[str]]


def read(path: Path, name: str) -> Head:
    """Return the beginning of the table at `path`.

    Raises
    ------
    SourceError
        It can't be read, is empty or is no table of text.
    """
    try:
        with path.open("rb") as file:
            data = file.read(HEAD)
            more = bool(file.read(1))
    except OSError as error:
        raise SourceError(f"{name}: can't be read ({error.strerror or error})") from error
    data = data.removeprefix(csv_lines.BOM)
    if more:
        end = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        if not end:
            raise SourceError(f"{name}: a line longer than {HEAD // 1024} KiB; this is not a table of text")
        data = data[:end]
    text = csv_lines.decode(name, data, 1, 0)
    lines = [line for line in text.split("\n") if line.strip()][:_LINES]
    if not lines:
        raise SourceError(f"{name}: is empty; a table begins with a header line")
    split = {mark: [_cells(line, mark) for line in lines] for mark in csv_lines.DELIMITERS}
    delimiter = max(split, key=lambda mark: _fit(split[mark]))
    header, *rows = split[delimiter]
    columns = _once([cell.strip() for cell in header])
    if len(columns) > MAX_COLUMNS:
        raise SourceError(f"{name}: {len(columns)} columns, at most {MAX_COLUMNS} are read")
    return Head(columns, delimiter, [row for row in rows if len(row) == len(columns)])


def _cells(line: str, delimiter: str) -> list[str]:
    if '"' not in line:
        return line.split(delimiter)
    return csv_lines.parse_quoted(line, delimiter) or []


def _fit(rows: list[list[str]]) -> tuple[float, int]:
    """Return how well rows agree with their header, then how wide it is; one column is no table."""
    width = len(rows[0])
    if width < 2:
        return 0.0, width
    return sum(len(row) == width for row in rows) / len(rows), width


def _once(names: list[str]) -> list[str]:
    """Return names that differ; a name that comes again gets its position, so that none is hidden."""
    counts = Counter(names)
    return [
        one if counts[one] == 1 else f"{one} (column {position})" for position, one in enumerate(names, 1)
    ]
