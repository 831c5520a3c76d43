"""What a regression sees of the context: present values, lagged values, squares, products, running states."""

from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from core.imputation.hold import hold_last
from core.signal import Signal

Doubles = NDArray[np.float64]

MOST_CROSSED: Final = 6
"""Context channels of each kind up to which products are formed; beyond, columns would outnumber steps."""

_MARGIN: Final = 0.5
_DAY_US: Final = 86_400_000_000


@dataclass(frozen=True, eq=False)
class ContextFeatures:
    """A causal map from a signal's context to regression columns, fitted on a training part.

    Parameters
    ----------
    switches
        (k,) positions among the context channels of those that only read 0 or 1.
    stands
        (j,) positions of those that drop to nothing when the machine stands, as speed and load do: a
        clear gap lies between running and standing. Each implies a switch; empty where one is told.
    centre, scale, low, high
        (c,) median, spread and seen range of each context channel; values beyond the range by more than
        half of it are clipped, so that the regression does not run wild where it never was.
    bar
        (j,) value above which a channel of `stands` counts as running.
    time_constants
        Steps in which the lagged values follow.
    daily
        Whether the time of day is a context: used where a sensor has no other.
    hold
        Steps for which the last reading stands in for a missing one.
    """

    switches: NDArray[np.int64]
    stands: NDArray[np.int64]
    centre: Doubles
    scale: Doubles
    low: Doubles
    high: Doubles
    bar: Doubles
    time_constants: tuple[float, ...]
    daily: bool
    hold: int

    @classmethod
    def of(
        cls, signal: Signal, *, time_constants: tuple[float, ...], daily: bool, hold: int
    ) -> "ContextFeatures":
        """Fit to the valid steps of a training part."""
        context = signal.context[signal.valid].astype(np.float64)
        width = context.shape[1]
        centre, scale, low, high = np.zeros(width), np.ones(width), np.zeros(width), np.zeros(width)
        switches, stands, bars = [], [], []
        for channel in range(width):
            readings = context[np.isfinite(context[:, channel]), channel]
            if readings.size == 0:
                continue
            low[channel], high[channel] = readings.min(), readings.max()
            if np.isin(readings, (0.0, 1.0)).all():
                switches.append(channel)
                continue
            centre[channel] = np.median(readings)
            spread = np.subtract(*np.quantile(readings, (0.95, 0.05))) / 2
            scale[channel] = spread if spread > 0 else readings.std() or 1.0
            if _stands(readings, centre[channel]):
                stands.append(channel)
                bars.append(_running_bar(readings, centre[channel]))
        if switches:  # the machine's state is told, so nothing need be guessed
            stands, bars = [], []
        margin = _MARGIN * (high - low)
        return cls(
            np.array(switches, dtype=np.int64),
            np.array(stands, dtype=np.int64),
            centre,
            scale,
            low - margin,
            high + margin,
            np.array(bars),
            time_constants,
            daily,
            hold,
        )

    def states(self, signal: Signal) -> NDArray[np.float64]:
        """Return (n, switches) of 0 and 1: the switches, then those implied; missing ones read 1."""
        filled = hold_last(signal.context, self.hold)
        told = np.where(np.isfinite(filled[:, self.switches]), filled[:, self.switches] > 0.5, True)
        implied = ~(filled[:, self.stands] <= self.bar)
        return np.concatenate([told, implied], axis=1).astype(np.float64)

    def matrix(self, signal: Signal) -> Doubles:
        """Return (n, columns) features; each row depends on its own and earlier steps alone."""
        n = len(signal)
        filled = np.clip(hold_last(signal.context, self.hold), self.low, self.high)
        scaled = np.nan_to_num((filled - self.centre) / self.scale, nan=0.0).T
        states = self.states(signal).T
        values = np.delete(scaled, self.switches, axis=0)
        columns = [np.ones((1, n)), values, states]
        lagged = [values, states]
        if values.shape[0] <= MOST_CROSSED:
            pairs = [values[i] * values[j] for i, j in combinations(range(values.shape[0]), 2)]
            crossed = np.array([*pairs, *(value**2 for value in values)]).reshape(-1, n)
            columns.append(crossed)
            lagged.append(crossed)
            if 0 < states.shape[0] <= 2:
                columns += [values * state for state in states]
                lagged += [values * state for state in states]
        following = np.concatenate(lagged)
        columns += [_follow(following, steps) for steps in self.time_constants]
        if self.daily:
            columns.append(_time_of_day(signal))
        return np.concatenate(columns).T


def _stands(readings: Doubles, middle: float) -> bool:
    """Return whether a channel rests near nothing for some time, clearly apart from where it runs."""
    if middle <= 0 or readings.min() < -0.1 * middle:
        return False
    resting = int((readings < 0.1 * middle).sum())
    between = int(((readings >= 0.1 * middle) & (readings < 0.5 * middle)).sum())
    return resting >= 10 and between <= 0.25 * resting


def _running_bar(readings: Doubles, middle: float) -> float:
    """Return a bar just below where a channel runs, so that running down counts as standing at once."""
    return 0.9 * float(np.quantile(readings[readings >= 0.5 * middle], 0.01))


def _follow(values: Doubles, steps: float) -> Doubles:
    """Return (channels, n) first-order responses with that time constant, at rest in the beginning."""
    keep = float(np.exp(-1.0 / steps))
    followed: Doubles = lfilter([1 - keep], [1.0, -keep], values, axis=1, zi=keep * values[:, :1])[0]
    return followed


def _time_of_day(signal: Signal) -> Doubles:
    """Return (8, n) four harmonics of the day, in UTC."""
    moment = signal.timestamps.astype("datetime64[us]").astype(np.int64) % _DAY_US / _DAY_US
    angles = 2 * np.pi * np.arange(1, 5)[:, None] * moment
    return np.concatenate([np.sin(angles), np.cos(angles)])
