"""Running queued work from the command line: by the supervisor when one lives, else right here."""

import os
import threading
from typing import Final

from app.clock import now
from app.commands.console import Desk, progress
from core.errors import JobError
from core.jobs.run import execute
from core.jobs.supervisor import supervisor_alive
from core.jobs.worker import threads_environment
from warehouse.errors import StateLocked
from warehouse.jobs import Job
from warehouse.state.owner import StateOwner

_POLL_S: Final = 0.2
_ENDED: Final = ("done", "failed")


def see_through(desk: Desk, job: Job, title: str, *, wait: bool = True) -> Job:
    """Return `job` as it ended, having run it here if no supervisor does; not waited for when not asked.

    Raises
    ------
    JobError
        The job failed; the message is its reason.
    """
    if supervisor_alive(desk.warehouse.layout):
        if not wait:
            return job
        ended = _watch(desk, job, title)
    else:
        ended = _run_here(desk, job, title)
    if ended.state == "failed":
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


def _watch(desk: Desk, job: Job, title: str) -> Job:
    pause = threading.Event()
    with progress(title) as report:
        while True:
            seen = desk.warehouse.jobs.get(job.id)
            if seen is None:
                raise JobError(f"job {job.id} is gone from the job table")
            report(
                seen.progress, seen.message or ("waiting for the worker" if seen.state == "queued" else "")
            )
            if seen.state in _ENDED:
                return seen
            pause.wait(_POLL_S)


def _run_here(desk: Desk, job: Job, title: str) -> Job:
    for name, value in threads_environment(os.cpu_count() or 1).items():
        os.environ.setdefault(name, value)
    claimed = desk.warehouse.jobs.claim(os.getpid(), now(), job_id=job.id)
    if claimed is None:  # another process came first
        return _watch(desk, job, title)
    try:
        with progress(title) as report:
            ended = execute(claimed, warehouse=desk.warehouse, clock=now, progress=report)
    except BaseException:
        desk.warehouse.jobs.fail(job.id, "the command that ran it was interrupted; start it again", now())
        raise
    fold(desk)
    return ended
