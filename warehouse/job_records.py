"""What the job table holds, as values: jobs, their log and figures, and batches."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeAlias, get_args

from warehouse.documents import JSON, loads
from warehouse.errors import JobError
from warehouse.instants import moment_of

JobState = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]

STATES: Final[tuple[JobState, ...]] = get_args(JobState)
ENDED: Final[tuple[JobState, ...]] = ("done", "failed", "cancelled")
WAITING: Final[tuple[JobState, ...]] = ("queued", "interrupted")

# Lower is claimed first.
URGENT: Final = 0
NORMAL: Final = 1
BACKGROUND: Final = 2

# How long a claim holds without a beat.
LEASE: Final = timedelta(seconds=15)

Row: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True)
class Job:
    """A row of the job table.

    Parameters
    ----------
    progress
        In [0, 1], of the newest attempt.
    key
        At most one waiting job is asked for by a key; None for a job that may wait many times.
    started_at
        When the newest attempt began.
    error
        Why it failed, or who cancelled it.
    pid, pid_mark
        The process that runs it, or ran it last, and what tells that one from a later one with its number;
        None before the first claim.
    priority
        `URGENT`, `NORMAL` or `BACKGROUND`.
    attempt
        How often it was claimed; with the id it fences off whoever ran an earlier attempt.
    batch_id
        The batch that it was asked for in.
    needs
        Ids of the jobs that have to be done before it is claimed, ascending.
    not_before
        It is not claimed before this moment: an attempt failed in a way that may pass.
    cancel_asked_at, cancel_asked_by
        When and by whom it was cancelled while it ran; its process has to end it.
    lease_until
        Until when its process has said that it lives; None while it does not run.
    memory_mb, cpu_s
        Resident memory in MB and CPU seconds of its process, as last told.
    cloned_from, schedule_id
        The job it repeats, and the schedule that queued it.
    exclusive
        At most one job with its key waits or runs.
    fresh
        Its next attempt has to drop what earlier attempts kept, and begin anew.
    checkpoint
        The furthest step that was kept, to go on from; None if there is none.
    retries
        How often it was queued again after a failure that may pass.
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
    pid_mark: str | None
    priority: int
    attempt: int
    batch_id: int | None
    needs: tuple[int, ...]
    not_before: datetime | None
    cancel_asked_at: datetime | None
    cancel_asked_by: str | None
    lease_until: datetime | None
    memory_mb: float | None
    cpu_s: float | None
    cloned_from: int | None
    schedule_id: int | None
    exclusive: bool
    fresh: bool
    checkpoint: int | None
    retries: int

    @property
    def ended(self) -> bool:
        """Whether it is done, failed or cancelled: only a person brings it back."""
        return self.state in ENDED


@dataclass(frozen=True)
class Asked:
    """What became of asking for a job.

    Parameters
    ----------
    new
        False where `job` is the one that was there first.
    """

    job: Job
    new: bool


@dataclass(frozen=True)
class NewJob:
    """A job to be asked for in a batch.

    Parameters
    ----------
    then
        Asked for with it, and waits until it is done. Where the job itself was there first and one of
        the same kind waits for it already, nothing is added.
    """

    kind: str
    payload: Mapping[str, JSON]
    key: str | None = None
    exclusive: bool = False
    priority: int = NORMAL
    then: "NewJob | None" = None


@dataclass(frozen=True)
class Batch:
    """Jobs that were asked for in one go.

    Parameters
    ----------
    job_ids
        The jobs that the batch queued, those that wait for others included, ascending.
    already
        The jobs that were there first, ascending.
    """

    id: int
    title: str
    actor: str
    created_at: datetime
    job_ids: tuple[int, ...]
    already: tuple[int, ...]


@dataclass(frozen=True)
class JobMetric:
    """A figure that a job logged while it ran, such as the loss of an epoch."""

    step: int
    name: str
    value: float


@dataclass(frozen=True)
class JobLine:
    """A line of a job's log; `seq` counts from 1, `attempt` is the one that wrote it."""

    seq: int
    at: datetime
    attempt: int
    text: str


# Rows are read by position: new columns go to the end, and into `_job`.
COLUMNS: Final = (
    "SELECT id, kind, payload, state, progress, message, actor, key, created_at, started_at, finished_at,"
    " result, error, pid, pid_mark, priority, attempt, batch_id, not_before, cancel_asked_at,"
    " cancel_asked_by, lease_until, memory_mb, cpu_s, cloned_from, schedule_id, exclusive, fresh, checkpoint,"
    " retries,"
    " (SELECT json_group_array(needs_id) FROM job_need WHERE job_id = job.id) FROM job "
)


def find(connection: sqlite3.Connection, job_id: int) -> Job | None:
    """Return the job `job_id`, None if there is none."""
    row = connection.execute(COLUMNS + "WHERE id = ?", (job_id,)).fetchone()
    return None if row is None else job_of(row)


def by_id(connection: sqlite3.Connection, job_id: int) -> Job:
    """Return one job.

    Raises
    ------
    JobError
        There is none of that id.
    """
    found = find(connection, job_id)
    if found is None:
        raise JobError(f"there is no job {job_id}; it may have been cleared away")
    return found


def jobs_of(rows: Iterable[Row]) -> tuple[Job, ...]:
    """Return the jobs that rows of `COLUMNS` hold."""
    return tuple(job_of(row) for row in rows)


def job_of(row: Row) -> Job:
    """Return the job that a row of `COLUMNS` holds."""
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
        started_at=_moment(row[9]),
        finished_at=_moment(row[10]),
        result=None if row[11] is None else loads(row[11]),
        error=row[12],
        pid=row[13],
        pid_mark=row[14],
        priority=row[15],
        attempt=row[16],
        batch_id=row[17],
        not_before=_moment(row[18]),
        cancel_asked_at=_moment(row[19]),
        cancel_asked_by=row[20],
        lease_until=_moment(row[21]),
        memory_mb=row[22],
        cpu_s=row[23],
        cloned_from=row[24],
        schedule_id=row[25],
        exclusive=bool(row[26]),
        fresh=bool(row[27]),
        checkpoint=row[28],
        retries=row[29],
        needs=tuple(sorted(json.loads(row[30]))),
    )


def _moment(us: int | None) -> datetime | None:
    return None if us is None else moment_of(us)
