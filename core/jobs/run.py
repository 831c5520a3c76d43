"""What a job can be, and running one: the same in the worker and inline in a command."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Protocol

from core.errors import CoreError, JobError
from core.workflows.reporting import Clock, Metric, Progress
from warehouse.documents import JSON
from warehouse.errors import WarehouseError
from warehouse.home import Warehouse
from warehouse.jobs import Job

_REPORT_EVERY: Final = timedelta(milliseconds=300)


class Kind(Protocol):
    """The work of one kind of job."""

    def __call__(
        self,
        payload: Mapping[str, JSON],
        *,
        warehouse: Warehouse,
        clock: Clock,
        progress: Progress,
        metric: Metric,
    ) -> Mapping[str, JSON]:
        """Do what `payload` asks and return the result.

        Parameters
        ----------
        progress
            Takes a fraction in [0, 1] and what is being done.
        metric
            Takes a step, a name and a value, for curves that are watched while the job runs.
        """


def _train(
    payload: Mapping[str, JSON], *, warehouse: Warehouse, clock: Clock, progress: Progress, metric: Metric
) -> Mapping[str, JSON]:
    from core.workflows.train import train_job

    return train_job(payload, warehouse=warehouse, clock=clock, progress=progress, metric=metric)


def _score(
    payload: Mapping[str, JSON], *, warehouse: Warehouse, clock: Clock, progress: Progress, metric: Metric
) -> Mapping[str, JSON]:
    from core.workflows.score import score_job

    return score_job(payload, warehouse=warehouse, clock=clock, progress=progress, metric=metric)


def _demo(
    payload: Mapping[str, JSON], *, warehouse: Warehouse, clock: Clock, progress: Progress, metric: Metric
) -> Mapping[str, JSON]:
    from core.workflows.demo import demo_job

    return demo_job(payload, warehouse=warehouse, clock=clock, progress=progress, metric=metric)


def _ingest(
    payload: Mapping[str, JSON], *, warehouse: Warehouse, clock: Clock, progress: Progress, metric: Metric
) -> Mapping[str, JSON]:
    from core.workflows.watch import watch_job

    return watch_job(payload, warehouse=warehouse, clock=clock, progress=progress, metric=metric)


# Imported when a job needs them: a worker that only scores never loads what training takes.
KINDS: Final[Mapping[str, Kind]] = {"train": _train, "score": _score, "demo": _demo, "ingest": _ingest}


def run_job(
    job: Job,
    *,
    warehouse: Warehouse,
    clock: Clock,
    progress: Progress,
    kinds: Mapping[str, Kind] = KINDS,
) -> dict[str, JSON]:
    """Do the work of `job` and return its result; the job table is left to the caller.

    Raises
    ------
    JobError
        There is no work of that kind.
    CoreError, WarehouseError
        Why the work could not be done.
    """
    kind = kinds.get(job.kind)
    if kind is None:
        raise JobError(f"job {job.id}: there is no work of kind {job.kind!r}, only {', '.join(kinds)}")

    def metric(step: int, name: str, value: float, /) -> None:
        warehouse.jobs.log_metric(job.id, step, name, value)

    return dict(kind(job.payload, warehouse=warehouse, clock=clock, progress=progress, metric=metric))


def execute(
    job: Job,
    *,
    warehouse: Warehouse,
    clock: Clock,
    kinds: Mapping[str, Kind] = KINDS,
    progress: Progress | None = None,
) -> Job:
    """Run a claimed `job`, record in the table how it goes and how it ends, and return it as it ended.

    Parameters
    ----------
    progress
        Told as well, for a command that runs the job itself.
    """
    report = _Report(job, warehouse, clock, progress)
    try:
        result = run_job(job, warehouse=warehouse, clock=clock, progress=report, kinds=kinds)
    except (CoreError, WarehouseError) as error:
        warehouse.jobs.fail(job.id, one_line(str(error)), clock())
    else:
        warehouse.jobs.finish(job.id, result, clock())
    return warehouse.jobs.get(job.id) or job


def one_line(message: str) -> str:
    """Return `message` with every run of white space as one space."""
    return " ".join(message.split())


class _Report:
    """Progress into the job table, a few times a second at most: each is a synced commit."""

    def __init__(self, job: Job, warehouse: Warehouse, clock: Clock, also: Progress | None) -> None:
        self._job_id = job.id
        self._jobs = warehouse.jobs
        self._clock = clock
        self._also = also
        self._last: datetime | None = None

    def __call__(self, fraction: float, message: str, /) -> None:
        if self._also is not None:
            self._also(fraction, message)
        now = self._clock()
        if self._last is None or now - self._last >= _REPORT_EVERY or fraction >= 1.0:
            self._last = now
            self._jobs.progress(self._job_id, fraction, one_line(message))
