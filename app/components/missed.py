"""A missed anomaly: a box on the chart, or typed bounds, that becomes a true anomaly without an event."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

import streamlit as st

from app.charts.zone import Zone
from app.components import verdict_card
from app.components.verdict_card import Draft
from app.components.words import escaped
from app.queries.views import EventRow

_KEY: Final = "drawing"
_NOT_YET: Final = "Drag a box over it on the chart, or type From and To."


def drawing(event: EventRow) -> bool:
    """Return whether a missed anomaly is being drawn on the sensor of the opened event."""
    return bool(st.session_state.get(_KEY) == event.sensor_id)


def card(event: EventRow) -> str:
    """Return the name of the card of what was missed on the sensor of `event`."""
    return f"missed_{event.sensor_id}"


def prepare(event: EventRow, window: tuple[datetime, datetime], zone: Zone) -> None:
    """Fill the card, once, with a box in the middle of the chart's window that waits to be moved."""
    start, end = window
    tenth = (end - start) / 10
    at = (start + 4.5 * tenth).replace(second=0, microsecond=0)
    verdict_card.preset(card(event), (at, at + tenth), zone, verdict="true_anomaly")


def draft(event: EventRow, zone: Zone) -> Draft:
    """Return what the card says; nothing can be stored while its box lies where nobody put it."""
    found = verdict_card.draft(card(event), zone)
    if not found.problem and not verdict_card.moved(card(event), zone):
        return replace(found, problem=_NOT_YET)
    return found


def stop(event: EventRow) -> None:
    """End the drawing and drop what the card says."""
    st.session_state.pop(_KEY, None)
    verdict_card.forget(card(event))


def missed_button(event: EventRow, *, off: bool) -> None:
    """Draw the button that begins the drawing of a missed anomaly, or ends it."""
    on = drawing(event)
    st.button(
        "Stop drawing" if on else "Draw a missed anomaly",
        type="tertiary",
        icon=":material/close:" if on else ":material/draw:",
        shortcut="M",
        key="missed",
        disabled=off,
        on_click=stop if on else _begin,
        args=(event,),
    )


def card_of_missed(
    event: EventRow, classes: Sequence[str], zone: Zone, *, save: Callable[[], None], refusal: str
) -> None:
    """Draw the card on which the missed anomaly's bounds stand.

    Parameters
    ----------
    save
        Called when its button is pressed.
    refusal
        Why this person may not judge; empty when they may.
    """
    st.subheader("A missed anomaly", anchor=False)
    st.markdown(f"True anomaly of **{escaped(event.title)}**, which nothing detected.")
    st.caption(_NOT_YET)
    verdict_card.fields(card(event), classes, zone, off=bool(refusal))
    verdict_card.buttons(save=save, undo=None, undo_label="", refusal=refusal)


def _begin(event: EventRow) -> None:
    st.session_state[_KEY] = event.sensor_id
