"""The queue of events, worst first: one row an event, one row chosen."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd
import streamlit as st

from app.charts.zone import Zone
from app.components.words import percent
from app.queries.views import EventRow
from app.theme import VERDICT_WORDS, Palette, shaped

ROW_PX: Final = 57
_HEAD_PX: Final = 36
_SHOWN: Final = 6
_KEY: Final = "queue"
_ORDER: Final = "queue_order"
_CHOSEN: Final = "queue_event"


def queue_table(
    events: Sequence[EventRow], sparklines: Mapping[str, str], zone: Zone, palette: Palette
) -> EventRow:
    """Draw the queue and return the chosen event; a choice stays with its event when the order changes.

    Parameters
    ----------
    events
        At least one, in the order in which they are shown.
    sparklines
        Data URI by event id.
    """
    order = [event.event_id for event in events]
    st.session_state[_ORDER] = order
    chosen = st.session_state.get(_CHOSEN)
    place = order.index(chosen) if chosen in order else 0
    st.session_state[_CHOSEN] = order[place]
    stored = st.session_state.get(_KEY)
    if stored is not None and list(stored["selection"]["rows"]) != [place]:
        st.session_state[_KEY] = {"selection": {"rows": [place], "columns": [], "cells": []}}
    frame = pd.DataFrame([_cells(event, sparklines.get(event.event_id, ""), zone) for event in events])
    colours = [f"color: {palette.text(event.severity)}; font-weight: 600" for event in events]
    st.dataframe(
        frame.style.apply(lambda column: colours if column.name == "Severity" else [""] * len(column)),
        key=_KEY,
        on_select=_remember,
        selection_mode="single-row-required",
        selection_default={"selection": {"rows": [place], "columns": [], "cells": []}},
        hide_index=True,
        row_height=ROW_PX,
        height=_HEAD_PX + ROW_PX * min(len(events), _SHOWN) + 2,
        column_config=_columns(),
        alt="Queue of events, worst first",
    )
    return events[place]


def state_words(event: EventRow, zone: Zone) -> str:
    """Return what people have said of an event and whether it still runs."""
    if event.verdict is not None:
        return f"{VERDICT_WORDS[event.verdict.verdict]}, {event.verdict.actor}"
    if event.acknowledged_by is not None:
        return f"Ack. by {event.acknowledged_by}"
    if event.open:
        return "New"
    ended = zone.day_or_clock(event.end, event.as_of).replace(" ", "\u00a0")
    return f"New, over {ended}"


def _remember() -> None:
    rows = st.session_state[_KEY]["selection"]["rows"]
    order = st.session_state[_ORDER]
    if rows and rows[0] < len(order):
        st.session_state[_CHOSEN] = order[rows[0]]


def _cells(event: EventRow, spark: str, zone: Zone) -> dict[str, Any]:
    return {
        "Severity": shaped(event.severity),
        "Machine · sensor": event.title,
        # A number stays with its unit when the cell wraps.
        "Why": re.sub(r"(?<=\d) (?=\S)", "\u00a0", event.why),
        "Prob.": percent(event.probability),
        "24 h": spark,
        "Since": zone.since(event.start, event.as_of),
        "State": state_words(event, zone),
    }


def _columns() -> dict[str, Any]:
    config = st.column_config
    return {
        "Severity": config.TextColumn(width=78),
        "Machine · sensor": config.TextColumn(width=118),
        "Why": config.TextColumn(width=172),
        "Prob.": config.TextColumn(
            width=52,
            alignment="right",
            help="Share of equally long normal stretches whose highest score stays below this event's peak",
        ),
        "24 h": config.ImageColumn(width=112, help="The last 24 h of the sensor, the event shaded"),
        "Since": config.TextColumn(width=66),
        "State": config.TextColumn(width=86),
    }
