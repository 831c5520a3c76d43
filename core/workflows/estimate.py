"""How long a training will take: what past ones took, scaled by how much there is to learn from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from core.workflows.requests import checked_preset
from warehouse.home import Warehouse
from warehouse.jobs import Job

TYPICAL: Final[Mapping[str, float]] = {"quick": 0.3, "standard": 0.7, "thorough": 2.0, "telemanom": 4.0}
"""Seconds of one core per 1,000 steps where no training of that preset ended yet, as measured on 8,000 steps
of two channels and rounded up."""

LEAST_S: Final = 2.0
"""Reading, registering and the first library that is loaded take that long for the shortest sensor."""

_TRAININGS: Final = 200


@dataclass(frozen=True)
class Estimate:
    """How long trainings take, one after the other.

    Parameters
    ----------
    seconds
        Of one worker; several divide it.
    seen
        Past trainings that it rests on; 0 for typical figures.
    """

    seconds: float
    seen: int


def estimate(preset: str, sensors: Sequence[int], warehouse: Warehouse) -> Estimate:
    """Return how long trainings of sensors, given by their ids, take.

    Raises
    ------
    ParameterError
        There is no such preset.
    """
    checked_preset(preset, "causal")
    rates = _rates(warehouse.jobs.list(("done",), kind="train", limit=_TRAININGS), preset)
    rate = median(rates) if rates else TYPICAL[preset]
    steps = _steps(sensors, warehouse)
    return Estimate(sum(max(LEAST_S, rate * one / 1000) for one in steps), len(rates))


def _rates(jobs: Iterable[Job], preset: str) -> list[float]:
    """Return the seconds per 1,000 steps of past trainings that recorded both."""
    found = []
    for job in jobs:
        seconds, steps = ((job.result or {}).get(name) for name in ("seconds", "steps"))
        if job.payload.get("preset", "standard") != preset or job.payload.get("parameters"):
            continue
        if isinstance(seconds, int | float) and isinstance(steps, int | float) and steps > 0:
            found.append(1000 * seconds / steps)
    return found


def _steps(sensors: Sequence[int], warehouse: Warehouse) -> list[float]:
    """Return about how many steps each sensor has; none for one without readings."""
    intervals = {one.id: one.interval_s for one in warehouse.catalog.sensors(role="target")}
    found = []
    for sensor, first, last, rows in warehouse.telemetry.spans(list(sensors)).iter_rows():
        interval = intervals.get(sensor)
        found.append((last - first).total_seconds() / interval + 1 if interval else float(rows))
    return found
