"""Which channels drove an event, ranked with their share, by occlusion of the prediction.

A channel's part is how much of the departure from the prediction goes away when the channel is kept to what
was usual for it before the event: the target to its level, a context channel to its range, so that one that
moves as it always does is not blamed (Zeiler & Fergus, "Visualizing and understanding convolutional
networks", ECCV 2014, call that occlusion).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.detectors.contract import Detector
from core.ensembles.change import stuck
from core.ensembles.explain import departed
from core.ensembles.meanwhile import SHORTEST, before
from core.ensembles.panel import PREDICTORS
from core.ensembles.raise_events import DRIVERS, Detection
from core.errors import InsufficientData
from core.results import Event, Scores
from core.signal import Floats, Signal

Doubles = NDArray[np.float64]
Shares = tuple[tuple[int, float], ...]

OCCLUDED: Final = 12
"""Channels that are kept back at most, those that left their range most: each costs a prediction."""

USUAL: Final = (0.01, 0.99)
"""Quantiles of all earlier readings of a context channel between which it is usual."""

LEAST: Final = 0.005
"""Share below which a channel is not named."""


def with_drivers(detection: Detection, signal: Signal, detectors: Mapping[str, Detector]) -> Detection:
    """Return a detection whose events name what drove them, where the method tells no shares itself.

    Parameters
    ----------
    detectors
        Of what raised the events, by name.
    """
    scores = detection.scores
    if scores.shares is not None or not detection.events:
        return detection
    predictor = next((detectors[name] for name in PREDICTORS if name in detectors), None)
    if predictor is None:
        predictor = next(iter(detectors.values())) if len(detectors) == 1 else None
    events = tuple(
        replace(event, drivers=drivers(event, scores, signal, predictor)) for event in detection.events
    )
    return replace(detection, events=events)


def drivers(event: Event, scores: Scores, signal: Signal, predictor: Detector | None) -> Shares:
    """Return (channel, share) pairs of what drove an event, largest first; empty where that can't be told.

    What was not raised by a departure from a prediction was raised by the target's own readings alone.

    Parameters
    ----------
    event
        Its indices refer to `scores` and `signal`.
    predictor
        Made the prediction in `scores`; None if nothing did.
    """
    alone: Shares = ((0, 1.0),)
    if len(signal.channels) == 1 or predictor is None or stuck(event, signal) is not None:
        return alone
    if not departed(event, scores, signal):
        return alone
    left = slice(max(0, event.start - predictor.memory), event.end)
    window, place = signal.slice(left.start, left.stop), slice(event.start - left.start, None)
    kept = _kept_usual(event, signal)
    if kept is None:
        return ()
    departure = (window.target[place] - scores.expected[event.start : event.end]).astype(np.float64)
    parts = np.zeros(len(signal.channels))
    for channel in _moved(window.values[place], kept):
        values = window.values.copy()
        values[place, channel] = kept[:, channel]
        without = _departure(replace(window, values=values), predictor.score, place)
        if without is None:
            return ()
        both = np.isfinite(departure) & np.isfinite(without)
        parts[channel] = float(np.dot((departure - without)[both], departure[both]))
    # Where nothing takes the departure away, the context did as usual and the target did not go along.
    return _ranked(np.maximum(parts, 0.0)) or alone


def _kept_usual(event: Event, signal: Signal) -> Floats | None:
    """Return (k, channels) an event's readings were they usual; None where too little is known before it."""
    level = before(event, signal)[:, 0]
    level = level[np.isfinite(level)]
    if level.size == 0 or event.start < SHORTEST:
        return None
    kept = signal.values[event.start : event.end].copy()
    kept[:, 0] = np.median(level)
    for channel in range(1, kept.shape[1]):
        earlier = signal.values[: event.start, channel]
        earlier = earlier[np.isfinite(earlier)]
        if earlier.size:
            kept[:, channel] = np.clip(kept[:, channel], *np.quantile(earlier, USUAL))
    return kept


def _moved(inside: Floats, kept: Floats) -> list[int]:
    """Return the target and the channels that left their range, those that did so most, in its multiples."""
    moved = {}
    for channel in range(1, kept.shape[1]):
        off = np.abs(inside[:, channel] - kept[:, channel])
        off = off[np.isfinite(off)]
        if off.size and off.max() > 0:
            moved[channel] = float(off.mean()) / max(float(np.nanmean(np.abs(kept[:, channel]))), 1e-9)
    return [0, *sorted(moved, key=moved.__getitem__, reverse=True)[:OCCLUDED]]


def _departure(held: Signal, score: Callable[[Signal], Scores], place: slice) -> Doubles | None:
    """Return how far readings are off the prediction where a channel is held; None for too short a past."""
    try:
        expected = score(held).expected
    except InsufficientData:
        return None
    return (held.target - expected)[place].astype(np.float64)


def _ranked(parts: Doubles) -> Shares:
    whole = float(parts.sum())
    if whole <= 0:
        return ()
    shares = parts / whole
    order = np.argsort(-shares, kind="stable")[:DRIVERS]
    return tuple((int(one), float(shares[one])) for one in order if shares[one] >= LEAST)
