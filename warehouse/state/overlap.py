"""When a label speaks of an event, and when it takes an older label's place.

A label is keyed by sensor and time, so it outlives the model whose event it was given to.

- It *applies* to an event of the same sensor when it was given to that very event, or when the two
  overlap for at least half of the shorter one. Of several that apply, the latest counts.
- It *replaces* an older label of the same person and sensor that was given to the same event, or when the
  two overlap for at least half of the longer one: a short correction inside a long interval leaves the long
  label alone, and nobody takes the place of what another person said.
- People *disagree* on an event when the latest that applies of one says true anomaly and of another false
  positive. Unsure contradicts nobody.
"""

from datetime import datetime, timedelta
from typing import Literal, Protocol

import polars as pl

from warehouse.state.meeting import meeting

_STATE = pl.Schema(
    [
        ("label_id", pl.Int64),
        ("label_start", pl.Datetime("us", "UTC")),
        ("label_end", pl.Datetime("us", "UTC")),
        ("verdict", pl.String),
        ("fault_class", pl.String),
        ("note", pl.String),
        ("label_actor", pl.String),
        ("label_at", pl.Datetime("us", "UTC")),
        ("disagree", pl.Boolean),
        ("voices", pl.Int32),
    ]
)


def matches(half_of: Literal["shorter", "longer"], other: str = "_label") -> pl.Expr:
    """Return whether the interval of a row and the one in its columns with suffix `other` belong together."""
    start, end, event = pl.col("start"), pl.col("end"), pl.col("event_id")
    other_start, other_end = pl.col(f"start{other}"), pl.col(f"end{other}")
    length, other_length = end - start, other_end - other_start
    choose = pl.min_horizontal if half_of == "shorter" else pl.max_horizontal
    overlap = pl.min_horizontal(end, other_end) - pl.max_horizontal(start, other_start)
    same_event = (event == pl.col(f"event_id{other}")).fill_null(value=False)
    return same_event | ((overlap > pl.duration()) & (overlap * 2 >= choose(length, other_length)))


class Spoken(Protocol):
    """An interval that may have been given to an event."""

    @property
    def start(self) -> datetime:
        """When it begins."""

    @property
    def end(self) -> datetime:
        """When it ends; half-open."""

    @property
    def event_id(self) -> str | None:
        """The event, None for a drawn interval."""


def belong(one: Spoken, other: Spoken, half_of: Literal["shorter", "longer"]) -> bool:
    """Return for two of one sensor what `matches` says of the rows of a frame."""
    if one.event_id is not None and one.event_id == other.event_id:
        return True
    overlap = min(one.end, other.end) - max(one.start, other.start)
    choose = min if half_of == "shorter" else max
    return overlap > timedelta() and overlap * 2 >= choose(one.end - one.start, other.end - other.start)


def not_replaced(labels: pl.DataFrame) -> pl.DataFrame:
    """Return the `labels` (columns of `schema.LABELS`) whose place no later one of their person has taken."""
    pairs = meeting(labels, labels, "_label")
    same_person = pl.col("actor") == pl.col("actor_label")
    older = pairs.filter(same_person & (pl.col("label_id") < pl.col("label_id_label")) & matches("longer"))
    return labels.join(older.select("label_id").unique(), on="label_id", how="anti")


def voices(events: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Return the latest label of each person that applies to each of the `events`, oldest first.

    Parameters
    ----------
    events, labels
        As `with_verdicts` takes them.

    Returns
    -------
    pl.DataFrame
        A row an event and person: event_id, label_id, label_start, label_end, verdict, fault_class, note,
        label_actor and label_at.
    """
    pairs = meeting(events.select("event_id", "sensor_id", "start", "end"), labels, "_label")
    return (
        pairs.filter(matches("shorter"))
        .sort("label_id")
        .unique(["event_id", "actor"], keep="last", maintain_order=True)
        .select(
            "event_id",
            "label_id",
            pl.col("start_label").alias("label_start"),
            pl.col("end_label").alias("label_end"),
            "verdict",
            "fault_class",
            "note",
            pl.col("actor").alias("label_actor"),
            pl.col("recorded_at").alias("label_at"),
        )
    )


def with_verdicts(events: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Return `events` with the verdict each of them inherits.

    Parameters
    ----------
    events
        At least the columns event_id, sensor_id, start and end; event_id is unique.
    labels
        Labels in force, with the columns of `schema.LABELS`.

    Returns
    -------
    pl.DataFrame
        The events in their order, with label_id, label_start, label_end, verdict, fault_class, note,
        label_actor and label_at of the latest label that applies, null where none does; whether people
        disagree, and voices, the number of people who said something.
    """
    said = voices(events, labels)
    both = (pl.col("verdict") == "true_anomaly").any() & (pl.col("verdict") == "false_positive").any()
    people = said.group_by("event_id").agg(disagree=both, voices=pl.len())
    latest = said.unique("event_id", keep="last", maintain_order=True).join(people, on="event_id")
    found = events.join(latest.cast(_STATE), on="event_id", how="left", maintain_order="left")
    return found.with_columns(pl.col("disagree").fill_null(value=False), pl.col("voices").fill_null(0))
