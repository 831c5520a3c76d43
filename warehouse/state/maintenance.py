"""Windows in which a machine is worked on, so that its alarms are held apart; how much machines matter."""

from datetime import timedelta
from typing import Final

import duckdb
import polars as pl

from warehouse import schema
from warehouse.catalog import Catalog
from warehouse.documents import JSON
from warehouse.errors import LabelError
from warehouse.state.writes import Write, integer, moment, name_of, next_seq, text

MAX_REASON: Final = 500
LONGEST: Final = timedelta(days=366)
LAST: Final = timedelta(days=3660)

# From the least to the most; what is not said is normal.
LEVELS: Final = ("low", "normal", "high", "vital")

WINDOWS: Final = pl.Schema(
    [
        ("window_id", pl.Int64),
        ("asset_id", pl.Int32),
        ("start", schema.TIME),
        ("end", schema.TIME),
        ("reason", pl.String),
        ("actor", pl.String),
        ("recorded_at", schema.TIME),
    ]
)
CRITICALITY: Final = pl.Schema(
    [("asset_id", pl.Int32), ("level", pl.String), ("actor", pl.String), ("recorded_at", schema.TIME)]
)


def set_window(cursor: duckdb.DuckDBPyConnection, write: Write, catalog: Catalog) -> dict[str, JSON]:
    """Append a window of maintenance in the open transaction and return its id.

    Raises
    ------
    LabelError
        The machine is unknown, no reason is given, or the window is empty, longer than a year or far away.
    """
    asset_id = _asset(write, catalog)
    start, end = moment(write.payload, "start"), moment(write.payload, "end")
    if start >= end:
        raise LabelError(f"maintenance must start before it ends, not {start:%Y-%m-%d %H:%M} to {end:%H:%M}")
    if end - start > LONGEST:
        raise LabelError(f"a window of maintenance is at most {LONGEST.days} days long, not {end - start}")
    if start < schema.EARLIEST or end > write.at + LAST:
        raise LabelError(f"maintenance must lie between {schema.EARLIEST.year} and ten years from now")
    reason = name_of(write.payload, "reason", MAX_REASON)
    seq = next_seq(cursor, "maintenance_log")
    cursor.execute(
        "INSERT INTO maintenance_log VALUES (?, ?, 'set', ?, ?, ?, ?, ?, ?, ?)",
        [seq, write.write_id, seq, asset_id, start, end, reason, write.actor, write.at],
    )
    return {"window_id": seq, "asset_id": asset_id}


def end_window(cursor: duckdb.DuckDBPyConnection, write: Write) -> dict[str, JSON]:
    """Append the taking back of a window in the open transaction: what it suppressed is shown again.

    Raises
    ------
    LabelError
        There is no such window, or it was taken back before.
    """
    window_id = integer(write.payload, "window_id")
    rows = cursor.execute(
        "SELECT action, asset_id, actor FROM maintenance_log WHERE window_id = ? ORDER BY seq", [window_id]
    ).fetchall()
    if not rows:
        raise LabelError(f"there is no maintenance window {window_id}")
    if rows[-1][0] == "end":
        raise LabelError(f"maintenance window {window_id} was taken back already, by {rows[-1][2]}")
    cursor.execute(
        'INSERT INTO maintenance_log SELECT ?, ?, \'end\', window_id, asset_id, "start", "end", reason, ?, ?'
        " FROM maintenance_log WHERE seq = ?",
        [next_seq(cursor, "maintenance_log"), write.write_id, write.actor, write.at, window_id],
    )
    return {"window_id": window_id, "asset_id": int(rows[0][1])}


def set_criticality(cursor: duckdb.DuckDBPyConnection, write: Write, catalog: Catalog) -> dict[str, JSON]:
    """Say in the open transaction how much a machine matters, and return what was said before.

    Raises
    ------
    LabelError
        The machine or the level is unknown.
    """
    asset_id = _asset(write, catalog)
    level = text(write.payload, "level", 40)
    if level not in LEVELS:
        raise LabelError(f"level must be one of {', '.join(LEVELS)}, not {level!r}")
    former = cursor.execute(
        "SELECT level FROM criticality_log WHERE asset_id = ? ORDER BY seq DESC LIMIT 1", [asset_id]
    ).fetchone()
    cursor.execute(
        "INSERT INTO criticality_log VALUES (?, ?, ?, ?, ?, ?)",
        [next_seq(cursor, "criticality_log"), write.write_id, asset_id, level, write.actor, write.at],
    )
    return {"asset_id": asset_id, "former": None if former is None else str(former[0])}


def _asset(write: Write, catalog: Catalog) -> int:
    asset_id = integer(write.payload, "asset_id")
    if all(one.id != asset_id for one in catalog.assets()):
        raise LabelError(f"there is no machine #{asset_id}")
    return asset_id
