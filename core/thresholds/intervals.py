"""Masks and runs of steps, and the events made of them."""

import numpy as np
from numpy.typing import NDArray

from core.results import Event
from core.signal import Mask

Runs = NDArray[np.int64]
"""(k, 2) half-open runs of steps, in order."""


def runs(mask: Mask) -> Runs:
    """Return the half-open runs in which `mask` is True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return edges.reshape(-1, 2)


def widened(steps: NDArray[np.int64], reach: int, n: int) -> Mask:
    """Return the (n,) mask of all steps within `reach` of one of `steps`."""
    change = np.zeros(n + 1, dtype=np.int64)
    np.add.at(change, np.maximum(steps - reach, 0), 1)
    np.add.at(change, np.minimum(steps + reach + 1, n), -1)
    return np.cumsum(change[:-1]) > 0


def merged(spans: Runs, gap: int) -> Runs:
    """Return the runs with those joined that lie at most `gap` steps apart."""
    if spans.shape[0] == 0:
        return spans
    apart = spans[1:, 0] - spans[:-1, 1] > gap
    starts = spans[np.concatenate([[True], apart]), 0]
    ends = spans[np.concatenate([apart, [True]]), 1]
    return np.stack([starts, ends], axis=1)


def event(
    start: int, end: int, peak: int, *, peak_score: float, threshold: float, probability: float, last: int
) -> Event:
    """Return an ungraded event; it is open if it reaches `last`, the end of what was judged."""
    return Event(
        start=start,
        end=end,
        peak=peak,
        peak_score=peak_score,
        threshold=threshold,
        probability=min(max(probability, 0.0), 1.0),
        severity="low",
        drivers=(),
        open=end >= last,
    )
