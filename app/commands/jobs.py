"""`telltale jobs`: what runs, waits and is over, and what a person does with it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final

import typer

from app.actions import jobs as actions
from app.actions.jobs import Revived
from app.clock import now
from app.commands.console import Desk, desk, out
from app.commands.outcomes import follow
from app.queries.job_text import (
    KIND_WORDS,
    outcome_of,
    state_words,
    title_of,
    took_of,
    what_of,
)
from core.errors import JobError, ParameterError
from core.workflows.reporting import remarks_of
from warehouse.jobs import STATES, Job

app = typer.Typer(no_args_is_help=True, help="Look at jobs, cancel them, let them go on, begin them anew.")

_COLUMNS: Final = 6

Number = Annotated[int | None, typer.Argument(metavar="N", help="Number of the job.")]
BatchNumber = Annotated[int | None, typer.Option("--batch", metavar="N", help="All of a batch instead.")]
Wait = Annotated[bool, typer.Option(help="Stay until it is done.")]


@app.command("list")
def list_command(
    *,
    state: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(STATES)}.")] = None,
    kind: Annotated[str | None, typer.Option(help=f"One of {', '.join(KIND_WORDS)}.")] = None,
    sensor: Annotated[str | None, typer.Option(help="Jobs of this sensor alone.")] = None,
    batch: BatchNumber = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Jobs to list, the newest first.")] = 30,
) -> None:
    """List jobs, the newest first: number, state, work, sensor, who asked, how long, what came of it."""
    place = desk()
    unknown = sorted(set(state or ()) - set(STATES))
    if unknown:
        raise ParameterError(f"--state must be one of {', '.join(STATES)}, not {unknown[0]!r}", field="state")
    if kind is not None and kind not in KIND_WORDS:
        raise ParameterError(f"--kind must be one of {', '.join(KIND_WORDS)}, not {kind!r}", field="kind")
    found = place.warehouse.jobs.list(
        tuple(one for one in STATES if one in (state or STATES)),
        kind,
        limit,
        batch_id=batch,
        sensor_id=None if sensor is None else place.warehouse.catalog.find_sensor(sensor).id,
    )
    if not found:
        out.print("No job matches.")
        return
    names = _keys(place)
    rows = [_cells(job, names) for job in found]
    widths = [max(len(row[column]) for row in rows) for column in range(_COLUMNS)]
    for row in rows:
        short = "  ".join(cell.ljust(width) for cell, width in zip(row[:_COLUMNS], widths, strict=True))
        out.print(f"{short}  {row[_COLUMNS]}", markup=False)


@app.command()
def show(
    job_id: Annotated[int, typer.Argument(metavar="N", help="Number of the job.")],
    lines: Annotated[int, typer.Option(min=0, max=500, help="Lines of its log.")] = 20,
) -> None:
    """Show one job with the end of its log."""
    place = desk()
    job = place.warehouse.jobs.get(job_id)
    if job is None:
        raise JobError(f"there is no job {job_id}")
    waits = [
        one
        for one in job.needs
        if (other := place.warehouse.jobs.get(one)) is not None and other.state != "done"
    ]
    facts = {
        "job": f"{job.id}, {title_of(job)}",
        "on": what_of(job, _keys(place)),
        "state": state_words(job, waits if job.state == "queued" else (), now()),
        "progress": f"{job.progress:.0%} {job.message}",
        "attempt": str(job.attempt),
        "kept": "" if job.checkpoint is None else f"what was done up to step {job.checkpoint}",
        "asked by": f"{job.actor}, {_moment(job.created_at)}",
        "started": _moment(job.started_at),
        "ended": _moment(job.finished_at),
        "took": took_of(job, now()),
        "batch": "" if job.batch_id is None else str(job.batch_id),
        "memory": "" if job.memory_mb is None else f"{job.memory_mb:,.0f} MB",
        "CPU": "" if job.cpu_s is None else f"{job.cpu_s:,.0f} s",
        "result": outcome_of(job),
        "note": " ".join(remarks_of(job.result or {})),
    }
    for name, value in facts.items():
        if value:
            out.print(f"{name:9} {value}", markup=False)
    for line in place.warehouse.jobs.lines(job_id, limit=lines) if lines else ():
        out.print(f"{line.at:%H:%M:%S}  {line.text}", markup=False)


@app.command()
def cancel(job_id: Number = None, *, batch: BatchNumber = None) -> None:
    """Cancel a job: at once where it waits, within seconds where it runs."""
    place = desk()
    if _one_of(job_id, batch):
        left = actions.cancel_batch(place.profile, place.warehouse, batch or 0)
        out.print(f"{len(left)} jobs of batch {batch} are cancelled.")
        return
    job = actions.cancel_job(place.profile, place.warehouse, job_id or 0)
    if job.state == "running":
        out.print(f"Job {job.id} was told to end.")
    elif job.state == "cancelled":
        out.print(f"Job {job.id} is cancelled.")
    else:
        raise JobError(f"job {job.id} is over already: {job.state}")


@app.command()
def resume(job_id: Number = None, *, batch: BatchNumber = None, wait: Wait = True) -> None:
    """Let a job that failed, was cancelled or interrupted go on, or what of a batch was cancelled."""
    place = desk()
    if _one_of(job_id, batch):
        back = actions.resume_batch(place.profile, place.warehouse, batch or 0)
    else:
        back = actions.resume_jobs(place.profile, place.warehouse, [job_id or 0])
    _go_on(place, back, job_id, batch, wait=wait)


@app.command()
def retry(job_id: Number = None, *, batch: BatchNumber = None, wait: Wait = True) -> None:
    """Begin a job anew that failed, was cancelled or interrupted; or all such of a batch."""
    place = desk()
    if _one_of(job_id, batch):
        back = actions.retry_batch(place.profile, place.warehouse, batch or 0)
    else:
        back = actions.retry_jobs(place.profile, place.warehouse, [job_id or 0])
    _go_on(place, back, job_id, batch, wait=wait)


@app.command()
def clone(
    job_id: Annotated[int, typer.Argument(metavar="N", help="Number of the job.")], *, wait: Wait = True
) -> None:
    """Ask again for what a job was asked for, as a new job."""
    place = desk()
    asked = actions.clone_job(place.profile, place.warehouse, job_id)
    if not asked.new:
        where = actions.standing(asked.job)
        out.print(f"Job {asked.job.id} of {asked.job.actor} does that already ({where}).", markup=False)
    follow(place, (asked.job.id,), f"Job {asked.job.id}", wait=wait)


def _cells(job: Job, names: Mapping[int, str]) -> tuple[str, ...]:
    done = f"{job.state} {job.progress:.0%}" if job.state == "running" else job.state
    short = (str(job.id), done, title_of(job), what_of(job, names), job.actor, took_of(job, now()))
    return (*short, outcome_of(job) or job.message)


def _go_on(place: Desk, back: Revived, job_id: int | None, batch: int | None, *, wait: bool) -> None:
    if batch is not None:
        left = {job.id: job for job in actions.batch_jobs(place.warehouse, batch) if not job.ended}
        ids = tuple(one for one, job in left.items() if not left.keys() & set(job.needs))
        if not ids:
            out.print(f"Nothing of batch {batch} is left to do.")
            return
    else:
        waiting = _waits(place, job_id or 0)
        if not waiting and back.told:
            raise JobError(back.told[0])
        ids = (job_id or 0,)
    for sentence in back.told if batch is not None else ():
        out.print(sentence, markup=False)
    title = f"Batch {batch}" if batch is not None else f"Job {ids[0]}"
    follow(place, ids, title, wait=wait, batch_id=batch)


def _waits(place: Desk, job_id: int) -> bool:
    """Return whether a job waits or runs, so that it can be seen through whoever queued it."""
    job = place.warehouse.jobs.get(job_id)
    return job is not None and not job.ended


def _one_of(job_id: int | None, batch: int | None) -> bool:
    """Return whether a batch is meant.

    Raises
    ------
    ParameterError
        Neither was given, or both.
    """
    if (job_id is None) == (batch is None):
        raise ParameterError("name a job by its number, or a batch with --batch (not both)")
    return batch is not None


def _keys(place: Desk) -> dict[int, str]:
    return {one.id: one.key for one in place.warehouse.catalog.sensors()}


def _moment(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"
