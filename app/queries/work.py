"""Jobs as cards and rows: what runs, waits and is over, one job's own view, and what just ended."""

from collections.abc import Collection, Mapping
from typing import Final

from app.queries import house
from app.queries.batches import view_of
from app.queries.failure import answered
from app.queries.job_results import folds_of, parameters_of, results_of
from app.queries.job_rows import curves_of, names, row_of
from app.queries.job_text import KIND_WORDS
from app.queries.job_views import Action, BatchView, JobRow, JobView, Live, LogLine, Notices, Watch
from warehouse.errors import CatalogError
from warehouse.jobs import ENDED, STATES, Job, JobState

_OPEN: Final[tuple[JobState, ...]] = ("running", "queued", "interrupted")
_MOST: Final = 60
_LINES: Final = 200
_ALL: Final = -1


@answered
def live() -> Live:
    """Return what runs and waits at this moment."""
    at, known, me = house.now(), names(), house.profile().name
    table = house.warehouse().jobs
    open_jobs = table.list(_OPEN, limit=_ALL)
    unfinished = {job.id for job in open_jobs}
    shown = []
    for batch_id in sorted({job.batch_id for job in open_jobs if job.batch_id is not None}, reverse=True):
        found = table.batch(batch_id)
        if found is not None:
            shown.append(view_of(found, known, now=at, actor=me, unfinished=unfinished))
    # Where only what follows a batch still runs, its rows are jobs like any others.
    shown = [batch for batch in shown if not batch.over]
    inside = {batch.batch_id for batch in shown}
    inside_jobs = {row.job_id for batch in shown for row in batch.rows}
    alone = [job for job in open_jobs if job.batch_id not in inside and job.id not in inside_jobs]
    running = sorted((job for job in alone if job.state == "running"), key=lambda job: job.id)
    waiting = sorted((job for job in alone if job.state != "running"), key=lambda job: (job.priority, job.id))

    def row(job: Job) -> JobRow:
        losses = curves_of(job.id) if job.kind == "train" and job.state == "running" else ()
        return row_of(job, known, now=at, actor=me, unfinished=unfinished, losses=losses)

    return Live(tuple(map(row, running)), tuple(shown), tuple(map(row, waiting)))


@answered
def jobs(
    states: Collection[str] = STATES,
    kind: str | None = None,
    sensor_id: int | None = None,
    *,
    before: int | None = None,
    limit: int = _MOST,
) -> tuple[JobRow, ...]:
    """Return jobs in any of `states`, newest first.

    Parameters
    ----------
    kind, sensor_id
        Jobs of this kind, or of this sensor, alone.
    before
        Jobs with a lower id alone: the last one of the page before.
    """
    at, known, me = house.now(), names(), house.profile().name
    wanted = tuple(state for state in STATES if state in states)
    found = house.warehouse().jobs.list(wanted, kind, limit, sensor_id=sensor_id, before=before)
    return tuple(row_of(job, known, now=at, actor=me) for job in found)


def kinds() -> Mapping[str, str]:
    """Return the kinds of jobs in words, those that people ask for most first."""
    return KIND_WORDS


@answered
def job(job_id: int) -> JobView | None:
    """Return one job with its log and curves, None if there is none."""
    table = house.warehouse().jobs
    found = table.get(job_id)
    if found is None:
        return None
    known = names()
    unfinished = {one for one in found.needs if (needed := table.get(one)) is not None and not needed.ended}
    row = row_of(found, known, now=house.now(), actor=house.profile().name, unfinished=unfinished)
    return JobView(
        row=row,
        lines=tuple(
            LogLine(line.seq, line.at, line.attempt, line.text) for line in table.lines(job_id, limit=_LINES)
        ),
        # What a fold came to is no loss, and stands in its row.
        curves=tuple(one for one in curves_of(job_id) if not one[0].startswith("fold ")),
        memory_mb=found.memory_mb,
        cpu_s=found.cpu_s,
        parameters=parameters_of(found, known),
        results=results_of(found, folds=False),
        folds=folds_of(found),
        run_id=_run_of(found),
        checkpoint=found.checkpoint or None,
        actions=actions_of(found),
    )


def actions_of(found: Job) -> tuple[Action, ...]:
    """Return what a person with the role can do with a job in its state."""
    if found.state == "running":
        return ("clone",) if found.cancel_asked_at is not None else ("cancel", "clone")
    if found.state == "queued":
        return ("cancel",)
    if found.state == "interrupted":
        return ("cancel", "resume", "retry")
    if found.state == "done":
        return ("clone",)
    # A backtest keeps the folds that it has done, and no epoch of its own.
    kept = found.checkpoint or (found.kind == "backtest" and found.attempt)
    return ("resume", "retry", "clone") if kept else ("retry", "clone")


@answered
def ended_since(watch: Watch | None) -> Notices:
    """Return what ended of all that this person asked for, and what to give to the next look.

    What follows by itself, such as scoring after a training, is not told of unless it failed. A batch is told
    of once, when all of it is over, with what failed of that as well.

    Parameters
    ----------
    watch
        Of the look before; None for the first one, which tells of nothing.
    """
    at, me = house.now(), house.profile().name
    table = house.warehouse().jobs
    mine = [job for job in table.list(_OPEN, limit=_ALL) if job.actor == me]
    newest = table.list(limit=1)
    then = Watch(newest[0].id if newest else 0, frozenset(job.id for job in mine))
    if watch is None:
        return Notices((), (), then)
    gone = [found for one in sorted(watch.open_ids - then.open_ids) if (found := table.get(one)) is not None]
    # What came and went between two looks.
    if then.newest > watch.newest:
        fresh = table.list(ENDED, limit=then.newest - watch.newest)
        gone += [job for job in fresh if job.id > watch.newest and job.actor == me]
    gone = [job for job in gone if job.ended]
    over = {job.batch_id for job in gone if job.batch_id is not None} - {job.batch_id for job in mine}
    known = names() if gone else {}
    batches: list[BatchView] = []
    for batch_id in sorted(over):
        found_batch = table.batch(batch_id)
        if found_batch is not None:
            batches.append(view_of(found_batch, known, now=at, actor=me))
    alone = [job for job in gone if job.batch_id is None and (not job.needs or job.state == "failed")]
    rows = tuple(row_of(job, known, now=at, actor=me) for job in alone)
    return Notices(rows, tuple(batches), then)


@answered
def demo_job() -> JobRow | None:
    """Return the job that builds the demo fleet while it waits or runs, or when it just failed."""
    found = house.warehouse().jobs.list(kind="demo", limit=1)
    if not found or found[0].state in {"done", "cancelled"}:
        return None
    return row_of(found[0], {}, now=house.now(), actor=house.profile().name)


def _run_of(found: Job) -> str | None:
    result = found.result or {}
    version_id, run_id = result.get("version_id"), result.get("run_id")
    if isinstance(run_id, str) or not isinstance(version_id, int):
        return run_id if isinstance(run_id, str) else None
    try:
        # Trainings of earlier releases tell their version alone.
        return house.warehouse().catalog.version(version_id).run_id
    except CatalogError:
        # The job remembers a version that a restored home no longer has.
        return None
