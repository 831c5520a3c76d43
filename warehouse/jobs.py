"""The job table: work queued for a worker, one row a job."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from warehouse import job_endings, job_log
from warehouse.inbox import Inbox
from warehouse.instants import microseconds, moment_of
from warehouse.job_asking import JobAsking
from warehouse.job_records import (
    BACKGROUND,
    COLUMNS,
    ENDED,
    LEASE,
    NORMAL,
    STATES,
    URGENT,
    WAITING,
    Asked,
    Batch,
    Job,
    JobLine,
    JobMetric,
    JobState,
    NewJob,
    by_id,
    find,
    jobs_of,
)
from warehouse.job_running import JobRunning
from warehouse.schedules import Schedule, Schedules
from warehouse.sqlite import MIGRATIONS, Database

__all__ = [
    "BACKGROUND",
    "ENDED",
    "LEASE",
    "NORMAL",
    "STATES",
    "URGENT",
    "WAITING",
    "Asked",
    "Batch",
    "Job",
    "JobLine",
    "JobMetric",
    "JobState",
    "Jobs",
    "NewJob",
    "Schedule",
    "Schedules",
]

_FILTERS: Final = {
    "kind": " AND kind = :kind",
    "batch_id": " AND batch_id = :batch_id",
    "sensor_id": " AND EXISTS (SELECT 1 FROM json_each(payload, '$.sensor_ids') WHERE value = :sensor_id)",
    "before": " AND id < :before",
}


class Jobs(JobAsking, JobRunning):
    """The jobs of one home; safe to use from any thread and process.

    Parameters
    ----------
    path
        `jobs.sqlite`, created and migrated when it is missing.

    Raises
    ------
    SchemaError
        The file was written by a newer release.
    """

    def __init__(self, path: Path) -> None:
        self._database = Database(path, MIGRATIONS / "jobs")
        self.inbox = Inbox(self._database)
        self.schedules = Schedules(self._database)

    def close(self) -> None:
        """Close the idle connections."""
        self._database.close()

    def cancel(self, job_id: int, *, actor: str, at: datetime) -> Job:
        """Cancel a job that waits, or ask the process that runs it to end it; one that ended stays as it is.

        Raises
        ------
        JobError
            There is no such job.
        """
        with self._database.transaction() as connection:
            job = by_id(connection, job_id)
            if job.state in WAITING:
                job_endings.end(connection, job_id, "cancelled", f"cancelled by {actor}", microseconds(at))
            elif job.state == "running" and job.cancel_asked_at is None:
                connection.execute(
                    "UPDATE job SET cancel_asked_at = ?, cancel_asked_by = ? WHERE id = ?",
                    (microseconds(at), actor, job_id),
                )
                job_log.append(connection, job_id, f"{actor} asked to cancel it", microseconds(at))
            return by_id(connection, job_id)

    def resume(self, job_id: int, *, actor: str, at: datetime) -> Asked:
        """Queue again a job that failed, was cancelled or interrupted, to go on from what it kept.

        What it needs is queued again too, and so is what was cancelled because it ended. A job in another
        state stays as it is; where another one with its key was there first, that one is returned.

        Raises
        ------
        JobError
            There is no such job.
        """
        with self._database.transaction() as connection:
            why = f"resumed by {actor}"
            return job_endings.revive(connection, job_id, why, microseconds(at), fresh=False)

    def retry(self, job_id: int, *, actor: str, at: datetime) -> Asked:
        """Queue again a job that failed, was cancelled or interrupted, to begin anew; else as `resume`.

        Raises
        ------
        JobError
            There is no such job.
        """
        with self._database.transaction() as connection:
            why = f"started again by {actor}"
            return job_endings.revive(connection, job_id, why, microseconds(at), fresh=True)

    def get(self, job_id: int) -> Job | None:
        """Return the job `job_id`, None if there is none."""
        with self._database.reading() as connection:
            return find(connection, job_id)

    def list(
        self,
        states: Sequence[JobState] = STATES,
        kind: str | None = None,
        limit: int = 100,
        *,
        batch_id: int | None = None,
        sensor_id: int | None = None,
        before: int | None = None,
    ) -> tuple[Job, ...]:
        """Return jobs in any of `states`, newest first.

        Parameters
        ----------
        limit
            At most so many; -1 for all.
        batch_id
            Jobs of this batch alone.
        sensor_id
            Jobs whose payload names this sensor in `sensor_ids` alone.
        before
            Jobs with a lower id alone: the last one of the page before.
        """
        given = {"kind": kind, "batch_id": batch_id, "sensor_id": sensor_id, "before": before}
        wanted = {f"state_{number}": state for number, state in enumerate(sorted(set(states)))}
        if not wanted:
            return ()
        statement = _newest(wanted, [name for name, value in given.items() if value is not None])
        with self._database.reading() as connection:
            rows = connection.execute(statement, {**given, **wanted, "limit": limit}).fetchall()
            return jobs_of(rows)

    def last_ended(self, kind: str) -> datetime | None:
        """Return when a job of a kind ended last, as done or failed; None if none did."""
        with self._database.reading() as connection:
            (at,) = connection.execute(
                "SELECT max(finished_at) FROM job WHERE kind = ? AND state IN ('done', 'failed')", (kind,)
            ).fetchone()
            return None if at is None else moment_of(at)

    def lines(self, job_id: int, *, after: int = 0, limit: int = 200) -> tuple[JobLine, ...]:
        """Return the newest lines of a job's log, oldest first, at most `limit`.

        Parameters
        ----------
        after
            Lines with a higher number alone: the last one that was read.
        """
        with self._database.reading() as connection:
            return job_log.lines(connection, job_id, after, limit)

    def metrics(self, job_id: int) -> tuple[JobMetric, ...]:
        """Return what a job logged, by name and step; a missing figure is NaN."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT step, name, value FROM job_metric WHERE job_id = ? ORDER BY name, step", (job_id,)
            ).fetchall()
            return tuple(
                JobMetric(step, name, float("nan") if value is None else value) for step, name, value in rows
            )

    def forget(self, kind: str, before: datetime) -> int:
        """Delete jobs of a kind that ended before a moment, with their metrics, and return how many."""
        with self._database.transaction() as connection:
            cursor = connection.execute(
                "DELETE FROM job WHERE kind = ? AND finished_at < ?", (kind, microseconds(before))
            )
            return cursor.rowcount

    def count_from(self, job_id: int) -> None:
        """Give new jobs higher ids than `job_id`, such as where another table speaks of jobs up to there."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO sqlite_sequence (name, seq) SELECT 'job', 0"
                " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'job')"
            )
            connection.execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'job'", (job_id,))


def _newest(states: Iterable[str], filters: Iterable[str]) -> str:
    """Return the statement for the newest jobs: one search a state, so that no more are read than needed.

    Parameters
    ----------
    states
        Names of the parameters that hold a state.
    filters
        Keys of `_FILTERS`.
    """
    which = "".join(_FILTERS[name] for name in filters)
    searches = (
        f"SELECT * FROM ({COLUMNS}WHERE state = :{state}{which} ORDER BY id DESC LIMIT :limit)"  # noqa: S608 -- no values
        for state in states
    )
    return " UNION ALL ".join(searches) + " ORDER BY id DESC LIMIT :limit"
