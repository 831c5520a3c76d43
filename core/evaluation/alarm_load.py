"""The alarm load of a control room, as EEMUA 191 and ISA-18.2 (IEC 62682) count it.

Alarms are counted in ten-minute periods of the clock and divided by the operators who share them.

- Rate in steady operation (EEMUA Publication 191, "Alarm systems: a guide to design, management and
  procurement"): below 1 in 10 min is very likely acceptable, up to 2 manageable (one in 5 min), up to 5
  likely over-demanding (one in 2 min), more very likely unacceptable.
- A flood begins with a period of more than 10 alarms and ends with the first of fewer than 5
  (ANSI/ISA-18.2-2016); less than 1 % of the time should be flood.
- A standing alarm, "stale" in ISA-18.2, is one that has run for more than 24 h; fewer than 5 should.
- The ten sources with most alarms should bring no more than 5 % of all.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.errors import ParameterError

Counts = NDArray[np.int64]

PERIOD_US: Final = 600_000_000
STANDING_US: Final = 24 * 3_600_000_000
FLOOD_ABOVE: Final = 10
FLOOD_OVER_BELOW: Final = 5
GOAL: Final = 1.0
"""Alarms per operator in 10 minutes that EEMUA 191 asks for at most."""

FLOOD_GOAL: Final = 0.01
STANDING_GOAL: Final = 5
ACTORS_GOAL: Final = 0.05

_STEPS: Final = (
    (1.0, "very likely acceptable"),
    (2.0, "manageable"),
    (5.0, "likely over-demanding"),
)


@dataclass(frozen=True)
class Flood:
    """A stretch of ten-minute periods in which nobody can keep up.

    Parameters
    ----------
    start, end
        Half-open, in microseconds since 1970.
    alarms, peak
        Alarms in all of it, and in its worst period.
    """

    start: int
    end: int
    alarms: int
    peak: int


@dataclass(frozen=True)
class Actor:
    """A source of alarms, how many it raised, and their share of all in [0, 1]."""

    source: int
    alarms: int
    share: float


@dataclass(frozen=True, eq=False)
class AlarmLoad:
    """The load of a stretch of time.

    Parameters
    ----------
    starts
        (n,) beginnings of the ten-minute periods, in microseconds since 1970.
    counts
        (n,) alarms in each, of all operators together.
    operators
        How many share them.
    floods
        In order of time.
    actors
        The ten sources with most alarms, those with most first.
    """

    starts: Counts
    counts: Counts
    operators: int
    floods: tuple[Flood, ...]
    actors: tuple[Actor, ...]

    @property
    def alarms(self) -> int:
        """All alarms."""
        return int(self.counts.sum())

    @property
    def average(self) -> float:
        """Alarms per operator in 10 minutes."""
        return self.alarms / self.operators / self.counts.size

    @property
    def worst(self) -> tuple[float, int]:
        """Most alarms per operator in a period, and when the first such period began."""
        place = int(self.counts.argmax())
        return float(self.counts[place]) / self.operators, int(self.starts[place])

    @property
    def flood_share(self) -> float:
        """Share of the periods that are flood, in [0, 1]."""
        return sum(flood.end - flood.start for flood in self.floods) / PERIOD_US / self.counts.size

    @property
    def actors_share(self) -> float:
        """Share of all alarms that the ten worst sources raised, in [0, 1]."""
        return sum(actor.share for actor in self.actors)


def alarm_load(
    times: Counts, sources: Sequence[int], start: int, end: int, *, operators: int = 1
) -> AlarmLoad:
    """Return the load of ``[start, end)``, widened to whole ten-minute periods of the clock.

    Parameters
    ----------
    times
        (n,) when each alarm was raised, in microseconds since 1970, in any order; those outside are left out.
    sources
        n sensors that raised them.
    operators
        At least 1.

    Raises
    ------
    ParameterError
        The time is empty, there is no operator, or a time or source is missing.
    """
    if len(sources) != times.size:
        raise ParameterError(f"{times.size} alarms have {len(sources)} sources")
    if end <= start or operators < 1:
        raise ParameterError(f"no alarm load of {operators} operators in {end - start} µs")
    first, last = start // PERIOD_US, -(-end // PERIOD_US)
    places = times // PERIOD_US - first
    inside = (places >= 0) & (places < last - first)
    counts = np.bincount(places[inside], minlength=last - first).astype(np.int64)
    starts = (first + np.arange(last - first, dtype=np.int64)) * PERIOD_US
    raised = Counter(source for source, seen in zip(sources, inside.tolist(), strict=True) if seen)
    most = sorted(raised.items(), key=lambda item: (-item[1], item[0]))[:10]
    return AlarmLoad(
        starts=starts,
        counts=counts,
        operators=operators,
        floods=_floods(starts, counts, operators),
        actors=tuple(Actor(source, n, n / raised.total()) for source, n in most),
    )


def standing(starts: Counts, now: int) -> Counts:
    """Return positions of those of (n,) running alarms that began more than 24 h before `now`."""
    return np.flatnonzero(now - starts > STANDING_US)


def verdict_on(average: float) -> str:
    """Return what EEMUA 191 says of a rate per operator in 10 minutes.

    Examples
    --------
    >>> verdict_on(0.4), verdict_on(2.0), verdict_on(11.0)
    ('very likely acceptable', 'manageable', 'very likely unacceptable')
    """
    return next((words for most, words in _STEPS if average <= most), "very likely unacceptable")


def _floods(starts: Counts, counts: Counts, operators: int) -> tuple[Flood, ...]:
    found: list[Flood] = []
    begun: int | None = None
    for place, count in enumerate((counts / operators).tolist()):
        if begun is None and count > FLOOD_ABOVE:
            begun = place
        elif begun is not None and count < FLOOD_OVER_BELOW:
            found.append(_flood(starts, counts, begun, place))
            begun = None
    if begun is not None:
        found.append(_flood(starts, counts, begun, counts.size))
    return tuple(found)


def _flood(starts: Counts, counts: Counts, first: int, last: int) -> Flood:
    part = counts[first:last]
    return Flood(
        int(starts[first]), int(starts[first]) + (last - first) * PERIOD_US, int(part.sum()), int(part.max())
    )
