"""What a person does with a row of the queue: acknowledge, snooze, assign; each for the whole incident."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import streamlit as st

from app.actions import screen
from app.charts.zone import Zone
from app.components import maintenance, undo
from app.components.words import counted, escaped, percent
from app.queries.triage_views import LEVELS, Concern, Incident

LENGTHS: Final = {"1 h": timedelta(hours=1), "4 h": timedelta(hours=4), "1 day": timedelta(days=1)}
MORNING: Final = "Tomorrow 8:00"
_SNOOZING: Final = "snoozing"
_MENU_PX: Final = 300


def buttons(incident: Incident, person: str, zone: Zone, may_not: str) -> None:
    """Draw acknowledge and snooze, or what takes them back.

    Parameters
    ----------
    person
        Who looks: they can take back what they acknowledged.
    may_not
        Why this person can't; empty when they can.
    """
    lead = incident.lead
    new = [one for one in incident.shown if one.state == "new"]
    own = [one for one in incident.shown if one.event.acknowledged_by == person]
    if new:
        st.button(
            "Acknowledge",
            shortcut="A",
            key="acknowledge",
            on_click=partial(acknowledge, incident, new),
            disabled=bool(may_not),
            help=may_not or None,
        )
    elif own and lead.state == "acknowledged":
        st.button(
            "Acknowledged",
            shortcut="A",
            key="unacknowledge",
            icon=":material/check:",
            on_click=partial(unacknowledge, incident, own),
            disabled=bool(may_not),
            help=may_not or "Takes your acknowledgement back",
        )
    if lead.snoozed_until is not None:
        st.button(
            "Wake",
            shortcut="Z",
            key="wake",
            on_click=partial(wake, incident),
            disabled=bool(may_not),
            help=may_not or f"Snoozed until {zone.stamp(lead.snoozed_until)} by {lead.snoozed_by}",
        )
    else:
        st.button(
            "Snooze",
            shortcut="Z",
            key="snooze",
            on_click=partial(_toggle, incident.key),
            disabled=bool(may_not),
            help=may_not or None,
        )


def lengths(incident: Incident, now: datetime, zone: Zone) -> None:
    """Draw for how long to snooze, while that is asked."""
    if st.session_state.get(_SNOOZING) != incident.key:
        return
    with st.container(horizontal=True, gap="xxsmall"):
        for number, (label, until) in enumerate(choices(now, zone).items(), start=1):
            st.button(
                label,
                key=f"snooze_{number}",
                shortcut=str(number),
                on_click=partial(snooze, incident, until, zone),
            )


def choices(now: datetime, zone: Zone) -> dict[str, datetime]:
    """Return until when an event can be snoozed, by what the button says; mornings are the viewer's."""
    tomorrow = zone.local(now).date() + timedelta(days=1)
    morning = zone.from_wall(datetime.combine(tomorrow, datetime.min.time()) + timedelta(hours=8))
    return {**{label: now + length for label, length in LENGTHS.items()}, MORNING: morning}


def more(incident: Incident, people: Sequence[str], may_not: str, may_not_rank: str) -> None:
    """Draw who looks after it, how much its machine matters, and its maintenance."""
    event = incident.lead.event
    with st.popover(
        f"With {escaped(incident.lead.assignee)}" if incident.lead.assignee else "Assign…",
        type="tertiary",
        key="assign_menu",
        disabled=bool(may_not),
        help=may_not or None,
    ):
        now = incident.lead.assignee
        known = list(dict.fromkeys([*people, *([now] if now else [])]))
        # The key names incident and value: a browser that still shows those of another row must not send
        # them for this one.
        key = f"assignee_{event.event_id}_{now or ''}"
        st.selectbox(
            "Who looks after it?",
            known,
            index=known.index(now) if now else None,
            key=key,
            accept_new_options=True,
            placeholder="Nobody: pick or type a name",
            on_change=partial(_assign, incident, key),
        )
        if incident.lead.assignee != people[0]:
            st.button("Me", key="assign_me", on_click=partial(assign, incident, people[0]))
    if st.button(
        "Maintenance…",
        type="tertiary",
        key="maintenance",
        on_click=partial(maintenance.ask, event.asset_id),
    ):
        # The dialog is drawn outside of the part that draws itself anew, which would close it.
        st.rerun(scope="app")
    with st.popover(
        "Criticality",
        type="tertiary",
        key="criticality_menu",
        disabled=bool(may_not_rank),
        help=may_not_rank or None,
    ):
        level = incident.lead.criticality
        key = f"criticality_{event.asset_id}_{level}"
        st.segmented_control(
            f"How much does {escaped(event.machine)} matter?",
            LEVELS,
            default=level,
            required=True,
            format_func=str.capitalize,
            key=key,
            on_change=partial(_rank, incident.lead, key),
        )
        with st.container(width=_MENU_PX):
            st.caption(_risk_words(incident.lead))


