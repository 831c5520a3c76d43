"""The right of Anomalies: the verdict card of the opened event, and what its buttons do."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

import streamlit as st

from app.actions import screen
from app.components import (
    conflict,
    fault_classes,
    history_dialog,
    incident,
    missed,
    places,
    said_of,
    storing,
    verdict_card,
    verdict_effect,
    viewer,
)
from app.components.outcome import refusal, said
from app.queries import house, labelling, story
from app.queries.house import Stamp
from app.queries.views import Band, EventRow, Verdict


def prepare(made: Stamp, event: EventRow) -> None:
    """Fill the card of the opened event, once."""
    voices = labelling.voices(made, event)
    verdict_card.prepare(event, _mine(voices), _newest(voices), viewer.zone())


def dragging(event: EventRow, drag: str) -> str:
    """Return what dragging on the chart does: ``missed`` while a missed anomaly is drawn, else `drag`."""
    return "missed" if missed.drawing(event) else drag


def bounds(event: EventRow, drag: str, window: tuple[datetime, datetime]) -> Band | None:
    """Return the bounds of what is about to be stored, None while they lie where they were preset."""
    zone = viewer.zone()
    if drag == "missed":
        missed.prepare(event, window, zone)
    card = missed.card(event) if drag == "missed" else event.event_id
    draft = verdict_card.draft(card, zone)
    if draft.start >= draft.end or not (drag != "zoom" or verdict_card.moved(card, zone)):
        return None
    return Band(draft.start, draft.end, "missed anomaly" if drag == "missed" else "your bounds")


def move(event: EventRow, drag: str, start: datetime, end: datetime) -> None:
    """Take a range that was drawn on the chart as the bounds; for callbacks."""
    card = missed.card(event) if drag == "missed" else event.event_id
    verdict_card.move_bounds(card, start, end, viewer.zone())


def judge(
    made: Stamp, listed: Sequence[EventRow], event: EventRow, together: Sequence[EventRow] = ()
) -> None:
    """Draw the verdict card, what it would change, and the verdicts on this sensor.

    Parameters
    ----------
    together
        The events of the opened one's incident, itself among them; empty or one where it stands alone.
    """
    zone, may_not = viewer.zone(), refusal("labeller")
    classes = labelling.fault_classes(made)
    with st.container(border=True):
        if missed.drawing(event):
            missed.card_of_missed(
                event, classes, zone, save=partial(storing.save_missed, event), refusal=may_not
            )
        else:
            _card(made, listed, event, together, may_not)
        said()
    with st.container(border=True, gap="xsmall"):
        if not missed.drawing(event):
            verdict_effect.what_it_changes(made, event, verdict_card.draft(event.event_id, zone).verdict)
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown("**Verdicts on this sensor**", width="content")
            history_dialog.history_button(event)
        said_of.on_sensor(story.verdicts(made, event.sensor_id), event.as_of, zone)
        with st.container(horizontal=True, horizontal_alignment="distribute"):
            missed.missed_button(event, off=bool(may_not))
            places.to_training(event.sensor_id, may_not=refusal("trainer"))


def next_after(listed: Sequence[EventRow], event: EventRow) -> str:
    """Return the id of the next event without a verdict, from the open one on and then from the top."""
    place = next((n for n, one in enumerate(listed) if one.event_id == event.event_id), 0)
    later = [*listed[place + 1 :], *listed[:place]]
    return next((one.event_id for one in later if one.verdict is None), event.event_id)


def _card(
    made: Stamp,
    listed: Sequence[EventRow],
    event: EventRow,
    together: Sequence[EventRow],
    may_not: str,
) -> None:
    zone, voices = viewer.zone(), labelling.voices(made, event)
    mine, off = _mine(voices), bool(may_not)
    st.subheader("Is it real?", anchor=False)
    said_of.voices(voices, house.profile().name, zone)
    verdict_card.choice(event.event_id, off=off)
    incident.whole_button(event, together, zone, off=off)
    verdict_card.fields(
        event.event_id,
        labelling.fault_classes(made),
        zone,
        off=off,
        edit=None if off else partial(fault_classes.edit_button, made),
    )
    found = conflict.standing(event.event_id)
    # Who stores beside another knows of all that stands on the card now.
    seen = _newest(voices) if found else verdict_card.seen(event.event_id)
    given = [_given(event, seen)]
    if incident.whole(event):
        given += [_given(one, _seen_of(one)) for one in together if one.event_id != event.event_id]
    save = partial(storing.save, event, given, next_after(listed, event))
    if found is not None:
        conflict.choose(found, zone, theirs=partial(storing.leave_theirs, event), beside=save)
        return
    undone = _to_undo(mine, storing.last())
    all_of = f"Undo all {len(undone)}" if len(undone) > 1 else "Undo" if mine else "Undo last"
    verdict_card.buttons(
        save=save, undo=partial(storing.undo, undone) if undone else None, undo_label=all_of, refusal=may_not
    )


def _mine(voices: Sequence[Verdict]) -> Verdict | None:
    """Return what the person at this screen says, None if they said nothing."""
    me = house.profile().name
    return next((one for one in voices if one.actor == me), None)


def _newest(voices: Sequence[Verdict]) -> int | None:
    return max((one.label_id for one in voices), default=None)


def _seen_of(event: EventRow) -> int | None:
    return None if event.verdict is None else event.verdict.label_id


def _given(event: EventRow, seen: int | None) -> screen.GivenVerdict:
    """Return a verdict on an event that does not say anything yet, with the detector's bounds."""
    return screen.GivenVerdict(
        sensor_id=event.sensor_id,
        start=event.start,
        end=event.end,
        verdict="",
        event_id=event.event_id,
        version_id=event.version_id,
        seen=seen,
    )


def _to_undo(mine: Verdict | None, last: tuple[int, ...]) -> tuple[int, ...]:
    """Return what one press of Undo takes back: this verdict with all that were stored with it."""
    return last if mine is None or mine.label_id in last else (mine.label_id,)
