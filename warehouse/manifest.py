"""The manifest: which files are live, what each snapshot holds, and the one way to change that."""

import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from warehouse.errors import CatalogError, ManifestConflict
from warehouse.instants import microseconds, moment_of
from warehouse.sqlite import Database

Kind = Literal["readings", "rollups", "scores", "score_rollups", "events", "labels"]
Within = Callable[[sqlite3.Connection, "Snapshot"], None]


@dataclass(frozen=True)
class NewFile:
    """A file that lies durably in its place and is not in the manifest yet.

    Parameters
    ----------
    path
        Relative to the home, with forward slashes.
    start, end
        Half-open span of its times, UTC.
    sensor_min, sensor_max
        Smallest and largest sensor id in it, both inclusive.
    parent_id
        The file it rewrites, None if it is new.
    """

    kind: Kind
    path: str
    sha256: str
    size: int
    rows: int
    start: datetime
    end: datetime
    sensor_min: int
    sensor_max: int
    version_id: int | None = None
    parent_id: int | None = None


@dataclass(frozen=True)
class File(NewFile):
    """A file of the manifest; `added_in` and `ended_in` are snapshots, `ended_in` None while it is live."""

    id: int = 0
    added_in: int = 0
    ended_in: int | None = None


@dataclass(frozen=True)
class Snapshot:
    """A named, unchanging state of everything stored.

    Parameters
    ----------
    digest
        SHA-256 over path and SHA-256 of every live file of readings, in order of path.
    pinned
        True while its files are kept although newer ones replaced them.
    """

    id: int
    digest: str
    created_at: datetime
    note: str
    pinned: bool


@dataclass(frozen=True)
class Span:
    """What a commit was computed from: times ``[start, end)`` of sensors ``[sensor_min, sensor_max]``."""

    kind: Kind
    start: datetime
    end: datetime
    sensor_min: int
    sensor_max: int
    version_id: int | None = None


_FILE: Final = (
    "SELECT kind, path, sha256, size, rows, start_us, end_us, sensor_min, sensor_max, version_id, parent_id,"
    " id, added_in, ended_in FROM files "
)
_SNAPSHOT: Final = (
    "SELECT id, digest, created_us, note, EXISTS (SELECT 1 FROM pins WHERE snapshot_id = snapshots.id), gone"
    " FROM snapshots "
)
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
    ) -> tuple[File, ...]:
        """Return the files that may hold what is asked for, all as of one instant.

        Parameters
        ----------
        start, end
            Half-open span, UTC; None for no bound.
        sensor_ids, version_id
            None for all.
        snapshot_id
            As of that snapshot instead of now.

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
        }
        state = (
            "ended_in IS NULL"
            if snapshot_id is None
            else "added_in <= :snapshot AND (ended_in IS NULL OR ended_in > :snapshot)"
        )
        with self.database.reading() as connection:
            rows = connection.execute(
                f"{_FILE} WHERE {state} AND kind = :kind AND (:start IS NULL OR end_us > :start)"
                " AND (:end IS NULL OR start_us < :end) AND (:high IS NULL OR sensor_min <= :high)"
                " AND (:low IS NULL OR sensor_max >= :low) AND (:version IS NULL OR version_id = :version)"
                " ORDER BY start_us, sensor_min, id",
                given,
            ).fetchall()
            # Asked after the files, so that a removal between the two is noticed.
            if snapshot_id is not None and snapshot_id != 0:
                _existing(connection, snapshot_id)
        wanted = None if sensor_ids is None or len(sensor_ids) > 64 else sorted(sensor_ids)
        files = (_file(row) for row in rows)
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
                return _existing(connection, snapshot_id)
            row = connection.execute(_SNAPSHOT + "ORDER BY id DESC LIMIT 1").fetchone()
            return None if row is None else _snapshot(row)

    def kept(self) -> tuple[File, ...]:
        """Return every file that is live or that a pinned snapshot needs."""
        with self.database.reading() as connection:
            rows = connection.execute(
                _FILE + " WHERE ended_in IS NULL OR EXISTS (SELECT 1 FROM pins WHERE"  # noqa: S608 -- no values
                " snapshot_id >= added_in AND snapshot_id < ended_in) ORDER BY id"
            ).fetchall()
        return tuple(_file(row) for row in rows)

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
            _existing(connection, snapshot_id)
            connection.execute(
                "INSERT INTO pins (snapshot_id, holder) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (snapshot_id, holder),
            )

    def unpin(self, snapshot_id: int, *, holder: str = "a person") -> None:
        """Let go of a snapshot; others that hold it still do."""
        with self.database.transaction() as connection:
            connection.execute("DELETE FROM pins WHERE snapshot_id = ? AND holder = ?", (snapshot_id, holder))

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

        Raises
        ------
        ManifestConflict
            Another write came between; recompute from the newest state and try again.
        """
        with self.database.transaction() as connection:
            _check_untouched(connection, base, touching)
            cursor = connection.execute(
                "INSERT INTO snapshots (digest, created_us, note) VALUES ('', ?, ?)", (microseconds(at), note)
            )
            snapshot_id = int(cursor.lastrowid or 0)
            for file_id in end:
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
            snapshot = _existing(connection, snapshot_id)
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


def _existing(connection: sqlite3.Connection, snapshot_id: int) -> Snapshot:
    row = connection.execute(_SNAPSHOT + "WHERE id = ?", (snapshot_id,)).fetchone()
    if row is not None and not row[5]:
        return _snapshot(row)
    newest = connection.execute("SELECT coalesce(max(id), 0) FROM snapshots").fetchone()[0]
    if not 0 < snapshot_id <= newest:
        raise CatalogError(f"there is no snapshot {snapshot_id}")
    raise CatalogError(
        f"snapshot {snapshot_id} was not pinned and its files were removed; use the newest snapshot"
    )


def _snapshot(row: tuple[int, str, int, str, int, int]) -> Snapshot:
    return Snapshot(row[0], row[1], moment_of(row[2]), row[3], bool(row[4]))


def _file(
    row: tuple[Kind, str, str, int, int, int, int, int, int, int | None, int | None, int, int, int | None],
) -> File:
    kind, path, sha256, size, rows, start, end, low, high, version, parent, id_, added, ended = row
    return File(
        kind=kind,
        path=path,
        sha256=sha256,
        size=size,
        rows=rows,
        start=moment_of(start),
        end=moment_of(end),
        sensor_min=low,
        sensor_max=high,
        version_id=version,
        parent_id=parent,
        id=id_,
        added_in=added,
        ended_in=ended,
    )
