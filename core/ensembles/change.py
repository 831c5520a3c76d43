"""What readings did, told without a prediction: held against training and against the steps before."""

from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.ensembles.wording import amount, duration, signed, span
from core.quality.masks import unchanged_runs
from core.results import Event
from core.signal import Signal

Seen = tuple[float, float]
"""Lowest and highest reading of a training part."""

STUCK_STEPS: Final = 30
"""Equal readings in a row from which an event that consists of them is called stuck."""

_LOOK_BACK: Final = 1440
_BEFORE: Final = 120
_SINGLE: Final = 3


def changed(event: Event, signal: Signal, length: timedelta, seen: Seen | None) -> str:
    """Return what the readings of an event did, as what follows the sensor's name in a sentence.

    Parameters
    ----------
    event
        Its indices refer to `signal`.
    length
        How long it lasted.
    seen
        What training saw, if known.
    """
    unit, lasting = signal.units[0], duration(length)
    inside = _finite(signal.target[event.start : event.end])
    if inside.size == 0:
        return f"was unusual for {lasting}, without a reading of its own"
    told = left_steady(event, signal, length, seen) or _outside(inside, seen, unit, lasting)
    if told:
        return told
    held = stuck(event, signal)
    if held is not None:
        value, steps = held
        return stood_still(value, unit, max(length, steps * signal.interval))
    return _against(inside, _before(event, signal), unit, lasting)


def left_steady(event: Event, signal: Signal, length: timedelta, seen: Seen | None) -> str:
    """Return what followed a level that never changed, in training or before the event; empty if none did."""
    inside, before = _finite(signal.target[event.start : event.end]), _before(event, signal)
    always = seen is not None and seen[0] == seen[1]
    if seen is not None and always:
        level = seen[0]
    elif before.size >= STUCK_STEPS and before.min() == before.max():
        level = float(before[0])
    else:
        return ""
    left = ~np.isclose(inside, level, rtol=1e-6, atol=0)
    other = inside[left]
    unit, lasting = signal.units[0], duration(length)
    if other.size == 0 or (not always and other.size < 0.5 * inside.size):
        return ""
    low, high = float(other.min()), float(other.max())
    if other.size < 0.5 * inside.size:
        if _longest(left) <= _SINGLE:
            furthest = amount(low if abs(low - level) > abs(high - level) else high, unit)
            return f"had single readings of {furthest} within {lasting}, after a steady {amount(level, unit)}"
        lasting = f"{duration(other.size * signal.interval)} of {lasting}"
    reached = amount(low, unit) if low == high else f"values from {span(low, high, unit)}"
    return f"changed from a steady {signed(level)} to {reached} for {lasting}"


def _longest(flags: NDArray[np.bool_]) -> int:
    """Return the length of the longest run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def stuck(event: Event, signal: Signal) -> tuple[float, int] | None:
    """Return value and length of a run of equal readings that fills most of the event, if there is one."""
    first = max(0, event.start - _LOOK_BACK)
    runs = unchanged_runs(signal.target[first : event.end])
    end = int(np.argmax(runs[event.start - first :])) + event.start - first
    inside = min(int(runs[end]), end - (event.start - first)) + 1
    if runs[end] < STUCK_STEPS or inside < 0.5 * (event.end - event.start):
        return None
    return float(signal.target[first + end]), int(runs[end]) + 1


def stood_still(value: float, unit: str, length: timedelta) -> str:
    """Return what a sensor did that repeated one value."""
    return f"stood still at {amount(value, unit)} for {duration(length)}"


def _outside(inside: NDArray[np.float64], seen: Seen | None, unit: str, lasting: str) -> str:
    """Tell readings beyond what training saw; empty where there are none."""
    if seen is None:
        return ""
    low, high = seen
    beyond = np.maximum(inside - high, low - inside)
    share = float((beyond > 0).mean())
    if share == 0:
        return ""
    furthest = amount(float(inside[np.argmax(beyond)]), unit)
    side = "up" if inside[np.argmax(beyond)] > high else "down"
    known = f"only {amount(low, unit)}" if low == high else span(low, high, unit)
    if share < 0.5:
        return f"reached {furthest} within {lasting} (training saw {known})"
    return f"ran {side} to {furthest}, outside anything seen in training ({known}), for {lasting}"


def _against(inside: NDArray[np.float64], before: NDArray[np.float64], unit: str, lasting: str) -> str:
    """Tell a new level or new swings against the steps before, else that the pattern is new."""
    if before.size and inside.size < 3:
        furthest = inside[np.argmax(np.abs(inside - before[-1]))]
        return f"jumped from {signed(float(before[-1]))} to {amount(float(furthest), unit)} for {lasting}"
    if before.size >= 20:
        was, now = float(np.median(before)), float(np.median(inside))
        swing, swings = _swing(before), _swing(inside)
        if abs(now - was) > 2 * max(swing, 1e-12):
            return f"changed from {signed(was)} to {amount(now, unit)} for {lasting}"
        if inside.size >= 20 and swings > 2 * swing:
            return f"swung by ±{amount(swings, unit)} for {lasting} (±{amount(swing, unit)} before)"
        if inside.size >= 20 and swings < 0.5 * swing:
            told = f"swings of ±{amount(swings, unit)}, ±{amount(swing, unit)} before"
            return f"held unusually steady for {lasting} ({told})"
    reach = span(float(inside.min()), float(inside.max()), unit)
    return f"moved in a pattern that training did not show for {lasting}, within {reach}"


def _before(event: Event, signal: Signal) -> NDArray[np.float64]:
    """Return readings before an event: as many as it has, at least two hours' worth of minutes."""
    steps = min(max(event.end - event.start, _BEFORE), _LOOK_BACK)
    return _finite(signal.target[max(0, event.start - steps) : event.start])


def _swing(values: NDArray[np.float64]) -> float:
    """Return half the distance within which nine readings in ten lie."""
    low, high = np.quantile(values, (0.05, 0.95))
    return float(high - low) / 2


def _finite(values: NDArray[np.float32]) -> NDArray[np.float64]:
    known = values[np.isfinite(values)]
    return known.astype(np.float64)
