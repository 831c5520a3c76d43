"""Which events are one incident: of one machine, at one time, on channels that move together.

Two events belong together when they are of the same asset, overlap in time or lie no more than `GAP` apart,
and are of the same sensor, or one is driven by the other's sensor, or the readings of the two sensors
correlate around them. Incidents are what hangs together by such pairs, so that a chain of effects is one.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

_MINUTE_US: Final = 60_000_000
GAP_US: Final = 30 * _MINUTE_US
"""Silence between two events that still counts as one time: 30 minutes."""

CORRELATED: Final = 0.6
"""Absolute rank correlation from which on two channels move together."""

DRIVING_SHARE: Final = 0.1
"""Share of a score from which on a channel drives an event."""

FEWEST: Final = 12
"""Common readings below which nothing is said of a correlation."""

_LEAD_US: Final = 6 * 60 * _MINUTE_US
_SHORTEST_US: Final = 60 * _MINUTE_US
_REACH_US: Final = 3 * 24 * 60 * _MINUTE_US


@dataclass(frozen=True)
class Raised:
    """What grouping looks at in an event.

    Parameters
    ----------
    start, end
        Half-open, in microseconds since 1970.
    drivers
        Sensors that drove it, by a share of at least `DRIVING_SHARE`.
    """

    asset_id: int
    sensor_id: int
    start: int
    end: int
    drivers: frozenset[int] = frozenset()


def neighbours(events: Sequence[Raised], gap_us: int = GAP_US) -> tuple[tuple[int, int], ...]:
    """Return pairs of positions, the smaller first, of events of one asset at one time."""
    order = sorted(range(len(events)), key=lambda k: (events[k].asset_id, events[k].start))
    pairs = []
    for place, k in enumerate(order):
        for j in order[place + 1 :]:
            if events[j].asset_id != events[k].asset_id or events[j].start > events[k].end + gap_us:
                break
            pairs.append((min(j, k), max(j, k)))
    return tuple(sorted(pairs))


def driven(one: Raised, other: Raised) -> bool:
    """Return whether two events are of one sensor, or one is driven by the sensor of the other."""
    return (
        one.sensor_id == other.sensor_id or one.sensor_id in other.drivers or other.sensor_id in one.drivers
    )


def common_time(one: Raised, other: Raised) -> tuple[int, int]:
    """Return start and end in microseconds of the time over which two channels are compared.

    From 6 h before the first event to the end of the one that ends first, as what follows is often the
    repair; but no more than 3 days around the moment at which both had begun, as what a standing event did
    a month ago says nothing of today's.
    """
    met = max(one.start, other.start)
    begin = max(min(one.start, other.start) - _LEAD_US, met - _REACH_US)
    return begin, min(max(min(one.end, other.end), met + _SHORTEST_US), met + _REACH_US)


def correlation(one: Doubles, other: Doubles) -> float:
    """Return Spearman's rank correlation of two (n,) lines, NaN where they have too little in common.

    Ranks, so that the hour in which a machine stood still does not outweigh the rest. Steps at which either
    has no value are left out; a line that never changes correlates with nothing.
    """
    both = np.isfinite(one) & np.isfinite(other)
    if int(both.sum()) < FEWEST:
        return float("nan")
    a, b = _centred_ranks(one[both]), _centred_ranks(other[both])
    scale = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / scale if scale > 0 else float("nan")


def incidents(
    events: Sequence[Raised], together: Collection[tuple[int, int]], gap_us: int = GAP_US
) -> tuple[tuple[int, ...], ...]:
    """Return the incidents as positions in `events`, each in exactly one.

    Parameters
    ----------
    together
        Pairs of positions whose channels move together, in either order. Pairs of different assets, or of
        different times, are not joined, whatever it says.
    """
    leader = list(range(len(events)))

    def root(k: int) -> int:
        while leader[k] != k:
            leader[k] = leader[leader[k]]
            k = leader[k]
        return k

    for k, j in neighbours(events, gap_us):
        if driven(events[k], events[j]) or (k, j) in together or (j, k) in together:
            leader[root(j)] = root(k)
    groups: dict[int, list[int]] = {}
    for k in range(len(events)):
        groups.setdefault(root(k), []).append(k)
    return tuple(tuple(members) for members in groups.values())


def _centred_ranks(values: Doubles) -> Doubles:
    """Return (n,) ranks less their mean; equal values share the mean of their ranks."""
    order = np.argsort(values)
    rising = values[order]
    first = np.flatnonzero(np.concatenate(([True], rising[1:] != rising[:-1])))
    past = np.append(first[1:], values.size)
    ranks = np.empty(values.size)
    ranks[order] = np.repeat((first + past) / 2, past - first)
    return ranks - values.size / 2
