"""One plain sentence that says why an event was raised, in the sensor's own unit."""

from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.detectors.scaling import SCALED_UNIT
from core.quality.masks import unchanged_runs
from core.results import Event, Scores
from core.signal import Signal

STUCK_STEPS: Final = 30
"""Equal readings in a row from which an event that consists of them is called stuck."""

_LOOK_BACK: Final = 1440


def why(event: Event, scores: Scores, signal: Signal, *, lasted: timedelta | None = None) -> str:
    """Return why an event was raised.

    Parameters
    ----------
    event
        Its indices refer to `scores` and `signal`, which have the same steps.
    lasted
        How long it has lasted, where it began before the first step of `signal`.
    """
    length = (event.end - event.start) * signal.interval if lasted is None else lasted
    lasting = duration(length)
    unit = signal.units[0]
    if event.peak_score < event.threshold:
        return f"Follows its prediction unusually closely for {lasting}"
    stuck = _stuck(event, signal)
    if stuck is not None:
        value, steps = stuck
        return f"Stuck at {_amount(value, unit)} for {duration(max(length, steps * signal.interval))}"
    part = slice(event.start, event.end)
    gap = signal.target[part].astype(np.float64) - scores.expected[part]
    gap = gap[np.isfinite(gap)]
    if gap.size == 0:
        return f"Unusual for {lasting}, nothing was expected there to compare with"
    if event.end - event.start <= 3:
        jump = float(gap[np.argmax(np.abs(gap))])
        return f"Jumped {_amount(abs(jump), unit)} {'above' if jump > 0 else 'below'} expected"
    return f"{_departure(gap, unit)} {lasting}"


def _departure(gap: NDArray[np.float64], unit: str) -> str:
    """Return how far readings were off what was expected, up to the word before the duration."""
    above, below = float(np.quantile(gap, 0.9)), float(-np.quantile(gap, 0.1))
    largest, typical, most = float(np.abs(gap).max()), float(np.median(np.abs(gap))), max(above, below)
    if most < 0.5 * largest and typical < 0.25 * largest:
        return f"Single readings up to {_amount(largest, unit)} off expected within"
    if min(above, below) > 0.5 * most:
        return f"Swings of ±{_amount(most, unit)} around expected for"
    reach = "Up to " if most > 1.5 * typical else ""
    return f"{reach}{_amount(most, unit)} {'above' if above > below else 'below'} expected for"


def duration(length: timedelta) -> str:
    """Return a length of time as an engineer says it, such as ``9 h 10 min``."""
    minutes = max(1, round(length.total_seconds() / 60))
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    days, hours = divmod(hours, 24)
    named = "1 day" if days == 1 else f"{days} days"
    return f"{named} {hours} h" if hours and days < 7 else named


def number(value: float) -> str:
    """Return a value with three significant figures, never in powers of ten below a million."""
    if value == 0 or not 1e-4 <= abs(value) < 1e6:
        return f"{value:.3g}"
    decimals = max(0, 2 - int(np.floor(np.log10(abs(value)))))
    return f"{value:.{decimals}f}"


def _stuck(event: Event, signal: Signal) -> tuple[float, int] | None:
    """Return value and length of a run of equal readings that fills most of the event, if there is one."""
    first = max(0, event.start - _LOOK_BACK)
    runs = unchanged_runs(signal.target[first : event.end])
    end = int(np.argmax(runs[event.start - first :])) + event.start - first
    inside = min(int(runs[end]), end - (event.start - first)) + 1
    if runs[end] < STUCK_STEPS or inside < 0.5 * (event.end - event.start):
        return None
    return float(signal.target[first + end]), int(runs[end]) + 1


def _amount(value: float, unit: str) -> str:
    """Return a value with its unit; a unit that only says "scaled" stands in brackets."""
    told = number(value).replace("-", "−")
    return f"{told} ({unit})" if unit == SCALED_UNIT else f"{told} {unit}".strip()
