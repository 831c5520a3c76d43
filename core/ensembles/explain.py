"""One plain sentence that says why an event was raised, in the sensor's own unit."""

from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.ensembles.change import Seen, changed, left_steady, stood_still, stuck
from core.ensembles.meanwhile import before, meanwhile
from core.ensembles.wording import amount, duration, sentence
from core.results import Event, Scores
from core.signal import Floats, Signal

LEAST_BESIDE: Final = 60
"""Predicted steps beside an event from which its errors can be called usual."""


def why(
    event: Event,
    scores: Scores,
    signal: Signal,
    *,
    lasted: timedelta | None = None,
    seen: Seen | None = None,
    earlier: Floats | None = None,
) -> str:
    """Return why an event was raised: how much, against what, for how long, and what the context did.

    Parameters
    ----------
    event
        Its indices refer to `scores` and `signal`, which have the same steps.
    lasted
        How long it has lasted, where it began before the first step of `signal`.
    seen
        Lowest and highest reading while training, in the target's unit, if known.
    earlier
        (k, channels) readings before it, where it began before the first step of `signal`.

    What was expected is told where the readings left it. Otherwise the sentence says what the readings did,
    held against what training saw and against the steps before.
    """
    length = (event.end - event.start) * signal.interval if lasted is None else lasted
    context = meanwhile(event, signal, before(event, signal) if earlier is None else earlier)
    return sentence(signal.channels[0], _told(event, scores, signal, length, seen), context)


def departed(event: Event, scores: Scores, signal: Signal) -> bool:
    """Return whether readings left their prediction in an event, by more than they do beside it."""
    gaps = signal.target.astype(np.float64) - scores.expected
    inside = gaps[event.start : event.end]
    inside = inside[np.isfinite(inside)]
    return inside.size > 0 and not _usual(inside, _beside(gaps, event))


def _told(event: Event, scores: Scores, signal: Signal, length: timedelta, seen: Seen | None) -> str:
    gaps = signal.target.astype(np.float64) - scores.expected
    inside = gaps[event.start : event.end]
    inside = inside[np.isfinite(inside)]
    if inside.size and event.peak_score < event.threshold:
        return f"followed its prediction unusually closely for {duration(length)}"
    if inside.size == 0 or _usual(inside, _beside(gaps, event)):
        return changed(event, signal, length, seen)
    left = left_steady(event, signal, length, seen)
    if left:
        return left
    held = stuck(event, signal)
    unit = signal.units[0]
    if held is not None:
        value, steps = held
        return stood_still(value, unit, max(length, steps * signal.interval))
    if event.end - event.start <= 3:
        jump = float(inside[np.argmax(np.abs(inside))])
        side = "above" if jump > 0 else "below"
        return f"jumped {amount(abs(jump), unit)} {side} its prediction for {duration(length)}"
    return f"{_departure(inside, unit)} {duration(length)}"


def _departure(gap: NDArray[np.float64], unit: str) -> str:
    """Return how far readings were off what was expected, up to the word before the duration."""
    above, below = float(np.quantile(gap, 0.9)), float(-np.quantile(gap, 0.1))
    largest, typical, most = float(np.abs(gap).max()), float(np.median(np.abs(gap))), max(above, below)
    if most < 0.5 * largest and typical < 0.25 * largest:
        return f"had single readings up to {amount(largest, unit)} off its prediction within"
    if min(above, below) > 0.5 * most:
        return f"swung by ±{amount(most, unit)} around its prediction for"
    reach = "up to " if most > 1.5 * typical else ""
    return f"ran {reach}{amount(most, unit)} {'above' if above > below else 'below'} its prediction for"


def _beside(gaps: NDArray[np.float64], event: Event) -> NDArray[np.float64]:
    beside: NDArray[np.float64] = np.concatenate([gaps[: event.start], gaps[event.end :]])
    return beside[np.isfinite(beside)]


def _usual(inside: NDArray[np.float64], beside: NDArray[np.float64]) -> bool:
    """Return whether errors in an event are as large as beside it: then they are not why it was raised."""
    if beside.size < LEAST_BESIDE:
        return False
    size, usual = np.abs(inside), np.abs(beside)
    return bool(
        size.max() <= 1.5 * np.quantile(usual, 0.99)
        and np.quantile(size, 0.9) <= 1.25 * np.quantile(usual, 0.9)
        and abs(np.median(inside)) <= 0.5 * np.quantile(usual, 0.5)
    )
