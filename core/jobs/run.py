"""What a job can be, and running one: the same in the worker and inline in a command."""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from core.errors import Cancelled, CoreError, JobError, RegistryAway
from core.jobs.holding import Hold, ProgressRow, Usage
from core.workflows.reporting import Clock, Progress, Task
from warehouse.documents import JSON
from warehouse.errors import DatabaseHeld, DiskFull, ManifestConflict, WarehouseError
from warehouse.home import Warehouse
from warehouse.jobs import Job
from warehouse.layout import Layout

Work = Callable[[Mapping[str, JSON], Task], Mapping[str, JSON]]
"""Does what the payload asks and returns the result."""

FIRST_PAUSE: Final = timedelta(seconds=10)
"""Before a job that failed in a way that may pass is tried again; three times as long each further time."""

_MAY_PASS: Final = (ManifestConflict, DatabaseHeld, DiskFull, RegistryAway)


@dataclass(frozen=True)
class Kind:
    """One kind of job.

    Parameters
    ----------
    run
        Its work.
    heavy
        Whether it may take long: only training workers take it, so that it never keeps scoring waiting.
    title
        What it is, in words.
    attempts
        How often it is tried at most where it fails in a way that may pass.
    """

    run: Work
    heavy: bool
    title: str
    attempts: int = 3


def _train(payload: Mapping[str, JSON], task: Task) -> Mapping[str, JSON]:
    from core.workflows.train import train_job

    return train_job(payload, task)


def _train_all(payload: Mapping[str, JSON], task: Task) -> Mapping[str, JSON]:
    from core.workflows.train_all import train_all_job

    return train_all_job(payload, task)


def _score(payload: Mapping[str, JSON], task: Task) -> Mapping[str, JSON]:
    from core.workflows.score import score_job

    return score_job(payload, task)


def _validate(payload: Mapping[str, JSON], task: Task) -> Mapping[str, JSON]:
    from core.workflows.validate import validate_job

    return validate_job(payload, task)


def _backtest(payload: Mapping[str, JSON], task: Task) -> Mapping[str, JSON]:
    from core.workflows.backtest import backtest_job

    return backtest_job(payload, task)


def _ingest(payload: Mapping[str, JSON], task: Task) -> Mapping[str, JSON]:
    from core.workflows.watch import watch_job

    return watch_job(payload, task)


def _demo(payload: Mapping[str, JSON], task: Task) -> Mapping[str, JSON]:
    from core.workflows.demo import demo_job

    return demo_job(payload, task)


def _compaction(payload: Mapping[str, JSON], task: Task) -> Mapping[str, JSON]:
    from core.workflows.compact import compact_job

    return compact_job(payload, task)


# Imported when a job needs them: a worker that only scores never loads what training takes.
KINDS: Final[Mapping[str, Kind]] = {
    "train": Kind(_train, heavy=True, title="Training"),
    "train-all": Kind(_train_all, heavy=False, title="Training of many sensors"),
    "score": Kind(_score, heavy=False, title="Scoring"),
    "backtest": Kind(_backtest, heavy=True, title="Backtest"),
    "validate": Kind(_validate, heavy=True, title="Validation"),
    "ingest": Kind(_ingest, heavy=False, title="Ingest"),
    "demo": Kind(_demo, heavy=False, title="Demo fleet"),
    "compaction": Kind(_compaction, heavy=False, title="Compaction"),
}


def checkpoints_of(layout: Layout, job_id: int) -> Path:
    """Return the folder in which a job keeps what it needs to go on; it need not exist."""
    return layout.checkpoints / f"job-{job_id}"


def run_job(job: Job, task: Task, kinds: Mapping[str, Kind] = KINDS) -> dict[str, JSON]:
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
    return dict(kind.run(job.payload, task))


def execute(
    job: Job,
    *,
    warehouse: Warehouse,
    clock: Clock,
    kinds: Mapping[str, Kind] = KINDS,
    progress: Progress | None = None,
    runner: str = "a command",
    tracking: str = "",
    usage: Usage | None = None,
) -> Job:
    """Run a claimed `job`, record in the table how it goes and how it ends, and return it as it then is.

    It is queued again where it failed in a way that may pass. Any other exception than those of Telltale's is
    the caller's to handle; the job then still runs in the table.

    Parameters
    ----------
    progress
        Told as well, for a command that runs the job itself.
    runner
        What runs it, for its log.
    tracking
        Address of MLflow's server; empty for the home's own store.
    usage
        What the work takes where another process does it.
    """
    jobs, begun = warehouse.jobs, clock()
    kept = checkpoints_of(warehouse.layout, job.id)
    jobs.log(job, f"attempt {job.attempt} begins in {runner}, process {os.getpid()}", begun)
    if job.fresh and kept.exists():
        shutil.rmtree(kept)
    report = ProgressRow(job, jobs, clock, progress)

    def checkpointed(step: int, /) -> None:
        report.flush()  # what is kept was told of before, however soon a kill comes
        _drop(jobs.checkpointed(job, step))

    with Hold(job, jobs, clock, meanwhile=report.flush, usage=usage) as hold:
        task = Task(
            warehouse=warehouse,
            clock=clock,
            actor=job.actor,
            job_id=job.id,
            attempt=job.attempt,
            tracking=tracking,
            progress=report,
            metric=lambda step, name, value, /: _drop(jobs.log_metric(job, step, name, value)),
            log=lambda text: _drop(jobs.log(job, one_line(text), clock())),
            check=hold.check,
            checkpointed=checkpointed,
            checkpoints=kept,
        )
        try:
            result = run_job(job, task, kinds)
        except Cancelled as why:
            report.flush()
            if hold.ending == "cancelled":
                jobs.cancelled(job, clock())
            else:  # it is somebody else's now, or the work itself had a reason
                jobs.interrupt(job, one_line(str(why)), clock())
        except (CoreError, WarehouseError) as error:
            report.flush()
            give_up(job, error, warehouse=warehouse, clock=clock, kinds=kinds)
        else:
            report.flush()
            took = (clock() - begun).total_seconds()
            jobs.log(job, f"attempt {job.attempt} is done after {took:.1f} s", clock())
            if jobs.finish(job, result, clock()):
                shutil.rmtree(kept, ignore_errors=True)
    return jobs.get(job.id) or job


def give_up(
    job: Job,
    error: Exception,
    *,
    warehouse: Warehouse,
    clock: Clock,
    kinds: Mapping[str, Kind] = KINDS,
) -> None:
    """Record why `job` failed: it is tried again a little later where that may pass, a few times at most."""
    kind = kinds.get(job.kind)
    again = kind is not None and isinstance(error, _MAY_PASS) and job.retries + 1 < kind.attempts
    retry_at = clock() + FIRST_PAUSE * 3**job.retries if again else None
    warehouse.jobs.fail(job, one_line(str(error)), clock(), retry_at=retry_at)


def one_line(message: str) -> str:
    """Return `message` with every run of white space as one space."""
    return " ".join(message.split())


def _drop(_kept: bool, /) -> None:
    """Take the answer of a fenced write: work learns that it was fenced off when it asks whether to go on."""
