"""What the pages ask the warehouse, the same of plain Polars and plain pandas, and whether they agree."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import polars as pl

from warehouse.home import Warehouse
from warehouse.schema import ROLLUP_LEVELS_S

BUCKETS: Final = 2000
DAY: Final = timedelta(hours=24)
HOUR: Final = timedelta(hours=1)
QUARTER: Final = timedelta(seconds=ROLLUP_LEVELS_S[0])


@dataclass(frozen=True)
class Question:
    """A sensor and a half-open span."""

    sensor_id: int
    start: datetime
    end: datetime


def draw(
    home: Warehouse,
    random: np.random.Generator,
    count: int,
    length: timedelta | None,
    *,
    only: int | None = None,
) -> list[Question]:
    """Return questions of random sensors, or of `only` one, for random stretches; None for all of it."""
    spans = home.telemetry.spans(None if only is None else [only]).rows()
    found = []
    for index in random.integers(0, len(spans), count):
        sensor_id, first, last, _ = spans[index]
        end = last + timedelta(microseconds=1)
        if length is not None:
            slack = max(0, int((end - first - length).total_seconds() // 60))
            first += timedelta(minutes=int(random.integers(0, slack + 1)))
            end = first + length
        found.append(Question(sensor_id, first, end))
    return found


def window(home: Warehouse, one: Question) -> pl.DataFrame:
    """Ask for a chart of at most `BUCKETS` points."""
    return home.telemetry.window(one.sensor_id, one.start, one.end, BUCKETS)


def raw(home: Warehouse, one: Question) -> pl.DataFrame:
    """Ask for the readings themselves."""
    return home.telemetry.read([one.sensor_id], one.start, one.end)


def fleet(home: Warehouse, ends: Mapping[int, datetime]) -> pl.DataFrame:
    """Ask for the 24-hour statistics of every sensor."""
    return home.telemetry.statistics(ends, DAY)


def files(home: Warehouse) -> list[Path]:
    """Return the live files of readings."""
    return [home.root / one.path for one in home.manifest.live("readings")]


def polars_rows(paths: Sequence[Path], one: Question) -> pl.DataFrame:
    """Return the readings as plain Polars finds them in the same files."""
    ts = pl.col("ts")
    found = pl.scan_parquet(list(paths)).filter(
        (pl.col("sensor_id") == one.sensor_id) & (ts >= one.start) & (ts < one.end)
    )
    return found.sort("ts").collect()


def polars_buckets(paths: Sequence[Path], one: Question) -> pl.DataFrame:
    """Return min and max in `BUCKETS` buckets as plain Polars makes them of the same files."""
    ts = pl.col("ts")
    width = max(1, (one.end - one.start) // timedelta(microseconds=1) // BUCKETS)
    return (
        pl.scan_parquet(list(paths))
        .filter((pl.col("sensor_id") == one.sensor_id) & (ts >= one.start) & (ts < one.end))
        .group_by(ts.to_physical() // width)
        .agg(pl.col("value").min().alias("min"), pl.col("value").max().alias("max"))
        .sort("ts")
        .collect()
    )


def polars_fleet(paths: Sequence[Path], end: datetime) -> pl.DataFrame:
    """Return statistics of the quarter hours that start in the 24 hours before `end`, by plain Polars."""
    first, last = _quarters(end)
    value = pl.col("value")
    return (
        pl.scan_parquet(list(paths))
        .filter((pl.col("ts") >= first) & (pl.col("ts") < last))
        .group_by("sensor_id")
        .agg(
            value.mean().alias("mean"),
            value.min().alias("min"),
            value.max().alias("max"),
            value.count().alias("count"),
        )
        .sort("sensor_id")
        .collect()
    )


def pandas_rows(paths: Sequence[Path], one: Question) -> pd.DataFrame:
    """Return the readings as plain pandas finds them, with the filters that it hands to pyarrow."""
    filters = [("sensor_id", "==", one.sensor_id), ("ts", ">=", one.start), ("ts", "<", one.end)]
    return pd.read_parquet([str(path) for path in paths], filters=filters).sort_values("ts")


def pandas_buckets(paths: Sequence[Path], one: Question) -> pd.DataFrame:
    """Return min and max in `BUCKETS` buckets by plain pandas."""
    rows = pandas_rows(paths, one)
    width = (one.end - one.start) / BUCKETS
    return rows.groupby((rows["ts"] - pd.Timestamp(one.start)) // pd.Timedelta(width))["value"].agg(
        ["min", "max"]
    )


def pandas_fleet(paths: Sequence[Path], end: datetime) -> pd.DataFrame:
    """Return 24-hour statistics by plain pandas."""
    first, last = _quarters(end)
    filters = [("ts", ">=", first), ("ts", "<", last)]
    rows = pd.read_parquet([str(path) for path in paths], filters=filters, columns=["sensor_id", "value"])
    return rows.groupby("sensor_id")["value"].agg(["mean", "min", "max", "count"])


def require_same_rows(found: pl.DataFrame, expected: pl.DataFrame, one: Question) -> None:
    """Stop where the readings of an answer are not those of the reference."""
    if not found.select("ts", "value").equals(expected.select("ts", "value")):
        raise SystemExit(f"wrong rows for {one}: {found} instead of {expected}")


def require_same_window(found: pl.DataFrame, expected: pl.DataFrame, one: Question) -> None:
    """Stop where a chart does not show exactly what the readings of the reference say.

    Each reading belongs to the last point at or before it: the points' extremes are to be those of their
    readings, and no point may be without any.
    """
    if found.height > BUCKETS:
        raise SystemExit(f"{found.height} points for {one}")
    if expected.is_empty() and found.is_empty():
        return
    place = found["ts"].search_sorted(expected["ts"], side="right").cast(pl.Int64) - 1
    value = pl.col("value")
    wanted = (
        expected.with_columns(place.alias("place"))
        .group_by("place")
        .agg(value.min().alias("min"), value.max().alias("max"))
        .sort("place")
    )
    same = wanted["place"].to_list() == list(range(found.height)) and found.select("min", "max").equals(
        wanted.select("min", "max")
    )
    if not same:
        raise SystemExit(f"wrong extremes for {one}: {found} instead of {wanted}")


def require_same_fleet(found: pl.DataFrame, expected: pl.DataFrame) -> None:
    """Stop where min, max or count of any sensor differ from the reference."""
    columns = ["sensor_id", "min", "max", pl.col("count").cast(pl.Int64)]
    if not found.select(columns).equals(expected.select(columns)):
        raise SystemExit(f"wrong 24-hour statistics: {found} instead of {expected}")


def times_ms(ask: Callable[[], object]) -> float:
    """Return the milliseconds that one call takes."""
    begin = time.perf_counter()
    ask()
    return (time.perf_counter() - begin) * 1000


def _quarters(end: datetime) -> tuple[datetime, datetime]:
    epoch = datetime(1970, 1, 1, tzinfo=end.tzinfo)
    first = epoch + -(-(end - DAY - epoch) // QUARTER) * QUARTER
    return first, epoch + ((end - epoch) // QUARTER + 1) * QUARTER
