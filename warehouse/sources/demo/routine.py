"""What belongs to running the demo fleet and looks strange all the same: stops, cleaning, calibration."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from warehouse.sources.demo.chance import DAY, ROUTINE, generator
from warehouse.sources.demo.faults import faults, repairs
from warehouse.sources.demo.happenings import Happening, Stop

CALIBRATION_MINUTES: Final = 27


@dataclass(frozen=True)
class Routine:
    """Something done every so many days, its minutes and its hour of the day drawn from ranges."""

    machine: str
    sensor: str
    kind: Literal["start-up", "cleaning", "calibration"]
    cause: str
    days: int
    minutes: tuple[int, int]
    hours: tuple[int, int] = (7, 15)
    size: float = 0.0


_STOP: Final = "planned stop and restart"
_INSPECTION: Final = "calibration against a reference"

ROUTINES: Final = (
    Routine("Pump 1", "", "start-up", _STOP, 13, (150, 280)),
    Routine("Pump 2", "", "start-up", _STOP, 17, (150, 280)),
    Routine("Pump 3", "", "start-up", _STOP, 19, (150, 280)),
    Routine("Pump 5", "", "start-up", _STOP, 16, (150, 280)),
    Routine("Pump 6", "", "start-up", _STOP, 20, (150, 280)),
    Routine("Pump 7", "", "cleaning", "cooler flushed", 12, (140, 190)),
    Routine("Compressor 1", "", "start-up", _STOP, 15, (120, 240)),
    Routine("Compressor 2", "", "start-up", _STOP, 14, (120, 240)),
    Routine("Compressor 3", "", "start-up", _STOP, 18, (120, 240)),
    Routine("Compressor 4", "", "start-up", _STOP, 16, (120, 240)),
    Routine("Turbine 1", "exhaust temperature", "cleaning", "compressor wash", 8, (30, 45), size=-14.0),
    Routine("Pump 2", "flow", "calibration", _INSPECTION, 15, (CALIBRATION_MINUTES,) * 2),
    Routine("Pump 6", "flow", "calibration", _INSPECTION, 16, (CALIBRATION_MINUTES,) * 2),
    Routine("Pump 4", "bearing temperature", "calibration", _INSPECTION, 19, (CALIBRATION_MINUTES,) * 2),
    Routine("Pump 5", "seal pressure", "calibration", _INSPECTION, 17, (CALIBRATION_MINUTES,) * 2),
    Routine("Compressor 1", "bearing vibration", "calibration", _INSPECTION, 18, (CALIBRATION_MINUTES,) * 2),
    Routine(
        "Compressor 3", "discharge temperature", "calibration", _INSPECTION, 14, (CALIBRATION_MINUTES,) * 2
    ),
)

# Routine work leaves a machine alone around a fault, and leaves everything alone just before the anchor.
_AWAY_FROM_FAULTS: Final = 10 * 60
_AWAY_FROM_ANCHOR: Final = 3 * 60
_LONGEST: Final = 280


def stops(seed: int, anchor: int, start: int, end: int) -> tuple[Stop, ...]:
    """Return every stop that touches the half-open minutes ``[start, end)``, repairs included."""
    found = list(repairs(seed, anchor, start, end))
    for day in range((start - _LONGEST) // DAY, (end - 1) // DAY + 1):
        found += [one for one in _day(seed, anchor, day) if isinstance(one, Stop)]
    return tuple(
        sorted(
            (stop for stop in found if stop.start < end and start < stop.end),
            key=lambda stop: (stop.machine, stop.start),
        )
    )


def treatments(seed: int, anchor: int, start: int, end: int) -> tuple[Happening, ...]:
    """Return the calibrations and washes that touch ``[start, end)``; the machine runs on meanwhile."""
    found = [
        one
        for day in range((start - _LONGEST) // DAY, (end - 1) // DAY + 1)
        for one in _day(seed, anchor, day)
        if isinstance(one, Happening)
    ]
    return tuple(one for one in found if one.overlaps(start, end))


@lru_cache(maxsize=512)
def _day(seed: int, anchor: int, day: int) -> tuple[Stop | Happening, ...]:
    return tuple(_planned(seed, anchor, day))


def _planned(seed: int, anchor: int, day: int) -> Iterator[Stop | Happening]:
    busy = {(stop.machine, stop.start // DAY) for stop in repairs(seed, anchor, day * DAY, (day + 1) * DAY)}
    for index, routine in enumerate(ROUTINES):
        phase = int(generator(seed, ROUTINE, index).integers(routine.days))
        if (day + phase) % routine.days or (routine.machine, day) in busy:
            continue
        random = generator(seed, ROUTINE, index, day)
        start = day * DAY + int(random.integers(60 * routine.hours[0], 60 * routine.hours[1]))
        end = start + int(random.integers(routine.minutes[0], routine.minutes[1] + 1))
        if start < anchor + 60 and end > anchor - _AWAY_FROM_ANCHOR:
            continue
        near = faults(seed, anchor, start - _AWAY_FROM_FAULTS, end + _AWAY_FROM_FAULTS)
        if any(fault.machine == routine.machine for fault in near):
            continue
        busy.add((routine.machine, day))
        if routine.sensor:
            yield Happening(
                routine.machine,
                routine.sensor,
                routine.kind,
                routine.cause,
                start,
                end,
                size=routine.size,
                rise=5,
            )
        elif routine.kind != "calibration":
            yield Stop(routine.machine, start, end, routine.kind, routine.cause)
