"""Giving verdicts and taking them back, one or several at once: appended to a log, nothing is changed."""

from collections.abc import Mapping, Sequence
from typing import Final

import duckdb
import polars as pl

from warehouse.catalog import Catalog
from warehouse.documents import JSON
from warehouse.errors import LabelConflict, LabelError
from warehouse.state.labels import NewLabel, current
from warehouse.state.overlap import with_verdicts
from warehouse.state.writes import Write, documents, integer, integers, next_seq, optional_integer

MOST_LABELS: Final = 1000

_SET: Final = "INSERT INTO label_log VALUES (?, ?, 'set', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_UNDO: Final = (
    'INSERT INTO label_log SELECT ?, ?, \'undo\', label_id, sensor_id, "start", "end", verdict,'
    " fault_class, note, event_id, version_id, ?, ? FROM label_log WHERE seq = ?"
)


def set_label(cursor: duckdb.DuckDBPyConnection, write: Write, catalog: Catalog) -> dict[str, JSON]:
    """Append a verdict to the log in the open transaction and return its label_id.

    Raises
    ------
    LabelConflict
        Another person said something of the event that the writer had not seen.
    LabelError
        It can't be stored as given.
    """
    label = _checked(cursor, write, write.payload, catalog)
    seq = next_seq(cursor, "label_log")
    cursor.execute(_SET, _row(seq, write.write_id, label, write))
    return {"label_id": seq, "sensor_id": label.sensor_id}


def set_labels(cursor: duckdb.DuckDBPyConnection, write: Write, catalog: Catalog) -> dict[str, JSON]:
    """Append verdicts to the log in the open transaction, all or none, and return their label_ids.

    Raises
    ------
    LabelConflict
        Another person said something of one of the events that the writer had not seen.
    LabelError
        One can't be stored as given.
    """
    given = documents(write.payload, "labels", most=MOST_LABELS)
    labels = [_checked(cursor, write, one, catalog) for one in given]
    first = next_seq(cursor, "label_log")
    # Each row of the log has a write_id of its own.
    cursor.executemany(
        _SET,
        [
            _row(first + place, f"{write.write_id}/{place}", label, write)
            for place, label in enumerate(labels)
        ],
    )
    return {"label_ids": [first + place for place in range(len(labels))]}


def undo_label(cursor: duckdb.DuckDBPyConnection, write: Write) -> dict[str, JSON]:
    """Append the taking back of a verdict in the open transaction.

    Raises
    ------
    LabelError
        There is no such label, or it was taken back before.
    """
    label_id = integer(write.payload, "label_id")
    sensor_id = _in_log(cursor, label_id)
    cursor.execute(_UNDO, [next_seq(cursor, "label_log"), write.write_id, write.actor, write.at, label_id])
    return {"label_id": label_id, "sensor_id": sensor_id}


def undo_labels(cursor: duckdb.DuckDBPyConnection, write: Write) -> dict[str, JSON]:
    """Append the taking back of verdicts in the open transaction, all or none.

    Raises
    ------
    LabelError
        One does not exist, or was taken back before.
    """
    label_ids = integers(write.payload, "label_ids", most=MOST_LABELS)
    for label_id in label_ids:
        _in_log(cursor, label_id)
    first = next_seq(cursor, "label_log")
    for place, label_id in enumerate(label_ids):
        cursor.execute(_UNDO, [first + place, f"{write.write_id}/{place}", write.actor, write.at, label_id])
    return {"label_ids": [*label_ids]}


def _row(seq: int, write_id: str, label: NewLabel, write: Write) -> Sequence[object]:
    return (
        seq,
        write_id,
        seq,
        label.sensor_id,
        label.start,
        label.end,
        label.verdict,
        label.fault_class,
        label.note,
        label.event_id,
        label.version_id,
        write.actor,
        write.at,
    )


def _in_log(cursor: duckdb.DuckDBPyConnection, label_id: int) -> int:
    """Return the sensor of a label that was not taken back."""
    rows = cursor.execute(
        "SELECT action, sensor_id, actor FROM label_log WHERE label_id = ? ORDER BY seq", [label_id]
    ).fetchall()
    if not rows:
        raise LabelError(f"there is no label {label_id}")
    if rows[-1][0] == "undo":
        raise LabelError(f"label {label_id} was taken back already, by {rows[-1][2]}")
    return int(rows[0][1])


def _checked(
    cursor: duckdb.DuckDBPyConnection, write: Write, payload: Mapping[str, JSON], catalog: Catalog
) -> NewLabel:
    label = NewLabel.checked(payload, catalog, write.at)
    if "seen" in payload:
        _insist(cursor, label, optional_integer(payload, "seen") or 0, write.actor)
    return label


def _insist(cursor: duckdb.DuckDBPyConnection, label: NewLabel, seen: int, actor: str) -> None:
    """Let a label pass unless another person's, later than what was seen, applies to the same event."""
    later = cursor.sql(
        "SELECT * FROM label_log WHERE label_id IN (SELECT label_id FROM label_log"
        " WHERE action = 'set' AND sensor_id = $1 AND label_id > $2 AND actor <> $3)",
        params=[label.sensor_id, seen, actor],
    ).pl()
    if later.is_empty():
        return
    event = cursor.sql(
        'SELECT event_id, sensor_id, "start", "end" FROM events WHERE event_id = $1 AND sensor_id = $2',
        params=[label.event_id, label.sensor_id],
    ).pl()
    if event.is_empty():
        # Drawn by hand, or given to an event that is no longer current: its own bounds stand for it.
        event = pl.DataFrame(
            [(label.event_id or "", label.sensor_id, label.start, label.end)],
            schema=event.schema,
            orient="row",
        )
    found = with_verdicts(event.cast({"sensor_id": pl.Int32}), current(later)).row(0, named=True)
    if found["label_id"] is not None:
        raise LabelConflict(
            label_id=found["label_id"],
            actor=found["label_actor"],
            verdict=found["verdict"],
            at=found["label_at"],
        )
