"""What the columns of a table probably mean: which is the time, and whether it is long or wide."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from warehouse.sources.looks import Looks, Written

_TIME: Final = re.compile(r"time|date|datum|zeit|stamp|epoch|\bts\b|when|\bat\b", re.IGNORECASE)
_SENSOR: Final = re.compile(r"sensor|tag|channel|signal|param|variable|point|measure|kanal", re.IGNORECASE)
_ASSET: Final = re.compile(
    r"asset|machine|maschine|equip|device|unit|plant|turbine|pump|station", re.IGNORECASE
)
_VALUE: Final = re.compile(r"val|read|wert|mess|y$", re.IGNORECASE)


@dataclass(frozen=True)
class Guess:
    """What the columns of a table probably mean.

    Parameters
    ----------
    time
        The time column, None where none was found.
    time_format
        As in `warehouse.sources.table_mapping.TableMapping`: None for ISO 8601 and for a type that is a time
        already, and where it is `ambiguous`.
    needs_zone
        True where times carry no offset, so that their zone must be stated.
    layout
        ``"long"`` or ``"wide"``.
    sensor_column, value_column, asset_column
        Of a long table.
    ambiguous
        Time formats that fit equally well because day and month could be either: a person must choose.
    """

    time: str | None
    time_format: str | None
    needs_zone: bool
    layout: Literal["long", "wide"]
    sensor_column: str | None = None
    value_column: str | None = None
    asset_column: str | None = None
    ambiguous: tuple[str, ...] = ()


def guess_layout(
    cells: Mapping[str, Sequence[str]], looks: Mapping[str, Looks], times: Mapping[str, Written]
) -> Guess:
    """Return what the columns probably mean.

    Parameters
    ----------
    cells
        The first cells of each column, equally many.
    looks
        What each column looks like.
    times
        How the columns that look like times are written.
    """
    time = _time_column(cells, times)
    if time is None:
        return Guess(None, None, needs_zone=True, layout="wide")
    found = times[time]
    numbers = [one for one in cells if one != time and (looks[one] == "number" or _is_epoch(times.get(one)))]
    words = [one for one in cells if looks[one] == "text" and _repeats(cells[one])]
    long = _long(cells, time, numbers, words)
    if long is None:
        return Guess(time, found.time_format, found.needs_zone, "wide", ambiguous=found.ambiguous)
    sensor, value, asset = long
    return Guess(
        time, found.time_format, found.needs_zone, "long", sensor, value, asset, ambiguous=found.ambiguous
    )


def _time_column(cells: Mapping[str, Sequence[str]], times: Mapping[str, Written]) -> str | None:
    """Return the column that is the time: written as one, named like one, first."""
    order = {column: at for at, column in enumerate(cells)}
    ranked = sorted(times, key=lambda one: (_is_epoch(times[one]), _TIME.search(one) is None, order[one]))
    return ranked[0] if ranked else None


def _is_epoch(written: Written | None) -> bool:
    return written is not None and (written.time_format or "").startswith("epoch")


def _repeats(cells: Sequence[str]) -> bool:
    filled = [cell.strip() for cell in cells if cell.strip()]
    return len(set(filled)) <= max(1, len(filled) * 2 // 3)


def _long(
    cells: Mapping[str, Sequence[str]], time: str, numbers: Sequence[str], words: Sequence[str]
) -> tuple[str, str, str | None] | None:
    """Return sensor, value and asset column of a long table, None for a wide one."""
    named = [one for one in numbers if _SENSOR.search(one) or _ASSET.search(one)]
    values = [one for one in numbers if one not in named and _VALUE.search(one)] or [
        one for one in numbers if one not in named
    ]
    # Numbered sensors count as names only beside a column of values, where times come again and again.
    if not words and _repeats(cells[time]) and len(values) == 1:
        words = [one for one in named if _SENSOR.search(one) and _repeats(cells[one])]
    if not words or len(values) != 1:
        return None
    sensor = next((one for one in words if _SENSOR.search(one)), None)
    others = [one for one in words if one != sensor]
    asset = next((one for one in others if _ASSET.search(one)), None)
    if sensor is None:
        if not _repeats(cells[time]):  # a state beside a reading, not a name
            return None
        left = [one for one in others if one != asset]
        if not left:
            return (asset, values[0], None) if asset is not None else None
        # Of two columns of words, the one that names more things names the sensors.
        sensor = max(left, key=lambda one: len(set(cells[one])))
        if asset is None and len(left) == 2:
            asset = next(one for one in left if one != sensor)
    return sensor, values[0], asset
