"""How many of a panel's voters call each step abnormal.

A voter is one reading of the same scores: a way to blend them, a smoothing, and how far a score must stand
out. No single reading is right for all sensors; what most of them agree on is (bagging: Breiman, Machine
Learning 24, 1996).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.ensembles.blend import Blend, Doubles, around, before, blended, usual
from core.errors import ParameterError
from core.results import Mode
from core.signal import Mask
from core.thresholds.record import RecordParameters, broken
from core.thresholds.said import Said
from core.thresholds.standout import StandoutParameters, standing_out, stretches

LAG: Final = 100
"""Steps just past that are no part of a record yet: else a slow rise lifts its own bar."""

Key = tuple[Blend, int]
"""A blend and its smoothing in steps."""


@dataclass(frozen=True)
class Voters:
    """The readings of which each combination has a vote.

    Parameters
    ----------
    blends, smoothing
        Ways to make one score of many, and steps over which it is averaged.
    factors
        How many times the highest of the rest, or the record, a score must be.
    releases
        Shares of its peak, or bar, at which an event ends.
    floors
        Shares of the highest training score below which no record is broken; causal mode alone.
    share
        Share of the voters that makes an event.
    most
        Most stretches that a voter looks at; review mode alone.
    longest
        Steps that an event has at most.
    margin
        Steps that a voter adds on either side of what it found; review mode alone.
    lead
        Steps at the start that raise nothing: what is usual after a restart is not known yet.

    Raises
    ------
    ParameterError
        A list is empty, or the share is outside (0, 1].
    """

    blends: tuple[Blend, ...] = ("geometric", "capped")
    smoothing: tuple[int, ...] = (60, 100, 150)
    factors: tuple[float, ...] = (1.05, 1.1, 1.15, 1.2)
    releases: tuple[float, ...] = (0.7, 0.8, 0.9)
    floors: tuple[float, ...] = (0.8, 1.0)
    share: float = 0.5
    most: int = 3
    longest: int = 300
    margin: int = 20
    lead: int = 100

    def __post_init__(self) -> None:
        for name in ("blends", "smoothing", "factors", "releases", "floors"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
            if not getattr(self, name):
                raise ParameterError(f"panel: there must be at least one of the {name}")
        if not 0 < self.share <= 1 or min(self.longest, self.most) < 1 or min(self.margin, self.lead) < 0:
            raise ParameterError(f"panel: share, most, longest, margin or lead out of range: {self}")

    @property
    def keys(self) -> tuple[Key, ...]:
        """Every blend with every smoothing."""
        return tuple(product(self.blends, self.smoothing))

    @property
    def middle(self) -> Key:
        """The reading whose score is shown and ranks events: the middle one of the first blend."""
        steps = sorted(self.smoothing)
        return self.blends[0], steps[len(steps) // 2]


def levels(normals: Mapping[str, Doubles], voters: Voters, mode: Mode) -> tuple[dict[Key, float], Doubles]:
    """Return the highest training score of each blend and smoothing, and all those of the middle reading.

    Parameters
    ----------
    normals
        By entry, (m,) scores of the training part that end at the same step.
    """
    size = min(one.size for one in normals.values())
    ratios = [one[one.size - size :] / usual(one) for one in normals.values()]
    smooth = before if mode == "causal" else around
    read = {
        key: smooth(blended(ratios, key[0]), key[1]) for key in dict.fromkeys((*voters.keys, voters.middle))
    }
    return {key: float(scores.max()) for key, scores in read.items()}, read[voters.middle]


def review_votes(blends: Mapping[Blend, Doubles], voters: Voters) -> NDArray[np.float64]:
    """Return the (n,) share of voters for each step, each voter seeing the whole window."""
    n = next(iter(blends.values())).size
    votes, count = np.zeros(n), 0
    for blend, steps in voters.keys:
        scores = around(blends[blend], steps)
        for release in voters.releases:
            found = stretches(scores, standout_rule(voters, release))
            for factor in voters.factors:
                kept = standing_out(found, factor)
                spans = [(one.start - voters.margin, one.end + voters.margin) for one in kept]
                votes += covered(spans, n)
                count += 1
    return votes / count


def causal_votes(
    blends: Mapping[Blend, Doubles],
    highest: Mapping[Key, float],
    voters: Voters,
    reach: int,
    said: Said | None = None,
) -> NDArray[np.float64]:
    """Return the (n,) share of voters for each step, each voter seeing no later one.

    Parameters
    ----------
    highest
        The highest training score of each blend and smoothing.
    reach
        Steps back in which the record is looked for.
    said
        What people said of the steps.
    """
    n = next(iter(blends.values())).size
    votes, count = np.zeros(n), 0
    for blend, span in voters.keys:
        scores = before(blends[blend], span)
        for floor, factor, release in product(voters.floors, voters.factors, voters.releases):
            rule = record_rule(voters, factor, release, reach)
            found, _ = broken(scores, floor * highest[blend, span], rule, said)
            votes += covered([(one.start, one.end) for one in found], n)
            count += 1
    return votes / count


def standout_rule(voters: Voters, release: float) -> StandoutParameters:
    """Return the rule by which a voter of a review panel finds stretches; its factor is not used."""
    return StandoutParameters(release=release, most=voters.most, longest=voters.longest, lead=voters.lead)


def record_rule(voters: Voters, factor: float, release: float, reach: int) -> RecordParameters:
    """Return the rule by which a voter of a causal panel judges."""
    return RecordParameters(
        factor=factor, lead=voters.lead, release=release, longest=voters.longest, reach=reach, lag=LAG
    )


def covered(spans: list[tuple[int, int]], n: int) -> Mask:
    """Return the (n,) mask of the half-open spans, which may reach beyond either end."""
    mask = np.zeros(n, dtype=np.bool_)
    for start, end in spans:
        mask[max(start, 0) : max(end, 0)] = True
    return mask
