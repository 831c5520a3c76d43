"""Readings of several sensors, each with its own times, put on one regular grid."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.errors import InsufficientData, ParameterError
from core.quality.masks import finite
from core.signal import Signal, Times, instant

MOST_CELLS: Final = 400_000_000
"""Steps times channels that a grid may have: 1.6 GB of float32."""

_EPOCH: Final = np.datetime64(0, "us")


@dataclass(frozen=True, eq=False)
class Column:
    """The readings of one sensor.

    Parameters
    ----------
    name, unit
        As the signal shall call them.
    timestamps
        (n,) datetime64[us], UTC, increasing.
    values
        (n,) readings; NaN and infinities count as not read.
    """

    name: str
    unit: str
    timestamps: Times
    values: NDArray[np.floating]

    def __post_init__(self) -> None:
        if self.timestamps.shape != self.values.shape or self.values.ndim != 1:
            raise ParameterError(
                f"{self.name}: {self.timestamps.shape} timestamps for {self.values.shape} values"
            )


def typical_interval(timestamps: Times) -> timedelta:
    """Return the median distance of readings, the natural step of their grid.

    Raises
    ------
    InsufficientData
        There are fewer than two readings.
    """
    if timestamps.shape[0] < 2:
        raise InsufficientData("finding the interval", needed=2, found=int(timestamps.shape[0]))
    return timedelta(microseconds=int(np.median(np.diff(_microseconds(timestamps)))))


def regular(
    columns: Sequence[Column],
    interval: timedelta,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Signal:
    """Put the readings of a target and its context on one regular grid.

    A reading goes to the nearest step; of several on one step the last one counts. Steps without a
    reading are NaN, and invalid where the target has none. The grid lies on whole intervals since
    1970, unless the target's own readings lie more than a quarter of an interval beside that.

    Parameters
    ----------
    columns
        The target first, then its context.
    interval
        The step of the grid.
    start, end
        Half-open interval of the grid in UTC; by default what the target covers.

    Raises
    ------
    InsufficientData
        The target has no reading.
    ParameterError
        The interval is not positive, or the grid would not fit into memory.
    """
    step = interval // timedelta(microseconds=1)
    if step <= 0:
        raise ParameterError(f"grid: the interval must be positive, got {interval}")
    target = columns[0]
    read = _microseconds(target.timestamps[np.isfinite(target.values)])
    if read.size == 0:
        raise InsufficientData(f"{target.name}: putting readings on a grid", needed=1, found=0)
    phase = _phase(int(read[0]), step)
    first = _nearest(read[:1], phase, step)[0]
    last = _nearest(read[-1:], phase, step)[0] + 1
    if start is not None:
        first = -((phase - int((instant(start) - _EPOCH).astype(np.int64))) // step)
    if end is not None:
        last = -((phase - int((instant(end) - _EPOCH).astype(np.int64))) // step)
    steps = max(0, int(last - first))
    if steps * len(columns) > MOST_CELLS:
        raise ParameterError(
            f"{target.name}: a grid of {steps} steps of {interval} for {len(columns)} sensors does not fit "
            "into memory; choose a longer interval or a shorter window"
        )
    values = np.full((steps, len(columns)), np.nan, dtype=np.float32)
    for number, column in enumerate(columns):
        good = np.isfinite(column.values)
        places = _nearest(_microseconds(column.timestamps[good]), phase, step) - first
        inside = (places >= 0) & (places < steps)
        values[places[inside], number] = np.clip(column.values[good][inside], -3e38, 3e38)
    return Signal(
        timestamps=((first + np.arange(steps)) * step + phase).astype("datetime64[us]"),
        values=values,
        channels=tuple(column.name for column in columns),
        units=tuple(column.unit for column in columns),
        interval=interval,
        valid=finite(values[:, 0]),
    )


def _microseconds(timestamps: Times) -> NDArray[np.int64]:
    return timestamps.astype("datetime64[us]").astype(np.int64)


def _phase(reading: int, step: int) -> int:
    offset = reading % step
    return 0 if min(offset, step - offset) * 4 <= step else offset


def _nearest(readings: NDArray[np.int64], phase: int, step: int) -> NDArray[np.int64]:
    return (readings - phase + step // 2) // step
