"""Two states of the readings beside each other, by reading only the files that differ."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

import polars as pl

from warehouse.manifest import File
from warehouse.parquet import scan
from warehouse.ranges import Range, sensor_ranges
from warehouse.schema import READINGS
from warehouse.selecting import chosen
from warehouse.telemetry import Telemetry

COMPARED: Final = pl.Schema(
    [("sensor_id", pl.Int32), ("added", pl.Int64), ("removed", pl.Int64), ("changed", pl.Int64)]
)

# Rows of both states that are compared at once.
_ROWS: Final = 4_000_000
_KEY: Final = ["sensor_id", "ts"]


def compare_readings(telemetry: Telemetry, older_id: int, newer_id: int) -> pl.DataFrame:
    """Return how many readings each sensor gained, lost and changed from one snapshot to another.

    Returns
    -------
    pl.DataFrame
        sensor_id, added, removed, changed; by sensor, those without any difference left out. A reading is
        changed where both have its time with another value or quality.

    Raises
    ------
    CatalogError
        A snapshot is unknown or its files were removed.
    IntegrityError
        A file is missing or is not what was written.
    """
    older = {one.id: one for one in telemetry.manifest.live("readings", snapshot_id=older_id)}
    newer = {one.id: one for one in telemetry.manifest.live("readings", snapshot_id=newer_id)}
    months: defaultdict[PurePosixPath, tuple[list[File], list[File]]] = defaultdict(lambda: ([], []))
    for place, (these, others) in enumerate(((older, newer), (newer, older))):
        for file in these.values():
            if file.id not in others:
                months[PurePosixPath(file.path).parent][place].append(file)
    found = [COMPARED.to_frame()]
    for before, after in months.values():
        for part in sensor_ranges(telemetry.root, [*before, *after], READINGS, _ROWS):
            rows = [_rows(telemetry, files, part) for files in (before, after)]
            found.append(_compared(*rows))
    counted = pl.concat(found).group_by("sensor_id").agg(pl.all().sum()).sort("sensor_id")
    return counted.filter(pl.any_horizontal(pl.exclude("sensor_id") > 0))


def _rows(telemetry: Telemetry, files: Sequence[File], part: Range) -> pl.DataFrame:
    near = [one for one in files if one.sensor_min < part.high and one.sensor_max >= part.low]
    wanted = chosen(range(part.low, part.high), part.start, part.end)
    return scan(telemetry.root, near, READINGS).filter(wanted).collect()


def _compared(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    one = before.with_columns(there=pl.lit(value=True))
    other = after.with_columns(there=pl.lit(value=True))
    both = one.join(other, on=_KEY, how="full", coalesce=True, suffix="_after")
    was, is_now = pl.col("there").is_not_null(), pl.col("there_after").is_not_null()
    differs = pl.any_horizontal(
        pl.col(name).ne_missing(pl.col(f"{name}_after")) for name in ("value", "quality")
    )
    return (
        both.group_by("sensor_id")
        .agg(
            (~was).sum().cast(pl.Int64).alias("added"),
            (~is_now).sum().cast(pl.Int64).alias("removed"),
            (was & is_now & differs).sum().cast(pl.Int64).alias("changed"),
        )
        .cast(COMPARED)
    )
