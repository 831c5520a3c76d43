"""One verdict for all events of an incident."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from app.charts.zone import Zone
from app.components.words import counted, escaped
from app.queries.views import EventRow

_KEY: Final = "whole_incident"
_NAMED: Final = 4


def whole(event: EventRow) -> bool:
    """Return whether the verdict of the opened event is meant for its whole incident."""
    return bool(st.session_state.get(_KEY) == event.event_id)


def forget() -> None:
    """Let the next verdict be of one event."""
    st.session_state.pop(_KEY, None)


def whole_button(event: EventRow, together: Sequence[EventRow], zone: Zone, *, off: bool) -> None:
    """Draw the button that makes the verdict one for all events of the incident, and name them.

    Parameters
    ----------
    together
        The events of the incident, the opened one among them; nothing is drawn where it stands alone.
    """
    if len(together) < 2:
        return
    on = whole(event)
    st.button(
        f"All {len(together)} events of this incident",
        icon=":material/check_box:" if on else ":material/check_box_outline_blank:",
        shortcut="I",
        key="whole_incident_button",
        width="stretch",
        disabled=off,
        on_click=_toggle,
        args=(event.event_id,),
    )
    if on:
        others = [one for one in together if one.event_id != event.event_id]
        names = [f"{one.sensor} {zone.clock(one.start)}" for one in others[:_NAMED]]
        if len(others) > _NAMED:
            names.append(f"{len(others) - _NAMED} more")
        judged = sum(one.verdict is not None for one in others)
        known = f" {counted(judged, 'of them has', 'of them have')} a verdict already." if judged else ""
        st.caption(f"Stored with it, each with its own bounds: {escaped(', '.join(names))}.{known}")


def _toggle(event_id: str) -> None:
    st.session_state[_KEY] = None if st.session_state.get(_KEY) == event_id else event_id
