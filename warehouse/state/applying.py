"""Writes inside one transaction: each found in the audit, or done and entered there."""

from collections.abc import Callable, Sequence
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
from warehouse.state.appending import append
from warehouse.state.label_book import LabelBook
from warehouse.state.label_writes import LabelWrite
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
    stated = {
        write.write_id: _stated(write, warehouse.catalog)
        for write in writes
        if write.kind in label_writes.KINDS and write.write_id not in known
    }
    sound = [one for one in stated.values() if isinstance(one, LabelWrite)]
    book = LabelBook(
        cursor,
        [asked for one in sound for asked in one.asked],
        [label_id for one in sound for label_id in one.label_ids],
    )
    made: list[Outcome | LabelError] = []
    entered: list[tuple[Write, Outcome]] = []
    for write in writes:
        if write.write_id in known:
            made.append(known[write.write_id])
            continue
        try:
            outcome = _make(cursor, book, write, stated.get(write.write_id), warehouse)
        except LabelError as error:
            made.append(error)
            continue
        known[write.write_id] = outcome
        entered.append((write, outcome))
        made.append(outcome)
    book.write()
    _enter(cursor, entered)
    return made


def _known(cursor: duckdb.DuckDBPyConnection, writes: Sequence[Write]) -> dict[str, Outcome]:
    rows = cursor.execute(
        "SELECT write_id, outcome FROM audit WHERE write_id IN (SELECT unnest(?::VARCHAR[]))",
        [[write.write_id for write in writes]],
    ).fetchall()
    return {write_id: loads(outcome) for write_id, outcome in rows}


def _stated(write: Write, catalog: Catalog) -> LabelWrite | LabelError:
    try:
        return label_writes.checked(write, catalog)
    except LabelError as error:
        return error


def _make(
    cursor: duckdb.DuckDBPyConnection,
    book: LabelBook,
    write: Write,
    stated: LabelWrite | LabelError | None,
    warehouse: Warehouse,
) -> Outcome:
    if isinstance(stated, LabelError):
        raise stated
    if stated is not None:
        return label_writes.make(book, write, stated)
    # What was asked before may not have been read to its end.
    cursor.complete()
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
    append(cursor, "audit", AUDIT, rows)
