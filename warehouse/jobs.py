"""The job table: work queued for a worker, one row a job."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, get_args

from warehouse.documents import JSON, dumps, loads
from warehouse.inbox import Inbox
from warehouse.instants import microseconds, moment_of
from warehouse.living import birth_mark, is_alive
from warehouse.sqlite import MIGRATIONS, Database

JobState = Literal["queued", "running", "done", "failed"]

STATES: Final[tuple[JobState, ...]] = get_args(JobState)


@dataclass(frozen=True)
class Job:
    """A row of the job table.

    Parameters
    ----------
    progress
        In [0, 1].
    key
        At most one queued job has a given key; None for a job that may be queued many times.
    pid
        The process that runs or ran it; None while it is queued.
    """

    id: int
    kind: str
    payload: dict[str, JSON]
    state: JobState
    progress: float
    message: str
    actor: str
    key: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    result: dict[str, JSON] | None
    error: str | None
    pid: int | None


@dataclass(frozen=True)
class JobMetric:
    """A figure that a job logged while it ran, such as the loss of an epoch."""

    step: int
    name: str
    value: float


class Jobs:
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

    def close(self) -> None:
        """Close the idle connections."""
        self._database.close()

    def add(
        self,
        kind: str,
        payload: Mapping[str, JSON],
        *,
        actor: str,
        at: datetime,
        key: str | None = None,
        urgent: bool = False,
    ) -> Job:
        """Queue a job; where one with the same `key` is queued already, return that one instead.

        An `urgent` job is claimed before every job that is not.
        """
        with self._database.transaction() as connection:
            if key is not None:
                waiting = connection.execute(
                    "SELECT * FROM job WHERE key = ? AND state = 'queued'", (key,)
                ).fetchone()
                if waiting is not None:
                    return _job(waiting)
            row = connection.execute(
                "INSERT INTO job (kind, payload, urgent, actor, key, created_at)"
                " VALUES (?, ?, ?, ?, ?, ?) RETURNING *",
                (kind, dumps(payload), urgent, actor, key, microseconds(at)),
            ).fetchone()
            return _job(row)

    def claim(self, pid: int, at: datetime, *, job_id: int | None = None) -> Job | None:
        """Take the oldest queued job, or the queued job `job_id`, for process `pid`; None if there is none.

        Two processes never get the same job.
        """
        with self._database.transaction() as connection:
            row = connection.execute(
                "UPDATE job SET state = 'running', started_at = ?, pid = ?, pid_mark = ? WHERE id = ("
                " SELECT id FROM job WHERE state = 'queued' AND (? IS NULL OR id = ?)"
                " ORDER BY urgent DESC, id LIMIT 1) RETURNING *",
                (microseconds(at), pid, birth_mark(pid), job_id, job_id),
            ).fetchone()
            return None if row is None else _job(row)

    def progress(self, job_id: int, fraction: float, message: str) -> None:
        """Record how far a running job is: `fraction` in [0, 1] and what it does now."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE job SET progress = ?, message = ? WHERE id = ? AND state = 'running'",
                (min(max(fraction, 0.0), 1.0), message, job_id),
            )

    def finish(self, job_id: int, result: Mapping[str, JSON], at: datetime) -> bool:
        """Mark a running job as done; return False if it was no longer running."""
        with self._database.transaction() as connection:
            cursor = connection.execute(
                "UPDATE job SET state = 'done', progress = 1, result = ?, finished_at = ?"
                " WHERE id = ? AND state = 'running'",
                (dumps(result), microseconds(at), job_id),
            )
            return cursor.rowcount == 1

    def fail(self, job_id: int, error: str, at: datetime) -> bool:
        """Mark a queued or running job as failed with a one-line reason; return False if it had ended."""
        with self._database.transaction() as connection:
            cursor = connection.execute(
                "UPDATE job SET state = 'failed', error = ?, finished_at = ?"
                " WHERE id = ? AND state IN ('queued', 'running')",
                (error, microseconds(at), job_id),
            )
            return cursor.rowcount == 1

    def fail_abandoned(
        self, at: datetime, *, error: str, pid: int | None = None, dead: Sequence[int] = ()
    ) -> tuple[Job, ...]:
        """Fail the running jobs whose process is gone, and return them as they now are.

        Parameters
        ----------
        error
            The reason that is stored; ``{message}`` in it stands for what the job last said it did.
        pid
            Look at the jobs of this process alone.
        dead
            Processes that the caller knows to be gone, whatever the system says of their number.
        """
        failed = []
        with self._database.transaction() as connection:
            running = connection.execute(
                "SELECT id, pid, pid_mark, kind, message FROM job WHERE state = 'running'"
            ).fetchall()
            for job_id, runner, mark, kind, message in running:
                if pid is not None and runner != pid:
                    continue
                if runner not in dead and is_alive(runner, mark):
                    continue
                reason = error.replace("{message}", message or f"it ran its {kind} job")
                ended = connection.execute(
                    "UPDATE job SET state = 'failed', error = ?, finished_at = ? WHERE id = ? RETURNING *",
                    (reason, microseconds(at), job_id),
                ).fetchone()
                failed.append(_job(ended))
        return tuple(failed)

    def get(self, job_id: int) -> Job | None:
        """Return the job `job_id`, None if there is none."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT * FROM job WHERE id = ?", (job_id,)).fetchone()
            return None if row is None else _job(row)

    def list(
        self,
        states: Sequence[JobState] = STATES,
        kind: str | None = None,
        limit: int = 100,
    ) -> tuple[Job, ...]:
        """Return jobs in any of `states`, newest first."""
        marks = ", ".join("?" for _ in states)
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT * FROM job WHERE state IN ({marks}) AND (? IS NULL OR kind = ?)"  # noqa: S608
                " ORDER BY id DESC LIMIT ?",
                (*states, kind, kind, limit),
            ).fetchall()
            return tuple(_job(row) for row in rows)

    def log_metric(self, job_id: int, step: int, name: str, value: float) -> None:
        """Record a figure of a running job; NaN and infinities are stored as missing."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO job_metric (job_id, step, name, value) VALUES (?, ?, ?, ?)",
                (job_id, step, name, value if abs(value) < float("inf") else None),
            )

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


def _job(row: Sequence[Any]) -> Job:
    def moment(us: int | None) -> datetime | None:
        return None if us is None else moment_of(us)

    return Job(
        id=row[0],
        kind=row[1],
        payload=loads(row[2]),
        state=row[3],
        progress=float(row[4]),
        message=row[5],
        actor=row[6],
        key=row[7],
        created_at=moment_of(row[8]),
        started_at=moment(row[9]),
        finished_at=moment(row[10]),
        result=None if row[11] is None else loads(row[11]),
        error=row[12],
        pid=row[13],
    )
