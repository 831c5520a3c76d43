"""What verdicts hold back: whether they take effect, on which events and why, and what they would do."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import polars as pl
import streamlit as st

from app.queries import house
from app.queries.failure import answered
from app.queries.house import Stamp
from core.feedback.probability import FEW, Probability
from core.feedback.recurring import FeedbackRules, HeldBack
from core.workflows.feedback import Preview, held_events, preview, probabilities, telling_order
from warehouse.state.overlap import with_verdicts

REASONS: Final = {
    "likeness": "like a false positive on this sensor",
    "threshold": "below this sensor's raised threshold",
}


@dataclass(frozen=True)
class Decision:
    """What a person decided about learning.

    Parameters
    ----------
    applied
        False where verdicts were stopped from taking effect.
    likeness, threshold
        Which rules hold events back.
    windows, probability, telling
        Whether confirmed anomalies are left out of trainings and bars, the probability made of verdicts is
        used, and events are put in the order that teaches most.
    previewed
        What the preview said then; empty where there was none.
    """

    applied: bool
    likeness: bool
    threshold: bool
    windows: bool
    probability: bool
    telling: bool
    previewed: str
    actor: str
    at: datetime


@dataclass(frozen=True)
class Tried:
    """What a set of rules would have done to the events of the last days.

    Parameters
    ----------
    sentence
        In words.
    alarms, removed, confirmed, missed
        Events looked at, how many would not have been shown, those a person confirmed, and how many of
        these would not have been shown.
    now
        Events without a verdict that would be held back from now on.
    """

    sentence: str
    alarms: int
    removed: int
    confirmed: int
    missed: int
    now: int


@dataclass(frozen=True)
class Because:
    """Why an event is held back, and the false positives that this rests on."""

    reason: str
    event_ids: tuple[str, ...]


@answered
def decisions(made: Stamp) -> tuple[Decision, ...]:
    """Return what was decided, newest first; the newest is in force."""
    return _decisions(made)


@answered
def tried(made: Stamp, *, likeness: bool, threshold: bool, now: datetime) -> Tried:
    """Return what rules would have done, each event judged by the verdicts before it alone."""
    found = _tried(made, likeness, threshold, now.replace(second=0, microsecond=0))
    replayed = found.found
    return Tried(
        sentence=found.sentence,
        alarms=replayed.alarms,
        removed=len(replayed.held),
        confirmed=replayed.confirmed,
        missed=replayed.missed,
        now=len(_held(made, likeness, threshold)),
    )


@answered
def held_because(made: Stamp, event_id: str) -> Because | None:
    """Return why an event is held back, None if it is not."""
    why = held(made).get(event_id)
    return None if why is None else Because(REASONS[why.layer], why.event_ids)


@answered
def probability(made: Stamp, event_id: str) -> tuple[float, int] | None:
    """Return how likely an event is real and on how many verdicts that rests.

    None while verdicts are few, where the event has one of its own, or where a person switched it off.
    """
    if _switched_off(made, "probability"):
        return None
    found = _probabilities(made).get(event_id)
    return None if found is None or found.prior else (found.value, found.verdicts)


@answered
def believed(made: Stamp) -> dict[str, tuple[float, int]]:
    """Return event id → how likely it is real by verdicts on others, and on how many that rests.

    Empty while verdicts are few: the base rate alone says nothing of one event against another; and where a
    person switched it off.
    """
    if _switched_off(made, "probability") or house.owner().labels().height < FEW:
        return {}
    found = _probabilities(made)
    return {event_id: (one.value, one.verdicts) for event_id, one in found.items() if not one.prior}


@answered
def telling(made: Stamp) -> tuple[str, ...]:
    """Return the ids of events without a verdict, those first whose verdicts would teach most.

    The newest come first where a person switched that order off.
    """
    return _unsaid(made) if _switched_off(made, "telling") else _telling(made)


def in_force(made: Stamp) -> Decision | None:
    """Return the decision in force, None while verdicts take no effect."""
    newest = _decisions(made)[:1]
    return newest[0] if newest and newest[0].applied else None


def _switched_off(made: Stamp, layer: Literal["probability", "telling"]) -> bool:
    decision = in_force(made)
    return decision is not None and not getattr(decision, layer)


def held(made: Stamp) -> dict[str, HeldBack]:
    """Return event id → why, of the events that verdicts hold back; none while they take no effect."""
    decision = in_force(made)
    return {} if decision is None else _held(made, decision.likeness, decision.threshold)


@st.cache_data(show_spinner=False, max_entries=4)
def _decisions(made: Stamp) -> tuple[Decision, ...]:
    del made  # only makes the cache exact
    return tuple(
        Decision(
            applied=row["action"] == "apply",
            likeness=row["likeness"],
            threshold=row["threshold"],
            windows=row["windows"],
            probability=row["probability"],
            telling=row["telling"],
            previewed=row["previewed"],
            actor=row["actor"],
            at=row["recorded_at"],
        )
        for row in house.owner().learning_history().iter_rows(named=True)
    )


@st.cache_data(show_spinner=False, max_entries=4)
def _held(made: Stamp, likeness: bool, threshold: bool) -> dict[str, HeldBack]:
    rules = FeedbackRules(likeness=likeness, threshold=threshold)
    return held_events(_described(made), house.owner().labels(), rules)


@st.cache_data(show_spinner=False, max_entries=8)
def _tried(made: Stamp, likeness: bool, threshold: bool, now: datetime) -> Preview:
    rules = FeedbackRules(likeness=likeness, threshold=threshold)
    return preview(_described(made), house.owner().labels(), now=now, rules=rules)


@st.cache_data(show_spinner=False, max_entries=2)
def _probabilities(made: Stamp) -> dict[str, Probability]:
    return probabilities(_described(made), house.owner().labels())


@st.cache_data(show_spinner=False, max_entries=2)
def _telling(made: Stamp) -> tuple[str, ...]:
    return telling_order(_described(made), house.owner().labels())


@st.cache_data(show_spinner=False, max_entries=2)
def _unsaid(made: Stamp) -> tuple[str, ...]:
    known = with_verdicts(_described(made), house.owner().labels()).filter(pl.col("verdict").is_null())
    return tuple(known.sort("start", descending=True)["event_id"])


def _described(made: Stamp) -> pl.DataFrame:
    return house.opened(made).results.events_current(looks=True)
