"""Whether verdicts take effect on later events: decided by a person, appended to a log, never changed."""

from typing import Final

import duckdb
import polars as pl

from warehouse import schema
from warehouse.documents import JSON
from warehouse.errors import LabelError
from warehouse.state.writes import Write, text

MAX_PREVIEW: Final = 500

LEARNING: Final = pl.Schema(
    [
        ("seq", pl.Int64),
        ("action", pl.String),
        ("likeness", pl.Boolean),
        ("threshold", pl.Boolean),
        ("previewed", pl.String),
        ("actor", pl.String),
        ("recorded_at", schema.TIME),
    ]
)


def apply_learning(cursor: duckdb.DuckDBPyConnection, write: Write) -> dict[str, JSON]:
    """Let verdicts take effect, by the rules named, in the open transaction.

    Raises
    ------
    LabelError
        No rule is named, or the same rules are in force already.
    """
    rules = (_switch(write, "likeness"), _switch(write, "threshold"))
    if not any(rules):
        raise LabelError("learning needs at least one rule: likeness or threshold")
    if _in_force(cursor) == rules:
        raise LabelError("verdicts take effect already, by the same rules")
    seq = _append(cursor, write, "apply", rules, text(write.payload, "previewed", MAX_PREVIEW))
    return {"seq": seq, "likeness": rules[0], "threshold": rules[1]}


def stop_learning(cursor: duckdb.DuckDBPyConnection, write: Write) -> dict[str, JSON]:
    """Let verdicts take no effect any more, in the open transaction; what they held back is shown again.

    Raises
    ------
    LabelError
        They take none now.
    """
    rules = _in_force(cursor)
    if rules is None:
        raise LabelError("verdicts take no effect now, so there is nothing to undo")
    return {"seq": _append(cursor, write, "stop", rules, "")}


def _in_force(cursor: duckdb.DuckDBPyConnection) -> tuple[bool, bool] | None:
    row = cursor.execute(
        "SELECT action, likeness, threshold FROM learning_log ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    return None if row is None or row[0] == "stop" else (bool(row[1]), bool(row[2]))


def _append(
    cursor: duckdb.DuckDBPyConnection, write: Write, action: str, rules: tuple[bool, bool], previewed: str
) -> int:
    row = cursor.execute(
        "INSERT INTO learning_log SELECT coalesce(max(seq), 0) + 1, ?, ?, ?, ?, ?, ?, ? FROM learning_log"
        " RETURNING seq",
        [write.write_id, action, *rules, previewed, write.actor, write.at],
    ).fetchone()
    if row is None:  # an aggregate always gives one row
        raise LabelError("the decision was not stored")
    return int(row[0])


def _switch(write: Write, name: str) -> bool:
    value = write.payload.get(name)
    if not isinstance(value, bool):
        raise LabelError(f"{name} must be true or false, not {value!r}")
    return value
