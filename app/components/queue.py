"""The queue, worst first: one row an incident, one row chosen."""

import re
from collections.abc import Mapping, Sequence
from textwrap import shorten
from typing import Any, Final

import pandas as pd
import streamlit as st

from app.charts.rows import capitalised
from app.charts.zone import Zone
from app.components.words import percent
from app.queries import house
from app.queries.triage_views import Concern, Incident
from app.queries.views import EventRow
from app.theme import VERDICT_WORDS, Palette, shaped

ROW_PX: Final = 57
_HEAD_PX: Final = 36
_SHOWN: Final = 6
_WHY_CHARACTERS: Final = 100
_KEY: Final = "queue"
_ORDER: Final = "queue_order"
_CHOSEN: Final = "queue_event"


def queue_table(
    incidents: Sequence[Incident], sparklines: Mapping[str, str], zone: Zone, palette: Palette
) -> Incident:
    """Draw the queue and return the chosen row; a choice stays with its event when the order changes.

    Parameters
    ----------
    incidents
        At least one, in the order in which they are shown.
    sparklines
        Data URI by the id of the event that leads an incident.
    """
    order = [one.key for one in incidents]
    st.session_state[_ORDER] = order
    place = _place(incidents, st.session_state.get(_CHOSEN))
    st.session_state[_CHOSEN] = order[place]
    stored = st.session_state.get(_KEY)
    if stored is not None and list(stored["selection"]["rows"]) != [place]:
        st.session_state[_KEY] = {"selection": {"rows": [place], "columns": [], "cells": []}}
    frame = pd.DataFrame([_cells(one, sparklines.get(one.key, ""), zone) for one in incidents])
    colours = [f"color: {palette.text(one.lead.event.severity)}; font-weight: 600" for one in incidents]
    st.dataframe(
        frame.style.apply(lambda column: colours if column.name == "Severity" else [""] * len(column)),
        key=_KEY,
        on_select=_remember,
        selection_mode="single-row-required",
        selection_default={"selection": {"rows": [place], "columns": [], "cells": []}},
        hide_index=True,
        row_height=ROW_PX,
        height=_HEAD_PX + ROW_PX * min(len(incidents), _SHOWN) + 2,
        column_config=_columns(),
        alt="Queue of incidents, worst first",
    )
    return incidents[place]


def state_words(one: Concern, zone: Zone) -> str:
    """Return what people have said of an event, who looks after it, and whether it still runs."""
    said = _hidden(one, zone) or _said(one.event, zone)
    return f"{said}, with {one.assignee}" if one.assignee else said


def _hidden(one: Concern, zone: Zone) -> str:
    """Return why an event is out of the queue; empty when it is not."""
    if one.window is not None:
        return "In maintenance"
    if one.snoozed_until is None:
        return ""
    until = zone.day_or_clock(one.snoozed_until, house.now()).replace(" ", "\u00a0")
    return f"Snoozed until\u00a0{until}"


def _said(event: EventRow, zone: Zone) -> str:
    if event.disagree:
        return f"Disputed by {event.voices}"
    if event.verdict is not None:
        return f"{VERDICT_WORDS[event.verdict.verdict]}, {event.verdict.actor}"
    if event.acknowledged_by is not None:
        return f"Ack. by {event.acknowledged_by}"
    if event.open:
        return "New"
    ended = zone.day_or_clock(event.end, event.as_of).replace(" ", "\u00a0")
    return f"New, over {ended}"


def _place(incidents: Sequence[Incident], chosen: str | None) -> int:
    """Return the row of the incident that a chosen event belongs to, the first if it is gone."""
    return next(
        (
            place
            for place, one in enumerate(incidents)
            if any(member.event.event_id == chosen for member in one.all)
        ),
        0,
    )


def _remember() -> None:
    rows = st.session_state[_KEY]["selection"]["rows"]
    order = st.session_state[_ORDER]
    if rows and rows[0] < len(order):
        st.session_state[_CHOSEN] = order[rows[0]]


def _cells(one: Incident, spark: str, zone: Zone) -> dict[str, Any]:
    lead = one.lead
    event, others = lead.event, len(one.all) - 1
    return {
        "Severity": shaped(event.severity),
        "Machine · sensor": f"{event.title} (+{others})" if others else event.title,
        "Why": _why(event),
        "Prob.": percent(lead.probability),
        "24 h": spark,
        "Since": zone.since(min(member.event.start for member in one.shown), event.as_of),
        "State": state_words(lead, zone),
    }


def _why(event: EventRow) -> str:
    """Return why, as far as it fits; the sensor is named beside it."""
    said = event.why.removeprefix(capitalised(event.sensor)).strip()
    said = shorten(capitalised(said), _WHY_CHARACTERS, placeholder=" …")
    # A number stays with its unit when the cell wraps.
    return re.sub(r"(?<=\d) (?=\S)", "\u00a0", said)


def _columns() -> dict[str, Any]:
    config = st.column_config
    return {
        "Severity": config.TextColumn(width=78),
        "Machine · sensor": config.TextColumn(width=118),
        "Why": config.TextColumn(width=168),
        "Prob.": config.TextColumn(
            width=52,
            alignment="right",
            help="How likely it is real: by verdicts on others where there are enough, else the share of "
            "equally long normal stretches whose highest score stays below its peak",
        ),
        "24 h": config.ImageColumn(width=108, help="The last 24 h of the sensor, the event shaded"),
        "Since": config.TextColumn(width=66),
        "State": config.TextColumn(width=96),
    }
