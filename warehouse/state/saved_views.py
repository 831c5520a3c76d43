"""Views of a page that people keep under a name: its address, so that the same view comes back."""

from typing import Final
from urllib.parse import parse_qsl

import duckdb
import polars as pl

from warehouse import schema
from warehouse.documents import JSON
from warehouse.errors import LabelError
from warehouse.state.writes import Write, integer, name_of, next_seq, text

MAX_PAGE: Final = 40
MAX_NAME: Final = 80
MAX_ADDRESS: Final = 2000

VIEWS: Final = pl.Schema(
    [
        ("view_id", pl.Int64),
        ("page", pl.String),
        ("name", pl.String),
        ("address", pl.String),
        ("actor", pl.String),
        ("recorded_at", schema.TIME),
    ]
)


def save_view(cursor: duckdb.DuckDBPyConnection, write: Write) -> dict[str, JSON]:
    """Keep the query string of a page under a name, in the open transaction; the same name replaces.

    Raises
    ------
    LabelError
        Page or name is empty or too long, or the address is no query string.
    """
    page, name = name_of(write.payload, "page", MAX_PAGE), name_of(write.payload, "name", MAX_NAME)
    address = text(write.payload, "address", MAX_ADDRESS).removeprefix("?")
    try:
        parse_qsl(address, keep_blank_values=True, strict_parsing=bool(address))
    except ValueError as error:
        raise LabelError(f"address must be the query string of a page, not {address!r}") from error
    if not address.isprintable():
        raise LabelError("address holds characters that can't be part of one")
    seq = next_seq(cursor, "view_log")
    _append(cursor, write, seq, "save", (seq, page, name, address))
    return {"view_id": seq}


def remove_view(cursor: duckdb.DuckDBPyConnection, write: Write) -> dict[str, JSON]:
    """Remove a kept view in the open transaction.

    Raises
    ------
    LabelError
        There is no such view, or it was removed or replaced before.
    """
    view_id = integer(write.payload, "view_id")
    row = cursor.execute(
        "SELECT page, name, address FROM view_log WHERE view_id = ? AND action = 'save'", [view_id]
    ).fetchone()
    if row is None:
        raise LabelError(f"there is no saved view {view_id}")
    newest = cursor.execute(
        "SELECT action, view_id, actor FROM view_log WHERE page = ? AND name = ? ORDER BY seq DESC LIMIT 1",
        list(row[:2]),
    ).fetchone()
    if newest is not None and (newest[0] == "remove" or newest[1] != view_id):
        done = "removed" if newest[0] == "remove" else "replaced"
        raise LabelError(f"the view {row[1]!r} was {done} already, by {newest[2]}")
    _append(cursor, write, next_seq(cursor, "view_log"), "remove", (view_id, *row))
    return {"view_id": view_id}


def _append(
    cursor: duckdb.DuckDBPyConnection, write: Write, seq: int, action: str, view: tuple[object, ...]
) -> None:
    cursor.execute(
        "INSERT INTO view_log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [seq, write.write_id, action, *view, write.actor, write.at],
    )
