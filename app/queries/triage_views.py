"""What Overview shows of events beyond what was detected: risk, who looks after them, what hides them."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.queries.views import EventRow

LEVELS: Final = ("low", "normal", "high", "vital")
"""Criticality of a machine, from the least to the most."""


@dataclass(frozen=True)
class Window:
    """A stretch of time in which a machine is worked on, and why."""

    window_id: int
    asset_id: int
    start: datetime
    end: datetime
    reason: str
    actor: str


@dataclass(frozen=True)
class SavedView:
    """A view of the page that a person kept under a name: the query string of its address."""

    view_id: int
    name: str
    address: str
    actor: str


@dataclass(frozen=True)
class Concern:
    """An event with what it asks for.

    Parameters
    ----------
    probability
        In [0, 1]: learned from verdicts on others where there are enough, else the detector's.
    verdicts
        How many verdicts the probability rests on; 0 for the detector's own.
    criticality
        Of its machine, one of `LEVELS`.
    risk
        By `core.ensembles.risk`; what a person said of the event takes the place of its probability.
    assignee
        Who looks after it; None if nobody does.
    snoozed_until, snoozed_by
        While it is put off; None otherwise.
    window
        The maintenance window that hides it; None if none does.
    """

    event: EventRow
    probability: float
    verdicts: int
    criticality: str
    risk: float
    assignee: str | None = None
    snoozed_until: datetime | None = None
    snoozed_by: str | None = None
    window: Window | None = None

    @property
    def hidden(self) -> bool:
        """Whether it is out of the queue and its counts."""
        return self.snoozed_until is not None or self.window is not None

    @property
    def dismissed(self) -> bool:
        """Whether it was called a false positive and nobody disagrees."""
        return self.event.dismissed

    @property
    def asking(self) -> bool:
        """Whether it runs on a live machine and nobody dismissed it or hid it."""
        return self.event.open and not (self.event.historical or self.dismissed or self.hidden)

    @property
    def state(self) -> str:
        """What became of it: suppressed, snoozed, judged, acknowledged or new."""
        if self.window is not None:
            return "suppressed"
        if self.snoozed_until is not None:
            return "snoozed"
        if self.event.verdict is not None:
            return "judged"
        return "acknowledged" if self.event.acknowledged_by is not None else "new"


@dataclass(frozen=True)
class Incident:
    """What is one row of the queue: events of one machine that belong together.

    Parameters
    ----------
    shown
        Those that passed the filters, worst first; at least one.
    rest
        The others, worst first.
    """

    shown: tuple[Concern, ...]
    rest: tuple[Concern, ...] = ()

    @property
    def lead(self) -> Concern:
        """The worst that is shown: it gives the row its words."""
        return self.shown[0]

    @property
    def all(self) -> tuple[Concern, ...]:
        """Every event, those that are shown first."""
        return (*self.shown, *self.rest)

    @property
    def key(self) -> str:
        """Id of the event that leads it."""
        return self.lead.event.event_id

    @property
    def running(self) -> bool:
        """Whether any that is shown still runs."""
        return any(one.event.open for one in self.shown)


@dataclass(frozen=True)
class Triage:
    """All events with what people said of working through them.

    Parameters
    ----------
    concerns
        Worst first; events that verdicts hold back are not among them.
    windows
        Maintenance windows that were not taken back, past and coming, by start.
    criticality
        By asset id; machines of which nobody said any are left out.
    alarms_24h
        Events of live machines that began in the 24 h before the newest reading, less the suppressed ones.
    operators
        Who share the alarms.
    """

    concerns: tuple[Concern, ...]
    windows: tuple[Window, ...]
    criticality: dict[int, str]
    alarms_24h: int
    operators: int = 1

    @cached_property
    def asking(self) -> tuple[EventRow, ...]:
        """The open events that need a person, worst first."""
        return tuple(one.event for one in self.concerns if one.asking)

    @property
    def alarms_per_10_min(self) -> float:
        """Alarm load of an operator in the last 24 h, as EEMUA 191 counts it."""
        return self.alarms_24h / 144.0 / self.operators


@dataclass(frozen=True)
class BadActor:
    """A sensor that raises many alarms, with their share of all in [0, 1]."""

    title: str
    alarms: int
    share: float


@dataclass(frozen=True, eq=False)
class LoadView:
    """The alarm load of a stretch of time.

    Parameters
    ----------
    start, end
        What was counted, in whole ten-minute periods.
    starts_ms, counts
        (n,) beginnings of the periods in milliseconds since 1970, and alarms in each.
    alarms
        All of them.
    average, worst
        Per operator in 10 minutes, and what EEMUA 191 says of the average.
    floods
        (start, end, alarms) of each, in order.
    flood_share
        In [0, 1].
    standing
        Events that have run for more than 24 h, the oldest first.
    actors, actors_share
        The ten sensors with most alarms, and their share of all together.
    cut
        Whether detection began later than was asked for.
    """

    start: datetime
    end: datetime
    starts_ms: NDArray[np.float64]
    counts: NDArray[np.int64]
    operators: int
    alarms: int
    average: float
    said: str
    worst: float
    worst_at: datetime
    floods: tuple[tuple[datetime, datetime, int], ...]
    flood_share: float
    standing: tuple[EventRow, ...]
    actors: tuple[BadActor, ...]
    actors_share: float
    cut: bool
