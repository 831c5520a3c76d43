"""The other events of a sensor: the one before, the one after, and those in a window."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.queries.views import EventRow, Fleet

MARKED: Final = 60
"""Events marked in one chart at most, the nearest to the opened one: more can't be told apart."""


@dataclass(frozen=True)
class Neighbours:
    """Events of the sensor of an opened one, by start; None where there is none.

    Parameters
    ----------
    place, count
        The opened event is the `place`-th of `count`, counted from 1.
    within
        The others in the window that was asked for, the opened one not among them.
    """

    previous: EventRow | None
    following: EventRow | None
    place: int
    count: int
    within: tuple[EventRow, ...]


def neighbours(whole: Fleet, event: EventRow, start: datetime, end: datetime) -> Neighbours:
    """Return the other events of an event's sensor, what verdicts hold back included.

    Parameters
    ----------
    start, end
        The window whose events are asked for, half-open.
    """
    own = sorted(
        (one for one in (*whole.events, *whole.held) if one.sensor_id == event.sensor_id),
        key=lambda one: (one.start, one.event_id),
    )
    place = next((n for n, one in enumerate(own) if one.event_id == event.event_id), None)
    if place is None:
        return Neighbours(None, None, 1, 1, ())
    others = [*own[:place], *own[place + 1 :]]
    inside = [one for one in others if one.start < end and one.end > start]
    nearest = sorted(inside, key=lambda one: abs(one.start - event.start))[:MARKED]
    return Neighbours(
        previous=own[place - 1] if place > 0 else None,
        following=own[place + 1] if place + 1 < len(own) else None,
        place=place + 1,
        count=len(own),
        within=tuple(sorted(nearest, key=lambda one: one.start)),
    )
