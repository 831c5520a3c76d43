"""Kinds of strangeness in standardised residuals, each measured by what the training part reached.

One number per kind and step: 1 means what one training step in a thousand exceeds while the machine runs,
and the most that was seen there while it stood or had just changed.
"""

from dataclasses import dataclass
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

SPANS: Final = (15.0, 240.0, 60.0, 10.0)
"""Steps over which the rows of `to_average` are averaged."""

_STUCK_REFERENCE: Final = 8.0
_DRIFT_BY_LEVEL: Final = 5.0


@dataclass(frozen=True, eq=False)
class Evidence:
    """Raw evidence, not yet held against the training part.

    Parameters
    ----------
    kinds
        (kinds, n) how strange each step is in each way.
    recent
        (n,) how far recent readings are off to the side to which they drifted.
    """

    kinds: Doubles
    recent: Doubles

    def strongest(self, references: Doubles, states: NDArray[np.int64]) -> Doubles:
        """Return (n,) the strongest kind of each step, in units of what counts as 1 in its state.

        A drift counts only while the machine runs and while recent readings are still off to the same side,
        so that it ends when they are back.
        """
        return self.against(references[:, states], states)

    def against(self, usual: Doubles, states: NDArray[np.int64]) -> Doubles:
        """Return what `strongest` does, of (kinds, n) evidence that counts as 1 at each step."""
        scaled = self.kinds / usual
        still = _DRIFT_BY_LEVEL * self.recent / usual[KINDS.index("level")]
        drift = KINDS.index("drift")
        scaled[drift] = np.where(states == 0, np.minimum(scaled[drift], still), 0.0 * scaled[drift])
        strongest: Doubles = scaled.max(axis=0)
        return strongest


def measure(residuals: Doubles, readings: Floats, repeats: float, longest: float) -> Evidence:
    """Return the raw evidence in residuals.

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
    means = np.stack([ewma(row, span) for row, span in zip(to_average(residuals), SPANS, strict=True)])
    return of_means(residuals, means, unchanged_runs(readings) - longest, repeats)


def to_average(residuals: Doubles) -> Doubles:
    """Return (4, n) what is averaged of residuals: for level, drift, swing and recent swing."""
    clipped = np.clip(residuals, -LIMIT, LIMIT)
    # What is far off is told by its level; kept small here, it is soon forgotten when it is over.
    return np.stack([clipped, np.clip(residuals, -3.0, 3.0), clipped**2, clipped**2])


def of_means(
    residuals: Doubles, means: Doubles, longer: NDArray[np.floating], repeats: float | Doubles
) -> Evidence:
    """Return the raw evidence of (n,) residuals, of (4, n) means and of runs of unchanged readings.

    Parameters
    ----------
    longer
        (n,) how much longer a run is than any in the training part; below 0 where it is shorter.
    repeats
        As in `measure`, or (n,) of different sensors.
    """
    level, drift, power = means[0], means[1], np.minimum(means[2], 2.0 * means[3])
    # A run of k repeats has the chance repeats**k; this is the deviation of a normal with that chance.
    stuck = np.sqrt(-2.0 * np.log(repeats) * np.maximum(longer, 0.0))
    stuck[~np.isfinite(residuals)] = np.nan
    swing = np.sqrt(np.maximum(power - 1.0, 0.0))
    kinds = np.stack([np.abs(residuals), np.abs(level), np.abs(drift), swing, stuck])
    return Evidence(kinds, np.maximum(level * np.sign(drift), 0.0))


def references(evidence: Evidence, first: int, states: NDArray[np.int64]) -> Doubles:
    """Return (kinds, states) the evidence that counts as 1.

    While running it is what one training step in a thousand exceeds, but never more than four times what
    one step in ten exceeds, so that a fault in the training part does not set the bar. The other states are
    rare and violent: there it is the most that training saw, if that is more. Steps before `first`
    are left out.
    """
    kinds = evidence.kinds
    judged = np.isfinite(kinds).all(axis=0) & (np.arange(states.size) >= first)
    running = kinds[:, judged & (states == 0)]
    if running.shape[1] == 0:
        running = kinds[:, judged]
    rare, common = np.quantile(running, (0.999, 0.9), axis=1)
    usual = np.maximum(np.minimum(rare, 4.0 * common), 1.0)
    usual[KINDS.index("stuck")] = _STUCK_REFERENCE
    result = np.repeat(usual[:, None], STATES, axis=1)
    for state in range(1, STATES):
        seen = kinds[:, judged & (states == state)]
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