def acknowledge(incident: Incident, new: Sequence[Concern]) -> None:
    """Take note of every event of an incident that nobody took note of yet."""
    ids = _ids(new)

    def act() -> None:
        for event_id in ids:
            screen.acknowledge(event_id)

    undo.do(f"Acknowledged: {_named(incident)}.", act, lambda: screen.unacknowledge(ids))


def unacknowledge(incident: Incident, own: Sequence[Concern]) -> None:
    """Take back what this person acknowledged of an incident."""
    ids = _ids(own)

    def back() -> None:
        for event_id in ids:
            screen.acknowledge(event_id)

    undo.do(f"Not acknowledged any more: {_named(incident)}.", lambda: screen.unacknowledge(ids), back)


def snooze(incident: Incident, until: datetime, zone: Zone) -> None:
    """Put an incident off."""
    st.session_state.pop(_SNOOZING, None)
    undo.do(
        f"Snoozed until {zone.stamp(until)}: {_named(incident)}.",
        lambda: screen.snooze(_ids(incident.all), until),
        partial(_snooze_as_before, incident),
    )


def wake(incident: Incident) -> None:
    """Bring an incident back to the queue."""
    ids = _ids([one for one in incident.all if one.snoozed_until is not None])
    undo.do(
        f"Back in the queue: {_named(incident)}.",
        lambda: screen.snooze(ids, None),
        partial(_snooze_as_before, incident),
    )


def assign(incident: Incident, person: str | None) -> None:
    """Say who looks after an incident; None: nobody."""
    what = f"Assigned to {person}" if person else "Assigned to nobody"

    def back() -> None:
        for former in {one.assignee for one in incident.all}:
            screen.assign(_ids([one for one in incident.all if one.assignee == former]), former)

    undo.do(f"{what}: {_named(incident)}.", lambda: screen.assign(_ids(incident.all), person), back)


def _risk_words(lead: Concern) -> str:
    """Return how the risk of an event is made up."""
    if lead.event.verdict is not None and not lead.event.disagree:
        sure = "the verdict on it"
    elif lead.verdicts:
        sure = f"probability {percent(lead.probability)} (from {counted(lead.verdicts, 'verdict')})"
    else:
        sure = f"probability {percent(lead.probability)} (the detector's)"
    return (
        f"Risk {lead.risk:.1f}: {lead.event.severity} severity × {sure} × {lead.criticality} criticality. "
        "Each step of severity or criticality counts twice the one below."
    )


def _assign(incident: Incident, key: str) -> None:
    assign(incident, st.session_state[key] or None)


def _rank(lead: Concern, key: str) -> None:
    level, event, former = st.session_state[key], lead.event, lead.criticality
    undo.do(
        f"{event.machine} is of {level} criticality.",
        lambda: screen.set_criticality(event.asset_id, level),
        lambda: screen.set_criticality(event.asset_id, former),
    )


def _snooze_as_before(incident: Incident) -> None:
    """Put each event off until when it was, or not at all."""
    for until in {one.snoozed_until for one in incident.all}:
        screen.snooze(_ids([one for one in incident.all if one.snoozed_until == until]), until)


def _toggle(key: str) -> None:
    asked = st.session_state.get(_SNOOZING) == key
    st.session_state[_SNOOZING] = None if asked else key


def _ids(concerns: Sequence[Concern]) -> list[str]:
    return [one.event.event_id for one in concerns]


def _named(incident: Incident) -> str:
    others = len(incident.all) - 1
    also = f" and {counted(others, 'other event')}" if others else ""
    return f"{incident.lead.event.title}{also}"
