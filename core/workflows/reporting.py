"""What work is given beside its data: the time, where to tell how far it is, and whether to go on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol, Self

from warehouse.documents import JSON
from warehouse.home import Warehouse

Clock = Callable[[], datetime]


class Progress(Protocol):
    """Takes how far the work is: a fraction in [0, 1] and what it does now."""

    def __call__(self, fraction: float, message: str, /) -> None:
        """Take one report."""


class Metric(Protocol):
    """Takes one point of a curve, such as the loss of an epoch."""

    def __call__(self, step: int, name: str, value: float, /) -> None:
        """Take one point."""


def silent(_fraction: float, _message: str, /) -> None:
    """Take a report and drop it."""


def unrecorded(_step: int, _name: str, _value: float, /) -> None:
    """Take a point and drop it."""


def unsaid(_text: str, /) -> None:
    """Take a line of a log and drop it."""


def unasked() -> bool:
    """Let the work go on."""
    return False


def unnoted(_step: int, /) -> None:
    """Take the number of a kept step and drop it."""


@dataclass(frozen=True, kw_only=True)
class Reports:
    """Where work tells how far it is, and asks whether to go on; needs no home.

    Parameters
    ----------
    progress
        Takes a fraction in [0, 1] and what is being done.
    metric
        Takes a step, a name and a value, for curves that are watched while the work runs.
    log
        Takes a line that a person reads when something went wrong.
    check
        Asked many times a second. Returns False, or raises `core.errors.Cancelled`: then the work ends now.
    checkpointed
        Takes the number of a step whose outcome is kept.
    checkpoints
        Folder in which the work keeps what it needs to go on after a kill; None keeps nothing.
    """

    progress: Progress = silent
    metric: Metric = unrecorded
    log: Callable[[str], None] = unsaid
    check: Callable[[], bool] = unasked
    checkpointed: Callable[[int], None] = unnoted
    checkpoints: Path | None = None

    def keeping(self, name: str) -> Self:
        """Return the same reports, whose checkpoints lie in a folder of that name below these."""
        return self if self.checkpoints is None else replace(self, checkpoints=self.checkpoints / name)

    def within(self, start: float, end: float) -> Self:
        """Return the same reports, whose progress from 0 to 1 covers ``start..end`` of this one."""
        return replace(self, progress=part(self.progress, start, end))


@dataclass(frozen=True, kw_only=True)
class Task(Reports):
    """What a running job gives to its work, beside what `Reports` has.

    Parameters
    ----------
    warehouse
        The home.
    clock
        Returns this moment, with a zone.
    actor
        Who asked for it.
    job_id, attempt
        The job and how often it was claimed; None and 1 for work that is no job.
    tracking
        Address of MLflow's server; empty for the home's own store.
    """

    warehouse: Warehouse
    clock: Clock
    actor: str = "telltale"
    job_id: int | None = None
    attempt: int = 1
    tracking: str = ""

    @property
    def made_by(self) -> str | None:
        """What a version that it registers is made by: ``job 17``; None for work that is no job."""
        return None if self.job_id is None else f"job {self.job_id}"

    def alive(self) -> bool:
        """Tell, from the job table itself, whether this attempt is still the one that runs."""
        if self.job_id is None:
            return True
        job = self.warehouse.jobs.get(self.job_id)
        return job is not None and job.state == "running" and job.attempt == self.attempt


def part(progress: Progress, start: float, end: float) -> Progress:
    """Return a progress whose 0..1 covers ``start..end`` of the given one."""

    def report(fraction: float, message: str, /) -> None:
        progress(start + (end - start) * fraction, message)

    return report


def remarks_of(result: Mapping[str, JSON]) -> tuple[str, ...]:
    """Return the sentences in a job's result that a person must see; none if it has none."""
    found = result.get("remarks")
    return tuple(str(one) for one in found) if isinstance(found, list) else ()


def counted(number: int, noun: str) -> str:
    """Return a count with its noun, which takes an s where it is not one: ``1 sensor``, ``1,204 steps``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
