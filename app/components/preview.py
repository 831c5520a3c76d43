"""A chosen event in a few lines and one chart."""

from collections.abc import Sequence
from datetime import timedelta

import streamlit as st

from app.charts.stack import event_stack
from app.charts.template import CONFIG
from app.charts.zone import Zone, lasting
from app.components.words import escaped, percent, short
from app.queries.views import Band, EventRow, Story
from app.theme import MODE_WORDS, Palette, badge, coloured


def headline(event: EventRow) -> None:
    """Draw severity, machine and sensor, and why."""
    st.markdown(f"{badge(event.severity)} **{escaped(event.title)}**")
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


def also_here(event: EventRow, others: Sequence[EventRow], zone: Zone, most: int = 3) -> None:
    """List the other open events of the same machine."""
    same = [other for other in others if other.machine == event.machine and other.event_id != event.event_id]
    if not same:
        return
    st.markdown(f"**Also on {escaped(event.machine)}**")
    for other in same[:most]:
        st.markdown(
            f"{zone.since(other.start, other.as_of)} {coloured(other.severity)} {escaped(other.sensor)}, "
            f"{percent(other.probability)}"
        )
    if len(same) > most:
        st.caption(f"and {len(same) - most} more")
