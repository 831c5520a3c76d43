"""The log of a job: what happened to it, a line each, the newest ones kept."""

import sqlite3
from typing import Final

from warehouse.instants import moment_of
from warehouse.job_records import JobLine

KEPT: Final = 500


def append(connection: sqlite3.Connection, job_id: int, text: str, at_us: int) -> None:
    """Add a line in the open transaction, of the attempt that the job is in."""
    (seq,) = connection.execute(
        "INSERT INTO job_line (job_id, seq, at, attempt, text) SELECT id,"
        " 1 + coalesce((SELECT max(seq) FROM job_line WHERE job_id = job.id), 0), ?2, attempt, ?3"
        " FROM job WHERE id = ?1 RETURNING seq",
        (job_id, at_us, text),
    ).fetchone()
    connection.execute("DELETE FROM job_line WHERE job_id = ? AND seq <= ?", (job_id, seq - KEPT))


def lines(connection: sqlite3.Connection, job_id: int, after: int, limit: int) -> tuple[JobLine, ...]:
    """Return the newest `limit` lines whose number is above `after`, oldest first."""
    rows = connection.execute(
        "SELECT seq, at, attempt, text FROM job_line WHERE job_id = ? AND seq > ? ORDER BY seq DESC LIMIT ?",
        (job_id, after, limit),
    ).fetchall()
    return tuple(JobLine(seq, moment_of(at), attempt, text) for seq, at, attempt, text in reversed(rows))
