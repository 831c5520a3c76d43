"""One write inside one transaction: found in the audit, or done and entered there."""

from collections.abc import Callable
from typing import Final

import duckdb

from warehouse.catalog import Catalog
from warehouse.documents import JSON, dumps, loads
from warehouse.errors import LabelError
from warehouse.home import Warehouse
from warehouse.state import (
    attention,
    fault_classes,
    label_writes,
    learning,
    limits,
    maintenance,
    saved_views,
    shown_units,
    snapshot_pins,
)
from warehouse.state.writes import Write

# Writes that change the catalogue too: they wait in the inbox until both stores have them.
BOTH_STORES: Final = frozenset({"learning.apply", "learning.stop", "sensor.unit", "snapshot.pin"})

_ALONE: Final[dict[str, Callable[[duckdb.DuckDBPyConnection, Write], dict[str, JSON]]]] = {
    "label.undo": label_writes.undo_label,
    "label.undo_many": label_writes.undo_labels,
    "event.acknowledge": attention.acknowledge,
    "event.assign": attention.assign,
    "event.snooze": attention.snooze,
    "maintenance.end": maintenance.end_window,
    "view.save": saved_views.save_view,
    "view.remove": saved_views.remove_view,
    "fault_class.add": fault_classes.add_fault_class,
    "fault_class.retire": fault_classes.retire_fault_class,
}

_BY_CATALOGUE: Final[dict[str, Callable[[duckdb.DuckDBPyConnection, Write, Catalog], dict[str, JSON]]]] = {
    "label.set": label_writes.set_label,
    "label.set_many": label_writes.set_labels,
    "maintenance.set": maintenance.set_window,
    "asset.criticality": maintenance.set_criticality,
    "learning.apply": learning.apply_learning,
    "learning.stop": learning.stop_learning,
    "limits.set": limits.set_limits,
    "sensor.unit": shown_units.set_unit,
}


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
    if write.kind in _ALONE:
        outcome = _ALONE[write.kind](cursor, write)
    elif write.kind in _BY_CATALOGUE:
        outcome = _BY_CATALOGUE[write.kind](cursor, write, warehouse.catalog)
    elif write.kind == "snapshot.pin":
        outcome = snapshot_pins.pin(write, warehouse.manifest)
    else:
        raise LabelError(f"there is no write of kind {write.kind!r}")
    cursor.execute(
        "INSERT INTO audit SELECT coalesce(max(seq), 0) + 1, ?, ?, ?, ?, ?, ? FROM audit",
        [write.write_id, write.kind, dumps(write.payload), write.actor, write.at, dumps(outcome)],
    )
    return outcome
