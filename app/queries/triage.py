"""Events by risk, with who looks after them, what hides them, and the views people saved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import polars as pl
import streamlit as st

from app.queries import house, learning
from app.queries.failure import answered
from app.queries.house import Stamp
from app.queries.triage_views import Concern, SavedView, Triage, Window
from app.queries.views import EventRow, Fleet
from core.ensembles.maintenance import Span, suppressed
from core.ensembles.risk import USUAL, risk

PAGE: Final = "overview"
DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class _Said:
    """What people said, by event and asset id."""

    assigned: dict[str, str]
    snoozed: dict[str, tuple[datetime, str]]
    windows: tuple[Window, ...]
    levels: dict[int, str]


@answered
def triage(made: Stamp, whole: Fleet, now: datetime) -> Triage:
    """Return the events of the fleet, worst first.

    Parameters
    ----------
    now
        The wall clock: a snooze that is over by then hides nothing.
    """
    said, learned = _said(made), learning.believed(made)
    concerns = tuple(_concern(event, said, learned, now) for event in whole.events)
    recent = sum(
        not one.event.historical
        and whole.as_of is not None
        and one.event.start > whole.as_of - DAY
        and one.window is None
        for one in concerns
    )
    return Triage(
        tuple(sorted(concerns, key=worst_first)), said.windows, said.levels, recent, house.operators()
    )


@answered
def views(made: Stamp) -> tuple[SavedView, ...]:
    """Return the saved views of Overview, by name."""
    return _views(made)


@answered
def people(made: Stamp) -> tuple[str, ...]:
    """Return who may look after an event: this person, who else works here, and those who did before."""
    here = [one.name for one in house.people()]
    before = sorted(_said(made).assigned.values())
    return tuple(dict.fromkeys([house.profile().name, *here, *before]))


def worst_first(one: Concern) -> tuple[bool, float, bool, float, str]:
    """Return what orders events: dismissed ones last, by risk, running ones and newer ones before others."""
    return one.dismissed, -one.risk, not one.event.open, -one.event.start.timestamp(), one.event.event_id


def hides(event: EventRow, windows: Sequence[Window]) -> Window | None:
    """Return the first of some maintenance windows that hides an event, None if none does."""
    return next(
        (
            one
            for one in windows
            if one.asset_id == event.asset_id
            and suppressed(
                Span(event.start, event.end),
                Span(one.start, one.end),
                running=event.open and not event.historical,
                as_of=event.as_of,
            )
        ),
        None,
    )


def _concern(event: EventRow, said: _Said, learned: dict[str, tuple[float, int]], now: datetime) -> Concern:
    probability, verdicts = learned.get(event.event_id, (event.probability, 0))
    level = said.levels.get(event.asset_id, USUAL)
    until, by = said.snoozed.get(event.event_id, (None, None))
    put_off = until is not None and until > now
    return Concern(
        event=event,
        probability=probability,
        verdicts=verdicts,
        criticality=level,
        risk=risk(event.severity, _belief(event, probability), level),
        assignee=said.assigned.get(event.event_id),
        snoozed_until=until if put_off else None,
        snoozed_by=by if put_off else None,
        window=hides(event, said.windows) if said.windows else None,
    )


def _belief(event: EventRow, probability: float) -> float:
    """Return how likely an event is real; people know better than any model where they agree."""
    said = None if event.verdict is None or event.disagree else event.verdict.verdict
    return {"true_anomaly": 1.0, "false_positive": 0.0}.get(said or "", probability)


@st.cache_data(show_spinner=False, max_entries=4)
def _said(made: Stamp) -> _Said:
    del made  # only makes the cache exact
    owner = house.owner()
    assigned = owner.assignments().select("event_id", "assignee")
    snoozed = owner.snoozes().cast({"snoozed_until": pl.Datetime("us", "UTC")})
    return _Said(
        assigned=dict(assigned.iter_rows()),
        snoozed={
            event_id: (until, by)
            for event_id, until, by in snoozed.select("event_id", "snoozed_until", "snoozed_by").iter_rows()
        },
        windows=tuple(
            Window(*row)
            for row in owner.maintenance()
            .select("window_id", "asset_id", "start", "end", "reason", "actor")
            .iter_rows()
        ),
        levels=dict(owner.criticality().select("asset_id", "level").iter_rows()),
    )


@st.cache_data(show_spinner=False, max_entries=4)
def _views(made: Stamp) -> tuple[SavedView, ...]:
    del made  # only makes the cache exact
    found = house.owner().views(PAGE).select("view_id", "name", "address", "actor")
    return tuple(SavedView(*row) for row in found.iter_rows())
