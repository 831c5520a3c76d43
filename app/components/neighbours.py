"""Buttons to the event before and the event after on the same sensor, with what was said of them."""

from collections.abc import Callable

import streamlit as st

from app.charts.zone import Zone, lasting
from app.components.words import escaped
from app.queries.neighbours import Neighbours
from app.queries.views import EventRow
from app.theme import VERDICT_WORDS, coloured


def neighbour_buttons(found: Neighbours, zone: Zone, go: Callable[[str], None]) -> None:
    """Draw both buttons with the severity, time, length and verdict of where they lead.

    Parameters
    ----------
    go
        Opens an event by its id.
    """
    for label, shortcut, event in (("Previous", "Q", found.previous), ("Next", "W", found.following)):
        with st.container(gap=None, width="content"):
            st.button(
                f"{label} on this sensor",
                key=f"sensor_{label.lower()}",
                shortcut=shortcut,
                disabled=event is None,
                on_click=go if event is not None else None,
                args=(event.event_id,) if event is not None else None,
            )
            st.caption("There is none." if event is None else _told(event, zone))


def _told(event: EventRow, zone: Zone) -> str:
    said = VERDICT_WORDS[event.verdict.verdict] if event.verdict else "No verdict"
    when = f"{zone.local(event.start):%-d %b %Y %H:%M}"
    return (
        f"{coloured(event.severity, word=False)} {when}, {lasting(event.end - event.start)} · {escaped(said)}"
    )
