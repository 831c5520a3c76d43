"""Rows of different width brought to buckets of one width, few enough for a chart."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import polars as pl

from warehouse.instants import DAY_US, SECOND_US
from warehouse.schema import TIME


class Measure(NamedTuple):
    """Columns of one measured quantity: its extremes, its mean, and of how many values."""

    low: str
    high: str
    mean: str
    number: str


# Widths that a person can name. Each level of rollups divides some of them.
_PARTS: Final[list[int]] = [step * 10**power for power in range(6) for step in (1, 2, 5)]
_SECONDS: Final = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)
_MINUTES: Final = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)
_HOURS: Final = (1, 2, 3, 4, 6, 8, 12)
_DAYS: Final = (1, 2, 3, 4, 5, 7, 10, 14, 21, 28, 56, 91, 182, 364, 1820, 3640)
WIDTHS: Final[tuple[int, ...]] = (
    *_PARTS,
    *(one * SECOND_US for one in _SECONDS),
    *(one * 60 * SECOND_US for one in _MINUTES),
    *(one * 3600 * SECOND_US for one in _HOURS),
    *(one * DAY_US for one in _DAYS),
)


def as_rows(raw: pl.DataFrame, columns: Sequence[str], measures: Sequence[Measure]) -> pl.DataFrame:
    """Return single values as buckets of one value each: ``ts`` and the columns of `measures`."""
    given = []
    for column, measure in zip(columns, measures, strict=True):
        value = pl.col(column).cast(pl.Float64)
        given += [value.alias(measure.low), value.alias(measure.high), value.alias(measure.mean)]
        given.append(value.is_not_null().cast(pl.Int64).alias(measure.number))
    return raw.select("ts", *given)


def gather(
    rows: pl.DataFrame, measures: Sequence[Measure], *, unit_us: int, from_us: int, max_points: int
) -> pl.DataFrame:
    """Return at most `max_points` buckets, aligned to 1970, of the finest width that gives so few.

    Parameters
    ----------
    rows
        ``ts`` and the columns of `measures`; each row lies in one bucket of `unit_us` microseconds.
    from_us
        Start of the window: a bucket that it cuts is named by it.

    Returns
    -------
    pl.DataFrame
        The columns of `rows`, by time; extremes and means are NULL where nothing was counted.
    """
    if rows.is_empty():
        return rows
    rows = rows.sort("ts")
    width = _width(rows["ts"].to_physical(), unit_us, max_points)
    start = pl.col("ts").to_physical() // width * width
    folded = []
    for one in measures:
        mean, count = pl.col(one.mean), pl.col(one.number)
        folded += [
            pl.col(one.low).min(),
            pl.col(one.high).max(),
            ((mean * count).sum() / count.sum()).fill_nan(None).alias(one.mean),
            count.sum(),
        ]
    return (
        rows.group_by(start.alias("ts"), maintain_order=True)
        .agg(folded)
        .with_columns(pl.max_horizontal(pl.col("ts"), pl.lit(from_us, pl.Int64)).cast(TIME).alias("ts"))
        .select(rows.columns)
    )


def _width(ts: pl.Series, unit_us: int, max_points: int) -> int:
    fitting: list[int] = [width for width in WIDTHS if width % unit_us == 0]
    low, high = 0, len(fitting) - 1
    while low < high:
        middle = (low + high) // 2
        starts = ts // fitting[middle]
        if int((starts != starts.shift(1)).sum()) + 1 <= max_points:
            high = middle
        else:
            low = middle + 1
    return fitting[low]
