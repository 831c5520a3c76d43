"""The right of Anomalies: the verdict card of the opened event, and what its buttons do."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from app.actions import screen
from app.components import address, places, verdict_card, viewer
from app.components.event_list import keep_in_place
from app.components.outcome import refusal, said, tell
from app.queries import story
from app.queries.house import Stamp
from app.queries.views import EventRow
from app.theme import VERDICT_WORDS


def judge(made: Stamp, listed: Sequence[EventRow], event: EventRow) -> None:
    """Draw the verdict card and the verdicts on this sensor."""
    with st.container(border=True):
        stored = event.verdict
        last = st.session_state.get("last_saved")
        undo_id = stored.label_id if stored else last[0] if last else None
        verdict_card.verdict_card(
            event,
            viewer.zone(),
            save=partial(_save, event, next_after(listed, event)),
            undo=None if undo_id is None else partial(_undo, undo_id),
            undo_label="Undo" if stored else "Undo last",
            refusal=refusal("labeller"),
        )
        said()
    with st.container(border=True):
        verdict_card.history(story.verdicts(made, event.sensor_id), viewer.zone())
        places.to_training(event.sensor_id, may_not=refusal("trainer"))


def next_after(listed: Sequence[EventRow], event: EventRow) -> str:
    """Return the id of the next event without a verdict, from the open one on and then from the top."""
    place = next((n for n, one in enumerate(listed) if one.event_id == event.event_id), 0)
    later = [*listed[place + 1 :], *listed[:place]]
    return next((one.event_id for one in later if one.verdict is None), event.event_id)


def go(event_id: str) -> None:
    """Open an event: the address names it."""
    st.session_state["opened"] = event_id
    address.write("event", event_id)


def _save(event: EventRow, following: str) -> None:
    """Store the verdict of the card, then open the next event."""
    draft = verdict_card.draft(event, viewer.zone())

    def store() -> None:
        if draft.problem or draft.verdict is None:
            raise screen.ActionFailed(draft.problem)
        label_id = screen.give_verdict(
            sensor_id=event.sensor_id,
            start=draft.start,
            end=draft.end,
            verdict=draft.verdict,
            fault_class=draft.fault_class,
            note=draft.note,
            event_id=event.event_id,
            version_id=event.version_id,
        )
        st.session_state["last_saved"] = (label_id, event.event_id)
        verdict_card.forget(event.event_id)
        keep_in_place(event.event_id)
        go(following)

    words = VERDICT_WORDS.get(draft.verdict or "", "")
    tell(f"Saved: {words.lower()}, {event.title}.", store)


def _undo(label_id: int) -> None:
    """Take a verdict back."""

    def take_back() -> None:
        screen.take_back(label_id)
        st.session_state.pop("last_saved", None)
        opened = st.session_state.get("opened")
        if opened:
            verdict_card.forget(opened)

    tell("Taken back.", take_back)
