"""Min, max, mean and count of readings in buckets, so that a long window needs few rows."""

from typing import Final

import polars as pl

from warehouse.instants import DAY_US, SECOND_US
from warehouse.ordering import bounds
from warehouse.schema import FINE_FROM, FINE_LEVEL_S, ROLLUP_LEVELS_S, ROLLUPS, TIME

_STRETCH_US: Final = 8 * DAY_US
_STRETCHED_TO_S: Final = 3600
_MOST: Final = 2**62
# One row a sensor and bucket, as kept while levels are made of each other.
_SUMS: Final = ("min", "max", "sum", "count")


def summarise(readings: pl.DataFrame) -> pl.DataFrame:
    """Return the rollups of `readings` at every level.

    Parameters
    ----------
    readings
        Rows of the READINGS schema, all of the whole UTC days that they touch.

    Returns
    -------
    pl.DataFrame
        Of the ROLLUPS schema, in no order. `ts` is the start of the bucket, aligned to 1970; `count` counts
        good values only, and a bucket without any has NULL for the others. `FINE_LEVEL_S` has only those days
        of a sensor that have more than `FINE_FROM` good values.
    """
    finer = _of_readings(readings, ROLLUP_LEVELS_S[0])
    levels = [finer]
    for level in ROLLUP_LEVELS_S[1:]:
        finer = _coarser(finer, level)
        levels.append(finer)
    dense = finer.filter(pl.col("count") > FINE_FROM)
    if not dense.is_empty():
        levels.insert(0, _of_readings(_days_of(readings, dense), FINE_LEVEL_S))
    return (
        pl.concat(levels)
        .with_columns(mean=pl.when(pl.col("count") > 0).then(pl.col("sum") / pl.col("count")))
        .select(pl.col(name).cast(dtype) for name, dtype in ROLLUPS.items())
    )


def arranged(rolled: pl.DataFrame) -> pl.DataFrame:
    """Return rollups in the order in which a file holds them: by level, stretch of time, sensor and time.

    A stretch is eight days at the finer levels, so that a day of all sensors is not all over the file, and
    whole at the coarser ones, so that a sensor's month is in one place.
    """
    if rolled.is_empty():
        return rolled
    first, last = bounds(rolled["ts"].to_physical())
    low, high = bounds(rolled["sensor_id"])
    rank = pl.sum_horizontal((pl.col("level_s") >= level).cast(pl.Int64) for level in ROLLUP_LEVELS_S)
    since = pl.col("ts").to_physical() - first
    stretch = pl.when(pl.col("level_s") <= _STRETCHED_TO_S).then(since // _STRETCH_US).otherwise(0)
    seconds, stretches = (last - first) // SECOND_US + 1, (last - first) // _STRETCH_US + 1
    if (len(ROLLUP_LEVELS_S) + 1) * stretches * (high - low + 1) * seconds >= _MOST:
        return rolled.sort(rank, stretch, "sensor_id", "ts")
    # One whole number sorts faster than four columns.
    number = (rank * stretches + stretch) * (high - low + 1) + (pl.col("sensor_id").cast(pl.Int64) - low)
    return rolled.with_columns(key=number * seconds + since // SECOND_US).sort("key").drop("key")


def bucket(level_s: int) -> pl.Expr:
    """Return the start of the bucket that ``ts`` lies in."""
    width = level_s * SECOND_US
    return (pl.col("ts").to_physical() // width * width).cast(TIME)


def _of_readings(readings: pl.DataFrame, level_s: int) -> pl.DataFrame:
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
        .select("sensor_id", "ts", *_SUMS, pl.lit(level_s, pl.Int32).alias("level_s"))
        .collect()
    )


def _coarser(finer: pl.DataFrame, level_s: int) -> pl.DataFrame:
    return (
        finer.lazy()
        .group_by("sensor_id", bucket(level_s).alias("ts"))
        .agg(pl.col("min").min(), pl.col("max").max(), pl.col("sum").sum(), pl.col("count").sum())
        .select("sensor_id", "ts", *_SUMS, pl.lit(level_s, pl.Int32).alias("level_s"))
        .collect()
    )


def _days_of(readings: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    day = (pl.col("ts").to_physical() // DAY_US).alias("day")
    wanted = days.select("sensor_id", day)
    near = readings.filter(pl.col("sensor_id").is_in(wanted["sensor_id"].unique().to_list()))
    return near.with_columns(day).join(wanted, on=["sensor_id", "day"], how="semi")
