"""Min, max, mean and count of readings in buckets, so that a long window needs few rows."""

import polars as pl

from warehouse.instants import SECOND_US
from warehouse.schema import ROLLUP_LEVELS_S, ROLLUPS, TIME


def summarise(readings: pl.DataFrame) -> pl.DataFrame:
    """Return the rollups of `readings` at every level.

    Parameters
    ----------
    readings
        Rows of the READINGS schema, all of the whole UTC days that they touch.

    Returns
    -------
    pl.DataFrame
        Of the ROLLUPS schema, sorted by level, sensor and time. `ts` is the start of the bucket, aligned to
        1970; `count` counts good values only, and a bucket without any has NULL for the others.
    """
    levels = []
    finer = _finest(readings, ROLLUP_LEVELS_S[0])
    levels.append(finer)
    for level in ROLLUP_LEVELS_S[1:]:
        finer = _coarser(finer, level)
        levels.append(finer)
    return (
        pl.concat(levels)
        .with_columns(mean=pl.when(pl.col("count") > 0).then(pl.col("sum") / pl.col("count")))
        .select(pl.col(name).cast(dtype) for name, dtype in ROLLUPS.items())
        .sort("level_s", "sensor_id", "ts")
    )


def bucket(level_s: int) -> pl.Expr:
    """Return the start of the bucket that ``ts`` lies in."""
    width = level_s * SECOND_US
    return (pl.col("ts").to_physical() // width * width).cast(TIME)


def _finest(readings: pl.DataFrame, level_s: int) -> pl.DataFrame:
    value = pl.col("value")
    return (
        readings.lazy()
        .group_by("sensor_id", bucket(level_s).alias("ts"))
        .agg(
            value.min().alias("min"),
            value.max().alias("max"),
            value.sum().alias("sum"),
            value.count().cast(pl.Int64).alias("count"),
        )
        .with_columns(pl.lit(level_s, pl.Int32).alias("level_s"))
        .collect()
    )


def _coarser(finer: pl.DataFrame, level_s: int) -> pl.DataFrame:
    return (
        finer.lazy()
        .group_by("sensor_id", bucket(level_s).alias("ts"))
        .agg(pl.col("min").min(), pl.col("max").max(), pl.col("sum").sum(), pl.col("count").sum())
        .with_columns(pl.lit(level_s, pl.Int32).alias("level_s"))
        .collect()
    )
