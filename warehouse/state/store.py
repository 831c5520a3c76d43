"""The file state.duckdb: read by cursors, written one transaction at a time."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

import duckdb
import polars as pl

from warehouse.errors import StateUnavailable
from warehouse.room import disk_full, is_full
from warehouse.sqlite import MIGRATIONS
from warehouse.state.migrate import open_migrated

T = TypeVar("T")

_ATTEMPTS: Final = 20


class StateStore:
    """One connection to state.duckdb; the caller holds the lock that makes it the only one.

    DuckDB gives wrong results to threads that share a connection, so each call has its own cursor and
    fetches its result whole.

    Parameters
    ----------
    path
        The file; created when missing, migrated when older.
    migrations
        Folder of the numbered scripts.

    Raises
    ------
    SchemaError, StateLocked, IntegrityError
        As `migrate.open_migrated` says.
    """

    def __init__(self, path: Path, migrations: Path = MIGRATIONS / "state") -> None:
        self.path = path
        self._write_lock = threading.Lock()
        self._connection = open_migrated(path, migrations)

    def query(self, sql: str, params: Sequence[object] = ()) -> pl.DataFrame:
        """Run one SELECT and return all its rows; times are UTC.

        Raises
        ------
        StateUnavailable
            The store was closed.
        """
        cursor = self._cursor()
        try:
            frame: pl.DataFrame = cursor.sql(sql, params=list(params)).pl()
        except duckdb.ConnectionException as error:
            raise StateUnavailable(f"{self.path} was closed during a read") from error
        finally:
            cursor.close()
        return frame

    def write(self, change: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        """Run `change` on a cursor inside one transaction and return its result once that is committed.

        Writers queue up; a transaction that conflicts all the same is run again, so `change` must have no
        effect of its own. Any exception rolls back.

        Raises
        ------
        StateUnavailable
            The store was closed, or the transaction kept conflicting.
        DiskFull
            There is no room; nothing was written.
        """
        with self._write_lock:
            for _ in range(_ATTEMPTS):
                cursor = self._cursor()
                try:
                    return _transaction(cursor, change)
                except duckdb.ConnectionException as error:
                    raise StateUnavailable(f"{self.path} was closed; nothing was written") from error
                except duckdb.Error as error:
                    # DuckDB calls a commit that finds no room a conflict.
                    if is_full(error, self.path):
                        raise disk_full(self.path) from error
                    if not isinstance(error, duckdb.TransactionException):
                        raise
                finally:
                    cursor.close()
        raise StateUnavailable(f"{self.path}: a write conflicted {_ATTEMPTS} times; nothing was written")

    def close(self) -> None:
        """Finish the write that runs, fold the log into the file and close it."""
        with self._write_lock:
            self._connection.close()

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        try:
            return self._connection.cursor()
        except duckdb.ConnectionException as error:
            raise StateUnavailable(f"{self.path} is closed") from error


def _transaction(cursor: duckdb.DuckDBPyConnection, change: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
    cursor.begin()
    try:
        result = change(cursor)
    except BaseException:
        cursor.rollback()
        raise
    cursor.commit()
    return result
