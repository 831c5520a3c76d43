"""What was ingested: one row an ingest that changed something."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from warehouse.instants import microseconds, moment_of
from warehouse.sqlite import Database


@dataclass(frozen=True)
class Batch:
    """An ingest that changed something.

    Parameters
    ----------
    source
        Name of the kind of source: ``"csv"``, ``"smap-msl"``.
    origin
        The file it read, as a person knows it; empty where there was none.
    snapshot_id
        The state that it left; None where nothing was ever stored.
    added, replaced, unchanged, duplicates
        Readings, counted as in `warehouse.telemetry.WriteReport`.
    refused
        Rows that it was the first to send to quarantine.
    """

    id: int
    source: str
    origin: str
    actor: str
    at: datetime
    snapshot_id: int | None
    added: int
    replaced: int
    unchanged: int
    duplicates: int
    refused: int


def batches(database: Database, limit: int = 100) -> tuple[Batch, ...]:
    """Return the newest ingests first, at most `limit`."""
    with database.reading() as connection:
        rows = connection.execute(
            "SELECT b.id, b.source, b.origin, b.actor, b.at_us, b.snapshot_id, b.added, b.replaced,"
            " b.unchanged, b.duplicates, (SELECT count(*) FROM quarantine q WHERE q.batch_id = b.id)"
            " FROM batches b ORDER BY b.id DESC LIMIT ?",
            (limit,),
        ).fetchall()
    return tuple(
        Batch(
            row[0], row[1], row[2], row[3], moment_of(row[4]), row[5], row[6], row[7], row[8], row[9], row[10]
        )
        for row in rows
    )


def add(
    connection: sqlite3.Connection,
    *,
    source: str,
    origin: str,
    actor: str,
    at: datetime,
    snapshot_id: int | None,
    counts: tuple[int, int, int, int],
) -> int:
    """Keep an ingest and return its id; `counts` are readings added, replaced, unchanged and doubled."""
    cursor = connection.execute(
        "INSERT INTO batches (source, origin, actor, at_us, snapshot_id, added, replaced, unchanged,"
        " duplicates) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (source, origin, actor, microseconds(at), snapshot_id, *counts),
    )
    return int(cursor.lastrowid or 0)
