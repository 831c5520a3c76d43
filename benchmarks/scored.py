"""Scores of the largest sensor, one a reading, asked for as a chart of all time."""

from datetime import timedelta
from typing import Final

import polars as pl

from benchmarks.questions import BUCKETS, Question, times_ms
from warehouse.home import Warehouse

VERSION: Final = 1  # the version of the first sensor, which `overview.fill` made


def fill(home: Warehouse, sensor_id: int) -> None:
    """Store a score for every reading of a sensor, month after month."""
    _, first, last, _ = home.telemetry.spans([sensor_id]).row(0)
    while first <= last:
        month = first.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        after = (month + timedelta(days=32)).replace(day=1)
        rows = home.telemetry.read([sensor_id], first, after).drop_nulls("value")
        value = pl.col("value")
        scores = rows.select(
            "sensor_id",
            pl.lit(VERSION, pl.Int32).alias("version_id"),
            "ts",
            (value - value.rolling_mean(60, min_samples=1)).abs().cast(pl.Float32).alias("score"),
            value.rolling_mean(60, min_samples=1).cast(pl.Float32).alias("expected"),
            pl.lit(2.0, pl.Float32).alias("threshold"),
        )
        home.results.write_scores(scores, at=last)
        first = after


def ask(home: Warehouse, one: Question) -> pl.DataFrame:
    """Ask for a chart of at most `BUCKETS` points."""
    return home.results.window(one.sensor_id, VERSION, one.start, one.end, BUCKETS)


def measure(home: Warehouse, one: Question, draws: int) -> list[float]:
    """Return the milliseconds of each draw, having compared the answer with the scores themselves."""
    found = ask(home, one)
    raw = home.results.read_scores(one.sensor_id, VERSION, one.start, one.end)
    place = found["ts"].search_sorted(raw["ts"], side="right").cast(pl.Int64) - 1
    wanted = raw.with_columns(place.alias("place")).group_by("place").agg(pl.col("score").max()).sort("place")
    if found.height > BUCKETS or found["score_max"].to_list() != wanted["score"].to_list():
        raise SystemExit(f"wrong peaks: {found} instead of {wanted}")
    return [times_ms(lambda: ask(home, one)) for _ in range(draws)]


def by_polars(home: Warehouse, one: Question) -> pl.DataFrame:
    """Return the highest score in `BUCKETS` buckets as plain Polars makes them of the same files."""
    paths = [home.root / file.path for file in home.manifest.live("scores", version_id=VERSION)]
    width = max(1, (one.end - one.start) // timedelta(microseconds=1) // BUCKETS)
    return (
        pl.scan_parquet(paths)
        .filter(pl.col("sensor_id") == one.sensor_id)
        .group_by(pl.col("ts").to_physical() // width)
        .agg(pl.col("score").min().alias("min"), pl.col("score").max().alias("max"))
        .sort("ts")
        .collect()
    )
