"""One write inside one transaction: found in the audit, or done and entered there."""

from typing import Final

import duckdb

from warehouse.documents import JSON, dumps, loads
from warehouse.errors import LabelError
from warehouse.home import Warehouse
from warehouse.state import labels, learning, limits, shown_units, snapshot_pins
from warehouse.state.writes import Write, text

# Writes that change the catalogue too: they wait in the inbox until both stores have them.
BOTH_STORES: Final = frozenset({"sensor.unit", "snapshot.pin"})

_LEARNING: Final = {"learning.apply": learning.apply_learning, "learning.stop": learning.stop_learning}


def apply(cursor: duckdb.DuckDBPyConnection, write: Write, warehouse: Warehouse) -> dict[str, JSON]:
    """Make `write` in the open transaction, unless it was made before, and return its outcome.

    Raises
    ------
    LabelError
        It can't be stored as given.
    """
    known = cursor.execute("SELECT outcome FROM audit WHERE write_id = ?", [write.write_id]).fetchone()
    if known is not None:
        return loads(known[0])
    if write.kind == "label.set":
        outcome = labels.set_label(cursor, write, warehouse.catalog)
    elif write.kind == "label.undo":
        outcome = labels.undo_label(cursor, write)
    elif write.kind == "event.acknowledge":
        outcome = _acknowledge(cursor, write)
    elif write.kind in _LEARNING:
        outcome = _LEARNING[write.kind](cursor, write)
    elif write.kind == "limits.set":
        outcome = limits.set_limits(cursor, write, warehouse.catalog)
    elif write.kind == "sensor.unit":
        outcome = shown_units.set_unit(cursor, write, warehouse.catalog)
    elif write.kind == "snapshot.pin":
        outcome = snapshot_pins.pin(write, warehouse.manifest)
    else:
        raise LabelError(f"there is no write of kind {write.kind!r}")
    cursor.execute(
        "INSERT INTO audit SELECT coalesce(max(seq), 0) + 1, ?, ?, ?, ?, ?, ? FROM audit",
        [write.write_id, write.kind, dumps(write.payload), write.actor, write.at, dumps(outcome)],
    )
    return outcome


def _acknowledge(cursor: duckdb.DuckDBPyConnection, write: Write) -> dict[str, JSON]:
    event_id = text(write.payload, "event_id", labels.MAX_EVENT_ID)
    found = cursor.execute("SELECT sensor_id FROM events WHERE event_id = ?", [event_id]).fetchone()
    if found is None:
        raise LabelError(f"there is no current event {event_id!r}")
    cursor.execute(
        "INSERT INTO acknowledgements VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [event_id, found[0], write.actor, write.at],
    )
    first = cursor.execute("SELECT actor FROM acknowledgements WHERE event_id = ?", [event_id]).fetchone()
    return {"event_id": event_id, "acknowledged_by": write.actor if first is None else str(first[0])}
