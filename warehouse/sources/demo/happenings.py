"""Faults and routine events as values: what happens to which sensor, from when to when."""

from dataclasses import dataclass
from typing import ClassVar, Literal

Kind = Literal[
    "drift",
    "step",
    "spike",
    "stuck",
    "drop-out",
    "changed correlation",
    "oscillation",
    "start-up",
    "cleaning",
    "calibration",
]


@dataclass(frozen=True)
class Happening:
    """Something that happens to one sensor of a machine.

    Parameters
    ----------
    machine, sensor
        Names in the fleet.
    kind, cause
        What it looks like, and why it happens.
    start, end
        Minutes since 1970, half-open.
    size
        Drift, step, spike, oscillation: in the sensor's unit, or a share of its value where `relative`.
        Changed correlation: what remains of the response to load. Drop-out: share of minutes without
        a row.
    rise
        Minutes until the full size is reached.
    bend
        Exponent of the rise: below 1 fast at first, above 1 slow at first.
    relative
        Whether `size` is a share of the value.
    period
        Minutes of one oscillation.
    """

    machine: str
    sensor: str
    kind: Kind
    cause: str
    start: int
    end: int
    size: float = 0.0
    rise: int = 1
    bend: float = 1.0
    relative: bool = False
    period: float = 11.0

    @property
    def benign(self) -> bool:
        """True for what belongs to running the machine."""
        return self.kind in {"start-up", "cleaning", "calibration"}

    def overlaps(self, start: int, end: int) -> bool:
        """Return whether any of it lies in the half-open minutes ``[start, end)``."""
        return self.start < end and start < self.end


@dataclass(frozen=True)
class Stop:
    """A machine standing still, in minutes since 1970, half-open, and why."""

    machine: str
    start: int
    end: int
    kind: Literal["start-up", "cleaning"]
    cause: str

    SETTLES: ClassVar[int] = 90

    @property
    def settled(self) -> int:
        """The minute from which nothing of the start-up is to be seen any more."""
        return self.end + self.SETTLES
