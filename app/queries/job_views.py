"""Jobs as the screens show them, as frozen values: made by queries, drawn by charts and components."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

Curves: TypeAlias = tuple[tuple[str, tuple[tuple[int, float], ...]], ...]
"""(name, ((step, value), …)) of each logged curve; steps ascend, missing figures are left out."""

Action = Literal["cancel", "resume", "retry", "clone"]
Status = Literal["never", "trained", "stale", "failing"]


@dataclass(frozen=True)
class JobRow:
    """A job as a card or a row.

    Parameters
    ----------
    title, what
        Its kind in words, such as ``Training, quick``, and what it works on, such as ``Pump 7 · speed``.
    state
        ``queued``, ``running``, ``done``, ``failed``, ``cancelled`` or ``interrupted``.
    words
        The state in words, with what a waiting job waits for: ``waits for job 12``.
    progress
        In [0, 1], of the newest attempt.
    message
        What it does now, or did last.
    left
        How long a running job takes from now on, such as ``about 3 min left``; empty where nobody knows.
    took
        How long the newest attempt took or has taken, such as ``2 min``; empty before it began.
    waits_for
        Ids of jobs that are not done and that it waits for.
    outcome
        What came of it, as a sentence without its full stop; empty while it waits or runs.
    remarks
        Sentences about what was fitted that a person must see.
    version_id
        The version that it registered; None if none.
    attempt
        How often it was begun; 0 before the first time.
    cancel_asked
        Whether it runs and its process was told to end it.
    mine
        Whether the person at this screen asked for it.
    losses
        Curves of a running training; empty otherwise.
    """

    job_id: int
    kind: str
    title: str
    what: str
    sensor_ids: tuple[int, ...]
    state: str
    words: str
    progress: float
    message: str
    left: str
    actor: str
    mine: bool
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    took: str
    waits_for: tuple[int, ...]
    batch_id: int | None
    outcome: str
    remarks: tuple[str, ...]
    version_id: int | None
    attempt: int
    cancel_asked: bool
    losses: Curves = ()


@dataclass(frozen=True)
class LogLine:
    """A line of a job's log; `attempt` is the one that wrote it."""

    seq: int
    at: datetime
    attempt: int
    text: str


@dataclass(frozen=True)
class FoldRow:
    """One fold of a backtest: what it learned from, the stretch it judged, and how that went.

    Parameters
    ----------
    start, origin, end
        UTC: it learned from ``[start, origin)`` and judged ``[origin, end)``.
    error, unchanged_error
        In standard deviations: of its prediction, and of predicting no change; None without a prediction.
    alarms
        A week.
    f1
        Against published labels; None where the stretch has none.
    """

    number: int
    start: datetime
    origin: datetime
    end: datetime
    error: float | None
    unchanged_error: float | None
    alarms: float
    f1: float | None


@dataclass(frozen=True)
class JobView:
    """One job with all that its own view shows.

    Parameters
    ----------
    lines
        The newest lines of its log, the oldest of them first.
    curves
        Of every loss that it logged.
    memory_mb, cpu_s
        Resident memory in MB and CPU seconds of its process, as last told; None before that.
    parameters
        What it was asked to do, as (name, value) in the order in which they are shown.
    results
        What it found, a sentence each.
    folds
        What each fold of a backtest came to, in order of time.
    run_id
        The MLflow run of what it registered, for ``/mlflow/run/RUN``; None if there is none.
    checkpoint
        The epoch after which it can go on; None where it would begin anew.
    actions
        What a person with the role can do with it now.
    """

    row: JobRow
    lines: tuple[LogLine, ...]
    curves: Curves
    memory_mb: float | None
    cpu_s: float | None
    parameters: tuple[tuple[str, str], ...]
    results: tuple[str, ...]
    folds: tuple[FoldRow, ...]
    run_id: str | None
    checkpoint: int | None
    actions: tuple[Action, ...]


@dataclass(frozen=True)
class Failure:
    """What failed: whose work it was, why, and the job that can be looked at."""

    job_id: int
    name: str
    reason: str


