"""A window of one sensor in as many rows as a chart can show, with every extreme in it."""

from datetime import datetime
from typing import Final, Protocol

import polars as pl

from warehouse.instants import DAY_US, SECOND_US, microseconds, moment_of
from warehouse.schema import ROLLUP_LEVELS_S

WINDOW: Final = ("ts", "min", "max", "mean")

_FINEST: Final = ROLLUP_LEVELS_S[0]
_COARSEST: Final = ROLLUP_LEVELS_S[-1]
# Up to here the finest level says how many readings there are, beyond it the coarsest.
_FEW_DAYS_US: Final = 7 * DAY_US
# How far "about" goes: 90 days by the hour (2,160) are about 2,000 points.
_ABOUT: Final = 1.25


class Readings(Protocol):
    """What a window is cut from."""

    def read(
        self, sensor_ids: list[int], start: datetime, end: datetime, *, snapshot_id: int | None = None
    ) -> pl.DataFrame:
        """Return raw readings."""

    def rollup(
        self,
        sensor_ids: list[int],
        start: datetime,
        end: datetime,
        level_s: int,
        *,
        snapshot_id: int | None = None,
    ) -> pl.DataFrame:
        """Return the buckets of a level."""


def window(
    readings: Readings,
    sensor_id: int,
    start: datetime,
    end: datetime,
    *,
    max_points: int,
    snapshot_id: int | None,
) -> pl.DataFrame:
    """Return ts, min, max and mean in about `max_points` rows or fewer; see `Telemetry.window`."""
    low, high = microseconds(start), microseconds(end)
    judged_by = _FINEST if high - low <= _FEW_DAYS_US else _COARSEST
    coarse = readings.rollup(
        [sensor_id], _floor(low, judged_by), _ceiling(high, judged_by), judged_by, snapshot_id=snapshot_id
    )
    if coarse.is_empty():
        return pl.DataFrame(schema={"ts": coarse.schema["ts"], **dict.fromkeys(WINDOW[1:], pl.Float64)})
    level = _level(coarse, judged_by, low, high, max_points=max_points)
    if level is None:
        raw = readings.read([sensor_id], start, end, snapshot_id=snapshot_id)
        return raw.select("ts", *(pl.col("value").alias(name) for name in WINDOW[1:]))
    first, last = _ceiling(low, level), _floor(high, level)
    if first > last:
        return _as_one(readings.read([sensor_id], start, end, snapshot_id=snapshot_id))
    inner = (
        coarse.filter((pl.col("ts") >= first) & (pl.col("ts") < last))
        if level == judged_by
        else readings.rollup([sensor_id], first, last, level, snapshot_id=snapshot_id)
    )
    # A bucket that the window cuts would bring in readings from outside it.
    head = readings.read([sensor_id], start, first, snapshot_id=snapshot_id)
    tail = readings.read([sensor_id], last, end, snapshot_id=snapshot_id)
    return pl.concat([_as_one(head), inner.select(WINDOW), _as_one(tail)])


def _level(coarse: pl.DataFrame, width_s: int, low: int, high: int, *, max_points: int) -> int | None:
    # Rows and buckets to be expected, were the readings of each bucket spread evenly over it.
    width = width_s * SECOND_US
    begin = pl.col("ts").to_physical()
    share = (pl.min_horizontal(begin + width, high) - pl.max_horizontal(begin, low)) / width
    rows, filled = coarse.select(
        (share * pl.col("count")).sum().alias("rows"), share.sum().alias("buckets")
    ).row(0)
    if rows <= max_points:
        return None
    for level in ROLLUP_LEVELS_S:
        if filled * width_s / level <= _ABOUT * max_points:
            return level
    return _COARSEST


def _as_one(raw: pl.DataFrame) -> pl.DataFrame:
    value = pl.col("value")
    if raw.is_empty():
        return raw.select("ts", *(value.alias(name) for name in WINDOW[1:]))
    return raw.select(
        pl.col("ts").first(), value.min().alias("min"), value.max().alias("max"), value.mean().alias("mean")
    )


def _floor(us: int, level_s: int) -> datetime:
    width = level_s * SECOND_US
    return moment_of(us // width * width)


def _ceiling(us: int, level_s: int) -> datetime:
    width = level_s * SECOND_US
    return moment_of(-(-us // width) * width)
