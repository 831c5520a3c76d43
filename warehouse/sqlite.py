"""SQLite as every store here uses it: WAL, full sync, numbered migrations, one transaction a write."""

import contextlib
import re
import sqlite3
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

from warehouse.durable import settle
from warehouse.errors import DatabaseHeld, IntegrityError, SchemaError, WarehouseError
from warehouse.room import disk_full, is_full, unwritable

MIGRATIONS: Final = Path(__file__).parent / "migrations"

_BUSY_S: Final = 30.0
_NUMBERED: Final = re.compile(r"^(\d{4})_\w+\.sql$")


def connect(path: Path) -> sqlite3.Connection:
    """Open `path` for use by one thread at a time, creating it if need be.

    Returns
    -------
    sqlite3.Connection
        In autocommit mode: transactions are begun in words. WAL, synchronous FULL, foreign keys on.

    Raises
    ------
    IntegrityError
        The file is no SQLite database or is damaged.
    DatabaseHeld
        It stays locked.
    WarehouseError
        It can't be opened.
    """
    try:
        connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise _told(path, error) from error
    try:
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
    except sqlite3.DatabaseError as error:
        connection.close()
        raise _told(path, error) from error
    return connection


def _told(path: Path, error: sqlite3.Error) -> WarehouseError:
    """Return what SQLite says of the file at `path`, with what to do."""
    if not isinstance(error, sqlite3.OperationalError):
        return IntegrityError(f"{path} is damaged or no SQLite database ({error}); restore it from a backup")
    if is_full(error, path):
        return disk_full(path)
    if "locked" in str(error):
        return DatabaseHeld(
            f"{path} is held by another write for more than {_BUSY_S:.0f} s ({error}); "
            "nothing of this was stored: do it again; if that goes on, see who writes with `telltale status`"
        )
    return WarehouseError(f"{path}: {error}")


def _write_ahead(connection: sqlite3.Connection) -> None:
    # Two first openers contend for the exclusive lock that the change of mode needs, and SQLite does
    # not call its busy handler for that.
    deadline = time.monotonic() + _BUSY_S
    while True:
        try:
            if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def migrate(connection: sqlite3.Connection, folder: Path) -> None:
    """Bring a database to the newest version that the numbered ``*.sql`` files of `folder` define.

    A file that holds an older version is first copied beside itself as ``<file>.v<N>.bak``.

    Raises
    ------
    SchemaError
        The file was written by a newer release, or `folder` skips a number.
    """
    scripts = _scripts(folder)
    path = Path(connection.execute("PRAGMA database_list").fetchone()[2])
    found = _version(connection)
    if found > len(scripts):
        raise SchemaError(
            f"{path} has version {found}, this release knows {len(scripts)}: "
            "start the newer release that wrote it, or restore the backup that was made before it"
        )
    if found == len(scripts):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have been first; from here on none can write.
        found = _version(connection)
        if 0 < found < len(scripts):
            _back_up(path, path.with_name(f"{path.name}.v{found}.bak"))
        for number in range(found + 1, len(scripts) + 1):
            for statement in _statements(scripts[number - 1].read_text("utf-8")):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number:d}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _scripts(folder: Path) -> list[Path]:
    scripts = sorted(path for path in folder.glob("*.sql") if _NUMBERED.match(path.name))
    for number, path in enumerate(scripts, start=1):
        if int(path.name[:4]) != number:
            raise SchemaError(f"migration {number:04d} is missing before {path.name}")
    return scripts


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _back_up(path: Path, target: Path) -> None:
    """Copy the database at `path` to `target`, durably and whole or not at all."""
    part = target.with_name(f"{target.name}.part")
    try:
        part.unlink(missing_ok=True)
        with (
            contextlib.closing(sqlite3.connect(path)) as source,
            contextlib.closing(sqlite3.connect(part)) as copy,
        ):
            source.backup(copy)
        settle(part, target)
    except (OSError, sqlite3.Error) as error:
        raise unwritable(target, error) from error
    finally:
        part.unlink(missing_ok=True)


def _statements(script: str) -> Iterator[str]:
    # executescript commits what is open, so statements go one by one into one transaction.
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if pending.strip():
        raise SchemaError(f"a migration ends inside a statement: {pending.strip()[:60]}")


class Database:
    """A migrated SQLite file with a pool of connections, for any number of threads.

    Parameters
    ----------
    path
        The file; created when missing.
    migrations
        Folder of the numbered scripts.

    Raises
    ------
    SchemaError
        A newer release wrote the file.
    IntegrityError
        It is no SQLite database.
    """

    def __init__(self, path: Path, migrations: Path) -> None:
        self.path = path
        self._idle: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        self._finalizer = weakref.finalize(self, _close_all, self._idle)
        connection = connect(path)
        try:
            migrate(connection, migrations)
        except sqlite3.OperationalError as error:
            connection.close()
            raise _told(path, error) from error
        except BaseException:
            connection.close()
            raise
        self._idle.put(connection)

    def close(self) -> None:
        """Close the idle connections; a later call opens new ones."""
        _close_all(self._idle)

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection; several statements see one state only inside `transaction`."""
        try:
            connection = self._idle.get_nowait()
        except Empty:
            connection = connect(self.path)
        try:
            yield connection
        except sqlite3.DatabaseError as error:
            # Of the other kinds are statements that contradict what is stored; the file is well then.
            if type(error) in {sqlite3.OperationalError, sqlite3.DatabaseError}:
                raise _told(self.path, error) from error
            raise
        finally:
            self._idle.put(connection)

    @contextlib.contextmanager
    def transaction(self, within: sqlite3.Connection | None = None) -> Iterator[sqlite3.Connection]:
        """Lend a connection inside a write transaction: committed at the end, rolled back on any exception.

        Parameters
        ----------
        within
            Connection of a transaction that is open already and commits elsewhere; None begins one.
        """
        if within is not None:
            yield within
            return
        with self.reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # SQLite has rolled back itself where the disk is full.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise


def _close_all(idle: SimpleQueue[sqlite3.Connection]) -> None:
    while True:
        try:
            idle.get_nowait().close()
        except Empty:
            return
