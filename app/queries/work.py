"""Jobs as cards and rows, and how many wait."""

from collections.abc import Mapping
from statistics import median
from typing import Any, Final

from app.queries import house
from app.queries.failure import answered
from app.queries.views import PresetRow, TrainingJob
from core.workflows.reporting import remarks_of
from core.workflows.requests import PRESET_NAMES, modes_of
from warehouse.jobs import Job

_UNFINISHED: Final = ("queued", "running")
_MOST: Final = 60
_TYPICAL_S: Final[Mapping[str, float]] = {"quick": 10, "standard": 30, "thorough": 90, "telemanom": 30}
_WHAT: Final[Mapping[str, str]] = {
    "quick": "Level, spread and standstills of windows, and a prediction in closed form. No neural network.",
    "standard": "The quick checks, and windows compared with the past step by step. No neural network.",
    "thorough": "Everything in standard, and a convolution network.",
    "telemanom": "NASA's published LSTM and dynamic threshold, alone. Refuses a sensor that never changed.",
}


@answered
def demo_job() -> TrainingJob | None:
    """Return the job that builds the demo fleet while it waits or runs, or when it just failed."""
    found = house.warehouse().jobs.list(kind="demo", limit=1)
    return _view(found[0], {}) if found and found[0].state in {*_UNFINISHED, "failed"} else None


@answered
def presets() -> tuple[PresetRow, ...]:
    """Return the presets of a training, the quickest first.

    Past trainings of this home say how long a preset takes; until there is one, two cores of a laptop are
    assumed, and a sensor that is read once a minute for a month.
    """
    took: dict[str, list[float]] = {}
    for job in house.warehouse().jobs.list(states=("done",), kind="train", limit=_MOST):
        # Trainings of release 0.1.0 name no mode: its presets were other ones.
        if "mode" in job.payload and job.started_at is not None and job.finished_at is not None:
            seconds = (job.finished_at - job.started_at).total_seconds()
            took.setdefault(str(job.payload.get("preset")), []).append(seconds)
    return tuple(
        PresetRow(name, _WHAT[name], _about(median(took.get(name) or [_TYPICAL_S[name]])), modes_of(name))
        for name in PRESET_NAMES
    )


def _about(seconds: float) -> str:
    """Return a length of time that is never told as less than seconds, such as ``about 40 s``."""
    if seconds < 10:
        return "seconds"
    return f"about {round(seconds, -1):.0f} s" if seconds < 95 else f"about {seconds / 60:.0f} min"


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
        remarks=remarks_of(job.result or {}),
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
