"""Verdicts and the looks of events, from the warehouse's frames: which are alike, what learning would do."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import polars as pl

from core.feedback.description import Description
from core.feedback.probability import EventProbability, Probability
from core.feedback.recurring import FeedbackRules, HeldBack, held_back
from core.feedback.replay import Replay, replay
from core.feedback.similarity import distances
from core.feedback.teaching import most_telling
from core.feedback.verdicts import SeenEvent, Verdict
from warehouse.instants import microseconds
from warehouse.state.overlap import with_verdicts

PREVIEWED: Final = timedelta(days=30)
_ORDERED: Final = 300


@dataclass(frozen=True)
class SimilarEvent:
    """A past event that looks like another.

    Parameters
    ----------
    distance
        By traits and shape; 0 for one that looks the same, below 1.5 for its like.
    verdict, fault_class
        What a person said of it; empty where nobody did.
    """

    event_id: str
    sensor_id: int
    start: datetime
    end: datetime
    severity: str
    distance: float
    verdict: str
    fault_class: str


@dataclass(frozen=True)
class Preview:
    """What learning from the verdicts would have changed.

    Parameters
    ----------
    since
        Events that ended from here on were judged again.
    found
        What came of it.
    sentence
        The same in words.
    """

    since: datetime
    found: Replay
    sentence: str


def similar_events(
    events: pl.DataFrame, labels: pl.DataFrame, event_id: str, *, count: int = 5
) -> tuple[SimilarEvent, ...]:
    """Return the past events that look most like one, the most similar first.

    Parameters
    ----------
    events
        With the columns of `warehouse.schema.STORED_EVENTS`, of the whole fleet.
    labels
        Those in force, with the columns of `warehouse.schema.LABELS`.
    event_id
        An event among them; one of a release that did not describe its events has none like it.
    """
    known = with_verdicts(events.filter(pl.col("traits").is_not_null()), labels)
    own = known.filter(pl.col("event_id") == event_id)
    if own.is_empty():
        return ()
    # Only what began before it is a past event: nothing is told from what came later.
    others = known.filter((pl.col("event_id") != event_id) & (pl.col("start") <= own["start"][0]))
    apart = distances(_description(own.row(0, named=True)), [_description(row) for row in _rows(others)])
    nearest = np.argsort(apart, kind="stable")[:count]
    return tuple(
        SimilarEvent(
            event_id=row["event_id"],
            sensor_id=row["sensor_id"],
            start=row["start"],
            end=row["end"],
            severity=row["severity"],
            distance=float(apart[place]),
            verdict=row["verdict"] or "",
            fault_class=row["fault_class"] or "",
        )
        for place in nearest.tolist()
        for row in [others.row(place, named=True)]
    )


def preview(
    events: pl.DataFrame,
    labels: pl.DataFrame,
    *,
    now: datetime,
    span: timedelta = PREVIEWED,
    rules: FeedbackRules | None = None,
) -> Preview:
    """Return what learning would have changed among the events that ended within `span` of `now`.

    Each event is judged by the verdicts alone that were recorded before it ended.
    """
    described = with_verdicts(events.filter(pl.col("traits").is_not_null()), labels)
    since = now - span
    recent = described.filter((pl.col("end") > since) & (pl.col("end") <= now))
    found = replay([_seen(row) for row in _rows(recent)], verdicts_of(described), rules)
    return Preview(since, found, _sentence(found, span))


def held_events(events: pl.DataFrame, labels: pl.DataFrame, rules: FeedbackRules) -> dict[str, HeldBack]:
    """Return event id → why, of the events that verdicts hold back and that have no verdict themselves.

    All verdicts count, those given after an event as well: who dismisses one of many wants the others gone.
    """
    # Most sensors have none, and the page asks for each event that is opened.
    if not (labels["verdict"] == "false_positive").any():
        return {}
    described = with_verdicts(events.filter(pl.col("traits").is_not_null()), labels)
    said = verdicts_of(described)
    unsaid = [_seen(row) for row in _rows(described.filter(pl.col("verdict").is_null()))]
    found = ((one.event_id, held_back(one, said, rules)) for one in unsaid)
    return {event_id: why for event_id, why in found if why is not None}


def probabilities(events: pl.DataFrame, labels: pl.DataFrame) -> dict[str, Probability]:
    """Return event id → how likely it is real by what people said of others, for events without a verdict."""
    described = with_verdicts(events.filter(pl.col("traits").is_not_null()), labels)
    model = EventProbability(verdicts_of(described))
    unsaid = described.filter(pl.col("verdict").is_null())
    return {row["event_id"]: model.of(_seen(row)) for row in _rows(unsaid)}


def telling_order(events: pl.DataFrame, labels: pl.DataFrame) -> tuple[str, ...]:
    """Return the events without a verdict, those first whose verdicts would teach most.

    Of many, the newest are ordered; older ones are left out.
    """
    described = with_verdicts(events.filter(pl.col("traits").is_not_null()), labels)
    unsaid = described.filter(pl.col("verdict").is_null()).sort("start", descending=True).head(_ORDERED)
    rows = [_seen(row) for row in _rows(unsaid)]
    return tuple(rows[k].event_id for k in most_telling(rows, verdicts_of(described)))


def verdicts_of(events: pl.DataFrame) -> tuple[Verdict, ...]:
    """Return what people said of events, in the order in which they said it.

    Unsure says nothing, and an event on which people disagree teaches nothing.

    Parameters
    ----------
    events
        With the columns of `warehouse.schema.STORED_EVENTS` and those of `with_verdicts`.
    """
    agreed = pl.col("verdict").is_in(["true_anomaly", "false_positive"]) & ~pl.col("disagree")
    said = events.filter(agreed).sort("label_at", "label_id")
    return tuple(
        Verdict(_seen(row), row["verdict"] == "true_anomaly", microseconds(row["label_at"]))
        for row in _rows(said)
    )


def _sentence(found: Replay, span: timedelta) -> str:
    if not found.alarms:
        return f"No event ended in the last {span.days} days, so there is nothing to try it on."
    said = (
        f"Would have removed {len(found.held)} of the last {span.days} days' {found.alarms} alarms "
        f"and missed {found.missed} of {found.confirmed} confirmed events."
    )
    return said if found.held else f"{said} Verdicts take effect on what comes after them."


def _rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    return frame.to_dicts()


def _seen(row: dict[str, Any]) -> SeenEvent:
    return SeenEvent(row["event_id"], row["sensor_id"], microseconds(row["end"]), _description(row))


def _description(row: dict[str, Any]) -> Description:
    return Description(np.array(row["traits"], np.float64), np.array(row["shape"], np.float64))
