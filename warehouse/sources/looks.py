"""What a column of text looks like: a time and how it is written, a number, words, or nothing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import polars as pl

from warehouse.sources.numbers import MISSING, Decimal, parse_numbers
from warehouse.sources.times import EPOCHS, parse_times

Looks = Literal["time", "number", "text", "empty"]

# So many of a column's cells must fit; a few bad rows must not hide what the rest is.
ENOUGH: Final = 0.9
_CELLS: Final = 400

_DATED: Final = re.compile(
    r"(?P<a>[0-9]{1,4})(?P<sep>[./ -])(?P<b>[0-9]{1,2}|[A-Za-z]{3})(?P=sep)(?P<c>[0-9]{1,4})"
    r"(?:(?P<gap>[ T])[0-9]{1,2}:[0-9]{2}(?P<seconds>:[0-9]{2}(?P<fraction>\.[0-9]+)?)?"
    r"(?P<half> ?[AaPp][Mm])?)?"
    r"(?P<offset> ?[+-][0-9]{2}:?[0-9]{2})?"
)
_COMPACT: Final = re.compile(r"[0-9]{14}")


@dataclass(frozen=True)
class Written:
    """How the times of a column are written.

    Parameters
    ----------
    time_format
        As in `warehouse.sources.table_mapping.TableMapping`; None for ISO 8601, and where `ambiguous`.
    needs_zone
        True where some time carries no offset of its own.
    ambiguous
        Formats that all fit, where day and month could be either; empty otherwise.
    """

    time_format: str | None
    needs_zone: bool
    ambiguous: tuple[str, ...] = ()


def written_times(cells: Sequence[str], now: datetime) -> Written | None:
    """Return how `cells` write their times, None where they don't read as times."""
    filled = _filled(cells)
    if filled.is_empty():
        return None
    forms: list[str | None] = [None, *EPOCHS, *_formats(filled[0])]
    fits = {form: fit for form in forms if (fit := _fit(filled, form, now)) >= ENOUGH}
    if not fits:
        return None
    best = max(fits.values())
    named = [form for form in fits if fits[form] == best]
    first = named[0]
    if len(named) > 1 and first is not None:
        return Written(None, "%z" not in first, tuple(form for form in named if form is not None))
    if first is None:
        return Written(None, bool(parse_times(filled, zone=None, time_format=None, now=now)["naive"].any()))
    return Written(first, first not in EPOCHS and "%z" not in first)


def are_numbers(cells: Sequence[str], decimal: Decimal) -> bool:
    """Tell whether `cells` read as numbers, missing ones aside."""
    filled = _filled(cells)
    return not filled.is_empty() and float(parse_numbers(filled, decimal)["good"].sum()) >= (
        ENOUGH * filled.len()
    )


def are_empty(cells: Sequence[str]) -> bool:
    """Tell whether every cell stands for a missing value."""
    return _filled(cells).is_empty()


def decimal_mark(cells: Sequence[str]) -> Decimal:
    """Return the mark of decimals that more of `cells` use; a point where none uses either."""
    text = pl.Series(cells, dtype=pl.String).str.strip_chars()
    commas = text.str.contains(r"^[+-]?[0-9]+,[0-9]+(?:[eE][+-]?[0-9]+)?$").sum()
    points = text.str.contains(r"^[+-]?[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?$").sum()
    return "," if commas > points else "."


def _filled(cells: Sequence[str]) -> pl.Series:
    text = pl.Series("cells", cells, dtype=pl.String).str.strip_chars()
    return text.filter(~text.str.contains(MISSING)).head(_CELLS)


def _fit(cells: pl.Series, time_format: str | None, now: datetime) -> float:
    """Return the share of cells that are times of a format."""
    times = parse_times(cells, zone="UTC", time_format=time_format, now=now)
    return times["refused"].null_count() / cells.len()


def _formats(cell: str) -> list[str]:
    """Return the strptime formats that the first cell may be of."""
    if _COMPACT.fullmatch(cell):
        return ["%Y%m%d%H%M%S"]
    found = _DATED.fullmatch(cell)
    if found is None:
        return []
    sep, clock = found["sep"], ""
    if found["gap"]:
        seconds = ":%S" + (".%f" if found["fraction"] else "") if found["seconds"] else ""
        hour, half = ("%H", "") if not found["half"] else ("%I", found["half"][:-2] + "%p")
        clock = f"{found['gap']}{hour}:%M{seconds}{half}"
    if found["offset"]:
        clock += " %z" if found["offset"].startswith(" ") else "%z"
    if len(found["a"]) == 4:
        return [f"%Y{sep}%m{sep}%d{clock}"]
    year = {4: "%Y", 2: "%y"}.get(len(found["c"]))
    if year is None or len(found["a"]) > 2:
        return []
    if found["b"].isalpha():
        return [f"%d{sep}%b{sep}{year}{clock}"]
    day_first = f"%d{sep}%m{sep}{year}{clock}"
    # With points the day comes first wherever people write so.
    return [day_first] if sep == "." else [day_first, f"%m{sep}%d{sep}{year}{clock}"]
