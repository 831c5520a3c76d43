"""One plain sentence that says why an event was raised, in the sensor's own unit."""

from datetime import timedelta
from typing import Final

import numpy as np

from core.quality.masks import unchanged_runs
from core.results import Event, Scores
from core.signal import Signal

STUCK_STEPS: Final = 30
"""Equal readings in a row from which an event that consists of them is called stuck."""


def why(event: Event, scores: Scores, signal: Signal) -> str:
    """Return why an event was raised.

    Parameters
    ----------
    event
        Its indices refer to `scores` and `signal`, which have the same steps.
    """
    part = slice(event.start, event.end)
    values, expected = signal.target[part].astype(np.float64), scores.expected[part].astype(np.float64)
    unit = f" {signal.units[0]}" if signal.units[0] else ""
    lasting = duration((event.end - event.start) * signal.interval)
    runs = unchanged_runs(signal.target[: event.end])[part]
    if runs.size and runs[-1] >= STUCK_STEPS and np.mean(runs >= min(STUCK_STEPS, runs.size)) >= 0.5:
        return f"Stuck at {number(float(values[-1]))}{unit} for {lasting}"
    gap = values - expected
    if not np.isfinite(gap).any():
        return f"Unusual for {lasting}, nothing was expected there to compare with"
    peak = gap[event.peak - event.start]
    if not np.isfinite(peak):
        peak = gap[np.nanargmax(np.abs(gap))]
    middle = float(np.nanmedian(gap))
    spread = float(np.nanmedian(np.abs(gap)))
    if abs(middle) >= 0.5 * spread and spread > 0:
        return f"{number(abs(middle))}{unit} {_side(middle)} expected for {lasting}"
    if event.end - event.start <= 3:
        return f"Jumped {number(abs(float(peak)))}{unit} {_side(float(peak))} expected"
    return f"Swings of ±{number(spread)}{unit} around expected for {lasting}"


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


def _side(gap: float) -> str:
    return "above" if gap > 0 else "below"
