"""Writes that wait for the one process that owns state.duckdb, and what became of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from warehouse.documents import JSON, dumps, loads
from warehouse.instants import microseconds, moment_of
from warehouse.sqlite import Database, connect


@dataclass(frozen=True)
class InboxWrite:
    """A write that waits.

    Parameters
    ----------
    write_id
        Chosen by the writer (a UUID): the same id written twice takes effect once.
    """

    write_id: str
    kind: str
    payload: dict[str, JSON]
    actor: str
    at: datetime


@dataclass(frozen=True)
class Settled:
    """What became of a write: the owner's outcome, or the reason why it was refused."""

    outcome: dict[str, JSON] | None
    error: str | None


class Inbox:
    """The inbox in `jobs.sqlite`; safe to use from any thread and process.

    Parameters
    ----------
    database
        `jobs.sqlite`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def watch(self) -> "Watch":
        """Return what tells whether something was committed; to be closed by the caller."""
        return Watch(self._database.path)

    def put(self, write_id: str, kind: str, payload: Mapping[str, JSON], *, actor: str, at: datetime) -> None:
        """Leave a write for the owner; an id that is there already changes nothing."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO inbox (write_id, kind, payload, actor, at) VALUES (?, ?, ?, ?, ?)",
                (write_id, kind, dumps(payload), actor, microseconds(at)),
            )

    def pending(self) -> tuple[InboxWrite, ...]:
        """Return what waits, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT write_id, kind, payload, actor, at FROM inbox WHERE settled_at IS NULL ORDER BY seq"
            ).fetchall()
        return tuple(
            InboxWrite(write_id, kind, loads(payload), actor, moment_of(at))
            for write_id, kind, payload, actor, at in rows
        )

    def settle(
        self,
        write_id: str,
        at: datetime,
        *,
        outcome: Mapping[str, JSON] | None = None,
        error: str | None = None,
    ) -> None:
        """Acknowledge a write with its `outcome`, or refuse it with an `error`."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE inbox SET settled_at = ?, outcome = ?, error = ?"
                " WHERE write_id = ? AND settled_at IS NULL",
                (microseconds(at), None if outcome is None else dumps(outcome), error, write_id),
            )

    def outcome(self, write_id: str) -> Settled | None:
        """Return what became of a write, None while it waits or when it is unknown."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT outcome, error FROM inbox WHERE write_id = ? AND settled_at IS NOT NULL", (write_id,)
            ).fetchone()
        if row is None:
            return None
        return Settled(None if row[0] is None else loads(row[0]), row[1])

    def forget(self, before: datetime) -> int:
        """Delete writes that were settled before a moment and return how many."""
        with self._database.transaction() as connection:
            cursor = connection.execute("DELETE FROM inbox WHERE settled_at < ?", (microseconds(before),))
            return cursor.rowcount


class Watch:
    """Notices that another connection committed to `jobs.sqlite`; cheap enough to ask many times a second.

    Not safe to share between threads.
    """

    def __init__(self, path: Path) -> None:
        self._connection = connect(path)
        self._seen: int | None = None

    def changed(self) -> bool:
        """Return whether something was committed since the last call; True the first time."""
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        moved = self._seen != version
        self._seen = int(version)
        return bool(moved)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
