"""What a backup holds of the home while it copies, and how what a dead one held is let go.

One backup of a home runs at a time, under `backup.lock`, which the system takes from a process that dies. So
a pin of a backup, or a copy of the state that waits to be fetched, belongs to a dead one whenever that lock
is free. Who removes them holds the lock meanwhile.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from warehouse.backup.document import BackupError
from warehouse.layout import Layout
from warehouse.lock import LockHeld, ProcessLock
from warehouse.sqlite import Database

HOLDER: Final = "backup "

# How the state's owner names a copy in the staging folder.
STATE_COPIES: Final = "state-*.duckdb*"

# A tidy looks for what dead backups left and holds the lock for that long at most.
_PATIENCE_S: Final = 5.0


@contextmanager
def alone(layout: Layout) -> Iterator[None]:
    """Be the one backup of this home.

    Raises
    ------
    BackupError
        Another one runs.
    """
    lock = ProcessLock(layout.backup_lock)
    try:
        lock.acquire(_PATIENCE_S)
    except LockHeld as held:
        who = "another process" if held.pid is None else f"process {held.pid}"
        raise BackupError(f"{layout.root} is being backed up by {who}: wait until that has ended") from held
    try:
        yield
    finally:
        lock.release()


def hold(database: Database, snapshots: list[int], holder: str) -> bool:
    """Pin all of `snapshots` for `holder`, or none: False where files of one are gone already."""
    with database.transaction() as connection:
        for snapshot in snapshots:
            found = connection.execute("SELECT gone FROM snapshots WHERE id = ?", (snapshot,)).fetchone()
            if found is None or found[0]:
                connection.execute("DELETE FROM pins WHERE holder = ?", (holder,))
                return False
            connection.execute(
                "INSERT INTO pins (snapshot_id, holder) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (snapshot, holder),
            )
    return True


def let_go(connection: sqlite3.Connection, holder: str | None = None) -> int:
    """Remove the pins of one backup, or of all of them, in the open transaction; return how many."""
    if holder is not None:
        return connection.execute("DELETE FROM pins WHERE holder = ?", (holder,)).rowcount
    return connection.execute("DELETE FROM pins WHERE holder GLOB ?", (f"{HOLDER}*",)).rowcount


def let_go_of_dead(layout: Layout, database: Database) -> int:
    """Remove what backups that were killed hold, and return how many pins and copies that were.

    Nothing is done while a backup runs.
    """
    if not (_any_pin(database) or any(layout.staging.glob(STATE_COPIES))):
        return 0
    lock = ProcessLock(layout.backup_lock)
    try:
        lock.acquire()
    except LockHeld:
        return 0
    try:
        return clear(layout, database)
    finally:
        lock.release()


def clear(layout: Layout, database: Database) -> int:
    """Do what `let_go_of_dead` does, for a caller that is `alone`."""
    with database.transaction() as connection:
        removed = let_go(connection)
    for copy in layout.staging.glob(STATE_COPIES):
        copy.unlink(missing_ok=True)
        removed += 1
    return removed


def _any_pin(database: Database) -> bool:
    with database.reading() as connection:
        found = connection.execute("SELECT 1 FROM pins WHERE holder GLOB ? LIMIT 1", (f"{HOLDER}*",))
        return found.fetchone() is not None
