"""Writes inside one transaction: each found in the audit, or done and entered there."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias

import duckdb
import polars as pl

from warehouse import schema
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
from warehouse.state.label_book import LabelBook
from warehouse.state.writes import Write, next_seq

# Writes that change the catalogue too: they wait in the inbox until both stores have them.
BOTH_STORES: Final = frozenset({"learning.apply", "learning.stop", "sensor.unit", "snapshot.pin"})

AUDIT: Final = pl.Schema(
    [
        ("seq", pl.Int64),
        ("write_id", pl.String),
        ("kind", pl.String),
        ("payload", pl.String),
        ("actor", pl.String),
        ("recorded_at", schema.TIME),
        ("outcome", pl.String),
    ]
)

Outcome: TypeAlias = dict[str, JSON]

_GIVEN: Final[dict[str, Callable[[LabelBook, Write, Catalog], Outcome]]] = {
    "label.set": label_writes.set_label,
    "label.set_many": label_writes.set_labels,
}

_TAKEN_BACK: Final[dict[str, Callable[[LabelBook, Write], Outcome]]] = {
    "label.undo": label_writes.undo_label,
    "label.undo_many": label_writes.undo_labels,
}

_ALONE: Final[dict[str, Callable[[duckdb.DuckDBPyConnection, Write], Outcome]]] = {
    "event.acknowledge": attention.acknowledge,
    "event.unacknowledge": attention.unacknowledge,
    "event.assign": attention.assign,
    "event.snooze": attention.snooze,
    "maintenance.end": maintenance.end_window,
    "view.save": saved_views.save_view,
    "view.remove": saved_views.remove_view,
    "fault_class.add": fault_classes.add_fault_class,
    "fault_class.retire": fault_classes.retire_fault_class,
}

_BY_CATALOGUE: Final[dict[str, Callable[[duckdb.DuckDBPyConnection, Write, Catalog], Outcome]]] = {
    "maintenance.set": maintenance.set_window,
    "asset.criticality": maintenance.set_criticality,
    "learning.apply": learning.apply_learning,
    "learning.stop": learning.stop_learning,
    "limits.set": limits.set_limits,
    "sensor.unit": shown_units.set_unit,
}


def apply(
    cursor: duckdb.DuckDBPyConnection, writes: Sequence[Write], warehouse: Warehouse
) -> list[Outcome | LabelError]:
    """Make `writes` in the open transaction, but for those made before, and return what became of each.

    A refusal comes before anything is written, so that the others can go on.
    """
    known = _known(cursor, writes)
    book = LabelBook(cursor, _named_events(writes))
    made: list[Outcome | LabelError] = []
    entered: list[tuple[Write, Outcome]] = []
    for write in writes:
        if write.write_id in known:
            made.append(known[write.write_id])
            continue
        cursor.complete()
        try:
            outcome = _make(cursor, book, write, warehouse)
        except LabelError as error:
            made.append(error)
            continue
        known[write.write_id] = outcome
        entered.append((write, outcome))
        made.append(outcome)
    _enter(book.written(), entered)
    return made


def _known(cursor: duckdb.DuckDBPyConnection, writes: Sequence[Write]) -> dict[str, Outcome]:
    rows = cursor.execute(
        "SELECT write_id, outcome FROM audit WHERE write_id IN (SELECT unnest(?::VARCHAR[]))",
        [[write.write_id for write in writes]],
    ).fetchall()
    return {write_id: loads(outcome) for write_id, outcome in rows}


def _named_events(writes: Sequence[Write]) -> Iterator[str]:
    for write in writes:
        several = write.payload.get("labels")
        for one in several if isinstance(several, list) else [write.payload]:
            event_id = one.get("event_id") if isinstance(one, dict) else None
            if isinstance(event_id, str):
                yield event_id.strip()


def _make(cursor: duckdb.DuckDBPyConnection, book: LabelBook, write: Write, warehouse: Warehouse) -> Outcome:
    if write.kind in _GIVEN:
        return _GIVEN[write.kind](book, write, warehouse.catalog)
    if write.kind in _TAKEN_BACK:
        return _TAKEN_BACK[write.kind](book, write)
    if write.kind in _ALONE:
        return _ALONE[write.kind](cursor, write)
    if write.kind in _BY_CATALOGUE:
        return _BY_CATALOGUE[write.kind](cursor, write, warehouse.catalog)
    if write.kind == "snapshot.pin":
        return snapshot_pins.pin(write, warehouse.manifest)
    raise LabelError(f"there is no write of kind {write.kind!r}")


def _enter(cursor: duckdb.DuckDBPyConnection, entered: Sequence[tuple[Write, Outcome]]) -> None:
    """Write the audit's rows of what was made."""
    if not entered:
        return
    first = next_seq(cursor, "audit")
    rows = [
        (seq, write.write_id, write.kind, dumps(write.payload), write.actor, write.at, dumps(outcome))
        for seq, (write, outcome) in enumerate(entered, start=first)
    ]
    cursor.complete()
    cursor.register("incoming_audit", pl.DataFrame(rows, schema=AUDIT, orient="row"))
    cursor.execute("INSERT INTO audit BY NAME SELECT * FROM incoming_audit")
    cursor.unregister("incoming_audit")
