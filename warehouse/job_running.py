"""What the process that runs a job does to it; every write is fenced by the attempt that was claimed."""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from warehouse import job_endings, job_log
from warehouse.clock import now
from warehouse.documents import JSON, dumps
from warehouse.instants import microseconds
from warehouse.job_records import COLUMNS, LEASE, Job, by_id, jobs_of
from warehouse.living import birth_mark, is_alive
from warehouse.sqlite import Database

# So many attempts in a row that came no further than those before end a job.
STALLS: Final = 3

# By an index of waiting jobs alone, in the order of their turn: those that ended cost nothing.
CLAIMABLE: Final = (
    "SELECT id FROM job INDEXED BY job_waiting WHERE state IN ('queued', 'interrupted')"
    " AND (?2 IS NULL OR id = ?2) AND (not_before IS NULL OR not_before <= ?1)"
    " AND (?3 IS NULL OR kind IN (SELECT value FROM json_each(?3)))"
    " AND NOT EXISTS (SELECT 1 FROM job_need JOIN job AS needed ON needed.id = needs_id"
    "  WHERE job_id = job.id AND needed.state <> 'done')"
    " ORDER BY priority, id LIMIT 1"
)


class JobRunning:
    """The part of `Jobs` for whoever runs a job.

    Its methods take the job as `claim` returned it, and change nothing and return False once somebody else
    has it, or nobody.
    """

    _database: Database

    def claim(
        self,
        pid: int,
        at: datetime,
        *,
        job_id: int | None = None,
        kinds: Collection[str] | None = None,
        lease: timedelta = LEASE,
    ) -> Job | None:
        """Take the next waiting job for process `pid`; None if there is none.

        It is the one of the lowest priority number that was asked for first, among those whose time has come
        and whose needs are done. Two processes never get the same attempt.

        Parameters
        ----------
        job_id, kinds
            Take this job alone, or one of these kinds.
        lease
            How long it counts as run without a `beat`.
        """
        wanted = (microseconds(at), job_id, None if kinds is None else json.dumps(sorted(kinds)))
        with self._database.reading() as connection:
            # Whoever finds nothing, many times a second, holds up no writer.
            if connection.execute(CLAIMABLE, wanted).fetchone() is None:
                return None
        with self._database.transaction() as connection:
            row = connection.execute(CLAIMABLE, wanted).fetchone()
            if row is None:
                return None
            connection.execute(
                "UPDATE job SET state = 'running', attempt = attempt + 1, started_at = ?, lease_until = ?,"
                " pid = ?, pid_mark = ?, not_before = NULL, cancel_asked_at = NULL, cancel_asked_by = NULL,"
                " memory_mb = NULL, cpu_s = NULL, moved = 0 WHERE id = ?",
                (microseconds(at), microseconds(at + lease), pid, birth_mark(pid), row[0]),
            )
            return by_id(connection, row[0])

    def alive(self, job: Job) -> bool:
        """Return whether this attempt still runs in the table."""
        with self._database.reading() as connection:
            return _runs(connection, job)

    def beat(self, job: Job, until: datetime, *, memory_mb: float | None, cpu_s: float | None) -> bool:
        """Hold the job until a moment, and tell the memory (MB) and CPU time (s) of its process."""
        return self._write(
            job,
            "UPDATE job SET lease_until = ?, memory_mb = ?, cpu_s = ? WHERE id = ?",
            (microseconds(until), memory_mb, cpu_s, job.id),
        )

    def progress(self, job: Job, fraction: float, message: str, *, at: datetime | None = None) -> bool:
        """Record how far the job is: `fraction` in [0, 1] and what it does now, logged where that is new.

        Parameters
        ----------
        at
            Time of the line in the log; None for this moment.
        """
        fraction = min(max(fraction, 0.0), 1.0)
        with self._database.transaction() as connection:
            if not _runs(connection, job):
                return False
            before = by_id(connection, job.id).message
            connection.execute(
                "UPDATE job SET progress = ?1, message = ?2, moved = moved OR ?1 > furthest,"
                " furthest = max(furthest, ?1) WHERE id = ?3",
                (fraction, message, job.id),
            )
            if message and message != before:
                job_log.append(connection, job.id, message, microseconds(at or now()))
            return True

    def log(self, job: Job, text: str, at: datetime) -> bool:
        """Add a line to the job's log, of which the newest 500 are kept."""
        with self._database.transaction() as connection:
            if not _runs(connection, job):
                return False
            job_log.append(connection, job.id, text, microseconds(at))
            return True

    def log_metric(self, job: Job, step: int, name: str, value: float) -> bool:
        """Record a figure; a repeated step replaces, NaN and infinities are stored as missing."""
        return self._write(
            job,
            "INSERT OR REPLACE INTO job_metric (job_id, step, name, value) VALUES (?, ?, ?, ?)",
            (job.id, step, name, value if abs(value) < float("inf") else None),
        )

    def checkpointed(self, job: Job, step: int) -> bool:
        """Note that the work up to `step`, counted through the whole job, is kept."""
        return self._write(
            job,
            "UPDATE job SET moved = moved OR ?1 > coalesce(checkpoint, -1), fresh = 0,"
            " checkpoint = max(coalesce(checkpoint, ?1), ?1) WHERE id = ?2",
            (step, job.id),
        )

    def finish(self, job: Job, result: Mapping[str, JSON], at: datetime) -> bool:
        """End the job as done."""
        return self._write(
            job,
            "UPDATE job SET state = 'done', progress = 1, result = ?, error = NULL, finished_at = ?,"
            " lease_until = NULL, fresh = 0 WHERE id = ?",
            (dumps(result), microseconds(at), job.id),
        )

    def fail(self, job: Job, error: str, at: datetime, *, retry_at: datetime | None = None) -> bool:
        """End the job as failed with a one-line reason.

        Parameters
        ----------
        retry_at
            Queue it again instead, not to be claimed before this moment; the reason is in the log. A job that
            is to be cancelled is cancelled.
        """
        with self._database.transaction() as connection:
            if not _runs(connection, job):
                return False
            current = by_id(connection, job.id)
            if retry_at is None:
                job_endings.end(connection, job.id, "failed", error, microseconds(at))
            elif current.cancel_asked_at is not None:
                _cancel(connection, current, at)
            else:
                connection.execute(
                    "UPDATE job SET state = 'queued', not_before = ?, lease_until = NULL, message = ?,"
                    " retries = retries + 1 WHERE id = ?",
                    (microseconds(retry_at), error, job.id),
                )
                job_log.append(connection, job.id, f"to be tried again: {error}", microseconds(at))
            return True

    def cancelled(self, job: Job, at: datetime) -> bool:
        """End the job as cancelled by whoever asked for that."""
        with self._database.transaction() as connection:
            if not _runs(connection, job):
                return False
            _cancel(connection, by_id(connection, job.id), at)
            return True

    def interrupt(self, job: Job, reason: str, at: datetime, *, blameless: bool = False) -> Job:
        """Let the job wait to go on, for its process died or has to end, and return it as it now is.

        It fails where three attempts in a row came no further than those before them, and is cancelled where
        that was asked for. A job that was fenced off is returned as it is.

        Parameters
        ----------
        blameless
            The end had nothing to do with the job, such as that a person stopped the app: the attempt does
            not count as one that came no further.

        Raises
        ------
        JobError
            There is no such job any more.
        """
        with self._database.transaction() as connection:
            current = by_id(connection, job.id)
            if not _runs(connection, job):
                return current
            if current.cancel_asked_at is not None:
                _cancel(connection, current, at)
                return by_id(connection, job.id)
            (stalls,) = connection.execute(
                "UPDATE job SET stalls = CASE moved WHEN 1 THEN 0 ELSE stalls + ?2 END,"
                " state = 'interrupted', lease_until = NULL WHERE id = ?1 RETURNING stalls",
                (job.id, not blameless),
            ).fetchone()
            if stalls >= STALLS:
                error = f"{reason}; {STALLS} attempts in a row came no further, so it is not tried again"
                job_endings.end(connection, job.id, "failed", error, microseconds(at))
            else:
                job_log.append(connection, job.id, f"interrupted: {reason}", microseconds(at))
            return by_id(connection, job.id)

    def running(self, pid: int | None = None) -> tuple[Job, ...]:
        """Return the jobs that run, or those that process `pid` runs, in the order of their ids."""
        with self._database.reading() as connection:
            rows = connection.execute(
                COLUMNS + "WHERE state = 'running' AND (?1 IS NULL OR pid = ?1) ORDER BY id", (pid,)
            ).fetchall()
            return jobs_of(rows)

    def abandoned(self, at: datetime, *, pid: int | None = None, dead: Sequence[int] = ()) -> tuple[Job, ...]:
        """Return the running jobs whose process is gone or whose lease ran out; nothing is changed.

        Parameters
        ----------
        pid
            Look at the jobs of this process alone.
        dead
            Processes that the caller knows to be gone, whatever the system says of their number.
        """
        return tuple(
            job
            for job in self.running(pid)
            if job.lease_until is None
            or job.lease_until < at
            or job.pid is None
            or job.pid in dead
            or not is_alive(job.pid, job.pid_mark)
        )

    def _write(self, job: Job, statement: str, values: Sequence[object]) -> bool:
        with self._database.transaction() as connection:
            if not _runs(connection, job):
                return False
            connection.execute(statement, values)
            return True


def _runs(connection: sqlite3.Connection, job: Job) -> bool:
    row = connection.execute(
        "SELECT 1 FROM job WHERE id = ? AND attempt = ? AND state = 'running'", (job.id, job.attempt)
    ).fetchone()
    return row is not None


def _cancel(connection: sqlite3.Connection, job: Job, at: datetime) -> None:
    error = f"cancelled by {job.cancel_asked_by or 'its process'}"
    job_endings.end(connection, job.id, "cancelled", error, microseconds(at))
