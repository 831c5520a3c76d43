"""What follows from readings, computed again from them: rollups of a span, and the extents of sensors."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl

from warehouse import extents, rollups
from warehouse.instants import DAY_US, microseconds, moment_of
from warehouse.manifest import File, NewFile
from warehouse.merged_files import MergedFiles
from warehouse.parquet import scan
from warehouse.schema import READINGS, ROLLUPS

# Readings that are summed up at once.
_AT_ONCE: Final = 4_000_000
_BUCKET: Final = ["level_s", "sensor_id", "ts"]
_EXACT: Final = [*_BUCKET, "min", "max", "count"]
_ROUNDED: Final = 1e-9


@dataclass(frozen=True)
class Days:
    """Whole UTC days ``[start, end)`` of the sensors `low` to `high`, both inclusive."""

    start: datetime
    end: datetime
    low: int
    high: int

    @classmethod
    def of(cls, file: File) -> "Days":
        """Return the days that `file` touches."""
        first = microseconds(file.start) // DAY_US * DAY_US
        last = -(-microseconds(file.end) // DAY_US) * DAY_US
        return cls(moment_of(first), moment_of(last), file.sensor_min, file.sensor_max)

    def rows(self) -> pl.Expr:
        """Return whether a row lies in it."""
        return pl.col("sensor_id").is_between(self.low, self.high) & pl.col("ts").is_between(
            self.start, self.end, closed="left"
        )


@dataclass(frozen=True, eq=False)
class Rerolled:
    """Files of rollups to add, and ids of those to end."""

    add: tuple[NewFile, ...]
    end: tuple[int, ...]


def reroll(root: Path, days: Days, readings: Sequence[File | NewFile], live: Sequence[File]) -> Rerolled:
    """Bring the rollups of `days` in step with the readings; nothing to add or end where they are.

    Parameters
    ----------
    readings
        Every file that holds readings of `days`.
    live
        The files of rollups that may hold some of `days`.
    """
    held = scan(root, live, ROLLUPS).filter(days.rows()).sort(_BUCKET).collect()
    files = MergedFiles(root)
    try:
        fresh = []
        for part in _parts(root, days, readings):
            rolled = rollups.summarise(part)
            fresh.append(rolled)
            files.put("rollups", rolled)
        if _agree(held, pl.concat([*fresh, held.clear()]).sort(_BUCKET)):
            discard(root, files.written)
            return Rerolled((), ())
        files.flush()
        for file in live:
            rest = scan(root, [file], ROLLUPS).filter(~days.rows()).collect()
            if not rest.is_empty():
                files.write("rollups", rest, parent=file)
    except BaseException:
        discard(root, files.written)
        raise
    return Rerolled(tuple(files.written), tuple(file.id for file in live))


def recount(root: Path, readings: Sequence[File | NewFile], low: int, high: int) -> pl.DataFrame:
    """Return the extents of the sensors `low` to `high`, in the shape of `extents.of_changes`.

    Parameters
    ----------
    readings
        Every file that holds readings of these sensors.
    """
    ts = pl.col("ts").to_physical()
    parts = [
        scan(root, [file], READINGS)
        .filter(pl.col("sensor_id").is_between(low, high))
        .group_by("sensor_id")
        .agg(
            ts.min().alias("first_us"),
            ts.max().alias("last_us"),
            pl.len().cast(pl.Int64).alias("rows"),
            pl.col("value").get(ts.arg_max()).alias("last_value"),
        )
        .collect()
        for file in readings
    ]
    empty = extents.of_changes(READINGS.to_frame().with_columns(pl.lit(value=True).alias("new")))
    return (
        pl.concat([*(part.select(empty.columns) for part in parts), empty.clear()])
        .sort("sensor_id", "last_us")
        .group_by("sensor_id", maintain_order=True)
        .agg(
            pl.col("first_us").min(),
            pl.col("last_us").max(),
            pl.col("rows").sum(),
            pl.col("last_value").last(),
        )
    )


def put_extents(connection: sqlite3.Connection, counted: pl.DataFrame, low: int, high: int) -> None:
    """Replace the extents of the sensors `low` to `high` with what `recount` returned."""
    connection.execute("DELETE FROM extents WHERE sensor_id BETWEEN ? AND ?", (low, high))
    extents.put(connection, counted)


def discard(root: Path, files: Sequence[NewFile]) -> None:
    """Remove files that no commit named."""
    for one in files:
        (root / one.path).unlink(missing_ok=True)


def _agree(held: pl.DataFrame, expected: pl.DataFrame) -> bool:
    if not held.select(_EXACT).equals(expected.select(_EXACT)):
        return False
    # A sum depends on the order of its terms in its last digits.
    error = (held["mean"] - expected["mean"]).abs()
    return bool((error <= _ROUNDED * (1.0 + expected["mean"].abs())).all())


def _parts(root: Path, days: Days, readings: Sequence[File | NewFile]) -> Iterator[pl.DataFrame]:
    """Yield the readings of `days`, month by month and in it sensor by sensor, some millions at once."""
    lazy = scan(root, readings, READINGS).filter(days.rows())
    month = pl.col("ts").dt.truncate("1mo").alias("month")
    counts = lazy.group_by(month, "sensor_id").len().sort("month", "sensor_id").collect()
    for (start,), of_month in counts.group_by("month", maintain_order=True):
        group = (pl.col("len").cum_sum() - 1) // _AT_ONCE
        for sensors in of_month.with_columns(group.alias("group")).partition_by("group", maintain_order=True):
            ids = sensors["sensor_id"]
            yield (
                lazy.filter(
                    pl.col("sensor_id").is_in(ids.to_list()) & (pl.col("ts").dt.truncate("1mo") == start)
                )
                .sort("sensor_id", "ts")
                .collect()
            )
