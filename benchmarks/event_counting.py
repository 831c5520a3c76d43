"""What a count of NASA's events is read against: flagging everything, our own sequences moved at random."""

from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.detection_tables import SHIFTS
from benchmarks.smap_channels import Channel, Count, Span, counted

Events = Mapping[str, Sequence[Span]]
"""Events of each channel."""


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
