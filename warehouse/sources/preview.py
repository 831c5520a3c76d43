"""A first look at a table, cheaply: what its columns hold and what they probably mean."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

import polars as pl

from warehouse import clock
from warehouse.errors import SourceError
from warehouse.sources import csv_head, parquet_file
from warehouse.sources.cells import as_text
from warehouse.sources.layouts import Guess, guess_layout
from warehouse.sources.looks import Looks, Written, are_empty, are_numbers, decimal_mark, written_times
from warehouse.sources.numbers import Decimal
from warehouse.sources.parquet_columns import own_time, refuse_type

__all__ = ["ColumnPreview", "Guess", "Preview", "preview"]

ROWS: Final = 8
_SAMPLES: Final = 4
_LOOKED_AT: Final = 2000
_CELL: Final = 200


@dataclass(frozen=True)
class ColumnPreview:
    """A column: its name, what its cells look like, and a few different ones of them."""

    name: str
    looks: Looks
    sample: tuple[str, ...]


@dataclass(frozen=True)
class Preview:
    """A first look at a table.

    Parameters
    ----------
    name
        What the person calls the file.
    delimiter, decimal
        As found; empty and ``"."`` for Parquet.
    columns
        In the order of the file.
    rows
        The first rows as text, each as wide as `columns`.
    guess
        What the columns probably mean, to be confirmed by the person.
    """

    name: str
    kind: Literal["csv", "parquet"]
    delimiter: str
    decimal: Decimal
    columns: tuple[ColumnPreview, ...]
    rows: tuple[tuple[str, ...], ...]
    guess: Guess


def preview(path: Path, name: str | None = None, *, now: datetime | None = None) -> Preview:
    """Look at the beginning of a table.

    Parameters
    ----------
    path
        The file, CSV or Parquet as its content says.
    name
        What the person calls it; its own name when not given.
    now
        Times from a day after it on are not taken for times.

    Raises
    ------
    SourceError
        It can't be read or is no table.
    """
    called, moment = name or path.name, clock.now() if now is None else now
    if parquet_file.is_parquet(path):
        return _parquet(path, called, moment)
    head = csv_head.read(path, called)
    cells = {column: [row[at] for row in head.rows] for at, column in enumerate(head.columns)}
    decimal = decimal_mark([cell for column in cells.values() for cell in column])
    times = {column: found for column, text in cells.items() if (found := written_times(text, moment))}
    return _looked_at("csv", (called, head.delimiter, decimal), cells, times)


def _parquet(path: Path, name: str, now: datetime) -> Preview:
    cells: dict[str, list[str]] = {}
    times: dict[str, Written] = {}
    with parquet_file.opened(path, name) as file:
        schema = file.schema_arrow
        plain = [field.name for field in schema if refuse_type(field.type) is None]
        if not plain:
            raise SourceError(f"{name}: none of its columns holds times, numbers or text")
        frame = next(parquet_file.frames(file, name, plain, _LOOKED_AT), None)
        if frame is None:
            raise SourceError(f"{name}: has columns and no rows")
    for column in plain:
        # True and false are read as 1 and 0, and shown so.
        values = frame[column].cast(pl.Int8) if frame.schema[column] == pl.Boolean else frame[column]
        cells[column] = as_text(values).to_list()
        own = own_time(frame.schema[column])
        found = own if own is not None else written_times(cells[column], now)
        if found is not None:
            times[column] = found
    return _looked_at("parquet", (name, "", "."), cells, times)


def _looked_at(
    kind: Literal["csv", "parquet"],
    marks: tuple[str, str, Decimal],
    cells: dict[str, list[str]],
    times: dict[str, Written],
) -> Preview:
    name, delimiter, decimal = marks
    looks: dict[str, Looks] = {}
    for column, text in cells.items():
        if column in times:
            looks[column] = "time"
        elif are_empty(text):
            looks[column] = "empty"
        else:
            looks[column] = "number" if are_numbers(text, decimal) else "text"
    guess = guess_layout(cells, looks, times)
    if guess.time is not None:
        # Whole numbers that could be an epoch are numbers where another column is the time.
        for column, found in times.items():
            if column != guess.time and found.time_format is not None and are_numbers(cells[column], decimal):
                looks[column] = "number"
    return Preview(
        name,
        kind,
        delimiter,
        decimal,
        tuple(
            ColumnPreview(column, looks[column], tuple(_shown(one) for one in _different(text)))
            for column, text in cells.items()
        ),
        tuple(tuple(_shown(one) for one in row) for row in list(zip(*cells.values(), strict=True))[:ROWS]),
        guess,
    )


def _different(text: list[str]) -> list[str]:
    return list(dict.fromkeys(one.strip() for one in text if one.strip()))[:_SAMPLES]


def _shown(cell: str) -> str:
    return cell if len(cell) <= _CELL else cell[: _CELL - 1] + "…"
