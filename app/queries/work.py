"""Jobs as cards and rows, and how many wait."""

from collections.abc import Mapping
from statistics import median
from typing import Any, Final

from app.queries import house
from app.queries.failure import answered
from app.queries.views import TrainingJob
from core.workflows.requests import PRESET_NAMES
from warehouse.jobs import Job

_UNFINISHED: Final = ("queued", "running")
_MOST: Final = 60


@answered
def demo_job() -> TrainingJob | None:
    """Return the job that builds the demo fleet while it waits or runs, or when it just failed."""
    found = house.warehouse().jobs.list(kind="demo", limit=1)
    return _view(found[0], {}) if found and found[0].state in {*_UNFINISHED, "failed"} else None


@answered
def presets() -> dict[str, str]:
    """Return the presets of a training in words, with the minutes that past ones took here."""
    took: dict[str, list[float]] = {}
    for job in house.warehouse().jobs.list(states=("done",), kind="train", limit=_MOST):
        if job.started_at is not None and job.finished_at is not None:
            preset = str(job.payload.get("preset"))
            took.setdefault(preset, []).append((job.finished_at - job.started_at).total_seconds() / 60)
    return {
        name: f"{name.capitalize()}, about {max(median(took[name]), 0.5):.0f} min"
        if name in took
        else name.capitalize()
        for name in PRESET_NAMES
    }


@answered
def jobs() -> tuple[TrainingJob, ...]:
    """Return the newest training jobs and whatever runs or waits, newest first."""
    home = house.warehouse()
    names = {sensor.id: f"{sensor.asset_name} · {sensor.name}" for sensor in home.catalog.sensors()}
    busy = home.jobs.list(states=("queued", "running"), limit=_MOST)
    ended = home.jobs.list(states=("done", "failed"), kind="train", limit=_MOST)
    return tuple(_view(job, names) for job in sorted((*busy, *ended), key=lambda job: -job.id))


def _view(job: Job, names: Mapping[int, str]) -> TrainingJob:
    curves: dict[str, list[tuple[int, float]]] = {}
    if job.kind == "train" and job.state == "running":
        for one in house.warehouse().jobs.metrics(job.id):
            if one.value == one.value:  # a missing figure is NaN
                curves.setdefault(one.name, []).append((one.step, one.value))
    return TrainingJob(
        job_id=job.id,
        kind=job.kind,
        what=_what(job, names),
        state=job.state,
        progress=job.progress,
        message=job.message or "",
        actor=job.actor,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        outcome=_outcome(job),
        losses=tuple((name, tuple(points)) for name, points in curves.items()),
    )


def _what(job: Job, names: Mapping[int, str]) -> str:
    ids: Any = job.payload.get("sensor_ids") or []
    if job.kind == "demo":
        return "Demo fleet"
    if not ids:
        return "All sensors"
    first = names.get(ids[0], f"sensor #{ids[0]}")
    return first if len(ids) == 1 else f"{first} and {len(ids) - 1} more"


def _outcome(job: Job) -> str:
    if job.state == "failed":
        return f"Failed: {job.error}"
    return "" if job.state != "done" else str((job.result or {}).get("summary", "Done"))
