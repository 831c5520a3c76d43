"""Jobs as cards and rows, and how many wait."""

from collections.abc import Mapping
from statistics import median
from typing import Any, Final

from app.queries import house
from app.queries.failure import answered
from app.queries.views import TrainingJob
from core.ensembles.presets import PRESETS
from core.workflows.requests import PRESET_NAMES
from warehouse.jobs import Job

_UNFINISHED: Final = ("queued", "running")
_MOST: Final = 60
_SECONDS_A_CROP: Final = 0.013  # two cores: 50 s for the quick preset


@answered
def demo_job() -> TrainingJob | None:
    """Return the job that builds the demo fleet while it waits or runs, or when it just failed."""
    found = house.warehouse().jobs.list(kind="demo", limit=1)
    return _view(found[0], {}) if found and found[0].state in {*_UNFINISHED, "failed"} else None


@answered
def presets() -> dict[str, str]:
    """Return the presets of a training in words, with the minutes that each takes at most, about.

    Past trainings of this home say how fast this machine is; until there is one, a laptop is assumed.
    """
    ratios = []
    for job in house.warehouse().jobs.list(states=("done",), kind="train", limit=_MOST):
        preset = str(job.payload.get("preset"))
        if preset in PRESETS and job.started_at is not None and job.finished_at is not None:
            ratios.append((job.finished_at - job.started_at).total_seconds() / _work(preset))
    seconds = median(ratios) if ratios else _SECONDS_A_CROP
    return {
        name: f"{name.capitalize()}, about {max(_work(name) * seconds / 60, 1):.0f} min"
        for name in PRESET_NAMES
    }


def _work(preset: str) -> int:
    """Return the windows that a training looks at if it does not stop early."""
    parameters = PRESETS[preset]
    return parameters.epochs * parameters.most_crops


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
