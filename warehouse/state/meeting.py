"""Pairs of intervals of one sensor that meet, found without comparing each with each."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

_ROOM: Final = 2**62
_PAIR: Final = ("left", "right")

Places = NDArray[np.int64]


def meeting(left: pl.DataFrame, right: pl.DataFrame, suffix: str) -> pl.DataFrame:
    """Return the pairs of rows of one sensor that overlap or that were given to the same event.

    Thousands of verdicts on one sensor would be millions of pairs, nearly none of which meet.

    Parameters
    ----------
    left, right
        With sensor_id, event_id, and half-open start and end in microseconds.

    Returns
    -------
    pl.DataFrame
        The columns of `left`, then those of `right` without its sensor, with `suffix` where `left` has a
        column of that name.
    """
    here, there = left.with_row_index("left"), right.with_row_index("right")
    same = here.join(there, on=["sensor_id", "event_id"]).select(_PAIR)
    pairs = pl.concat([same, *_overlapping(left, right)]).unique().sort(_PAIR)
    others = right.drop("sensor_id").rename(
        {name: name + suffix for name in right.columns if name in left.columns and name != "sensor_id"}
    )
    return left[pairs["left"]].hstack(others[pairs["right"]])


def _overlapping(left: pl.DataFrame, right: pl.DataFrame) -> Iterator[pl.DataFrame]:
    sensors = np.intersect1d(left["sensor_id"].to_numpy(), right["sensor_id"].to_numpy())
    if sensors.size == 0:
        return
    begin = min(_us(left, "start").min(), _us(right, "start").min())
    width = int(max(_us(left, "end").max(), _us(right, "end").max()) - begin) + 1
    # Each sensor has a stretch of its own on one line, as many of them at once as whole numbers can tell.
    at_once = max(1, _ROOM // width)
    for first in range(0, sensors.size, at_once):
        some = sensors[first : first + at_once]
        here, there = _on_line(left, some, begin, width), _on_line(right, some, begin, width)
        found = _meeting_on_line(here, there)
        yield pl.DataFrame(dict(zip(_PAIR, found, strict=True))).cast(pl.get_index_type())


def _on_line(
    frame: pl.DataFrame, sensors: NDArray[np.int32], begin: int, width: int
) -> tuple[Places, Places, Places]:
    """Return rows of `sensors`, and the starts and ends of their intervals on the line, by start."""
    ids = frame["sensor_id"].to_numpy()
    rows = np.flatnonzero(np.isin(ids, sensors)).astype(np.int64)
    shift = np.searchsorted(sensors, ids[rows]).astype(np.int64) * width - begin
    starts, ends = _us(frame, "start")[rows] + shift, _us(frame, "end")[rows] + shift
    order = np.argsort(starts, kind="stable")
    return rows[order], starts[order], ends[order]


def _meeting_on_line(
    here: tuple[Places, Places, Places], there: tuple[Places, Places, Places]
) -> tuple[Places, Places]:
    rows, starts, ends = here
    other_rows, other_starts, other_ends = there
    # All before `low` have ended by the start, all from `high` on start at the end or after it.
    low = np.searchsorted(np.maximum.accumulate(other_ends), starts, side="right")
    high = np.searchsorted(other_starts, ends, side="left")
    many = np.maximum(high - low, 0)
    mine = np.repeat(np.arange(rows.size), many)
    theirs = np.arange(mine.size) - np.repeat(np.cumsum(many) - many, many) + np.repeat(low, many)
    meet = other_ends[theirs] > starts[mine]
    return rows[mine[meet]], other_rows[theirs[meet]]


def _us(frame: pl.DataFrame, name: str) -> Places:
    return frame[name].to_physical().to_numpy()
