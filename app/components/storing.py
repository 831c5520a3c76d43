"""What the buttons of the verdict card do: store, store beside another's, take back, go on."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from app.actions import screen
from app.components import address, conflict, fault_classes, incident, missed, verdict_card, viewer
from app.components.event_list import keep_in_place
from app.components.outcome import note, tell
from app.queries.views import EventRow
from app.theme import VERDICT_WORDS

_LAST = "last_saved"


def last() -> tuple[int, ...]:
    """Return the numbers of the labels that were stored last, together, in this session."""
    found: tuple[int, ...] = st.session_state.get(_LAST, ())
    return found


def forget_last() -> None:
    """Offer nothing for undoing: another person goes on."""
    st.session_state.pop(_LAST, None)


def go(event_id: str) -> None:
    """Open an event: the address names it."""
    st.session_state["opened"] = event_id
    address.write("event", event_id)


def save(event: EventRow, given: Sequence[screen.GivenVerdict], following: str) -> None:
    """Store the verdict of the card on the chosen events, then open the next one."""
    if not verdict_card.filled(event.event_id):
        return
    draft = verdict_card.draft(event.event_id, viewer.zone())
    if draft.problem or draft.verdict is None:
        note(draft.problem, good=False)
        return
    own = replace(given[0], start=draft.start, end=draft.end)
    said_now = [
        replace(one, verdict=draft.verdict, fault_class=draft.fault_class, note=draft.note)
        for one in (own, *given[1:])
    ]
    try:
        fault_classes.add_if_new(draft.fault_class)
        st.session_state[_LAST] = screen.give_verdicts(said_now)
    except screen.VerdictConflict as found:
        conflict.keep(event.event_id, found)
        return
    except screen.ActionFailed as failure:
        note(str(failure), good=False)
        return
    conflict.forget()
    incident.forget()
    for one in given:
        _done_with(one.event_id)
    go(following)
    what = event.title if len(given) == 1 else f"{len(given)} events of {event.machine}"
    note(f"Saved: {VERDICT_WORDS[draft.verdict].lower()}, {what}.")


def _done_with(event_id: str | None) -> None:
    if event_id is not None:
        verdict_card.forget(event_id)
        keep_in_place(event_id)


def save_missed(event: EventRow) -> None:
    """Store what was drawn as a true anomaly that nothing detected."""
    zone = viewer.zone()
    if not verdict_card.filled(missed.card(event)):
        return

    def store() -> None:
        draft = missed.draft(event, zone)
        if draft.problem:
            raise screen.ActionFailed(draft.problem)
        fault_classes.add_if_new(draft.fault_class)
        label_id = screen.give_verdict(
            sensor_id=event.sensor_id,
            start=draft.start,
            end=draft.end,
            verdict="true_anomaly",
            fault_class=draft.fault_class,
            note=draft.note,
            event_id=None,
            version_id=None,
        )
        st.session_state[_LAST] = (label_id,)
        missed.stop(event)

    tell(f"Saved: a missed anomaly, {event.title}.", store)


def leave_theirs(event: EventRow) -> None:
    """Leave it at what the other person said; what the card said is dropped."""
    conflict.forget()
    verdict_card.forget(event.event_id)


def undo(label_ids: tuple[int, ...]) -> None:
    """Take verdicts back that were stored at once."""

    def take_back() -> None:
        if len(label_ids) == 1:
            screen.take_back(label_ids[0])
        else:
            screen.take_back_many(label_ids)
        st.session_state.pop(_LAST, None)
        opened = st.session_state.get("opened")
        if opened:
            verdict_card.forget(opened)

    tell("Taken back." if len(label_ids) == 1 else f"Taken back: {len(label_ids)} verdicts.", take_back)
