"""What people said of a sensor, as windows that training and bars leave out or keep.

A true anomaly teaches nothing, whoever confirmed it; a false positive is normal unless somebody confirmed it.
A person can switch this off with the other layers of learning.
"""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import polars as pl

from core.signal import Mask, Signal
from core.thresholds.said import Said
from core.workflows.signals import steps_of
from warehouse.home import Warehouse
from warehouse.state.learning import windows_follow
from warehouse.state.published import PublishedLabels

Intervals = tuple[tuple[datetime, datetime], ...]

Confirmations = tuple[tuple[datetime, datetime, datetime], ...]
"""Start and end of what was called a true anomaly, half-open, and when that was said."""


def intervals(
    labels: pl.DataFrame, sensor_id: int, verdict: str, *, as_of: datetime | None = None
) -> Intervals:
    """Return the half-open intervals of a sensor that people gave a verdict.

    Parameters
    ----------
    labels
        Those in force, with the columns of `warehouse.schema.LABELS`.
    as_of
        Verdicts recorded later are not known yet; all are when it is not given.
    """
    return tuple((start, end) for start, end, _ in _said(labels, sensor_id, verdict, as_of))


def confirmed(
    labels: PublishedLabels, sensor_id: int, warehouse: Warehouse, *, as_of: datetime | None = None
) -> Intervals:
    """Return what is left out where a sensor is learned from; nothing where a person switched that off."""
    found = confirmations(labels, sensor_id, warehouse, as_of=as_of)
    return tuple((start, end) for start, end, _ in found)


def confirmations(
    labels: PublishedLabels, sensor_id: int, warehouse: Warehouse, *, as_of: datetime | None = None
) -> Confirmations:
    """Return what `confirmed` does, each with when it was said."""
    if not windows_follow(warehouse.catalog):
        return ()
    return _said(labels.frame, sensor_id, "true_anomaly", as_of)


def said_of(labels: PublishedLabels, sensor_id: int, signal: Signal, warehouse: Warehouse) -> Said | None:
    """Return what people said of the steps of a signal; None where they said nothing that counts."""
    if not windows_follow(warehouse.catalog):
        return None
    abnormal, normal = (
        _mask(intervals(labels.frame, sensor_id, verdict), signal)
        for verdict in ("true_anomaly", "false_positive")
    )
    said = Said(abnormal, normal & ~abnormal)
    return said or None


def _said(labels: pl.DataFrame, sensor_id: int, verdict: str, as_of: datetime | None) -> Confirmations:
    own = labels.filter((pl.col("sensor_id") == sensor_id) & (pl.col("verdict") == verdict))
    if as_of is not None:
        own = own.filter(pl.col("recorded_at") <= as_of)
    return tuple(own.select("start", "end", "recorded_at").sort("start", "end", "recorded_at").iter_rows())


def _mask(spans: Sequence[tuple[datetime, datetime]], signal: Signal) -> Mask:
    mask = np.zeros(len(signal), dtype=np.bool_)
    for start, end in steps_of(spans, signal):
        mask[start:end] = True
    return mask
