"""What a count of events is read against: our own sequences moved at random, and another's events, paired."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.smap_channels import Channel, Count, Span, counted

Events = Mapping[str, Sequence[Span]]
"""Events of each channel."""

SHIFTS: Final = 1000
DRAWS: Final = 10_000


def everything(channels: Sequence[Channel]) -> Events:
    """Return one event for each channel, as long as its test part."""
    return {one.name: [(0, len(one.test) - 1)] for one in channels}


def moved(events: Sequence[Span], by: int, steps: int) -> list[Span]:
    """Return events moved in a circle of `steps`; one that reaches beyond the end becomes two."""
    found: list[Span] = []
    for start, end in events:
        first, last = (start + by) % steps, (end + by) % steps
        found += [(first, last)] if first <= last else [(0, last), (first, steps - 1)]
    return found


def moved_at_random(
    channels: Sequence[Channel], events: Events, *, seed: int, draws: int = SHIFTS
) -> list[Count]:
    """Return the count of each draw, which moves every channel's events by a number of its own."""
    rng = np.random.default_rng(seed)
    steps = {one.name: len(one.test) for one in channels}
    found = []
    for _ in range(draws):
        by = {name: int(rng.integers(most)) for name, most in steps.items()}
        found.append(
            counted(channels, {name: moved(events.get(name, ()), by[name], steps[name]) for name in steps})
        )
    return found


def f1_interval(
    ours: Sequence[Count], others: Sequence[Count], *, seed: int, draws: int = DRAWS
) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the difference in F1, channels drawn with replacement.

    Parameters
    ----------
    ours, others
        Counts of the same channels in the same order. A channel that is listed twice is one count, so that
        its two listings stay together.
    """
    mine, theirs = (
        np.array([(one.tp, one.fp, one.fn) for one in side], dtype=np.float64) for side in (ours, others)
    )
    chosen = np.random.default_rng(seed).integers(0, len(ours), (draws, len(ours)))
    difference = _f1(mine[chosen].sum(axis=1)) - _f1(theirs[chosen].sum(axis=1))
    low, high = np.quantile(difference, (0.025, 0.975))
    return float(low), float(high)


def _f1(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (k,) F1 of (k, 3) true positives, false positives and false negatives; 0 without any."""
    below = 2 * totals[:, 0] + totals[:, 1] + totals[:, 2]
    found: NDArray[np.float64] = np.divide(2 * totals[:, 0], below, out=np.zeros(below.size), where=below > 0)
    return found
