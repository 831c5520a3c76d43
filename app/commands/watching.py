"""Running queued work from the command line: by the supervisor when one lives, else right here."""

import os
import signal
import threading
import time
from typing import Final

from app.clock import now
from app.commands.console import Desk, Report, err, progress
from core.errors import JobError
from core.jobs.cores import share_of
from core.jobs.run import execute
from core.jobs.supervisor import supervisor_alive
from warehouse.errors import StateLocked
from warehouse.jobs import WAITING, Job
from warehouse.state.owner import StateOwner

_POLL_S: Final = 0.2
# Asking holds the supervisor's lock for a moment: not many times a second.
_ASK_S: Final = 2.0


def see_through(desk: Desk, job: Job, title: str, *, wait: bool = True) -> Job:
    """Return `job` as it ended, having run it here if no supervisor does; not waited for when not asked.

    What it needs is seen through first where no supervisor does that. On Ctrl+C a job that runs here waits to
    go on, and one that a supervisor runs goes on; a line says how to go on or to end it.

    Raises
    ------
    JobError
        The job failed or was cancelled; the message says why.
    """
    alive = supervisor_alive(desk.warehouse.layout)
    if alive and not wait:
        return job
    if not alive:
        for needed in job.needs:
            first = _get(desk, needed)
            if not first.ended:
                see_through(desk, first, f"{title}: job {first.id} comes first")
    ended = _seen(desk, job, title, alive=alive)
    if ended.state != "done":
        raise JobError(f"{title}: {ended.error}")
    return ended


def fold(desk: Desk) -> None:
    """Bring what was found into the state for the first screen, unless the app runs and does it itself."""
    owner = StateOwner(desk.warehouse, clock=now)
    try:
        owner.acquire()
    except StateLocked:
        return
    try:
        owner.fold_inbox()
    finally:
        owner.release()


def _seen(desk: Desk, job: Job, title: str, *, alive: bool) -> Job:
    """Watch a job until it ends; whenever nobody else would run it, run it here."""
    jobs, pause, asked = desk.warehouse.jobs, threading.Event(), time.monotonic()
    with progress(title) as report:
        while True:
            seen = _get(desk, job.id)
            if seen.ended:
                return seen
            if time.monotonic() - asked >= _ASK_S:
                alive, asked = supervisor_alive(desk.warehouse.layout), time.monotonic()
            if not alive and seen.state in WAITING:
                claimed = jobs.claim(os.getpid(), now(), job_id=job.id)
                if claimed is not None:
                    _run_here(desk, claimed, report)
                    continue
            report(seen.progress, seen.message or ("waiting for a worker" if seen.state in WAITING else ""))
            try:
                pause.wait(_POLL_S)
            except KeyboardInterrupt:
                err.print(
                    f"telltale: job {job.id} goes on; `telltale jobs cancel {job.id}` ends it", markup=False
                )
                raise


def _run_here(desk: Desk, claimed: Job, report: Report) -> None:
    for name, value in share_of(1).items():
        os.environ.setdefault(name, value)
    if os.name != "nt":
        # Polars has waits go on after a signal: Ctrl+C would come through once the training is over.
        signal.siginterrupt(signal.SIGINT, True)
    jobs = desk.warehouse.jobs
    try:
        execute(
            claimed,
            warehouse=desk.warehouse,
            clock=now,
            progress=report,
            runner="a command",
            tracking=desk.settings.tracking,
        )
    except KeyboardInterrupt:
        left = jobs.interrupt(claimed, "Ctrl+C ended the command that ran it", now(), blameless=True)
        if left.state == "interrupted":
            kept = "from the start" if left.checkpoint is None else f"after step {left.checkpoint}"
            err.print(
                f"telltale: job {claimed.id} was interrupted and waits; `telltale jobs resume {claimed.id}` "
                f"or the app, once it runs, goes on {kept}; `telltale jobs cancel {claimed.id}` drops it",
                markup=False,
            )
        raise
    except BaseException as error:
        reason = f"unexpected {type(error).__name__} in the command that ran it; start it again"
        jobs.fail(claimed, reason, now())
        raise
    fold(desk)


def _get(desk: Desk, job_id: int) -> Job:
    seen = desk.warehouse.jobs.get(job_id)
    if seen is None:
        raise JobError(f"job {job_id} is gone from the job table")
    return seen
