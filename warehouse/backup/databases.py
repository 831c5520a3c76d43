"""Copies of the SQLite databases as of one instant each, and what is put right in a copy."""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Final

from warehouse.backup.document import BackupError, Unsound
from warehouse.backup.pins import let_go
from warehouse.backup.transfer import Wanted
from warehouse.durable import make_folder
from warehouse.instants import microseconds
from warehouse.state.copying import COPY

_BUSY_S: Final = 30.0

# Replaced and not pinned: kept in the home for a while for reads that began before, and not backed up.
_LOST: Final = (
    "SELECT id, added_in, ended_in FROM files WHERE ended_in IS NOT NULL AND NOT EXISTS"
    " (SELECT 1 FROM pins WHERE snapshot_id >= added_in AND snapshot_id < ended_in)"
)


def copy_database(source: Path, target: Path) -> None:
    """Copy a SQLite database that others may be writing, as of one instant, into one file.

    Raises
    ------
    BackupError
        It is damaged, stays locked, or the copy can't be written.
    """
    make_folder(target.parent)
    try:
        with (
            closing(sqlite3.connect(f"{source.as_uri()}?mode=rw", timeout=_BUSY_S, uri=True)) as origin,
            closing(sqlite3.connect(target, timeout=_BUSY_S)) as copy,
        ):
            # In one step: a copy in steps begins anew whenever another process commits.
            origin.backup(copy, pages=-1)
            # One file, without a log beside it; whoever opens it chooses the mode again.
            copy.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise BackupError(f"{source} can't be copied to {target}: {error}") from error


def opened(path: Path) -> "closing[sqlite3.Connection]":
    """Open a copy for changes in autocommit mode; to be used in a `with` block."""
    return closing(sqlite3.connect(path, isolation_level=None))


def settle_jobs(path: Path) -> None:
    """Take the requests for copies of the state out of a copy of ``jobs.sqlite``: nobody waits for them."""
    with opened(path) as copy:
        copy.execute("DELETE FROM inbox WHERE kind = ? AND settled_at IS NULL", (COPY,))


def needed_snapshots(path: Path) -> list[int]:
    """Forget the pins of backups in a copy of the catalogue and return the snapshots whose files it needs."""
    with opened(path) as copy:
        let_go(copy)
        rows = copy.execute(
            "SELECT snapshot_id FROM pins UNION SELECT max(id) FROM snapshots HAVING max(id) IS NOT NULL"
        )
        return sorted(snapshot for (snapshot,) in rows)


def files_of(path: Path) -> tuple[list[Wanted], set[str]]:
    """Return every file that a copy of the catalogue needs, and those of them that a repair gave up.

    Readings, rollups and results by the manifest, model files by their versions.
    """
    with opened(path) as copy:
        stored = copy.execute(
            f"SELECT path, sha256, size FROM files WHERE id NOT IN (SELECT id FROM ({_LOST})) ORDER BY id"  # noqa: S608 -- no values
        ).fetchall()
        given_up = copy.execute(
            "SELECT path FROM files JOIN damage ON damage.file_id = files.id WHERE repair_id IS NOT NULL"
        ).fetchall()
        versions = copy.execute("SELECT folder, artifacts FROM versions ORDER BY id").fetchall()
    files = [Wanted(one, digest, size, unchanging=True) for one, digest, size in stored]
    for folder, artifacts in versions:
        for name, digest in json.loads(artifacts).items():
            files.append(Wanted((PurePosixPath(folder) / name).as_posix(), digest, 0))
    return files, {one for (one,) in given_up}


def settle_catalog(path: Path, damaged: Sequence[Unsound], at: datetime) -> tuple[int, str]:
    """Make a copy of the catalogue name what the backup holds; return its newest snapshot and the digest.

    Snapshots that lack files are marked as gone, as a collection does, and damaged files are entered as such.
    """
    with opened(path) as copy:
        copy.execute("BEGIN IMMEDIATE")
        copy.execute(
            f"UPDATE snapshots SET gone = 1 WHERE gone = 0 AND EXISTS (SELECT 1 FROM ({_LOST}) AS lost"  # noqa: S608 -- no values
            " WHERE snapshots.id >= lost.added_in AND snapshots.id < lost.ended_in)"
        )
        copy.execute(f"DELETE FROM files WHERE id IN (SELECT id FROM ({_LOST}))")  # noqa: S608 -- no values
        copy.execute("DELETE FROM damage WHERE file_id NOT IN (SELECT id FROM files)")
        copy.executemany(
            "INSERT INTO damage (file_id, found_us, reason) SELECT id, ?, ? FROM files WHERE path = ?"
            " ON CONFLICT DO NOTHING",
            [(microseconds(at), one.reason, one.path) for one in damaged],
        )
        copy.execute("COMMIT")
        newest = copy.execute("SELECT id, digest FROM snapshots ORDER BY id DESC LIMIT 1").fetchone()
    return (0, "") if newest is None else (int(newest[0]), str(newest[1]))
