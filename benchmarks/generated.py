"""Generated telemetry of a plant of any size, day by day, so that it never lies in memory whole.

Most sensors report every minute, some every five or ten, one every second, which has a tenth of all rows.
Values drift with day and season, carry noise and a few spikes; hours are missing here and there. Everything
follows from the seed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import polars as pl

from warehouse.assets import AssetSpec, SensorSpec, sensor_key
from warehouse.schema import TIME
from warehouse.sources.base import CHUNK, SourceBatch

END: Final = datetime(2026, 5, 1, tzinfo=UTC)
BIG: Final = 0  # the sensor that reports every second

_DAY_S: Final = 86_400
_SENSORS_AN_ASSET: Final = 10
_MISSING_HOURS: Final = 200  # one in so many


@dataclass(frozen=True)
class Plant:
    """How many rows over how many sensors.

    Parameters
    ----------
    rows
        About how many readings in all.
    sensors
        How many sensors, the first of which has a tenth of the rows.
    """

    rows: int
    sensors: int
    seed: int = 7

    @classmethod
    def of_rows(cls, rows: int) -> "Plant":
        """Return a plant of 1,000 sensors, of fewer where there are fewer than 10,000 rows a sensor."""
        return cls(rows, int(np.clip(rows // 10_000, 20, 1000)))

    def keys(self) -> list[str]:
        """Return the key of each sensor."""
        return [sensor_key(_asset(one), _sensor(one)) for one in range(self.sensors)]

    def assets(self) -> tuple[AssetSpec, ...]:
        """Return the machines, ten sensors each."""
        found = []
        for first in range(0, self.sensors, _SENSORS_AN_ASSET):
            members = range(first, min(self.sensors, first + _SENSORS_AN_ASSET))
            sensors = tuple(SensorSpec(_sensor(one), "°C", "target", self.interval_s(one)) for one in members)
            found.append(AssetSpec(_asset(first), "pump", sensors=sensors))
        return tuple(found)

    def interval_s(self, sensor: int) -> float:
        """Return the seconds between two readings of a sensor."""
        if sensor == BIG:
            return 1.0
        return (60.0, 60.0, 60.0, 300.0, 600.0)[sensor % 5]

    def start(self, sensor: int) -> datetime:
        """Return the time at which a sensor begins, on a minute."""
        share = self.rows // 10 if sensor == BIG else self.rows * 9 // 10 // (self.sensors - 1)
        minutes = max(1.0, share * self.interval_s(sensor) // 60)
        return END - timedelta(minutes=minutes)

    def days(self) -> Iterator[pl.DataFrame]:
        """Yield days of readings as a logger writes them: number of the sensor, ts and value, by time."""
        starts = np.array([self.start(one).timestamp() for one in range(self.sensors)])
        intervals = np.array([self.interval_s(one) for one in range(self.sensors)])
        first = int(starts.min()) // _DAY_S * _DAY_S
        for day in range(first, int(END.timestamp()), _DAY_S):
            random = np.random.default_rng((self.seed, day))
            blocks = [
                self._block(
                    np.flatnonzero((intervals == interval) & (starts < day + _DAY_S)),
                    starts,
                    interval,
                    day,
                    random,
                )
                for interval in np.unique(intervals)
            ]
            yield pl.concat(blocks).sort("ts", maintain_order=True)

    def _block(
        self,
        sensors: np.ndarray[tuple[int], np.dtype[np.int64]],
        starts: np.ndarray[tuple[int], np.dtype[np.float64]],
        interval: float,
        day: int,
        random: np.random.Generator,
    ) -> pl.DataFrame:
        seconds = day + np.arange(0, _DAY_S, interval)
        t, sensor = np.meshgrid(seconds, sensors.astype(np.float64), indexing="ij")
        phase = sensor * 0.7
        value = (
            40.0
            + sensor % 37
            + 3.0 * np.sin(2 * np.pi * t / _DAY_S + phase)
            + 5.0 * np.sin(2 * np.pi * t / (90 * _DAY_S) + phase)
            + random.normal(0.0, 0.2, t.shape)
        )
        spikes = random.random(t.shape) < 2e-6
        value += spikes * random.normal(0.0, 60.0, t.shape)
        there = t >= starts[sensors][None, :]
        hours = (t // 3600).astype(np.int64) * 2_654_435_761 + sensor.astype(np.int64) * 40_503
        there &= (hours >> 7) % _MISSING_HOURS != 0
        # Loggers stamp some milliseconds late.
        late = random.integers(0, 40, t.shape) if interval > 1 else np.zeros(t.shape, np.int64)
        us = t.astype(np.int64) * 1_000_000 + late * 1000
        return pl.DataFrame(
            {
                "sensor": pl.Series(sensor[there].astype(np.int32)),
                "ts": pl.Series(us[there]).cast(TIME),
                "value": np.round(value[there], 3),
            }
        )


class Chunks:
    """The days of a plant as chunks of a source, telling how long their making took.

    Parameters
    ----------
    plant
        What to generate.
    """

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self.rows = 0

    def __iter__(self) -> Iterator[pl.DataFrame]:
        keys = pl.Series(self._plant.keys())
        for day in self._plant.days():
            self.rows += day.height
            yield day.select(keys.gather(day["sensor"]).alias("key"), "ts", "value").cast(CHUNK)


def batch(plant: Plant, readings: Iterator[pl.DataFrame]) -> SourceBatch:
    """Return chunks of a plant as what a source gives."""
    return SourceBatch("benchmark", plant.assets(), readings, [])


def _asset(sensor: int) -> str:
    return f"Pump {sensor // _SENSORS_AN_ASSET:03d}"


def _sensor(sensor: int) -> str:
    return f"temperature {sensor:04d}"
