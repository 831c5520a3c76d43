"""The events that are one incident with the opened one."""

from typing import Final

from app.queries import fleet
from app.queries.failure import answered
from app.queries.house import Stamp
from app.queries.incidents import grouped
from app.queries.triage_views import Concern
from app.queries.views import EventRow
from core.ensembles.incidents import GAP_US
from core.ensembles.risk import USUAL

_MOST: Final = 60


@answered
def together(made: Stamp, event: EventRow) -> tuple[EventRow, ...]:
    """Return the events of the incident that `event` is part of, itself among them, in the order of time."""
    near = _chain(event, [one for one in fleet.fleet(made).events if one.asset_id == event.asset_id])
    if len(near) < 2:
        return (event,)
    concerns = [Concern(one, one.probability, 0, USUAL, 0.0) for one in near]
    groups = ([one.event for one in group] for group in grouped(made, concerns))
    return next(tuple(group) for group in groups if _holds(group, event))


def _chain(event: EventRow, others: list[EventRow]) -> list[EventRow]:
    """Return the events that no longer silence parts from the opened one, by start; the nearest of many."""
    rows = sorted({one.event_id: one for one in [*others, event]}.values(), key=lambda one: one.start)
    chains: list[list[EventRow]] = []
    until = None
    for one in rows:
        if until is None or (one.start - until).total_seconds() * 1e6 > GAP_US:
            chains.append([])
            until = one.end
        chains[-1].append(one)
        until = max(until, one.end)
    own = next(chain for chain in chains if _holds(chain, event))
    nearest = sorted(own, key=lambda one: abs(one.start - event.start))[:_MOST]
    return sorted(nearest, key=lambda one: one.start)


def _holds(events: list[EventRow], event: EventRow) -> bool:
    return any(one.event_id == event.event_id for one in events)
