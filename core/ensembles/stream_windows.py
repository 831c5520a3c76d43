"""The newest window of every sensor of a stream, and how far it is from what training held."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from core.detectors.discords import LIMIT, Discords
from core.errors import NotFitted
from core.signal import Floats

Doubles = NDArray[np.float64]
Counts = NDArray[np.int64]

WINDOW: Final = 50
"""Steps of the windows that a stream compares."""


@dataclass(eq=False)
class Windows:
    """The last window of every sensor, told by figures, and the training windows it is compared with.

    Parameters
    ----------
    centre, scale, middle
        (sensors,) of the target's scaling, and the scaled level whose crossings are counted.
    figures, figures_power, figures_width
        (sensors, columns, windows kept) figures of training windows, their (sensors, windows kept) squared
        lengths, infinite where a sensor has fewer, and the (sensors, columns) unit of each.
    spread, spread_power, spread_width
        The same of the figures that tell no level.
    ring
        (sensors, window + 1) scaled readings, the newest last, and the one before the window first.
    said
        (2, sensors) distances by figures and by spread when last asked for.
    seen
        (1,) steps so far.
    """

    centre: Doubles
    scale: Doubles
    middle: Doubles
    figures: Floats
    figures_power: Floats
    figures_width: Floats
    spread: Floats
    spread_power: Floats
    spread_width: Floats
    ring: Floats
    said: Doubles
    seen: Counts

    @classmethod
    def of(cls, figures: Sequence[Discords], spread: Sequence[Discords], window: int) -> Self:
        """Stack fitted detectors: those of the figures, and those of the figures that tell no level."""
        count = len(figures)
        stacked: dict[str, Floats] = {}
        for name, detectors in (("figures", figures), ("spread", spread)):
            learned = [one._learned for one in detectors]  # noqa: SLF001 # the stacked twin of the method
            kept = [one for one in learned if one is not None]
            if len(kept) < count:
                raise NotFitted("stream: the windows of a training part were not kept yet")
            columns, most = kept[0].rows.shape[1], max(one.rows.shape[0] for one in kept)
            rows = np.zeros((count, columns, most), np.float32)
            power = np.full((count, most), np.inf, np.float32)
            for place, one in enumerate(kept):
                rows[place, :, : one.rows.shape[0]] = one.rows.T
                power[place, : one.rows.shape[0]] = (one.rows**2).sum(axis=1)
            width = np.stack([np.broadcast_to(one.width, columns) for one in kept]).astype(np.float32)
            stacked |= {name: rows, f"{name}_power": power, f"{name}_width": width}
        return cls(
            centre=np.array([one.scaling.centre[0] for one in kept]),
            scale=np.array([one.scaling.scale[0] for one in kept]),
            middle=np.array([one.middle for one in kept]),
            **stacked,
            ring=np.full((count, window + 1), np.nan, np.float32),
            said=np.full((2, count), np.nan),
            seen=np.zeros(1, np.int64),
        )

    def step(self, target: Floats, phase: int) -> Doubles:
        """Return (2, sensors) distances of the windows that end now; NaN before the first is full."""
        newest = np.clip((target - self.centre) / self.scale, -LIMIT, LIMIT).astype(np.float32)
        newest = np.where(np.isfinite(newest), newest, self.ring[:, -1])
        started = np.isfinite(self.ring[:, -1])
        self.ring[:, :-1] = self.ring[:, 1:]
        self.ring[:, -1] = newest
        # Before a sensor's first reading, that reading stands in.
        self.ring[~started] = newest[~started, None]
        window = self.ring.shape[1] - 1
        self.seen += 1
        start = int(self.seen[0]) - window
        if start < 0:
            return self.said
        if start == 0 or (start + phase) % max(window // 25, 1) == 0:
            told = self._figures()
            self.said = np.stack(
                [
                    _nearest(told / self.figures_width, self.figures, self.figures_power),
                    _nearest(_level_free(told) / self.spread_width, self.spread, self.spread_power),
                ]
            )
        return self.said

    def _figures(self) -> Floats:
        """Return (sensors, 6) mean, deviation, lowest, highest, mean step and crossings of the window."""
        both = self.ring.astype(np.float64)
        inside = both[:, 1:]
        mean = inside.mean(axis=1)
        deviation = np.sqrt(np.maximum((inside**2).mean(axis=1) - mean**2, 0.0))
        steps = np.abs(np.diff(both, axis=1)).mean(axis=1)
        side = both > self.middle[:, None]
        crossings = (side[:, 1:] != side[:, :-1]).mean(axis=1)
        told = [mean, deviation, inside.min(axis=1), inside.max(axis=1), steps, crossings]
        return np.stack(told, axis=1).astype(np.float32)


def _level_free(told: Floats) -> Floats:
    return np.stack([told[:, 1], told[:, 3] - told[:, 2], told[:, 4], told[:, 5]], axis=1)


def _nearest(rows: Floats, seen: Floats, power: Floats) -> Doubles:
    """Return (sensors,) distances of one row each to the nearest of its own (columns, kept) rows."""
    squared = power - 2 * np.matmul(rows[:, None, :], seen)[:, 0, :]
    found: Doubles = squared.min(axis=1).astype(np.float64) + (rows**2).sum(axis=1)
    return np.sqrt(np.maximum(found, 0.0))
