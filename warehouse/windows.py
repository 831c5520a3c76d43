"""A window of one sensor in as many rows as a chart can show, with every extreme in it.

Raw readings where they are few enough to be read at once, else buckets of a rollup level; readings of the
buckets that the window cuts are read raw, so that nothing from outside it gets in.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final, NamedTuple, Protocol

import polars as pl

from warehouse.buckets import Measure, as_rows, gather
from warehouse.instants import DAY_US, SECOND_US, microseconds, moment_of
from warehouse.schema import FINE_LEVEL_S, ROLLUP_LEVELS_S, TIME

WINDOW: Final = ("ts", "min", "max", "mean")

# So many raw rows are read in some 20 ms, if they lie in few files.
RAW_ROWS: Final = 200_000
RAW_SPAN_US: Final = 62 * DAY_US
# So many are read rather than show much less than a chart has room for.
MUCH_RAW: Final = 2_000_000

_VALUE: Final = Measure("min", "max", "mean", "count")
_EMPTY: Final = pl.Schema([("ts", TIME), ("min", pl.Float64), ("max", pl.Float64), ("mean", pl.Float64)])


class Extent(NamedTuple):
    """First and last reading of a sensor in microseconds, and how many there are."""

    first_us: int
    last_us: int
    rows: int


NOTHING: Final = Extent(0, -1, 0)


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


class Window:
    """One question: a sensor, a span, and a number of points.

    Parameters
    ----------
    extent
        Covers everything of the sensor that is stored; None where that is not known.
    """

    def __init__(
        self,
        readings: Readings,
        sensor_id: int,
        start: datetime,
        end: datetime,
        *,
        max_points: int,
        snapshot_id: int | None,
        extent: Extent | None,
    ) -> None:
        self._readings = readings
        self._sensor = [sensor_id]
        self._snapshot_id = snapshot_id
        self._max_points = max_points
        self._from = microseconds(start)
        self._low, self._high = self._from, microseconds(end)
        self._rows_at_most: int | None = None
        if extent is not None:
            self._rows_at_most = extent.rows
            # Where nothing lies beyond an end of the window, it is moved so that it cuts no bucket.
            if self._low <= extent.first_us:
                self._low = _floor(extent.first_us, DAY_US)
            if self._high > extent.last_us:
                self._high = _floor(extent.last_us, DAY_US) + DAY_US

    def answer(self) -> pl.DataFrame:
        """Return ts, min, max and mean in at most `max_points` rows, by time."""
        return self._answer().select(WINDOW)

    def _answer(self) -> pl.DataFrame:
        span = self._high - self._low
        if span <= 0:
            return _EMPTY.to_frame()
        few = self._rows_at_most is not None and self._rows_at_most <= RAW_ROWS
        if few and span <= RAW_SPAN_US:
            return self._raw()
        judged_by = _level(span, self._max_points)
        counted = self._buckets(
            judged_by, _floor(self._low, _us(judged_by)), _ceiling(self._high, _us(judged_by))
        )
        if counted.is_empty():
            return _EMPTY.to_frame()
        rows, filled = self._expected(counted, _us(judged_by))
        if rows <= self._max_points or (rows <= RAW_ROWS and span <= RAW_SPAN_US):
            return self._raw()
        level = _level(filled, self._max_points)
        if level == ROLLUP_LEVELS_S[0] and filled < self._max_points * _us(level):
            return self._finest(counted, rows, filled)
        return self._of_level(level, counted if level == judged_by else None)

    def _expected(self, counted: pl.DataFrame, width: int) -> tuple[float, float]:
        """Return the rows and the microseconds with rows to be expected, were buckets filled evenly."""
        begin = pl.col("ts").to_physical()
        share = (pl.min_horizontal(begin + width, self._high) - pl.max_horizontal(begin, self._low)) / width
        rows, buckets = counted.select(
            (share * pl.col("count")).sum().alias("rows"), share.sum().alias("buckets")
        ).row(0)
        return rows, buckets * width

    def _raw(self) -> pl.DataFrame:
        rows = self._rows(self._low, self._high)
        if rows.height <= self._max_points:
            return rows
        return self._gathered([rows], 1)

    def _of_level(self, level_s: int, counted: pl.DataFrame | None) -> pl.DataFrame:
        width = _us(level_s)
        first, last = _ceiling(self._low, width), _floor(self._high, width)
        if first > last:
            return self._gathered([self._rows(self._low, self._high)], width)
        if counted is None:
            inner = self._buckets(level_s, first, last)
        else:
            ts = pl.col("ts").to_physical()
            inner = counted.filter((ts >= first) & (ts < last))
        return self._gathered([*self._edges(first, last), inner], width)

    def _finest(self, counted: pl.DataFrame, rows: float, filled: float) -> pl.DataFrame:
        """Return the window by its finest level, which some days have, and raw readings of the others."""
        width = _us(FINE_LEVEL_S)
        first, last = _ceiling(self._low, width), _floor(self._high, width)
        too_coarse = 2 * filled < self._max_points * width
        if too_coarse and rows <= MUCH_RAW:
            return self._raw()
        fine = self._buckets(FINE_LEVEL_S, first, last)
        day = (pl.col("ts").to_physical() // DAY_US).alias("day")
        others = counted.group_by(day).agg(pl.col("count").sum()).join(
            fine.select(day).unique(), on="day", how="anti"
        )  # fmt: skip
        if int(others["count"].sum()) > MUCH_RAW:
            return self._raw() if rows <= MUCH_RAW else self._of_level(ROLLUP_LEVELS_S[0], None)
        raw = [
            self._rows(max(first, begin * DAY_US), min(last, end * DAY_US))
            for begin, end in _runs(sorted(others["day"].to_list()))
        ]
        return self._gathered([*self._edges(first, last), fine, *raw], width)

    def _edges(self, first: int, last: int) -> list[pl.DataFrame]:
        return [self._rows(self._low, first), self._rows(last, self._high)]

    def _gathered(self, parts: list[pl.DataFrame], unit_us: int) -> pl.DataFrame:
        columns = ["ts", *_VALUE]
        rows = pl.concat([part.select(columns) for part in parts])
        return gather(rows, [_VALUE], unit_us=unit_us, from_us=self._from, max_points=self._max_points)

    def _rows(self, low: int, high: int) -> pl.DataFrame:
        if low >= high:
            return as_rows(pl.DataFrame(schema={"ts": TIME, "value": pl.Float64}), ["value"], [_VALUE])
        raw = self._readings.read(
            self._sensor, moment_of(low), moment_of(high), snapshot_id=self._snapshot_id
        )
        return as_rows(raw, ["value"], [_VALUE])

    def _buckets(self, level_s: int, low: int, high: int) -> pl.DataFrame:
        return self._readings.rollup(
            self._sensor, moment_of(low), moment_of(high), level_s, snapshot_id=self._snapshot_id
        )


def _level(span_us: float, max_points: int) -> int:
    """Return the coarsest level that gives `max_points` buckets, else the finest that every day has."""
    for level in reversed(ROLLUP_LEVELS_S):
        if span_us >= max_points * _us(level):
            return level
    return ROLLUP_LEVELS_S[0]


def _runs(days: list[int]) -> Iterator[tuple[int, int]]:
    """Yield stretches of days that follow each other, half-open."""
    begin = 0
    for index in range(1, len(days) + 1):
        if index == len(days) or days[index] != days[index - 1] + 1:
            yield days[begin], days[index - 1] + 1
            begin = index


def _us(level_s: int) -> int:
    return level_s * SECOND_US


def _floor(us: int, width: int) -> int:
    return us // width * width


def _ceiling(us: int, width: int) -> int:
    return -(-us // width) * width
