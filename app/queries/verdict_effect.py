"""What a verdict that is not stored yet would change on its sensor."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl
import streamlit as st

from app.queries import house, learning
from app.queries.failure import answered
from app.queries.house import Stamp
from app.queries.views import EventRow
from core.feedback.recurring import FeedbackRules
from core.workflows.feedback import held_events
from warehouse import schema
from warehouse.state.overlap import not_replaced, with_verdicts

_NEXT: Final = 2**62  # no stored label has a number as high


@dataclass(frozen=True)
class Effect:
    """What a verdict would do to the other events of its sensor.

    Parameters
    ----------
    applied
        Whether verdicts take effect at once, or only once somebody applies them.
    described
        Whether the event has a look that others can be compared with.
    disputed
        Whether people would then disagree: what is disputed teaches nothing.
    held, shown
        Events without a verdict that would be held back besides, and that would be shown again.
    wrong, least
        False positives on this sensor with this one, and how many it takes until its threshold rises.
    """

    applied: bool
    described: bool
    disputed: bool
    held: int
    shown: int
    wrong: int
    least: int


@answered
def effects(made: Stamp, event: EventRow, verdicts: Sequence[str]) -> tuple[Effect, ...]:
    """Return what each verdict of the person at this screen would change among the events of its sensor."""
    said = {
        "label_id": _NEXT,
        "sensor_id": event.sensor_id,
        "start": event.start,
        "end": event.end,
        "fault_class": "",
        "note": "",
        "actor": house.profile().name,
        "recorded_at": house.now().replace(second=0, microsecond=0),
        "event_id": event.event_id,
        "version_id": event.version_id,
    }
    return _effects(made, pl.DataFrame([{**said, "verdict": one} for one in verdicts], schema=schema.LABELS))


@st.cache_data(show_spinner=False, max_entries=64)
def _effects(made: Stamp, said: pl.DataFrame) -> tuple[Effect, ...]:
    sensor_id = said["sensor_id"][0]
    events = house.opened(made).results.events_current([sensor_id], looks=True)
    labels = house.owner().labels_for(sensor_id)
    decision = learning.in_force(made)
    rules = (
        FeedbackRules()
        if decision is None
        else FeedbackRules(likeness=decision.likeness, threshold=decision.threshold)
    )
    held = set(held_events(events, labels, rules))
    return tuple(
        _effect(events, labels, said[place], held, rules, applied=decision is not None)
        for place in range(said.height)
    )


def _effect(
    events: pl.DataFrame,
    labels: pl.DataFrame,
    said: pl.DataFrame,
    before_held: set[str],
    rules: FeedbackRules,
    *,
    applied: bool,
) -> Effect:
    event_id = said["event_id"][0]
    after = not_replaced(pl.concat([labels, said]))
    after_held = set(held_events(events, after, rules))
    known = with_verdicts(events.filter(pl.col("traits").is_not_null()), after)
    return Effect(
        applied=applied,
        described=event_id in set(known["event_id"]),
        disputed=known.filter(pl.col("event_id") == event_id)["disagree"].any(),
        held=len(after_held - before_held - {event_id}),
        shown=len(before_held - after_held - {event_id}),
        wrong=known.filter((pl.col("verdict") == "false_positive") & ~pl.col("disagree")).height,
        least=rules.least,
    )
