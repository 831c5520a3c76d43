"""Seeded randomness that a day can draw without its neighbours, and filters that carry it across midnight."""

from functools import lru_cache
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DAY: Final = 1440
# A block is two days, of which the first only warms up: by its end every lag has forgotten how it began.
BLOCK: Final = 2 * DAY

WEATHER: Final = 1
LOAD: Final = 2
NOISE: Final = 3
ROUTINE: Final = 4
FAULT: Final = 5
SPIKE: Final = 6

# Rows of a day's noise: first the gauges', then the machines', the last one the weather's.
_ROWS: Final = 136
WEATHER_ROW: Final = _ROWS - 1


def generator(seed: int, stream: int, *place: int) -> np.random.Generator:
    """Return a generator that depends on nothing but its arguments."""
    return np.random.default_rng([seed, stream, *place])


@lru_cache(maxsize=8)
def _day_noise(seed: int, day: int) -> Floats:
    noise = generator(seed, NOISE, day).standard_normal((_ROWS, DAY))
    noise.setflags(write=False)
    return noise


def white(seed: int, day: int, row: int) -> Floats:
    """Return (BLOCK,) independent normal draws of the block that ends with `day`."""
    return np.concatenate([_day_noise(seed, day - 1)[row], _day_noise(seed, day)[row]])


def wander(noise: Floats, minutes: float) -> Floats:
    """Return a first-order autoregression of unit deviation that forgets within `minutes`."""
    keep = float(np.exp(-1.0 / minutes))
    return lag(noise, minutes) * float(np.sqrt((1.0 + keep) / (1.0 - keep)))


def lag(signal: Floats, minutes: float) -> Floats:
    """Return `signal` as a first-order body with that time constant follows it, at rest in the beginning."""
    # Polars' mean is this recursion; scipy's filter would cost seconds of import in every process that feeds.
    followed = pl.Series(signal).ewm_mean(alpha=1.0 - float(np.exp(-1.0 / minutes)), adjust=False)
    return np.asarray(followed.to_numpy(), dtype=np.float64)


def through_days(nodes: Floats) -> Floats:
    """Return (BLOCK,) a smooth curve through one value a day.

    Parameters
    ----------
    nodes
        (5,) values at the midnights that begin day -1 to day 3, the block being days 0 and 1.
    """
    x = np.arange(DAY) / DAY
    curves = []
    for first in (0, 1):
        a, b, c, d = nodes[first : first + 4]
        # Catmull-Rom: passes through b and c with the slopes of the neighbours.
        curves.append(b + 0.5 * x * (c - a + x * (2 * a - 5 * b + 4 * c - d + x * (3 * (b - c) + d - a))))
    return np.concatenate(curves)
