"""How long work is told what time it is and says how far it is."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from warehouse.documents import JSON

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


def part(progress: Progress, start: float, end: float) -> Progress:
    """Return a progress whose 0..1 covers ``start..end`` of the given one."""

    def report(fraction: float, message: str, /) -> None:
        progress(start + (end - start) * fraction, message)

    return report


def remarks_of(result: Mapping[str, JSON]) -> tuple[str, ...]:
    """Return the sentences in a job's result that a person must see; none if it has none."""
    found = result.get("remarks")
    return tuple(str(one) for one in found) if isinstance(found, list) else ()
