"""Scaling of channels by robust statistics of the training part."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from core.detectors.folders import read_arrays, write_arrays
from core.signal import Floats, Signal

SCALED_UNIT: Final = "scaled"
"""Unit of channels that their publisher already scaled to [-1, 1]; they are taken as they are."""

_TAIL: Final = 0.005


@dataclass(frozen=True, eq=False)
class Scaling:
    """A shift and a divisor per channel.

    Parameters
    ----------
    centre, scale
        (channels,) float64, in the channels' own units; every scale is positive.
    """

    centre: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def of(cls, signal: Signal) -> Self:
        """Return the scaling that puts 99 % of a training part's valid readings into [-1, 1].

        Channels already scaled, and switches that read 0 or 1, are left as they are; a channel that never
        changes is shifted to 0.
        """
        width = len(signal.channels)
        centre, scale = np.zeros(width), np.ones(width)
        for channel in range(width):
            readings = signal.values[signal.valid, channel].astype(np.float64)
            readings = readings[np.isfinite(readings)]
            switch = readings.size > 0 and bool(np.isin(readings, (0.0, 1.0)).all())
            if readings.size == 0 or switch or signal.units[channel] == SCALED_UNIT:
                continue
            low, high = np.quantile(readings, (_TAIL, 1 - _TAIL))
            if high <= low:
                low, high = readings.min(), readings.max()
            centre[channel] = (low + high) / 2
            scale[channel] = (high - low) / 2 if high > low else 1.0
        return cls(centre, scale)

    def apply(self, values: Floats, limit: float) -> Floats:
        """Return (n, channels) values in scaled units, clipped to ``[-limit, limit]``; NaN stays NaN."""
        scaled = (values.astype(np.float64) - self.centre) / self.scale
        return np.clip(scaled, -limit, limit).astype(np.float32)

    def save(self, path: Path) -> None:
        """Write the scaling as npz."""
        write_arrays(path, {"centre": self.centre, "scale": self.scale})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote; ArtifactError if it can't be read."""
        return cls(**read_arrays(path, ("centre", "scale")))
