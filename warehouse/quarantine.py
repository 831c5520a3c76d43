"""Rows that a source refused, each with file, row and reason."""

import hashlib
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from warehouse.instants import microseconds, moment_of
from warehouse.sqlite import Database

CONTENT_LENGTH: Final = 200


@dataclass(frozen=True)
class Refusal:
    """A row that was not taken.

    Parameters
    ----------
    file
        Name of the file, as the person knows it.
    row
        Line number as a person counts it, None where the refusal concerns no single row.
    reason
        Why, and what would be accepted.
    content
        What stood there, cut to 200 characters.
    """

    file: str
    row: int | None
    reason: str
    content: str

    def __post_init__(self) -> None:
        if len(self.content) > CONTENT_LENGTH:
            object.__setattr__(self, "content", self.content[: CONTENT_LENGTH - 1] + "…")


@dataclass(frozen=True)
class Quarantined:
    """A stored refusal."""

    id: int
    batch_id: int
    at: datetime
    refusal: Refusal


class Quarantine:
    """The refused rows of every ingest; the same refusal is kept once, however often it is ingested."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        batch_id: int,
        refusals: Iterable[Refusal],
        *,
        at: datetime,
        within: sqlite3.Connection | None = None,
    ) -> int:
        """Keep `refusals` of a batch and return how many were not known yet.

        Parameters
        ----------
        within
            Connection of an open transaction to take part in; None for one of its own.
        """
        rows = [
            (batch_id, microseconds(at), one.file, one.row, one.reason, one.content, _digest(one))
            for one in refusals
        ]
        with self._database.transaction(within) as connection:
            before = connection.total_changes
            connection.executemany(
                "INSERT INTO quarantine (batch_id, at_us, file, row, reason, content, digest)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING",
                rows,
            )
            return connection.total_changes - before

    def unknown(self, refusals: Iterable[Refusal], within: sqlite3.Connection) -> list[Refusal]:
        """Return those of `refusals` that are not kept yet."""
        fresh: dict[str, Refusal] = {}
        for one in refusals:
            digest = _digest(one)
            if (
                digest not in fresh
                and not within.execute("SELECT 1 FROM quarantine WHERE digest = ?", (digest,)).fetchone()
            ):
                fresh[digest] = one
        return list(fresh.values())

    def list(self, limit: int = 1000, *, batch_id: int | None = None) -> tuple[Quarantined, ...]:
        """Return the newest refusals first, at most `limit`, of one batch or of all."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT id, batch_id, at_us, file, row, reason, content FROM quarantine"
                " WHERE :batch IS NULL OR batch_id = :batch ORDER BY id DESC LIMIT :limit",
                {"batch": batch_id, "limit": limit},
            ).fetchall()
        return tuple(
            Quarantined(row[0], row[1], moment_of(row[2]), Refusal(row[3], row[4], row[5], row[6]))
            for row in rows
        )

    def counts(self) -> dict[str, int]:
        """Return the number of refused rows by reason, largest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT reason, count(*) FROM quarantine GROUP BY reason ORDER BY count(*) DESC, reason"
            ).fetchall()
        return {str(reason): int(count) for reason, count in rows}


def _digest(refusal: Refusal) -> str:
    parts = (refusal.file, str(refusal.row), refusal.reason, refusal.content)
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
