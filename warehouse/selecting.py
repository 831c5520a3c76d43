"""Which rows of a file are asked for: sensors and a half-open span of time."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl


def chosen(sensor_ids: Sequence[int], start: datetime | None, end: datetime | None) -> pl.Expr:
    """Return whether a row is of one of the sensors and in ``[start, end)``; None for no bound."""
    sensor, ts = pl.col("sensor_id"), pl.col("ts")
    ids = sorted({int(one) for one in sensor_ids})
    if not ids:
        return pl.lit(value=False)
    # The range lets whole row groups be skipped by their statistics.
    wanted = sensor.is_between(ids[0], ids[-1])
    if ids[-1] - ids[0] + 1 != len(ids):
        wanted &= sensor.is_in(ids)
    if start is not None:
        wanted &= ts >= start
    if end is not None:
        wanted &= ts < end
    return wanted
