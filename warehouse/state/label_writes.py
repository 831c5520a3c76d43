"""Giving verdicts and taking them back, one or several at once: appended to a log, nothing is changed."""

from collections.abc import Mapping
from typing import Final

import duckdb

from warehouse.catalog import Catalog
from warehouse.documents import JSON
from warehouse.errors import LabelError
from warehouse.state.label_book import LabelBook
from warehouse.state.labels import NewLabel
from warehouse.state.writes import Write, documents, integer, integers, optional_integer

MOST_LABELS: Final = 1000

_UNDO: Final = (
    'INSERT INTO label_log SELECT ?, ?, \'undo\', label_id, sensor_id, "start", "end", verdict,'
    " fault_class, note, event_id, version_id, ?, ? FROM label_log WHERE seq = ?"
)


def set_label(book: LabelBook, write: Write, catalog: Catalog) -> dict[str, JSON]:
    """Append a verdict to the log in the open transaction and return its label_id.

    Raises
    ------
    LabelConflict
        Another person said something of the event that the writer had not seen.
    LabelError
        It can't be stored as given.
    """
    label = _checked(book, write, write.payload, catalog)
    return {"label_id": book.add(label, write.write_id, write), "sensor_id": label.sensor_id}


def set_labels(book: LabelBook, write: Write, catalog: Catalog) -> dict[str, JSON]:
    """Append verdicts to the log in the open transaction, all or none, and return their label_ids.

    Raises
    ------
    LabelConflict
        Another person said something of one of the events that the writer had not seen.
    LabelError
        One can't be stored as given.
    """
    given = documents(write.payload, "labels", most=MOST_LABELS)
    labels = [_checked(book, write, one, catalog) for one in given]
    # Each row of the log has a write_id of its own.
    return {
        "label_ids": [
            book.add(label, f"{write.write_id}/{place}", write) for place, label in enumerate(labels)
        ]
    }


def undo_label(book: LabelBook, write: Write) -> dict[str, JSON]:
    """Append the taking back of a verdict in the open transaction.

    Raises
    ------
    LabelError
        There is no such label, or it was taken back before.
    """
    cursor, label_id = book.written(), integer(write.payload, "label_id")
    sensor_id = _in_log(cursor, label_id)
    cursor.execute(_UNDO, [book.number(), write.write_id, write.actor, write.at, label_id])
    return {"label_id": label_id, "sensor_id": sensor_id}


def undo_labels(book: LabelBook, write: Write) -> dict[str, JSON]:
    """Append the taking back of verdicts in the open transaction, all or none.

    Raises
    ------
    LabelError
        One does not exist, or was taken back before.
    """
    cursor, label_ids = book.written(), integers(write.payload, "label_ids", most=MOST_LABELS)
    for label_id in label_ids:
        _in_log(cursor, label_id)
    for place, label_id in enumerate(label_ids):
        write_id = f"{write.write_id}/{place}"
        cursor.execute(_UNDO, [book.number(), write_id, write.actor, write.at, label_id])
    return {"label_ids": [*label_ids]}


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


def _checked(book: LabelBook, write: Write, payload: Mapping[str, JSON], catalog: Catalog) -> NewLabel:
    label = NewLabel.checked(payload, catalog, write.at)
    if "seen" not in payload:
        return label
    conflict = book.unseen(label, optional_integer(payload, "seen") or 0, write.actor)
    if conflict is not None:
        raise conflict
    return label
