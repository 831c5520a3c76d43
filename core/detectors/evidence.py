"""Kinds of strangeness in standardised residuals, each measured by what the training part reached.

One number per kind and step: 1 means what one training step in a thousand exceeds while the machine runs,
and the most that was seen there while it stood or had just changed.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.detectors.smoothing import ewma
from core.quality.masks import unchanged_runs
from core.signal import Floats

Doubles = NDArray[np.float64]

KINDS: Final = ("spike", "level", "drift", "swing", "stuck")

LIMIT: Final = 15.0
"""Residuals beyond so many deviations count alike in averages, so that a spike is not smeared for hours."""

STATES: Final = 3
"""Running, standing, just changed."""

_LEVEL_SPAN: Final = 15
_DRIFT_SPAN: Final = 240
_SWING_SPAN: Final = 30
_RECENT_SPAN: Final = 10
_STUCK_REFERENCE: Final = 8.0


def measure(residuals: Doubles, readings: Floats, repeats: float, longest: float) -> Doubles:
    """Return (kinds, n) raw evidence, not yet held against the training part.

    Parameters
    ----------
    residuals
        (n,) residuals in robust deviations, NaN where not judged.
    readings
        (n,) readings of the target, for runs of unchanged ones.
    repeats
        Chance that a reading repeats the one before, in the training part.
    longest
        Longest run of unchanged readings there.
    """
    clipped = np.clip(residuals, -LIMIT, LIMIT)
    level, drift = ewma(clipped, _LEVEL_SPAN), ewma(clipped, _DRIFT_SPAN)
    # A drift counts while recent readings are still off to the same side, so that it ends when they are back.
    recent = np.clip(level * np.sign(drift), 0.0, 1.0)
    swing = np.sqrt(np.minimum(ewma(clipped**2, _SWING_SPAN), 2.0 * ewma(clipped**2, _RECENT_SPAN)))
    # A run of k repeats has the chance repeats**k; this is the deviation of a normal with that chance.
    runs = np.maximum(unchanged_runs(readings) - longest, 0.0)
    stuck = np.sqrt(-2.0 * np.log(repeats) * runs)
    stuck[~np.isfinite(residuals)] = np.nan
    return np.stack([np.abs(residuals), np.abs(level), np.abs(drift) * recent, swing, stuck])


def references(evidence: Doubles, states: NDArray[np.int64]) -> Doubles:
    """Return (kinds, states) the evidence that counts as 1.

    While running it is what one training step in a thousand exceeds, but never more than four times what
    one step in ten exceeds, so that a fault in the training part does not set the bar. The other states are
    rare and violent: there it is the most that training saw, if that is more.
    """
    judged = np.isfinite(evidence).all(axis=0)
    running = evidence[:, judged & (states == 0)]
    if running.shape[1] == 0:
        running = evidence[:, judged]
    rare, common = np.quantile(running, (0.999, 0.9), axis=1)
    usual = np.maximum(np.minimum(rare, 4.0 * common), 1.0)
    usual[KINDS.index("stuck")] = _STUCK_REFERENCE
    result = np.repeat(usual[:, None], STATES, axis=1)
    for state in range(1, STATES):
        seen = evidence[:, judged & (states == state)]
        if seen.shape[1]:
            result[:, state] = np.maximum(usual, seen.max(axis=1))
    return result


def repeats_of(readings: Floats) -> tuple[float, float]:
    """Return how often a training reading repeats the one before, and the longest such run."""
    runs = unchanged_runs(readings[np.isfinite(readings)])
    # A repeat is likelier after a repeat where the sensor is coarse or the machine stands.
    after = runs[1:][runs[:-1] > 0]
    chance = max(float((runs > 0).mean()), float((after > 0).mean()) if after.size else 0.0)
    return min(max(chance, 1.0 / max(runs.size, 2)), 0.999), float(runs.max(initial=0))
