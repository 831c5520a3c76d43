"""Who has seen an event, who looks after it, and until when it stays out of the queue."""

from datetime import datetime, timedelta
from typing import Final

import duckdb
import polars as pl

from warehouse import schema
from warehouse.documents import JSON
from warehouse.errors import LabelError
from warehouse.state.appending import append
from warehouse.state.labels import MAX_EVENT_ID
from warehouse.state.writes import MAX_ACTOR, Write, moment, next_seq, text, texts

MOST_EVENTS: Final = 1000
LONGEST_SNOOZE: Final = timedelta(days=366)

_LOGS: Final = {
    log: pl.Schema(
        [
            ("seq", pl.Int64),
            ("write_id", pl.String),
            ("event_id", pl.String),
            ("sensor_id", pl.Int32),
            value,
            ("actor", pl.String),
            ("recorded_at", schema.TIME),
        ]
    )
    for log, value in (("assignment_log", ("assignee", pl.String)), ("snooze_log", ("until", schema.TIME)))
}


def acknowledge(cursor: duckdb.DuckDBPyConnection, write: Write) -> dict[str, JSON]:
    """Note in the open transaction that somebody has seen an event; the first one counts.

    Raises
    ------
    LabelError
        There is no such event.
    """
    event_id = text(write.payload, "event_id", MAX_EVENT_ID)
    ((_, sensor_id),) = _known(cursor, [event_id])
    cursor.execute(
        "INSERT INTO acknowledgements VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [event_id, sensor_id, write.actor, write.at],
    )
    first = cursor.execute("SELECT actor FROM acknowledgements WHERE event_id = ?", [event_id]).fetchone()
    return {"event_id": event_id, "acknowledged_by": write.actor if first is None else str(first[0])}


def unacknowledge(cursor: duckdb.DuckDBPyConnection, write: Write) -> dict[str, JSON]:
    """Take acknowledgements of the writer back in the open transaction; the audit keeps both.

    Raises
    ------
    LabelError
        One of the events was not acknowledged, or by somebody else; nothing is taken back.
    """
    event_ids = texts(write.payload, "event_ids", MAX_EVENT_ID, most=MOST_EVENTS)
    found = dict(
        cursor.execute(
            "SELECT event_id, actor FROM acknowledgements WHERE event_id IN (SELECT unnest(?::VARCHAR[]))",
            [event_ids],
        ).fetchall()
    )
    for event_id in event_ids:
        if event_id not in found:
            raise LabelError(f"nobody has acknowledged event {event_id!r}")
        if found[event_id] != write.actor:
            raise LabelError(
                f"event {event_id!r} was acknowledged by {found[event_id]}, who can take that back"
            )
    cursor.execute(
        "DELETE FROM acknowledgements WHERE event_id IN (SELECT unnest(?::VARCHAR[]))", [event_ids]
    )
    return {"event_ids": [*event_ids]}


def assign(cursor: duckdb.DuckDBPyConnection, write: Write) -> dict[str, JSON]:
    """Say in the open transaction who looks after events; nobody does where no assignee is given.

    Raises
    ------
    LabelError
        One of the events is unknown, or the assignee is no name.
    """
    assignee = text(write.payload, "assignee", MAX_ACTOR) or None
    if assignee is not None and not assignee.isprintable():
        raise LabelError(f"the assignee {assignee!r} holds characters that can't be shown")
    return {"event_ids": _append(cursor, write, "assignment_log", assignee), "assignee": assignee}


def snooze(cursor: duckdb.DuckDBPyConnection, write: Write) -> dict[str, JSON]:
    """Keep events out of the queue for a while, in the open transaction; without an end they are back.

    Raises
    ------
    LabelError
        One of the events is unknown, or the end has passed or is more than a year away.
    """
    until = None if write.payload.get("until") is None else moment(write.payload, "until")
    if until is not None and not write.at < until <= write.at + LONGEST_SNOOZE:
        raise LabelError(
            f"an event is snoozed until a time in the coming {LONGEST_SNOOZE.days} days, "
            f"not {until:%Y-%m-%d %H:%M}"
        )
    event_ids = _append(cursor, write, "snooze_log", until)
    return {"event_ids": event_ids, "until": None if until is None else until.isoformat()}


def _append(
    cursor: duckdb.DuckDBPyConnection, write: Write, log: str, value: str | datetime | None
) -> list[JSON]:
    event_ids = texts(write.payload, "event_ids", MAX_EVENT_ID, most=MOST_EVENTS)
    first = next_seq(cursor, log)
    rows = [
        (seq, write.write_id, event_id, sensor_id, value, write.actor, write.at)
        for seq, (event_id, sensor_id) in enumerate(_known(cursor, event_ids), start=first)
    ]
    append(cursor, log, _LOGS[log], rows)
    return [*event_ids]


def _known(cursor: duckdb.DuckDBPyConnection, event_ids: list[str]) -> list[tuple[str, int]]:
    """Return (event, sensor) of current events in the given order."""
    rows = cursor.execute(
        "SELECT event_id, sensor_id FROM events WHERE event_id IN (SELECT unnest(?::VARCHAR[]))", [event_ids]
    ).fetchall()
    found = dict(rows)
    for event_id in event_ids:
        if event_id not in found:
            raise LabelError(f"there is no current event {event_id!r}")
    return [(event_id, int(found[event_id])) for event_id in event_ids]
