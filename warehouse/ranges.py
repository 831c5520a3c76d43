"""Files cut into ranges of sensors, so that a rewrite never holds more than a few million rows."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import polars as pl

from warehouse.instants import DAY_US, microseconds, moment_of
from warehouse.manifest import File
from warehouse.parquet import scan


class Range(NamedTuple):
    """Sensors ``low … high`` and times ``start … end``, half-open; None for no bound in time."""

    low: int
    high: int
    start: datetime | None
    end: datetime | None


def sensor_ranges(root: Path, files: Sequence[File], schema: pl.Schema, most: int) -> Iterator[Range]:
    """Yield ranges that cover all rows of `files`, each of at most `most` rows.

    A sensor with more rows than that is cut by days, the least that a range holds.

    Raises
    ------
    IntegrityError
        A file is missing or is not what was written.
    """
    counts = (
        scan(root, list(files), schema)
        .group_by("sensor_id")
        .agg(pl.len().cast(pl.Int64).alias("rows"))
        .sort("sensor_id")
        .collect(engine="streaming")
    )
    low: int | None = None
    gathered = last = 0
    for sensor_id, rows in counts.iter_rows():
        if low is not None and gathered + rows > most:
            yield Range(low, last + 1, None, None)
            low, gathered = None, 0
        if rows > most:
            for start, end in _spans(files, rows, most):
                yield Range(sensor_id, sensor_id + 1, start, end)
            continue
        low, gathered, last = (sensor_id if low is None else low), gathered + rows, sensor_id
    if low is not None:
        yield Range(low, last + 1, None, None)


def _spans(files: Sequence[File], rows: int, most: int) -> Iterator[tuple[datetime, datetime]]:
    start = min(microseconds(one.start) for one in files) // DAY_US * DAY_US
    end = max(microseconds(one.end) for one in files)
    step = max(1, -(-(end - start) // DAY_US) * most // rows) * DAY_US
    for first in range(start, end, step):
        yield moment_of(first), moment_of(first + step)