@dataclass(frozen=True)
class BatchView:
    """Jobs that were asked for in one go, one row a sensor.

    Parameters
    ----------
    rows
        The job of each sensor in the order of their names, those that were asked for before the batch
        included. Jobs that only follow them, such as the scoring after a training, are not listed.
    counts
        (state, how many rows) of the states that occur.
    progress
        In [0, 1], over all rows.
    left
        How long it takes from now on in words; empty where nobody knows, and when it is over.
    failures
        By name and reason, of the jobs that follow as well.
    already
        How many of the rows were asked for before the batch.
    cancel_asked
        Whether all that is left of it was told to end.
    """

    batch_id: int
    title: str
    actor: str
    created_at: datetime
    rows: tuple[JobRow, ...]
    counts: tuple[tuple[str, int], ...]
    progress: float
    left: str
    failures: tuple[Failure, ...]
    already: int
    cancel_asked: bool

    @property
    def over(self) -> bool:
        """Whether nothing of it waits or runs any more."""
        return all(row.state in {"done", "failed", "cancelled"} for row in self.rows)


@dataclass(frozen=True)
class Live:
    """What the live part of the Training page shows, from one look at the job table.

    Parameters
    ----------
    running
        Jobs of no batch, or of one that is not shown as a card, the oldest first.
    batches
        Those that are not over, the newest first.
    queued
        What waits and belongs to no batch of `batches`, in the order in which it is to begin.
    """

    running: tuple[JobRow, ...]
    batches: tuple[BatchView, ...]
    queued: tuple[JobRow, ...]

    @property
    def quiet(self) -> bool:
        """Whether nothing runs and nothing waits."""
        return not (self.running or self.batches or self.queued)


@dataclass(frozen=True)
class Watch:
    """What was open when somebody last looked, so that the next look tells what ended since.

    Parameters
    ----------
    newest
        The highest id of a job there was.
    open_ids
        Ids of the person's own jobs that waited or ran.
    """

    newest: int
    open_ids: frozenset[int]


@dataclass(frozen=True)
class Notices:
    """What ended since a person's last look, of all that they asked for.

    Parameters
    ----------
    rows
        Jobs that belong to no batch.
    batches
        Batches of which the last job ended.
    watch
        To be given to the next look.
    """

    rows: tuple[JobRow, ...]
    batches: tuple[BatchView, ...]
    watch: Watch


@dataclass(frozen=True)
class SensorStatusRow:
    """How the model of a sensor is.

    Parameters
    ----------
    name
        Machine and sensor.
    why
        The status in words, as a sentence without its full stop.
    at
        When the newest version was registered, or the last training failed; None if never.
    version_id, job_id
        The newest trained version and the newest training; None where there is none.
    busy
        Id of the training that waits or runs for it; None if none does.
    """

    sensor_id: int
    name: str
    status: Status
    why: str
    at: datetime | None
    version_id: int | None
    job_id: int | None
    busy: int | None


@dataclass(frozen=True)
class PresetRow:
    """A preset of a training as a person chooses it.

    Parameters
    ----------
    what
        What it trains, in one sentence.
    takes
        How long the chosen sensors take, such as ``about 2 min``; of one sensor where none is chosen.
    seconds
        The same as a number.
    modes
        The modes it knows, the usual one first.
    """

    name: str
    what: str
    takes: str
    seconds: float
    modes: tuple[str, ...]


@dataclass(frozen=True)
class AdvancedField:
    """A parameter of a preset that a person may set for a training of their own.

    Parameters
    ----------
    kind
        ``integer`` or ``number``.
    unit
        Empty where it has none.
    low, high
        The smallest and largest value it may have.
    """

    name: str
    title: str
    unit: str
    default: float
    low: float
    high: float
    kind: str
    help: str


@dataclass(frozen=True)
class ScheduleRow:
    """Work that is queued again and again.

    Parameters
    ----------
    what
        Kind and object of the work in words.
    words
        When it is due, in words, such as ``At 02:00 on Sunday``.
    zone
        Name of the time zone that the expression is of.
    next_at
        When it is due next, UTC; None while it is paused.
    """

    schedule_id: int
    title: str
    cron: str
    words: str
    zone: str
    kind: str
    what: str
    actor: str
    enabled: bool
    next_at: datetime | None
    last_at: datetime | None
    last_job_id: int | None
