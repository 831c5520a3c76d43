"""Jobs as rows of the screens."""

from collections.abc import Collection, Mapping
from datetime import datetime

import streamlit as st

from app.queries import house
from app.queries.job_text import outcome_of, sensor_ids_of, state_words, time_left, title_of, took_of, what_of
from app.queries.job_views import Curves, JobRow
from core.workflows.reporting import remarks_of
from warehouse.jobs import Job


def names() -> Mapping[int, str]:
    """Return machine and sensor of every sensor by its id."""
    home = house.warehouse()
    newest = home.manifest.snapshot()
    return _names(str(home.root), 0 if newest is None else newest.id)


@st.cache_resource(show_spinner=False, max_entries=4)
def _names(home: str, snapshot: int) -> Mapping[int, str]:
    del home, snapshot  # what the answer depends on
    # Sensors come in with a snapshot and keep their names; the copies that `cache_data` makes cost a tick.
    return {one.id: f"{one.asset_name} · {one.name}" for one in house.warehouse().catalog.sensors()}


def row_of(
    job: Job,
    known: Mapping[int, str],
    *,
    now: datetime,
    actor: str,
    unfinished: Collection[int] = (),
    losses: Curves = (),
) -> JobRow:
    """Return a job as a row.

    Parameters
    ----------
    known
        Names of sensors by id.
    now
        This moment, for what runs.
    actor
        The person at the screen.
    unfinished
        Ids of the jobs that wait or run, to tell which of those that a waiting one needs are not done.
    """
    waits_for = tuple(one for one in job.needs if one in unfinished) if job.state == "queued" else ()
    result = job.result or {}
    version = result.get("version_id")
    return JobRow(
        job_id=job.id,
        kind=job.kind,
        title=title_of(job),
        what=what_of(job, known),
        sensor_ids=sensor_ids_of(job),
        state=job.state,
        words=state_words(job, waits_for, now),
        progress=job.progress,
        message=job.message,
        left=time_left(job, now),
        actor=job.actor,
        mine=job.actor == actor,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        took=took_of(job, now),
        waits_for=waits_for,
        batch_id=job.batch_id,
        outcome=outcome_of(job),
        remarks=remarks_of(result),
        version_id=version if isinstance(version, int) else None,
        attempt=job.attempt,
        cancel_asked=job.state == "running" and job.cancel_asked_at is not None,
        losses=losses,
    )


def curves_of(job_id: int) -> Curves:
    """Return what a job logged, by name in the order in which the names came up."""
    curves: dict[str, list[tuple[int, float]]] = {}
    for one in house.warehouse().jobs.metrics(job_id):
        if one.value == one.value:  # a missing figure is NaN
            curves.setdefault(one.name, []).append((one.step, one.value))
    return tuple((name, tuple(points)) for name, points in curves.items())
