"""What a job was asked to do and what it found, a line each."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from app.queries.job_text import of_sensors, sensor_ids_of
from app.queries.job_views import FoldRow
from app.theme import MODE_WORDS
from warehouse.documents import JSON
from warehouse.jobs import Job

# (name in the payload, words) of what a person asked for, in the order in which it is shown.
_ASKED: Final = (
    ("preset", "Preset"),
    ("mode", "Judges"),
    ("only", "Only"),
    ("seed", "Seed"),
    ("folds", "Folds"),
    ("since", "Readings since"),
)
# (name of a held-out figure, sentence).
_FIGURES: Final = (
    ("normalised_error", "Held-out error {:.3g} standard deviations"),
    ("persistence_error", "Predicting no change would have had an error of {:.3g}"),
    ("alarms_per_week", "{:.2g} alarms a week on the held-out part"),
    ("precision", "Precision {:.2f} against published labels and verdicts"),
    ("recall", "Recall {:.2f} against published labels and verdicts"),
    ("f1", "F1 {:.2f} against published labels and verdicts"),
)


def parameters_of(job: Job, known: Mapping[int, str]) -> tuple[tuple[str, str], ...]:
    """Return what a job was asked to do: its sensors, then what was chosen, then own parameters."""
    told: list[tuple[str, str]] = []
    ids = sensor_ids_of(job)
    if ids:
        told.append(("Sensor" if len(ids) == 1 else "Sensors", of_sensors(ids, known)))
    for name, words in _ASKED:
        if (value := job.payload.get(name)) is not None:
            told.append((words, MODE_WORDS.get(str(value), str(value)) if name == "mode" else _plain(value)))
    own = job.payload.get("parameters")
    if isinstance(own, dict):
        told += [(name.replace("_", " ").capitalize(), _plain(value)) for name, value in own.items()]
    if job.cloned_from is not None:
        told.append(("Repeats", f"job {job.cloned_from}"))
    if job.schedule_id is not None:
        told.append(("Queued by", f"schedule {job.schedule_id}"))
    return tuple(told)


def results_of(job: Job, *, folds: bool = True) -> tuple[str, ...]:
    """Return what a job found beyond its summary: held-out figures, and what failed by name and reason.

    Parameters
    ----------
    folds
        Whether the folds of a backtest are among them; `folds_of` has them as figures.
    """
    result = job.result or {}
    parts = _folds(result.get("folds")) + _versions(result.get("versions"))
    # Means over folds are in the summary.
    told = parts or _figures(result.get("figures"))
    if not folds and "folds" in result:
        told = []
    failed: Any = result.get("failed")
    if isinstance(failed, dict):
        told += [f"{name} failed: {str(reason).removesuffix('.')}" for name, reason in failed.items()]
    return tuple(told)


def folds_of(job: Job) -> tuple[FoldRow, ...]:
    """Return what each fold of a backtest came to, in order of time."""
    found: Any = (job.result or {}).get("folds")
    return tuple(_fold(one) for one in (found if isinstance(found, list) else ()))


def _fold(one: Mapping[str, Any]) -> FoldRow:
    figures = one["figures"]
    start, origin, end = (
        datetime.fromisoformat(moment)
        for moment in (one["spans"]["train"][0], one["spans"]["test"][0], one["spans"]["test"][1])
    )
    return FoldRow(
        number=one["fold"],
        start=start,
        origin=origin,
        end=end,
        error=figures.get("normalised_error"),
        unchanged_error=figures.get("persistence_error"),
        alarms=figures["alarms_per_week"],
        f1=figures.get("f1"),
    )


def _figures(found: JSON) -> list[str]:
    if not isinstance(found, dict):
        return []
    return [
        sentence.format(value)
        for name, sentence in _FIGURES
        if isinstance(value := found.get(name), int | float)
    ]


def _folds(found: JSON) -> list[str]:
    """Return what each fold of a backtest came to."""
    folds: Any = found if isinstance(found, list) else []
    return [f"Fold {one['fold']}: {_briefly(one['figures'])}" for one in folds]


def _versions(found: JSON) -> list[str]:
    """Return what each version of a validation came to."""
    versions: Any = found if isinstance(found, dict) else {}
    return [
        f"{one['name']}{', in production' if one['champion'] else ''}: {_briefly(one['figures'])}"
        + _against(one.get("verdicts"))
        for one in versions.values()
    ]


def _briefly(figures: Mapping[str, float]) -> str:
    told = []
    if "normalised_error" in figures:
        told.append(f"error {figures['normalised_error']:.3g}")
    told.append(f"{figures['alarms_per_week']:.2g} alarms a week")
    if "f1" in figures:
        told.append(f"F1 {figures['f1']:.2f} against the published labels")
    return ", ".join(told)


def _against(verdicts: Mapping[str, Any] | None) -> str:
    if verdicts is None:
        return ""
    return (
        f"; found {verdicts['found']} of {verdicts['confirmed']} confirmed events, "
        f"and {verdicts['wrong']} that people called false"
    )


def _plain(value: JSON) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
