"""What an event looks like, in numbers without a unit, so that events of any sensor can be compared."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.errors import ParameterError
from core.signal import Floats

Doubles = NDArray[np.float64]

TRAITS: Final = ("strength", "length", "fullness", "side", "roughness", "flatness", "trend")
"""What is described, in the order of `Description.traits`."""

POINTS: Final = 48
"""Points of a shape."""

_UNITS: Final = np.array([0.4, 0.7, 0.25, 2.0, 0.7, 0.3, 0.4])
"""By how much two events may differ in each trait to be one unit apart."""

_LEAST_MARGIN: Final = 10
_TINY: Final = 1e-9


@dataclass(frozen=True, eq=False)
class Description:
    """An event's traits and shape.

    Parameters
    ----------
    traits
        (7,) in the order of `TRAITS`, each in its unit of difference: logarithm of the peak score over its
        threshold; logarithm of the minutes; share of steps beyond half of the largest deviation; sign of
        the deviation; logarithm of its mean change over its mean size; share of repeated readings; slope.
    shape
        (48,) deviation from what was expected, from half a length before the event to half a length after
        it, with mean 0 and deviation 1; 0 where it is constant.
    """

    traits: Doubles
    shape: Doubles

    @property
    def strength(self) -> float:
        """Natural logarithm of the peak score over its threshold."""
        return float(self.traits[0] * _UNITS[0])


def describe(
    values: Floats,
    expected: Floats,
    *,
    start: int,
    end: int,
    peak_score: float,
    threshold: float,
    interval_s: float,
) -> Description:
    """Describe the event of the half-open steps ``[start, end)``.

    Parameters
    ----------
    values, expected
        (n,) readings of the target and what was predicted of them, NaN where there is none. Without any
        prediction the median reading outside the event stands for it.
    peak_score, threshold
        As the event states them; both positive.
    interval_s
        Seconds of a step.

    Raises
    ------
    ParameterError
        The event does not lie inside, or a score or the interval is not positive.
    """
    n = values.shape[0]
    if not 0 <= start < end <= n or expected.shape != values.shape:
        raise ParameterError(f"event: steps {start} to {end} of {n} readings, {expected.shape} predictions")
    if not (peak_score > 0 and threshold > 0 and interval_s > 0):
        raise ParameterError(
            f"event: peak {peak_score}, threshold {threshold} and interval {interval_s} s must be positive"
        )
    margin = max((end - start) // 2, _LEAST_MARGIN)
    low, high = max(0, start - margin), min(n, end + margin)
    deviation = _deviation(values[low:high], expected[low:high], start - low, end - low)
    inside = deviation[start - low : end - low]
    inside = inside[np.isfinite(inside)]
    if inside.size == 0:
        inside = np.zeros(1)
    scaled = inside / (np.abs(inside).max() + _TINY)
    change = np.abs(np.diff(inside)).mean() if inside.size > 1 else 0.0
    repeats = np.diff(values[start:end]) == 0
    traits = np.array(
        [
            np.log(peak_score / threshold),
            np.log((end - start) * interval_s / 60),
            np.mean(np.abs(scaled) > 0.5),
            np.sign(inside.mean()),
            np.log(change / (np.abs(inside).mean() + _TINY) + 1e-3),
            repeats.mean() if repeats.size else 0.0,
            _slope(scaled),
        ]
    )
    return Description(traits / _UNITS, _shape(deviation))


def restated(
    traits: tuple[float, ...], *, peak_score: float, threshold: float, minutes: float
) -> tuple[float, ...]:
    """Return traits of an event that went on: of another peak and length, and else as its newest part."""
    known = (np.log(peak_score / threshold), np.log(minutes))
    return (*(float(value / unit) for value, unit in zip(known, _UNITS, strict=False)), *traits[2:])


def _deviation(values: Floats, expected: Floats, start: int, end: int) -> Doubles:
    """Return readings less what was expected of them."""
    read, said = values.astype(np.float64), expected.astype(np.float64)
    if np.isfinite(said[start:end]).any():
        return read - said
    around = np.concatenate([read[:start], read[end:]])
    known = around[np.isfinite(around)]
    if known.size == 0:
        known = read[np.isfinite(read)]
    return read - (float(np.median(known)) if known.size else 0.0)


def _slope(scaled: Doubles) -> float:
    """Return the slope of the line through the values, over times from -1 to 1."""
    if scaled.size < 4:
        return 0.0
    times = np.linspace(-1, 1, scaled.size)
    return float((times @ (scaled - scaled.mean())) / (times @ times))


def _shape(deviation: Doubles) -> Doubles:
    known = np.flatnonzero(np.isfinite(deviation))
    if known.size == 0:
        return np.zeros(POINTS)
    drawn: Doubles = np.interp(np.linspace(0, deviation.size - 1, POINTS), known, deviation[known])
    spread = drawn.std()
    # A constant far from 0 has a spread of rounding errors.
    if spread <= 1e-6 * max(float(np.abs(drawn).max()), _TINY):
        return np.zeros(POINTS)
    shape: Doubles = (drawn - drawn.mean()) / spread
    return shape
