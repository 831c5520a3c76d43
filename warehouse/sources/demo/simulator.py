"""The demo fleet, minute by minute: same seed and anchor, same values, however they are asked for.

Values come in whole UTC days. A day is computed from the day before it on, which lets every lag settle, so
that it depends on seed, anchor and its date alone.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from warehouse.schema import TIME
from warehouse.sources.base import CHUNK
from warehouse.sources.demo.chance import DAY, Floats, lag, white
from warehouse.sources.demo.drive import drive
from warehouse.sources.demo.effects import calibrate, disturb, drop, spikes
from warehouse.sources.demo.faults import faults
from warehouse.sources.demo.fleet import FLEET, KEYS, Gauge
from warehouse.sources.demo.happenings import Happening
from warehouse.sources.demo.physics import MODELS
from warehouse.sources.demo.routine import stops, treatments
from warehouse.sources.demo.site import site

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, eq=False)
class _Day:
    """One computed day: (48, DAY) values, and where there is a row at all."""

    values: Floats
    present: NDArray[np.bool_]


def simulate(seed: int, anchor: datetime, start: datetime, end: datetime) -> pl.DataFrame:
    """Return the readings of the whole minutes in the half-open ``[start, end)``, by time, then sensor.

    Parameters
    ----------
    seed
        Not negative.
    anchor
        The moment around which the story of running faults is told.
    """
    origin = minute_of(anchor)
    first, last = minute_at_least(start), minute_at_least(end)
    parts = [_slice(seed, origin, day, first, last) for day in range(first // DAY, (last - 1) // DAY + 1)]
    return pl.concat(parts) if first < last else pl.DataFrame(schema=CHUNK)


def minute_of(moment: datetime) -> int:
    """Return the minutes since 1970 of the minute that holds `moment`."""
    return (moment - EPOCH) // _MINUTE


def minute_at_least(moment: datetime) -> int:
    """Return the minutes since 1970 of the first whole minute not before `moment`."""
    return -((EPOCH - moment) // _MINUTE)


def moment_at(minute: int) -> datetime:
    """Return the moment that is `minute` minutes after 1970 began."""
    return EPOCH + minute * _MINUTE


def _slice(seed: int, anchor: int, day: int, first: int, last: int) -> pl.DataFrame:
    low, high = max(0, first - day * DAY), min(DAY, last - day * DAY)
    computed = _day(seed, anchor, day)
    values, present = computed.values[:, low:high].T, computed.present[:, low:high].T
    minute, sensor = np.nonzero(present)
    instants = (day * DAY + low + minute) * np.timedelta64(1, "m")
    return pl.DataFrame(
        {
            "key": pl.Series(KEYS).gather(sensor.astype(np.uint32)),
            "ts": (np.datetime64(0, "us") + instants),
            "value": values[present],
        }
    ).select("key", pl.col("ts").dt.cast_time_unit("us").dt.replace_time_zone("UTC").cast(TIME), "value")


@lru_cache(maxsize=4)
def _day(seed: int, anchor: int, day: int) -> _Day:
    start, end = day * DAY, (day + 1) * DAY
    shared = site(seed, day)
    standing = stops(seed, anchor, start - DAY, end)
    happening = (*faults(seed, anchor, start, end), *treatments(seed, anchor, start, end))
    values, present = np.empty((len(KEYS), DAY)), np.ones((len(KEYS), DAY), dtype=bool)
    row = 0
    for place, machine in enumerate(FLEET):
        run = drive(seed, anchor, day, place, shared=shared, stops=standing)
        signals = MODELS[machine.model](run)
        warm = lag(run.running.astype(np.float64), 20.0)[DAY:]
        for gauge in machine.gauges:
            ones = [one for one in happening if (one.machine, one.sensor) == (machine.name, gauge.name)]
            sensor = _Sensor(seed, anchor, day, row, gauge)
            values[row], present[row] = sensor.read(signals[gauge.name][DAY:], warm, ones)
            row += 1
    values.setflags(write=False)
    return _Day(values, present)


@dataclass(frozen=True)
class _Sensor:
    """One gauge on one day."""

    seed: int
    anchor: int
    day: int
    row: int
    gauge: Gauge

    def read(self, true: Floats, warm: Floats, ones: list[Happening]) -> tuple[Floats, NDArray[np.bool_]]:
        """Return (DAY,) what it tells of the `true` values, and where it tells anything."""
        gauge, minutes = self.gauge, np.arange(self.day * DAY, (self.day + 1) * DAY)
        told = true
        for one in ones:
            told = disturb(told, one, gauge, minutes, warm)
        told = told + gauge.noise * white(self.seed, self.day, self.row)[DAY:]
        for one in ones:
            if one.kind == "spike":
                told = told + spikes(self.seed, one, self.row, minutes)
            elif one.kind == "calibration":
                told = calibrate(told, one, gauge, minutes)
        told = np.clip(told, *_limits(gauge))
        told = np.round(np.round(told / gauge.resolution) * gauge.resolution, 6)
        present = np.ones(DAY, dtype=bool)
        for one in ones:
            inside = (minutes >= one.start) & (minutes < one.end)
            if one.kind == "stuck":
                told = np.where(inside, self._held(told, one), told)
            elif one.kind == "drop-out":
                missing, empty = drop(self.seed, one, self.row, minutes)
                present &= ~missing
                told = np.where(empty, np.nan, told)
        return told, present

    def _held(self, told: Floats, one: Happening) -> float:
        """Return the value that a stuck sensor keeps: the first one, if need be of an earlier day."""
        began, minute = divmod(one.start, DAY)
        if began == self.day:
            return float(told[minute])
        return float(_day(self.seed, self.anchor, began).values[self.row, minute])


def _limits(gauge: Gauge) -> tuple[float, float]:
    """Return the range in which a transmitter can tell anything: a quarter beyond its span."""
    low, high = gauge.span
    margin = 0.25 * (high - low)
    return (low if low == 0.0 else low - margin), high + margin
