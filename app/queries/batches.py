"""Batches of jobs: how far each is, and what failed by name and reason."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from statistics import mean
from typing import Final

from app.queries import house
from app.queries.failure import answered
from app.queries.job_rows import names, row_of
from app.queries.job_text import left_words, seconds_left, what_of
from app.queries.job_views import BatchView, Failure, JobRow
from warehouse.jobs import STATES, Batch, Job

_ENDED: Final = frozenset({"done", "failed", "cancelled"})
_ALL: Final = -1


@answered
def batch(batch_id: int) -> BatchView | None:
    """Return one batch, None if there is none."""
    found = house.warehouse().jobs.batch(batch_id)
    return None if found is None else view_of(found, names(), now=house.now(), actor=house.profile().name)


@answered
def batches(limit: int = 5) -> tuple[BatchView, ...]:
    """Return the newest batches first, those that are over included."""
    known, at, me = names(), house.now(), house.profile().name
    return tuple(view_of(one, known, now=at, actor=me) for one in house.warehouse().jobs.batches(limit))


def view_of(
    found: Batch,
    known: Mapping[int, str],
    *,
    now: datetime,
    actor: str,
    unfinished: Collection[int] = (),
) -> BatchView:
    """Return a batch with a row a sensor; the other parameters are those of `job_rows.row_of`."""
    table = house.warehouse().jobs
    jobs = table.list(STATES, limit=_ALL, batch_id=found.id)
    first = [job for one in found.already if (job := table.get(one)) is not None]
    # What follows another job, as scoring does, is not what a person counts.
    heads = [job for job in (*jobs, *first) if not job.needs]
    rows = sorted(
        (row_of(job, known, now=now, actor=actor, unfinished=unfinished) for job in heads),
        key=lambda row: (row.what, row.job_id),
    )
    return BatchView(
        batch_id=found.id,
        title=found.title,
        actor=found.actor,
        created_at=found.created_at,
        rows=tuple(rows),
        counts=tuple(Counter(row.state for row in rows).items()),
        progress=_progress(rows),
        left=left_words(_seconds_left(heads, now)),
        failures=tuple(
            Failure(job.id, what_of(job, known), (job.error or "").removesuffix("."))
            for job in sorted((*jobs, *first), key=lambda job: job.id)
            if job.state == "failed"
        ),
        already=len(first),
        cancel_asked=_is_ending(heads),
    )


def _progress(rows: Sequence[JobRow]) -> float:
    return mean(1.0 if row.state in _ENDED else row.progress for row in rows) if rows else 1.0


def _seconds_left(heads: Sequence[Job], now: datetime) -> float | None:
    """Return the seconds that are left, from how long those that are done took, side by side as they run."""
    running = [job for job in heads if job.state == "running"]
    took = [
        (job.finished_at - job.started_at).total_seconds()
        for job in heads
        if job.state == "done" and job.finished_at is not None and job.started_at is not None
    ]
    took += [
        (now - job.started_at).total_seconds() + left
        for job in running
        if job.started_at is not None and (left := seconds_left(job, now)) is not None
    ]
    if not running or not took:
        return None
    each = mean(took)
    ahead = sum(1 - job.progress for job in heads if job.state not in _ENDED)
    # The last ones run on their own: however many work, it takes as long as the longest of them.
    return max(each * ahead / len(running), each * max(1 - job.progress for job in running))


def _is_ending(heads: Sequence[Job]) -> bool:
    left = [job for job in heads if job.state not in _ENDED]
    return bool(left) and all(job.state == "running" and job.cancel_asked_at is not None for job in left)
