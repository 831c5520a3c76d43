"""The shape in which readings reach the field's logic: one target with its context, on a regular grid."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

import numpy as np
from numpy.typing import NDArray

from core.errors import ParameterError

Times = NDArray[np.datetime64]
Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Signal:
    """A window of one target sensor with its context sensors.

    Parameters
    ----------
    timestamps
        (n,) datetime64[us], UTC, strictly increasing.
    values
        (n, channels) float32, the target first; NaN where nothing valid was read.
    channels
        Names, one a channel.
    units
        Units, one a channel; empty where there is none.
    interval
        The step of the grid.
    valid
        (n,) True where the target was read and is fit to be learned from and judged.

    Raises
    ------
    ParameterError
        Shapes disagree, or times do not increase.
    """

    timestamps: Times
    values: Floats
    channels: tuple[str, ...]
    units: tuple[str, ...]
    interval: timedelta
    valid: Mask

    def __post_init__(self) -> None:
        n = self.timestamps.shape[0]
        if self.values.ndim != 2 or self.values.shape[0] != n or self.valid.shape != (n,):
            raise ParameterError(
                f"signal: {n} timestamps, values {self.values.shape}, mask {self.valid.shape}"
            )
        width = self.values.shape[1]
        if width < 1 or len(self.channels) != width or len(self.units) != width:
            raise ParameterError(
                f"signal: {width} columns, {len(self.channels)} names, {len(self.units)} units"
            )
        if n > 1 and not bool(np.all(np.diff(self.timestamps) > np.timedelta64(0, "us"))):
            raise ParameterError("signal: timestamps must increase strictly")
        if self.interval <= timedelta(0):
            raise ParameterError("signal: the interval must be positive")

    def __len__(self) -> int:
        return int(self.timestamps.shape[0])

    @property
    def target(self) -> Floats:
        """(n,) values of the target."""
        return self.values[:, 0]

    @property
    def context(self) -> Floats:
        """(n, channels - 1) values of the context channels."""
        return self.values[:, 1:]

    @property
    def phase(self) -> int:
        """Position of the first step on the absolute grid of the interval; 0 for an empty signal."""
        if len(self) == 0:
            return 0
        first = int(self.timestamps[0].astype("datetime64[us]").astype(np.int64))
        return first // round(self.interval.total_seconds() * 1e6)

    def slice(self, start: int, stop: int) -> Self:
        """Return the steps ``[start, stop)``."""
        return type(self)(
            timestamps=self.timestamps[start:stop],
            values=self.values[start:stop],
            channels=self.channels,
            units=self.units,
            interval=self.interval,
            valid=self.valid[start:stop],
        )

    def between(self, start: datetime, end: datetime) -> Self:
        """Return the steps of the half-open interval ``[start, end)``, both in UTC."""
        low, high = np.searchsorted(self.timestamps, np.array([instant(start), instant(end)]))
        return self.slice(int(low), int(high))

    def without(self, excluded: Sequence[tuple[datetime, datetime]]) -> Self:
        """Return the same steps with those inside the half-open `excluded` intervals marked invalid."""
        valid = self.valid.copy()
        for start, end in excluded:
            low, high = np.searchsorted(self.timestamps, np.array([instant(start), instant(end)]))
            valid[low:high] = False
        return type(self)(self.timestamps, self.values, self.channels, self.units, self.interval, valid)


def instant(moment: datetime) -> np.datetime64:
    """Return an aware `moment` as numpy's UTC microseconds.

    Raises
    ------
    ParameterError
        The moment carries no zone.
    """
    offset = moment.utcoffset()
    if offset is None:
        raise ParameterError(f"{moment.isoformat()} has no zone")
    return np.datetime64(moment.replace(tzinfo=None) - offset, "us")
