"""Readings of one ingest, held aside until all of them are known to be good."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Self

import polars as pl

from warehouse.errors import HomeError, SchemaError
from warehouse.instants import DAY_US, microseconds
from warehouse.parquet import new_stem
from warehouse.schema import EARLIEST, GOOD, INFINITE, MISSING, READINGS, TIME, conform, latest_allowed

# Rows kept in memory before parts are spilled, and rows that are merged at once: 21 bytes a row.
MEMORY_ROWS: Final = 2_000_000
WINDOW_ROWS: Final = 8_000_000


@dataclass(frozen=True, eq=False)
class Part:
    """Rows of one chunk within one calendar month, sorted by sensor and time, none doubled.

    Parameters
    ----------
    held
        The rows, or the file they were spilled to.
    first_day, last_day
        Whole UTC days that it touches, as half-open microseconds.
    """

    held: pl.DataFrame | Path
    rows: int
    first_day: int
    last_day: int
    sensor_min: int
    sensor_max: int

    def touches(self, other: Self) -> bool:
        """Tell whether both may hold readings of one sensor and day."""
        return (
            self.first_day < other.last_day
            and other.first_day < self.last_day
            and self.sensor_min <= other.sensor_max
            and other.sensor_min <= self.sensor_max
        )

    def rows_between(self, start: int, end: int) -> pl.DataFrame:
        """Return the rows with ``start <= ts < end``, in microseconds."""
        if start <= self.first_day and self.last_day <= end:
            return self.held if isinstance(self.held, pl.DataFrame) else _spilled(self.held)
        frame = self.held if isinstance(self.held, pl.DataFrame) else _spilled(self.held)
        ts = pl.col("ts").to_physical()
        return frame.filter((ts >= start) & (ts < end))


class Staging:
    """A place for chunks, left empty when the `with` block ends.

    Parameters
    ----------
    folder
        Where chunks are spilled when they outgrow memory.
    at
        The time of the ingest; readings of a later day are refused.
    """

    def __init__(self, folder: Path, at: datetime) -> None:
        self._folder = folder / new_stem()
        self._allowed = (microseconds(EARLIEST), microseconds(latest_allowed(at)))
        self._in_memory = 0
        self.parts: list[Part] = []
        self.rows = 0
        self.duplicates = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.parts.clear()
        shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, readings: pl.DataFrame) -> None:
        """Take a chunk of readings; values that are not finite become NULL with their quality.

        Raises
        ------
        SchemaError
            A column is missing, a time is null or outside 1990 … tomorrow, or a sensor id is null.
        """
        frame = judged(conform(readings, READINGS, "readings"))
        if frame.is_empty():
            return
        self._refuse_impossible(frame)
        ordered, dropped = in_order(frame)
        self.duplicates += dropped
        for month in _months(ordered):
            self._keep(month)

    def windows(self) -> Iterator[pl.DataFrame]:
        """Yield all rows, so that no sensor's day is in two of the yielded frames.

        A frame lies within one month; it is sorted by sensor and time and holds none twice: of doubles
        the row that was added last is kept.
        """
        for group in _connected(self.parts):
            start = min(part.first_day for part in group)
            end = max(part.last_day for part in group)
            step = end - start if sum(part.rows for part in group) <= WINDOW_ROWS else DAY_US
            for low in range(start, end, step):
                frames = [part.rows_between(low, low + step) for part in group]
                frames = [frame for frame in frames if not frame.is_empty()]
                if len(frames) == 1:
                    yield frames[0]
                elif frames:
                    yield in_order(pl.concat(frames))[0]

    def _refuse_impossible(self, frame: pl.DataFrame) -> None:
        if frame["ts"].null_count() or frame["sensor_id"].null_count():
            raise SchemaError("readings: a time or sensor id is null")
        low, high = _bounds(frame["ts"].to_physical())
        if low < self._allowed[0] or high >= self._allowed[1]:
            raise SchemaError("readings: a time lies outside 1990 … tomorrow")

    def _keep(self, frame: pl.DataFrame) -> None:
        low, high = _bounds(frame["ts"].to_physical())
        sensor_min, sensor_max = _bounds(frame["sensor_id"])
        self.rows += frame.height
        self._in_memory += frame.height
        held: pl.DataFrame | Path = frame
        if self._in_memory > MEMORY_ROWS:
            self._in_memory -= frame.height
            held = self._spill(frame)
        self.parts.append(
            Part(
                held=held,
                rows=frame.height,
                first_day=low // DAY_US * DAY_US,
                last_day=(high // DAY_US + 1) * DAY_US,
                sensor_min=sensor_min,
                sensor_max=sensor_max,
            )
        )

    def _spill(self, frame: pl.DataFrame) -> Path:
        path = self._folder / f"{len(self.parts)}.arrow"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            frame.write_ipc(path, compression="uncompressed")
        except OSError as error:
            raise HomeError(f"{path} can't be written: {error.strerror or error}") from error
        return path


def judged(frame: pl.DataFrame) -> pl.DataFrame:
    """Return readings with NaN as NULL of quality MISSING and infinities as NULL of quality INFINITE."""
    value = pl.col("value")
    given = pl.col("quality")
    return frame.with_columns(
        value=pl.when(value.is_finite()).then(value),
        quality=pl.when(value.is_infinite())
        .then(INFINITE)
        .when(value.is_finite())
        .then(GOOD)
        .when(given == INFINITE)
        .then(INFINITE)
        .otherwise(MISSING)
        .cast(pl.UInt8),
    )


def in_order(frame: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Return rows sorted by sensor and time, the last of doubles kept, and how many were dropped."""
    sensor, ts = pl.col("sensor_id"), pl.col("ts")
    later = (sensor > sensor.shift(1)) | ((sensor == sensor.shift(1)) & (ts > ts.shift(1)))
    if frame.select(later.all()).item():
        return frame, 0
    ordered = frame.sort("sensor_id", "ts", maintain_order=True)
    again = (sensor == sensor.shift(-1)) & (ts == ts.shift(-1))
    kept = ordered.filter(again.not_().fill_null(value=True))
    return kept, frame.height - kept.height


def _months(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    low, high = _bounds(frame["ts"].to_physical())
    first, last = (moment.replace(day=1) for moment in _dates(low, high))
    if first == last:
        yield frame
        return
    month = pl.col("ts").dt.truncate("1mo")
    for start in frame.select(month.unique().sort()).to_series():
        yield frame.filter(month == start)


def _dates(*us: int) -> list[datetime]:
    found: list[datetime] = pl.Series(us).cast(TIME).dt.truncate("1d").to_list()
    return found


def _connected(parts: list[Part]) -> Iterator[list[Part]]:
    # Parts in the order they came, grouped wherever they may hold the same sensor and day; a part never
    # leaves its month, so the groups don't either.
    groups: list[list[int]] = []
    for index, part in enumerate(parts):
        met = [group for group in groups if any(part.touches(parts[one]) for one in group)]
        merged = sorted({index}.union(*met))
        groups = [group for group in groups if group not in met]
        groups.append(merged)
    for group in groups:
        yield [parts[index] for index in group]


def _bounds(column: pl.Series) -> tuple[int, int]:
    low, high = column.min(), column.max()
    if not isinstance(low, int) or not isinstance(high, int):
        raise SchemaError("readings: no rows")
    return low, high


def _spilled(path: Path) -> pl.DataFrame:
    return pl.read_ipc(path)
