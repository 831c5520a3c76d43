"""Which layers of learning take effect: decided by a person, appended to a log, never changed."""

from typing import Final

import duckdb
import polars as pl

from warehouse import schema
from warehouse.catalog import Catalog
from warehouse.documents import JSON
from warehouse.errors import LabelError
from warehouse.state.writes import Write, text

MAX_PREVIEW: Final = 500

HOLDING: Final = ("likeness", "threshold")
"""Layers that hold events back: off until a person applies them."""

FURTHER: Final = ("windows", "probability", "telling")
"""Layers that hide nothing: on unless a decision in force switched them off."""

LAYERS: Final = (*HOLDING, *FURTHER)

LEARNING: Final = pl.Schema(
    [
        ("seq", pl.Int64),
        ("action", pl.String),
        *((name, pl.Boolean) for name in LAYERS),
        ("previewed", pl.String),
        ("actor", pl.String),
        ("recorded_at", schema.TIME),
    ]
)

_NAME: Final = "learning"
_USUAL: Final = (False, False, True, True, True)


def windows_follow(catalog: Catalog) -> bool:
    """Return whether verdicts change what is learned from and what bars are set from, from any process."""
    decided = catalog.source_settings(_NAME)
    return decided is None or decided.get("windows") is not False


def apply_learning(cursor: duckdb.DuckDBPyConnection, write: Write, catalog: Catalog) -> dict[str, JSON]:
    """Let verdicts take effect, by the layers named, in the open transaction.

    The catalogue, where workers look the layer ``windows`` up, is written before the transaction commits.

    Raises
    ------
    LabelError
        A layer is no yes or no, none differs from what is usual, or the same are in force already.
    """
    chosen = (
        *(_switch(write.payload.get(name), name) for name in HOLDING),
        *(_switch(write.payload.get(name, True), name) for name in FURTHER),
    )
    if chosen == _USUAL:
        raise LabelError(
            "learning needs at least one rule that holds events back, or another layer switched off"
        )
    if _in_force(cursor) == chosen:
        raise LabelError("verdicts take effect already, by the same rules")
    seq = _append(cursor, write, "apply", chosen, text(write.payload, "previewed", MAX_PREVIEW))
    catalog.put_source_settings(_NAME, {"windows": chosen[LAYERS.index("windows")]})
    return {"seq": seq, **dict(zip(LAYERS, chosen, strict=True))}


def stop_learning(cursor: duckdb.DuckDBPyConnection, write: Write, catalog: Catalog) -> dict[str, JSON]:
    """Take the decision in force back, in the open transaction; what it held back is shown again.

    Raises
    ------
    LabelError
        None is in force.
    """
    chosen = _in_force(cursor)
    if chosen is None:
        raise LabelError("verdicts take no effect now, so there is nothing to undo")
    catalog.put_source_settings(_NAME, {"windows": True})
    return {"seq": _append(cursor, write, "stop", chosen, "")}


def _in_force(cursor: duckdb.DuckDBPyConnection) -> tuple[bool, ...] | None:
    row = cursor.execute(
        "SELECT action, likeness, threshold, windows, probability, telling"
        " FROM learning_log ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    return None if row is None or row[0] == "stop" else tuple(map(bool, row[1:]))


def _append(
    cursor: duckdb.DuckDBPyConnection, write: Write, action: str, chosen: tuple[bool, ...], previewed: str
) -> int:
    row = cursor.execute(
        "INSERT INTO learning_log (seq, write_id, action, likeness, threshold, windows, probability,"
        " telling, previewed, actor, recorded_at)"
        " SELECT coalesce(max(seq), 0) + 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM learning_log RETURNING seq",
        [write.write_id, action, *chosen, previewed, write.actor, write.at],
    ).fetchone()
    if row is None:  # an aggregate always gives one row
        raise LabelError("the decision was not stored")
    return int(row[0])


def _switch(value: JSON, name: str) -> bool:
    if not isinstance(value, bool):
        raise LabelError(f"{name} must be true or false, not {value!r}")
    return value
