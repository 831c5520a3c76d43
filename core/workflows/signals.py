"""From the warehouse's frames to a signal on a regular grid, and the part of time that may be judged."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from core.errors import InsufficientData
from core.imputation.grid import Column, regular, typical_interval
from core.signal import Floats, Signal, instant
from warehouse.catalog import Part, Sensor
from warehouse.home import Warehouse


def load_signal(
    warehouse: Warehouse,
    sensor: Sensor,
    start: datetime | None = None,
    end: datetime | None = None,
    *,
    snapshot_id: int | None = None,
) -> Signal:
    """Read a target and its context sensors as one signal.

    Parameters
    ----------
    sensor
        The target; its context sensors follow it in the stated order.
    start, end
        Half-open interval in UTC; all that is stored when not given.
    snapshot_id
        State of the data to read; the newest when not given.

    Raises
    ------
    InsufficientData
        The target has no reading there.
    """
    sensors = with_context(sensor, warehouse)
    readings = warehouse.telemetry.read([one.id for one in sensors], start, end, snapshot_id=snapshot_id)
    return signal_of(readings, sensors, start, end)


def readings_before(
    warehouse: Warehouse, sensor: Sensor, moment: datetime, length: timedelta
) -> Floats | None:
    """Return (k, channels) readings of a target and its context before a moment; None if there are none."""
    try:
        return load_signal(warehouse, sensor, moment - length, moment).values
    except InsufficientData:
        return None


def with_context(sensor: Sensor, warehouse: Warehouse) -> tuple[Sensor, ...]:
    """Return a target and its context sensors in the stated order."""
    known = {one.id: one for one in warehouse.catalog.sensors(asset_id=sensor.asset_id)}
    return (sensor, *(known[one] for one in sensor.context))


def signal_of(
    readings: pl.DataFrame,
    sensors: Sequence[Sensor],
    start: datetime | None = None,
    end: datetime | None = None,
) -> Signal:
    """Return readings as one signal, the target's, who is the first of `sensors`, first.

    Raises
    ------
    InsufficientData
        The target has no reading there.
    """
    target = sensors[0]
    columns = [_column(readings, one) for one in sensors]
    try:
        return regular(columns, interval_of(target, columns[0]), start=start, end=end)
    except InsufficientData as error:
        raise InsufficientData(f"{target.key}: reading it", needed=2, found=error.found) from error


def interval_of(sensor: Sensor, readings: Column) -> timedelta:
    """Return the step of a sensor's grid: the declared one, else the median distance of its readings."""
    if sensor.interval_s is not None:
        return timedelta(seconds=sensor.interval_s)
    return typical_interval(readings.timestamps)


def declared(parts: Sequence[Part], name: str) -> tuple[datetime, datetime] | None:
    """Return the interval of the declared part `name`, None where the source declares none."""
    return next(((part.start, part.end) for part in parts if part.name == name), None)


def labelled_steps(parts: Sequence[Part], test: Signal) -> tuple[tuple[int, int], ...] | None:
    """Return the publisher's labelled anomalies as half-open steps of a test part; None without any."""
    marked = [(part.start, part.end) for part in parts if part.name == "anomaly"]
    return steps_of(marked, test) if marked else None


def steps_of(intervals: Iterable[tuple[datetime, datetime]], signal: Signal) -> tuple[tuple[int, int], ...]:
    """Return half-open intervals in UTC as half-open steps of a signal; those that miss it are left out."""
    bounds = [
        np.searchsorted(signal.timestamps, np.array([instant(start), instant(end)]))
        for start, end in intervals
    ]
    return tuple((int(low), int(high)) for low, high in bounds if low < high)


def _column(readings: pl.DataFrame, sensor: Sensor) -> Column:
    own = readings.filter(pl.col("sensor_id") == sensor.id)
    return Column(
        name=sensor.key,
        unit=sensor.unit,
        timestamps=own["ts"].dt.replace_time_zone(None).to_numpy(),
        values=own["value"].fill_null(float("nan")).to_numpy(),
    )
