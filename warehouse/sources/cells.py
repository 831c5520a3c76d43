"""Cells of any type as instants, numbers and text, by the rules that text is read by."""

from datetime import datetime
from typing import Final

import polars as pl

from warehouse.errors import SourceError
from warehouse.schema import TIME
from warehouse.sources.numbers import Decimal, parse_numbers
from warehouse.sources.times import EPOCHS, expected, judged, localise, parse_times, within_bounds

_CLOCK: Final = pl.Datetime("us")
# Beyond it, in microseconds, a moment has no date that could be written.
_FARTHEST: Final = 2.5e17
_UNITS_US: Final = {"ms": 1e3, "us": 1.0, "ns": 1e-3}


def times_of(
    cells: pl.Series, *, zone: str | None, time_format: str | None, now: datetime, name: str
) -> pl.DataFrame:
    """Return ``ts``, ``refused`` and ``naive`` of a column, as `warehouse.sources.times.parse_times` does.

    Parameters
    ----------
    cells
        Text, moments with or without a zone, dates, or numbers of an epoch.
    name
        What the person calls the table.

    Raises
    ------
    SourceError
        Numbers, and no format says what they count.
    """
    if isinstance(cells.dtype, pl.Datetime | pl.Date):
        return _moments(cells, zone=zone, now=now)
    if cells.dtype.is_numeric() and time_format is None:
        raise SourceError(
            f"{name}: its times are numbers; state what they count as the time format: {', '.join(EPOCHS)}"
        )
    if cells.dtype.is_float() and time_format in EPOCHS:
        return _epochs(cells, time_format, now=now)
    return parse_times(as_text(cells), zone=zone, time_format=time_format, now=now)


def numbers_of(cells: pl.Series, decimal: Decimal) -> pl.DataFrame:
    """Return ``value`` and ``good`` of a column, as `warehouse.sources.numbers.parse_numbers` does.

    Parameters
    ----------
    cells
        Text or numbers; null is a missing value, true and false are 1 and 0.
    """
    if cells.dtype.is_numeric() or cells.dtype in {pl.Boolean, pl.Null}:
        value = cells.cast(pl.Float64).fill_null(float("nan"))
        return pl.DataFrame({"value": value}).with_columns(good=pl.lit(value=True))
    return parse_numbers(as_text(cells), decimal)


def as_text(cells: pl.Series) -> pl.Series:
    """Return the cells as a person reads them, empty where missing."""
    if not isinstance(cells.dtype, pl.Datetime | pl.Date):
        return cells.cast(pl.String).fill_null("")
    dated = cells.set(_is_far(cells), None)
    return dated.dt.to_string("iso").fill_null(cells.to_physical().cast(pl.String)).fill_null("")


def _is_far(cells: pl.Series) -> pl.Series:
    unit = _UNITS_US[cells.dtype.time_unit] if isinstance(cells.dtype, pl.Datetime) else 86_400e6
    return ((cells.to_physical().cast(pl.Float64) * unit).abs() > _FARTHEST).fill_null(value=False)


def _moments(cells: pl.Series, *, zone: str | None, now: datetime) -> pl.DataFrame:
    far = _is_far(cells)
    near = cells.set(far, None)
    if isinstance(cells.dtype, pl.Datetime) and cells.dtype.time_zone is not None:
        own, local = near.dt.convert_time_zone("UTC").cast(TIME), None
    else:
        own, local = None, near.cast(_CLOCK)
    return _judged(cells, far, own, local, zone=zone, wanted="a time", now=now)


def _epochs(cells: pl.Series, time_format: str, *, now: datetime) -> pl.DataFrame:
    us = (cells.cast(pl.Float64) * EPOCHS[time_format]).round()
    far = (us.abs() > _FARTHEST).fill_null(value=False)
    own = us.set(~(us.abs() <= _FARTHEST).fill_null(value=False), None).cast(pl.Int64).cast(TIME)
    return _judged(cells, far, own, None, zone=None, wanted=expected(time_format), now=now)


def _judged(
    cells: pl.Series,
    far: pl.Series,
    own: pl.Series | None,
    local: pl.Series | None,
    *,
    zone: str | None,
    wanted: str,
    now: datetime,
) -> pl.DataFrame:
    if own is not None:
        ts = own
    elif local is not None and zone is not None:
        ts = localise(local, zone)
    else:
        ts = pl.select(pl.repeat(None, len(cells), dtype=TIME)).to_series()
    ts = within_bounds(ts, now).alias("ts")
    plain = pl.DataFrame({"ts": ts}).with_columns(refused=pl.lit(None, pl.String), naive=pl.lit(value=False))
    odd = ts.is_null()
    if not odd.any():
        return plain
    rest = pl.DataFrame({"text": as_text(cells.filter(odd)), "far": far.filter(odd)}).with_columns(
        offset_ts=pl.lit(None, TIME) if own is None else own.filter(odd),
        local=pl.lit(None, _CLOCK) if local is None else local.filter(odd),
    )
    careful = judged(rest, zone=zone, wanted=wanted, now=now).with_columns(row=odd.arg_true())
    met = plain.with_row_index("row").join(careful, on="row", how="left", maintain_order="left")
    return met.select(
        pl.coalesce("ts", "ts_right").alias("ts"),
        pl.col("refused_right").alias("refused"),
        pl.col("naive_right").fill_null(value=False).alias("naive"),
    )
