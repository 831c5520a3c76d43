"""A chosen event in a few lines and one chart."""

from datetime import timedelta
from typing import Final

import streamlit as st

from app.charts.stack import event_stack
from app.charts.template import CONFIG
from app.charts.zone import Zone, lasting
from app.components.words import escaped, percent, short
from app.queries.triage_views import Concern, Incident
from app.queries.views import Band, EventRow, Story
from app.theme import MODE_WORDS, Palette, badge, coloured

_MEMBERS: Final = 6


def headline(event: EventRow, criticality: str = "normal") -> None:
    """Draw severity, machine and sensor, how much the machine matters where it is said, and why."""
    matters = "" if criticality == "normal" else f" :gray-badge[{criticality} criticality]"
    st.markdown(f"{badge(event.severity)} **{escaped(event.title)}**{matters}")
    st.markdown(escaped(event.why))


def chips(event: EventRow) -> str:
    """Return the facts of an event as a row of quiet badges, in markdown."""
    running = (", to the end of the data" if event.historical else ", still running") if event.open else ""
    facts = [
        f"Probability {percent(event.probability)}",
        f"{lasting(max(event.end - event.start, timedelta()))}{running}",
        f"Peak {short(event.peak_score)}, threshold {short(event.threshold)}",
        event.detector,
        f"Judged {MODE_WORDS[event.mode]}",
    ]
    if event.acknowledged_by is not None:
        facts.append(f"Acknowledged by {event.acknowledged_by}")
    if event.historical:
        facts.append("Historical data")
    return " ".join(f":gray-badge[{escaped(fact)}]" for fact in facts)


def preview_chart(event: EventRow, story: Story, palette: Palette, zone: Zone) -> None:
    """Draw the signal around the event with the channels that drive it."""
    figure = event_stack(
        story, Band(event.start, event.end, ""), event.severity, palette, zone, with_score=False
    )
    st.plotly_chart(
        figure,
        theme=None,
        config=CONFIG,
        key=f"preview_{event.event_id}",
        alt=f"{event.title} around the event, with {len(story.context)} other channels",
    )


def members(incident: Incident, zone: Zone) -> EventRow:
    """List the events of an incident in the order of time and return the picked one, first the worst."""
    rows = sorted(incident.all, key=lambda one: (one.event.start, one.event.event_id))
    known = {one.event.event_id: one for one in rows}
    if len(rows) == 1:
        return incident.lead.event
    nearest = list(known)
    if len(nearest) > _MEMBERS:
        place = min(max(nearest.index(incident.key) - _MEMBERS // 2, 0), len(nearest) - _MEMBERS)
        nearest = nearest[place : place + _MEMBERS]
    picked = st.radio(
        f"{len(rows)} events in this incident"
        + (f", {len(nearest)} of them listed" if len(nearest) < len(rows) else ""),
        nearest,
        index=nearest.index(incident.key),
        format_func=lambda event_id: _member(known[event_id], zone),
        key=f"member_{incident.key}",
    )
    return known[picked].event


def _member(one: Concern, zone: Zone) -> str:
    event = one.event
    said = f":gray[{one.state}]" if one.hidden else percent(one.probability)
    since = zone.since(event.start, event.as_of)
    return f"{since} {coloured(event.severity)} {escaped(event.sensor)}, {said}"
