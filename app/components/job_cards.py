"""Jobs as cards while they run and as rows when they wait or are over."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import polars as pl
import streamlit as st

from app.charts.losses import loss_curves
from app.charts.template import CONFIG
from app.charts.zone import Zone, lasting
from app.components.words import counted, escaped
from app.queries.views import TrainingJob
from app.theme import Palette

Losses = tuple[tuple[str, tuple[tuple[int, float], ...]], ...]
# As `core.workflows.epochs` names the curves of a second network and of those after it.
_NETWORK: Final = re.compile(r"(.*) of network (\d+)$")

# Of the column of results.
_ROW_PX: Final = 18
_LINE_PX: Final = 15
_LINE_CHARACTERS: Final = 74


def running_card(job: TrainingJob, now: datetime, palette: Palette) -> None:
    """Draw a running job: bar with time left, last line, loss curve."""
    with st.container(border=True):
        st.markdown(
            f"**{escaped(job.what)}** :gray[· {job.kind} · job {job.job_id}, started by {escaped(job.actor)}]"
        )
        st.progress(min(max(job.progress, 0.0), 1.0), text=f"{job.progress * 100:.0f} %{_left(job, now)}")
        st.caption(escaped(job.message) or "Starting")
        if job.losses:
            st.plotly_chart(
                loss_curves(newest_network(job.losses), palette),
                theme=None,
                config=CONFIG,
                key=f"losses_{job.job_id}",
                alt=f"Loss over epochs of {job.what}",
            )


def newest_network(losses: Losses) -> Losses:
    """Return the curves of the network that learns now; those of the ones before it are done."""
    number = max((int(found[2]) for name, _ in losses if (found := _NETWORK.match(name))), default=1)
    if number == 1:
        return losses
    return tuple(
        (found[1], points)
        for name, points in losses
        if (found := _NETWORK.match(name)) is not None and int(found[2]) == number
    )


def waiting(jobs: Sequence[TrainingJob], zone: Zone) -> None:
    """List what is queued, next first."""
    st.subheader(f"Queue · {counted(len(jobs), 'job')}", anchor=False)
    if not jobs:
        st.caption("Nothing waits.")
    for job in sorted(jobs, key=lambda job: job.job_id)[:10]:
        st.markdown(
            f"{escaped(job.what)} :gray[· {job.kind} · job {job.job_id}, queued {zone.clock(job.created_at)} "
            f"by {escaped(job.actor)}]"
        )
    if len(jobs) > 10:
        st.caption(f"and {len(jobs) - 10} more")


def history(jobs: Sequence[TrainingJob], zone: Zone, now: datetime) -> None:
    """Draw the table of jobs that are over, newest first, with what came of each."""
    st.subheader("History", anchor=False)
    if not jobs:
        st.caption("No training is over yet.")
        return
    st.dataframe(
        pl.DataFrame(
            {
                "Job": [job.job_id for job in jobs],
                "Sensor": [job.what for job in jobs],
                "Result": [_result(job) for job in jobs],
                "Ended": [zone.since(job.finished_at, now) if job.finished_at else "" for job in jobs],
                "Took": [_took(job) for job in jobs],
                "By": [job.actor for job in jobs],
            }
        ),
        hide_index=True,
        column_config={
            "Job": st.column_config.NumberColumn(width=50, format="%d"),
            "Sensor": st.column_config.TextColumn(width=210),
            "Result": st.column_config.TextColumn(width=480),
            "Ended": st.column_config.TextColumn(width=110),
            "Took": st.column_config.TextColumn(width=80),
            "By": st.column_config.TextColumn(width=100),
        },
        row_height=_ROW_PX + _LINE_PX * max(-(-len(_result(job)) // _LINE_CHARACTERS) for job in jobs),
        alt="Trainings that are over, newest first",
    )


def _result(job: TrainingJob) -> str:
    """Return what came of a job, and what a person must know of it."""
    told = [job.outcome, *(f"Note: {remark}" for remark in job.remarks)]
    return " ".join(f"{one[:1].upper()}{one[1:].removesuffix('.')}." for one in told)


def _left(job: TrainingJob, now: datetime) -> str:
    if job.started_at is None or job.progress < 0.05:
        return ""
    passed = now - job.started_at
    return f", about {lasting(max(passed * (1 / job.progress - 1), timedelta()))} left"


def _took(job: TrainingJob) -> str:
    if job.started_at is None or job.finished_at is None:
        return ""
    return lasting(job.finished_at - job.started_at)
