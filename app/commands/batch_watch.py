"""Seeing many jobs through from the command line: by the supervisor when one lives, else one by one here."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from app.commands.console import Desk, progress
from app.commands.watching import see_through
from core.errors import JobError
from core.jobs.supervisor import supervisor_alive
from warehouse.jobs import WAITING, Job

_POLL_S: Final = 0.3
_ASK_S: Final = 2.0


def see_all_through(desk: Desk, job_ids: Sequence[int], title: str, *, tell: Callable[[Job], None]) -> None:
    """Return once all jobs are over, and those that follow them.

    Parameters
    ----------
    job_ids
        The jobs.
    title
        What they are together, for the bar.
    tell
        Given each of `job_ids` as it ended, in the order in which they end.
    """
    told: set[int] = set()
    while True:
        jobs = [job for one in job_ids if (job := desk.warehouse.jobs.get(one)) is not None]
        for job in jobs:
            if job.ended and job.id not in told:
                told.add(job.id)
                tell(job)
        left = [job for job in (*jobs, *_followers(desk, job_ids)) if not job.ended]
        if not left:
            return
        if supervisor_alive(desk.warehouse.layout):
            _watch(desk, job_ids, title, told)
        else:
            _run_next(desk, left, title, f"{len(told) + 1} of {len(job_ids)}")


def _followers(desk: Desk, job_ids: Sequence[int]) -> Iterator[Job]:
    wanted = set(job_ids)
    for job in desk.warehouse.jobs.list((*WAITING, "running"), limit=-1):
        if wanted.intersection(job.needs) and job.id not in wanted:
            yield job


def _watch(desk: Desk, job_ids: Sequence[int], title: str, told: set[int]) -> None:
    """Show how far the jobs are until one more of them is over, or all that follows them, or nobody works."""
    pause, asked = threading.Event(), time.monotonic()
    with progress(title) as report:
        while True:
            jobs = [job for one in job_ids if (job := desk.warehouse.jobs.get(one)) is not None]
            over = [job for job in jobs if job.ended]
            done = sum(1.0 if job.ended else job.progress for job in jobs) / max(len(jobs), 1)
            running = sum(job.state == "running" for job in jobs)
            report(done, f"{title}: {len(over)} of {len(jobs)} over, {running} running")
            if any(job.id not in told for job in over):
                return
            if len(over) == len(jobs) and not any(_followers(desk, job_ids)):
                return
            if time.monotonic() - asked >= _ASK_S:
                asked = time.monotonic()
                if not supervisor_alive(desk.warehouse.layout):
                    return
            pause.wait(_POLL_S)


def _run_next(desk: Desk, left: Sequence[Job], title: str, place: str) -> None:
    # What follows is run as soon as it can be, so that what was learned is in use when the next one begins.
    ids = {job.id for job in left}
    ready = [job for job in left if not ids.intersection(job.needs)]
    first = min(ready, key=lambda job: (not job.needs, job.id), default=left[0])
    try:
        see_through(desk, first, f"{title}, {place}")
    except JobError:
        # It is in the table, with its reason, and the others go on.
        return
