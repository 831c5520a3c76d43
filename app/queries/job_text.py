"""Jobs in words: what each works on, how long it takes, and what came of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from core.jobs.run import KINDS
from warehouse.jobs import Job

KIND_WORDS: Final[Mapping[str, str]] = {name: kind.title for name, kind in KINDS.items()}
"""Kinds of jobs in words."""

_STATE_WORDS: Final = {
    "queued": "waits for a worker",
    "running": "running",
    "done": "done",
    "failed": "failed",
    "cancelled": "cancelled",
    "interrupted": "interrupted, goes on by itself",
}
_LEAST_DONE: Final = 0.02


def sensor_ids_of(job: Job) -> tuple[int, ...]:
    """Return the sensors that a job's payload names."""
    ids: Any = job.payload.get("sensor_ids")
    return tuple(one for one in ids if isinstance(one, int)) if isinstance(ids, list) else ()


def title_of(job: Job) -> str:
    """Return the kind of a job in words, with its preset where it has one."""
    words = KIND_WORDS.get(job.kind, job.kind)
    preset = job.payload.get("preset")
    return f"{words}, {preset}" if isinstance(preset, str) else words


def what_of(job: Job, known: Mapping[int, str]) -> str:
    """Return what a job works on, such as ``Pump 7 · speed and 3 more``."""
    if job.kind == "demo":
        return "12 machines"
    if job.kind == "compaction":
        return "Files of past days"
    if job.kind == "ingest":
        return "Watched folders"
    if job.kind == "validate" and isinstance(versions := job.payload.get("version_ids"), list):
        which = f"{len(versions)} version{'' if len(versions) == 1 else 's'}"
        return f"{of_sensors(sensor_ids_of(job), known)}: {which}"
    return of_sensors(sensor_ids_of(job), known)


def of_sensors(ids: Sequence[int], known: Mapping[int, str]) -> str:
    """Return the first of some sensors, and how many more there are; none are all."""
    if not ids:
        return "All sensors"
    first = known.get(ids[0], f"sensor #{ids[0]}")
    return first if len(ids) == 1 else f"{first} and {len(ids) - 1} more"


def outcome_of(job: Job) -> str:
    """Return what came of a job; empty while it waits or runs."""
    if job.state == "failed":
        return f"Failed: {_bare(job.error)}"
    if job.state == "cancelled":
        return _bare(job.error) or "cancelled"
    return "" if job.state != "done" else _bare(str((job.result or {}).get("summary") or "Done"))


def lasting(seconds: float) -> str:
    """Return a length of time: ``4 s``, ``12 min``, ``3 h 20 min``, ``2 days``."""
    if seconds < 90:
        return f"{max(seconds, 0):.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    if minutes < 48 * 60:
        hours, rest = divmod(minutes, 60)
        return f"{hours} h {rest} min" if rest and hours < 10 else f"{hours} h"
    return f"{round(minutes / 1440)} days"


def about(seconds: float) -> str:
    """Return an estimated length of time, never more exact than it is: ``about 40 s``, ``about 12 min``."""
    if seconds < 10:
        return "seconds"
    if seconds < 95:
        return f"about {round(seconds, -1):.0f} s"
    return f"about {lasting(seconds)}"


def left_words(seconds: float | None) -> str:
    """Return how long something takes from now on; empty where nobody knows."""
    return "" if seconds is None else f"{about(seconds)} left"


def time_left(job: Job, now: datetime) -> str:
    """Return how long a running job takes from now on, told from how far it came since it began."""
    return left_words(seconds_left(job, now))


def seconds_left(job: Job, now: datetime) -> float | None:
    """Return the seconds a running job takes from now on; None where its progress does not tell."""
    # A later attempt begins where an earlier one was, so its time says nothing about its progress.
    if job.state != "running" or job.started_at is None or job.attempt > 1 or job.progress < _LEAST_DONE:
        return None
    return (now - job.started_at).total_seconds() * (1 - job.progress) / job.progress


def took_of(job: Job, now: datetime) -> str:
    """Return how long the newest attempt took or has taken; empty where none runs or ended."""
    if job.started_at is None or job.state in {"queued", "interrupted"}:
        return ""
    return lasting(((job.finished_at or now) - job.started_at).total_seconds())


def state_words(job: Job, waits_for: Sequence[int], now: datetime) -> str:
    """Return the state of a job in words, with what a waiting one waits for.

    Parameters
    ----------
    waits_for
        Ids of the jobs that it needs and that are not done.
    """
    if waits_for:
        which = ", ".join(str(one) for one in waits_for)
        return f"waits for job{'s' if len(waits_for) > 1 else ''} {which}"
    if job.state == "queued" and job.not_before is not None and job.not_before > now:
        return f"is tried again in {lasting((job.not_before - now).total_seconds())}"
    if job.state == "running" and job.cancel_asked_at is not None:
        return "cancelling"
    return _STATE_WORDS[job.state]


def _bare(sentence: str | None) -> str:
    return (sentence or "").removesuffix(".")
