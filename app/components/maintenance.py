"""Maintenance windows of a machine: a dialog that sets one, lists them, and shows what each hides."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import streamlit as st

from app.actions import screen
from app.charts.zone import Zone
from app.components import undo, viewer
from app.components.outcome import refusal
from app.components.words import counted, escaped
from app.queries import fleet, house, triage
from app.queries.triage_views import Concern, Triage, Window
from app.theme import coloured

_ASKED: Final = "maintenance_of"
_FIRST: Final = "maintenance_first"
_FIELDS: Final = ("maintenance_machine", "maintenance_from", "maintenance_to", "maintenance_reason")
_LISTED: Final = 12


def ask(asset_id: int) -> None:
    """Open the dialog for a machine; for callbacks."""
    st.session_state[_ASKED] = asset_id


def dismiss() -> None:
    """Close the dialog and forget what was filled in; for callbacks."""
    for name in (_ASKED, _FIRST, *_FIELDS):
        st.session_state.pop(name, None)


def asked() -> bool:
    """Return whether the dialog is open."""
    return _ASKED in st.session_state


@st.dialog("Maintenance", width="medium", on_dismiss=dismiss)
def dialog() -> None:
    """Ask from when to when a machine is worked on, and list its windows."""
    made, now, zone = house.stamp(), house.now(), viewer.zone()
    whole = fleet.fleet(made)
    names = {machine.asset_id: machine.name for machine in whole.machines}
    triaged = triage.triage(made, whole, now)
    asset_id = st.selectbox(
        "Machine",
        list(names),
        index=list(names).index(st.session_state[_ASKED]) if st.session_state[_ASKED] in names else 0,
        format_func=lambda one: names[one],
        key="maintenance_machine",
    )
    start, end = _times(now, zone)
    reason = st.text_input("What is done", key="maintenance_reason", max_chars=200)
    st.caption(
        f"Times in {escaped(zone.label)}. Alarms that begin and end in the window, and what still runs while "
        "it lasts, leave the queue and its counts. They stay stored, and are listed by the filter."
    )
    may_not = refusal("labeller")
    if st.button(
        "Set",
        type="primary",
        key="maintenance_set",
        disabled=bool(may_not) or end <= start or not reason.strip(),
        help=may_not or None,
    ) and _set(asset_id, names[asset_id], start, end, reason):
        dismiss()
        st.rerun()
    _list(triaged, names, now, zone, may_not)


def hidden_by(window: Window, concerns: Sequence[Concern]) -> list[Concern]:
    """Return the events that a window hides."""
    return [one for one in concerns if one.window is not None and one.window.window_id == window.window_id]


def in_force(windows: Sequence[Window], now: datetime) -> list[Window]:
    """Return the windows that last at `now`."""
    return [one for one in windows if one.start <= now < one.end]


def end_window(window: Window, machine: str) -> None:
    """Take a window back; its undo sets it again."""
    undo.do(
        f"Maintenance of {machine} taken back.",
        lambda: screen.end_maintenance(window.window_id),
        lambda: screen.set_maintenance(window.asset_id, window.start, window.end, window.reason),
    )


def _times(now: datetime, zone: Zone) -> tuple[datetime, datetime]:
    """Draw both times and return them in UTC; an hour from now unless told otherwise."""
    # Of the moment at which the dialog opened: what is filled in must not move on.
    opened: datetime = st.session_state.setdefault(_FIRST, now)
    first = zone.local(opened).replace(second=0, microsecond=0, tzinfo=None)
    left, right = st.columns(2)
    start = left.datetime_input("From", first, key="maintenance_from", step=timedelta(minutes=15))
    end = right.datetime_input(
        "To", first + timedelta(hours=1), key="maintenance_to", step=timedelta(minutes=15)
    )
    return zone.from_wall(start), zone.from_wall(end)


def _set(asset_id: int, machine: str, start: datetime, end: datetime, reason: str) -> bool:
    made: list[int] = []
    return undo.do(
        f"{machine} is in maintenance.",
        lambda: made.append(screen.set_maintenance(asset_id, start, end, reason.strip())),
        lambda: screen.end_maintenance(made[0]),
    )


def _list(triaged: Triage, names: dict[int, str], now: datetime, zone: Zone, may_not: str) -> None:
    """List windows, the newest first, each with the events that it hides."""
    if not triaged.windows:
        return
    st.markdown("**Windows** :gray[· newest first]")
    for window in sorted(triaged.windows, key=lambda one: one.start, reverse=True)[:_LISTED]:
        hidden = hidden_by(window, triaged.concerns)
        when = "now" if window.start <= now < window.end else "over" if window.end <= now else "to come"
        with st.container(horizontal=True, vertical_alignment="center"):
            name = names.get(window.asset_id, f"machine {window.asset_id}")
            said = f"{escaped(window.reason)}, {escaped(window.actor)}"
            st.markdown(
                f"**{escaped(name)}** {zone.stamp(window.start)} – {zone.stamp(window.end)} "
                f":gray[({when}) {said} · {counted(len(hidden), 'event')} suppressed]",
                width="stretch",
            )
            if st.button(
                "Take back",
                key=f"window_{window.window_id}",
                type="tertiary",
                disabled=bool(may_not),
                on_click=partial(end_window, window, name),
            ):
                st.rerun()
        for one in hidden[:_LISTED]:
            st.caption(
                f"{zone.stamp(one.event.start)} {coloured(one.event.severity)} {escaped(one.event.sensor)}"
            )
