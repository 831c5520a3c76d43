"""What snapshots hold, told from the manifest alone."""

import sqlite3
from dataclasses import dataclass
from typing import Final

from warehouse.errors import CatalogError
from warehouse.files import FILES, SNAPSHOTS, File, Snapshot, file_of, snapshot_of

_HELD: Final = "kind = 'readings' AND added_in <= ? AND (ended_in IS NULL OR ended_in > ?)"


@dataclass(frozen=True)
class Comparison:
    """Files of readings that two snapshots do not share, and how many readings each holds.

    Parameters
    ----------
    added
        Files that the newer one holds and the older one does not.
    ended
        Files that the older one holds and the newer one does not.
    rows_before, rows_after
        Readings of the older and of the newer one.
    """

    added: tuple[File, ...]
    ended: tuple[File, ...]
    rows_before: int
    rows_after: int


def existing(connection: sqlite3.Connection, snapshot_id: int) -> Snapshot:
    """Return a snapshot that can still be read.

    Raises
    ------
    CatalogError
        It is unknown or its files were removed.
    """
    row = connection.execute(SNAPSHOTS + "WHERE id = ?", (snapshot_id,)).fetchone()
    if row is not None and not row[5]:
        return snapshot_of(row)
    newest = connection.execute("SELECT coalesce(max(id), 0) FROM snapshots").fetchone()[0]
    if not 0 < snapshot_id <= newest:
        raise CatalogError(f"there is no snapshot {snapshot_id}")
    raise CatalogError(
        f"snapshot {snapshot_id} was not pinned and its files were removed; use the newest snapshot"
    )


def compared(connection: sqlite3.Connection, older_id: int, newer_id: int) -> Comparison:
    """Return what two snapshots do not share; see `Manifest.compare`."""
    added = _only(connection, newer_id, older_id)
    ended = _only(connection, older_id, newer_id)
    rows = [
        int(
            connection.execute(
                f"SELECT coalesce(sum(rows), 0) FROM files WHERE {_HELD}",  # noqa: S608 -- no values
                (one, one),
            ).fetchone()[0]
        )
        for one in (older_id, newer_id)
    ]
    # Asked last, so that a removal meanwhile is noticed.
    for one in (older_id, newer_id):
        existing(connection, one)
    return Comparison(added, ended, *rows)


def _only(connection: sqlite3.Connection, held_by: int, not_by: int) -> tuple[File, ...]:
    rows = connection.execute(
        f"{FILES} WHERE {_HELD} AND NOT ({_HELD}) ORDER BY start_us, sensor_min, id",
        (held_by, held_by, not_by, not_by),
    )
    return tuple(file_of(row) for row in rows)
