"""Readings of one ingest, held aside until all of them are known to be good."""

import shutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from warehouse.errors import SchemaError
from warehouse.instants import DAY_US, microseconds, moment_of
from warehouse.ordering import bounds, in_order
from warehouse.parquet import new_stem
from warehouse.room import unwritable
from warehouse.schema import EARLIEST, GOOD, INFINITE, MISSING, READINGS, conform, latest_allowed

# Rows that are sorted together as they come, rows kept in memory before parts are spilled, and rows that
# are merged at once: 21 bytes a row, some copies while they are sorted.
CHUNK_ROWS: Final = 1_000_000
MEMORY_ROWS: Final = 2_000_000
WINDOW_ROWS: Final = 4_000_000

_SAMPLES: Final = 1024
_SPILL_BATCH: Final = 65_536


@dataclass(frozen=True, eq=False)
class Part:
    """Rows of one chunk within one calendar month, sorted by sensor and time, none doubled.

    Parameters
    ----------
    held
        The chunk, or the file that it was spilled to; the part's rows are `rows` of it from `offset` on.
    first_day, last_day
        Whole UTC days that it touches, as half-open microseconds.
    step, samples
        The sensor of every `step`-th row, by which a range of sensors is found.
    """

    held: pl.DataFrame | Path
    offset: int
    rows: int
    first_day: int
    last_day: int
    step: int
    samples: NDArray[np.int32]

    def between(self, low: int, high: int, start: int, end: int) -> pl.DataFrame:
        """Return the rows of sensors ``low <= sensor < high`` with ``start <= ts < end``, in microseconds."""
        first = max(0, int(np.searchsorted(self.samples, low)) - 1) * self.step
        last = min(self.rows, int(np.searchsorted(self.samples, high)) * self.step)
        if first >= last:
            return READINGS.to_frame()
        if isinstance(self.held, pl.DataFrame):
            near = self.held.slice(self.offset + first, last - first)
        else:
            near = pl.scan_ipc(self.held, glob=False).slice(self.offset + first, last - first).collect()
        sensor, ts = pl.col("sensor_id"), pl.col("ts").to_physical()
        return near.filter((sensor >= low) & (sensor < high) & (ts >= start) & (ts < end))


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
        self._waiting: list[pl.DataFrame] = []
        self._waiting_rows = 0
        self._in_memory = 0
        self._spilled = 0
        self._months: defaultdict[int, list[Part]] = defaultdict(list)
        self.rows = 0
        self.duplicates = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._months.clear()
        self._waiting.clear()
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
        self._waiting.append(frame)
        self._waiting_rows += frame.height
        if self._waiting_rows >= CHUNK_ROWS:
            self.settle()

    def settle(self) -> None:
        """Sort what was added last; to be called once all was added, before `rows` is read."""
        if not self._waiting:
            return
        ordered, dropped = in_order(pl.concat(self._waiting))
        self._waiting, self._waiting_rows = [], 0
        self.duplicates += dropped
        self.rows += ordered.height
        self._keep(ordered)

    def windows(self) -> Iterator[pl.DataFrame]:
        """Yield all rows, so that no sensor's day is in two of the yielded frames.

        A frame lies within one month and holds a range of its sensors; months and, within one, sensors
        come in order. It is sorted by sensor and time and holds none twice: of doubles the row that was
        added last is kept.
        """
        self.settle()
        for month in sorted(self._months):
            parts = self._months[month]
            for low, high, start, end in _ranges(parts):
                frames = [part.between(low, high, start, end) for part in parts]
                frames = [frame for frame in frames if not frame.is_empty()]
                if frames:
                    yield in_order(pl.concat(frames))[0]

    def _refuse_impossible(self, frame: pl.DataFrame) -> None:
        if frame["ts"].null_count() or frame["sensor_id"].null_count():
            raise SchemaError("readings: a time or sensor id is null")
        low, high = bounds(frame["ts"].to_physical())
        if low < self._allowed[0] or high >= self._allowed[1]:
            raise SchemaError("readings: a time lies outside 1990 … tomorrow")

    def _keep(self, ordered: pl.DataFrame) -> None:
        month = (pl.col("ts").dt.year() * 12 + pl.col("ts").dt.month()).cast(pl.Int32)
        low, high = (moment_of(one) for one in bounds(ordered["ts"].to_physical()))
        if (low.year, low.month) == (high.year, high.month):
            runs = [(low.year * 12 + low.month, ordered.height)]
        else:
            ordered = ordered.with_columns(month=month).sort("month", maintain_order=True)
            runs = ordered["month"].rle().struct.unnest().select("value", "len").rows()
            ordered = ordered.drop("month")
        held: pl.DataFrame | Path = ordered
        if self._in_memory + ordered.height > MEMORY_ROWS:
            held = self._spill(ordered)
        else:
            self._in_memory += ordered.height
        offset = 0
        for number, rows in runs:
            self._months[number].append(_part(ordered.slice(offset, rows), held, offset))
            offset += rows

    def _spill(self, frame: pl.DataFrame) -> Path:
        path = self._folder / f"{self._spilled}.arrow"
        self._spilled += 1
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            frame.write_ipc(path, compression="uncompressed", record_batch_size=_SPILL_BATCH)
        except (OSError, pl.exceptions.ComputeError) as error:
            raise unwritable(path, error) from error
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


def _part(rows: pl.DataFrame, held: pl.DataFrame | Path, offset: int) -> Part:
    low, high = bounds(rows["ts"].to_physical())
    step = -(-rows.height // _SAMPLES)
    return Part(
        held=held,
        offset=offset,
        rows=rows.height,
        first_day=low // DAY_US * DAY_US,
        last_day=(high // DAY_US + 1) * DAY_US,
        step=step,
        samples=rows["sensor_id"].gather_every(step).to_numpy().astype(np.int32),
    )


def _ranges(parts: list[Part]) -> Iterator[tuple[int, int, int, int]]:
    """Yield sensors ``low … high`` and times ``start … end``, half-open, of about `WINDOW_ROWS` rows each."""
    start, end = min(part.first_day for part in parts), max(part.last_day for part in parts)
    sensors = np.concatenate([part.samples for part in parts]).astype(np.int64)
    weights = np.concatenate([np.full(part.samples.size, part.step) for part in parts])
    ids, places = np.unique(sensors, return_inverse=True)
    rows = np.bincount(places, weights=weights)
    beyond = max(_last_sensor(part) for part in parts) + 1
    low, gathered = int(ids[0]), 0.0
    for index, count in enumerate(rows):
        here = int(ids[index])
        if gathered and gathered + count > WINDOW_ROWS:
            yield low, here, start, end
            low, gathered = here, 0.0
        gathered += count
        # A sensor that fills a window alone is cut by days.
        if gathered > WINDOW_ROWS:
            after = int(ids[index + 1]) if index + 1 < ids.size else beyond
            yield from _by_days(low, after, start, end, gathered)
            low, gathered = after, 0.0
    if gathered:
        yield low, beyond, start, end


def _by_days(low: int, high: int, start: int, end: int, rows: float) -> Iterator[tuple[int, int, int, int]]:
    days = max(1, int((end - start) // DAY_US * WINDOW_ROWS / rows))
    for first in range(start, end, days * DAY_US):
        yield low, high, first, min(end, first + days * DAY_US)


def _last_sensor(part: Part) -> int:
    if isinstance(part.held, pl.DataFrame):
        return int(part.held["sensor_id"][part.offset + part.rows - 1])
    last = pl.scan_ipc(part.held, glob=False).slice(part.offset + part.rows - 1, 1).collect()
    return int(last["sensor_id"][0])
