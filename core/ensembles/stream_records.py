"""The rule of the broken record, step by step for a fleet; see `core.thresholds.record`."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from core.signal import Mask
from core.thresholds.record import RecordParameters

Doubles = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(eq=False)
class Records:
    """What the rule remembers of each sensor.

    A record holds for ever: `reach` is not looked at.

    Parameters
    ----------
    floor
        (sensors,) least that a record counts for.
    record
        (sensors,) highest score so far that raised nothing.
    bar, peak, steps
        (sensors,) of the event that runs: the bar it exceeded, its highest score, its steps; 0 for none.
    judged
        (sensors,) scores so far.
    recent
        (sensors, lag) newest scores, no part of the record yet; minus infinity inside events.
    """

    floor: Doubles
    record: Doubles
    bar: Doubles
    peak: Doubles
    steps: Counts
    judged: Counts
    recent: Doubles

    @classmethod
    def above(cls, floor: Doubles, lag: int) -> Self:
        """Start with nothing seen, for a rule of that `lag`."""
        count = floor.size
        none = np.full(count, -np.inf)
        zero = np.zeros(count, np.int64)
        recent = np.full((count, lag), -np.inf)
        return cls(floor, none, np.zeros(count), none.copy(), zero, zero.copy(), recent)

    def step(self, scores: Doubles, known: Mask, p: RecordParameters) -> tuple[Mask, Doubles]:
        """Return the (sensors,) mask of events that run now, and the bar of each score.

        Parameters
        ----------
        scores, known
            (sensors,) scores, and which of them count; for the others time stands still.
        """
        runs = self.steps > 0
        stands = known & runs & (self.steps >= p.longest)
        self.record = np.where(stands, np.maximum(self.record, self.peak), self.record)
        ends = known & runs & ~stands & ((scores < p.release * self.bar) | (scores <= 0))
        runs &= ~(stands | ends)
        bars = np.where(runs, self.bar, p.factor * np.maximum(np.maximum(self.record, self.floor), 0.0))
        begins = known & ~runs & (self.judged >= p.lead) & (scores > bars)
        self.peak = np.where(begins, -np.inf, self.peak)
        self.bar = np.where(begins, bars, self.bar)
        self.steps = np.where(runs | begins, np.where(begins, 0, self.steps) + known, 0)
        runs |= begins
        highest = np.where(known, scores, -np.inf)
        self.peak = np.where(runs, np.maximum(self.peak, highest), self.peak)
        self._remember(np.where(runs, -np.inf, highest), known)
        self.judged += known
        return runs, bars

    def _remember(self, normal: Doubles, known: Mask) -> None:
        """Put the newest scores aside, and those put aside `lag` steps ago into the record."""
        lag = self.recent.shape[1]
        if lag:
            rows = np.flatnonzero(known)
            places = self.judged[rows] % lag
            oldest = self.recent[rows, places]
            self.recent[rows, places] = normal[rows]
            normal = np.full(normal.size, -np.inf)
            normal[rows] = oldest
        self.record = np.maximum(self.record, normal)
