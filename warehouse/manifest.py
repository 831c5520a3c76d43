"""The manifest: which files are live, what each snapshot holds, and the one way to change that."""

import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from warehouse.errors import ManifestConflict
from warehouse.files import FILES, SNAPSHOTS, File, Kind, NewFile, Snapshot, Span, file_of, snapshot_of
from warehouse.instants import microseconds
from warehouse.snapshots import Comparison, compared, existing
from warehouse.sqlite import Database

__all__ = ["Comparison", "File", "Kind", "Manifest", "NewFile", "Snapshot", "Span", "Within"]

Within = Callable[[sqlite3.Connection, Snapshot], None]

_EMPTY: Final = hashlib.sha256().hexdigest()


class Manifest:
    """Files, snapshots and pins in ``catalog.sqlite``; safe to use from any thread and process."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def live(
        self,
        kind: Kind,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        sensor_ids: Sequence[int] | None = None,
        version_id: int | None = None,
        snapshot_id: int | None = None,
        damaged: bool = False,
    ) -> tuple[File, ...]:
        """Return the files that may hold what is asked for, all as of one instant.

        Files that are known to be damaged are left out.

        Parameters
        ----------
        start, end
            Half-open span, UTC; None for no bound.
        sensor_ids, version_id
            None for all.
        snapshot_id
            As of that snapshot instead of now.
        damaged
            Name damaged files too.

        Raises
        ------
        CatalogError
            The snapshot is unknown or its files were removed.
        """
        if sensor_ids is not None and len(sensor_ids) == 0:
            return ()
        given = {
            "kind": kind,
            "start": None if start is None else microseconds(start),
            "end": None if end is None else microseconds(end),
            "low": None if sensor_ids is None else int(min(sensor_ids)),
            "high": None if sensor_ids is None else int(max(sensor_ids)),
            "version": version_id,
            "snapshot": snapshot_id,
            "damaged": damaged,
        }
        state = (
            "ended_in IS NULL"
            if snapshot_id is None
            else "added_in <= :snapshot AND (ended_in IS NULL OR ended_in > :snapshot)"
        )
        with self.database.reading() as connection:
            rows = connection.execute(
                f"{FILES} WHERE {state} AND kind = :kind AND (:start IS NULL OR end_us > :start)"  # noqa: S608
                " AND (:end IS NULL OR start_us < :end) AND (:high IS NULL OR sensor_min <= :high)"
                " AND (:low IS NULL OR sensor_max >= :low) AND (:version IS NULL OR version_id = :version)"
                " AND (:damaged OR id NOT IN (SELECT file_id FROM damage)) ORDER BY start_us, sensor_min, id",
                given,
            ).fetchall()
            # Asked after the files, so that a removal between the two is noticed.
            if snapshot_id is not None and snapshot_id != 0:
                existing(connection, snapshot_id)
        wanted = None if sensor_ids is None or len(sensor_ids) > 64 else sorted(sensor_ids)
        files = (file_of(row) for row in rows)
        if wanted is None:
            return tuple(files)
        return tuple(one for one in files if any(one.sensor_min <= id_ <= one.sensor_max for id_ in wanted))

    def snapshot(self, snapshot_id: int | None = None) -> Snapshot | None:
        """Return a snapshot, or the newest; None while nothing was ever stored.

        Raises
        ------
        CatalogError
            The snapshot is unknown or its files were removed.
        """
        with self.database.reading() as connection:
            if snapshot_id is not None:
                return existing(connection, snapshot_id)
            row = connection.execute(SNAPSHOTS + "ORDER BY id DESC LIMIT 1").fetchone()
            return None if row is None else snapshot_of(row)

    def snapshots(self, limit: int = 200) -> tuple[Snapshot, ...]:
        """Return the snapshots that can still be read, newest first, at most `limit`."""
        with self.database.reading() as connection:
            rows = connection.execute(
                SNAPSHOTS + "WHERE gone = 0 ORDER BY id DESC LIMIT ?", (limit,)
            ).fetchall()
        return tuple(snapshot_of(row) for row in rows)

    def compare(self, older_id: int, newer_id: int) -> Comparison:
        """Return which files of readings two snapshots do not share, and how many rows each holds.

        Raises
        ------
        CatalogError
            A snapshot is unknown or its files were removed.
        """
        with self.database.reading() as connection:
            return compared(connection, older_id, newer_id)

    def kept(self) -> tuple[File, ...]:
        """Return every file that is live or that a pinned snapshot needs.

        Damaged ones are among them until a repair has decided on them.
        """
        with self.database.reading() as connection:
            rows = connection.execute(
                FILES + " WHERE (ended_in IS NULL OR EXISTS (SELECT 1 FROM pins WHERE"  # noqa: S608 -- no values
                " snapshot_id >= added_in AND snapshot_id < ended_in)) AND id NOT IN"
                " (SELECT file_id FROM damage WHERE repair_id IS NOT NULL) ORDER BY id"
            ).fetchall()
        return tuple(file_of(row) for row in rows)

    def unknown(self, paths: Sequence[str]) -> list[str]:
        """Return those of `paths`, relative to the home, that no snapshot ever named."""
        with self.database.reading() as connection:
            return [
                path
                for path in paths
                if not connection.execute("SELECT 1 FROM files WHERE path = ?", (path,)).fetchone()
            ]

    def pin(self, snapshot_id: int, *, holder: str = "a person") -> None:
        """Keep the files of a snapshot until `holder` lets go; pinning twice is pinning once.

        Raises
        ------
        CatalogError
            The snapshot is unknown or its files were removed.
        """
        with self.database.transaction() as connection:
            existing(connection, snapshot_id)
            connection.execute(
                "INSERT INTO pins (snapshot_id, holder) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (snapshot_id, holder),
            )

    def unpin(self, snapshot_id: int, *, holder: str = "a person") -> None:
        """Let go of a snapshot; others that hold it still do."""
        with self.database.transaction() as connection:
            connection.execute("DELETE FROM pins WHERE snapshot_id = ? AND holder = ?", (snapshot_id, holder))

    def release(self, holder: str) -> int:
        """Let go of every snapshot that `holder` holds, and return how many there were."""
        with self.database.transaction() as connection:
            return connection.execute("DELETE FROM pins WHERE holder = ?", (holder,)).rowcount

    def held_by(self, prefix: str) -> tuple[str, ...]:
        """Return the holders of any snapshot whose name begins with `prefix`, in order."""
        with self.database.reading() as connection:
            rows = connection.execute(
                "SELECT DISTINCT holder FROM pins WHERE substr(holder, 1, length(?1)) = ?1 ORDER BY holder",
                (prefix,),
            ).fetchall()
            return tuple(holder for (holder,) in rows)

    def holders(self, snapshot_ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
        """Return who keeps each of the snapshots; those that nobody keeps are left out."""
        marks = ", ".join("?" for _ in snapshot_ids)
        with self.database.reading() as connection:
            rows = connection.execute(
                f"SELECT snapshot_id, holder FROM pins WHERE snapshot_id IN ({marks}) ORDER BY holder",  # noqa: S608
                list(snapshot_ids),
            ).fetchall()
        held: dict[int, tuple[str, ...]] = {}
        for snapshot_id, holder in rows:
            held[snapshot_id] = (*held.get(snapshot_id, ()), holder)
        return held

    def commit(
        self,
        *,
        add: Sequence[NewFile],
        end: Sequence[int],
        base: int,
        touching: Sequence[Span],
        note: str,
        at: datetime,
        within: Within | None = None,
        repairing: bool = False,
    ) -> Snapshot:
        """Add and end files and name the state that results, in one transaction.

        Parameters
        ----------
        add
            Files that lie durably in their places.
        end
            Ids of live files that they replace.
        base
            Id of the snapshot that everything was computed from; 0 for the empty store.
        touching
            What was looked at: files that others added to it or ended in it since `base` are a conflict.
        within
            Does more in the same transaction, given its connection and the new snapshot.
        repairing
            Files to end may be damaged; else that is a conflict, as what was read of them can't be trusted.

        Raises
        ------
        ManifestConflict
            Another write came between, or a file was found damaged; recompute from the newest state and try
            again.
        """
        with self.database.transaction() as connection:
            _check_untouched(connection, base, touching)
            cursor = connection.execute(
                "INSERT INTO snapshots (digest, created_us, note) VALUES ('', ?, ?)", (microseconds(at), note)
            )
            snapshot_id = int(cursor.lastrowid or 0)
            for file_id in end:
                if not repairing and _is_damaged(connection, file_id):
                    raise ManifestConflict(f"file {file_id} was found damaged meanwhile")
                hit = connection.execute(
                    "UPDATE files SET ended_in = ?, ended_us = ? WHERE id = ? AND ended_in IS NULL",
                    (snapshot_id, microseconds(at), file_id),
                ).rowcount
                if hit != 1:
                    raise ManifestConflict(f"file {file_id} was replaced by another write")
            connection.executemany(
                "INSERT INTO files (kind, path, sha256, size, rows, start_us, end_us, sensor_min, sensor_max,"
                " version_id, parent_id, added_in) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        one.kind,
                        one.path,
                        one.sha256,
                        one.size,
                        one.rows,
                        microseconds(one.start),
                        microseconds(one.end),
                        one.sensor_min,
                        one.sensor_max,
                        one.version_id,
                        one.parent_id,
                        snapshot_id,
                    )
                    for one in add
                ],
            )
            connection.execute(
                "UPDATE snapshots SET digest = ? WHERE id = ?",
                (_digest(connection, snapshot_id, add, end), snapshot_id),
            )
            snapshot = existing(connection, snapshot_id)
            if within is not None:
                within(connection, snapshot)
        return snapshot


def _check_untouched(connection: sqlite3.Connection, base: int, touching: Sequence[Span]) -> None:
    newest = connection.execute("SELECT coalesce(max(id), 0) FROM snapshots").fetchone()[0]
    if newest == base:
        return
    for span in touching:
        row = connection.execute(
            "SELECT path FROM files WHERE kind = :kind AND (added_in > :base OR ended_in > :base)"
            " AND start_us < :end AND end_us > :start AND sensor_min <= :high AND sensor_max >= :low"
            " AND version_id IS :version LIMIT 1",
            {
                "kind": span.kind,
                "base": base,
                "start": microseconds(span.start),
                "end": microseconds(span.end),
                "low": span.sensor_min,
                "high": span.sensor_max,
                "version": span.version_id,
            },
        ).fetchone()
        if row is not None:
            raise ManifestConflict(f"{row[0]} was changed by another write")


def _is_damaged(connection: sqlite3.Connection, file_id: int) -> bool:
    found = connection.execute("SELECT 1 FROM damage WHERE file_id = ?", (file_id,)).fetchone()
    return found is not None


def _digest(
    connection: sqlite3.Connection, snapshot_id: int, add: Sequence[NewFile], end: Sequence[int]
) -> str:
    if not any(one.kind == "readings" for one in add) and not _any_readings(connection, end):
        row = connection.execute(
            "SELECT digest FROM snapshots WHERE id < ? ORDER BY id DESC LIMIT 1", (snapshot_id,)
        ).fetchone()
        return _EMPTY if row is None else str(row[0])
    digest = hashlib.sha256()
    for path, sha256 in connection.execute(
        "SELECT path, sha256 FROM files WHERE kind = 'readings' AND ended_in IS NULL ORDER BY path"
    ):
        digest.update(f"{path}\n{sha256}\n".encode())
    return digest.hexdigest()


def _any_readings(connection: sqlite3.Connection, ids: Sequence[int]) -> bool:
    return any(
        connection.execute("SELECT 1 FROM files WHERE id = ? AND kind = 'readings'", (one,)).fetchone()
        for one in ids
    )
