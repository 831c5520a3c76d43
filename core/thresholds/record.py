"""A causal threshold: a score that breaks the record of what was normal by a factor.

The record of a step is the highest score among the steps before it that raised nothing, and never lower than
a share of the highest one while calibrating (records: Arnold, Balakrishnan and Nagaraja, "Records", 1998).
It needs no distribution, follows sensors that are lively by nature, and a fault does not lift it.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from core.errors import NotFitted, ParameterError
from core.results import Scores, Thresholded
from core.signal import Floats
from core.thresholds.files import read_rule, write_rule
from core.thresholds.intervals import event
from core.thresholds.said import HIGHEST_TAUGHT, Said
from core.thresholds.tails import Tail

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class RecordParameters:
    """Parameters of the rule.

    Parameters
    ----------
    factor
        How many times the record a score must be.
    floor
        The record is at least this share of the highest calibration score.
    lead
        Steps at the start that raise nothing.
    release
        Share of its bar at which an event ends.
    longest
        Steps of an event at most. One that goes on is a standing condition: it ends, and its scores become
        part of the record.
    reach
        Steps back in which the record is looked for.
    lag
        Newest steps that are not yet part of the record. A score that is averaged climbs by a little each
        step, so that a fault would lift the record just before it breaks it: as many steps as are averaged.

    Raises
    ------
    ParameterError
        A parameter is outside its range.
    """

    factor: float = 1.1
    floor: float = 1.0
    lead: int = 100
    release: float = 0.8
    longest: int = 300
    reach: int = 10_000
    lag: int = 0

    def __post_init__(self) -> None:
        if self.factor < 1 or self.floor < 0 or not 0 < self.release <= 1:
            raise ParameterError(f"record: factor, floor or release out of range: {self}")
        if min(self.lead, self.lag) < 0 or self.longest < 1 or self.reach < 2:
            raise ParameterError(f"record: lead, lag, longest or reach out of range: {self}")


@dataclass(frozen=True)
class Break:
    """A broken record: half-open steps, the bar they exceeded, and whether they became part of the record."""

    start: int
    end: int
    bar: float
    standing: bool


def broken(
    scores: Doubles, floor: float, p: RecordParameters, said: Said | None = None
) -> tuple[tuple[Break, ...], Doubles]:
    """Return where finite (n,) scores break the record, in order, and the (n,) bar of each step.

    Parameters
    ----------
    said
        What people said of the steps: a true anomaly is no part of the record, not even where it stands; a
        false positive is, up to `HIGHEST_TAUGHT` times the bar that it broke.
    """
    normal, n, start = scores.copy(), scores.size, p.lead
    if said is not None:
        normal[said.abnormal] = -np.inf
    found: list[Break] = []
    least = np.full(n, max(floor, 0.0))  # a multiple of what lies below zero is no higher bar
    bars = p.factor * np.maximum(_record(normal, p), least)
    while start < n:
        over = np.flatnonzero(scores[start:] > bars[start:])
        if over.size == 0:
            break
        at = start + int(over[0])
        bar = float(bars[at])
        part = scores[at : at + p.longest]
        # A bar of 0 has no share: what follows a spike on scores of 0 is over when they are 0 again.
        under = np.flatnonzero((part < p.release * bar) | (part <= 0))
        standing = under.size == 0 and n - at > p.longest
        end = at + int(under[0]) if under.size else min(at + p.longest, n)
        found.append(Break(at, end, bar, standing))
        bars[at:end] = bar
        confirmed = said is not None and bool(said.abnormal[at:end].any())
        if standing and not confirmed:
            # Part of the record at once: else it would break it again and again for `lag` steps.
            soon = slice(end, end + p.lag)
            least[soon] = np.maximum(least[soon], scores[at:end].max())
        else:
            normal[at:end] = -np.inf
            if said is not None:
                taught = at + np.flatnonzero(said.normal[at:end])
                normal[taught] = np.minimum(scores[taught], HIGHEST_TAUGHT * bar)
        # Steps from `last` on are out of its reach.
        first, last = max(0, end - p.lag - p.reach), min(n, end + p.lag + p.reach)
        record = _record(normal[first:last], p)[end - first :]
        bars[end:last] = p.factor * np.maximum(record, least[end:last])
        start = end
    return tuple(found), bars


def _record(normal: Doubles, p: RecordParameters) -> Doubles:
    """Return the highest score in reach of each step; minus infinity where none was normal."""
    n, reach, start = normal.size, p.reach, min(p.lag + 1, normal.size)
    if n <= reach:
        highest = np.maximum.accumulate(normal)
    else:
        highest = maximum_filter1d(normal, reach, origin=(reach - 1) // 2, mode="constant", cval=-np.inf)
    return np.concatenate([np.full(start, -np.inf), highest[: n - start]])


class Record:
    """The rule of the broken record.

    Parameters
    ----------
    parameters
        See `RecordParameters`.
    """

    name: ClassVar[str] = "record"

    def __init__(self, parameters: RecordParameters | None = None) -> None:
        self.parameters = parameters or RecordParameters()
        self._learned: tuple[float, Tail] | None = None

    @property
    def memory(self) -> int:
        """How far back the record is looked for."""
        return self.parameters.reach + self.parameters.lag + self.parameters.longest

    @property
    def usual(self) -> float:
        """The lowest bar there can be, or what normal scores exceed once in ten thousand steps."""
        highest, tail = self._fitted()
        return max(self.parameters.factor * self.parameters.floor * highest, tail.level(10_000))

    def fit(self, scores: Scores, values: Floats) -> Self:
        """Learn the highest normal score; see `Threshold.fit`."""
        del values
        tail = Tail.of(scores.values)
        self._learned = float(scores.values[np.isfinite(scores.values)].max()), tail
        return self

    def judge(self, scores: Scores, values: Floats) -> Thresholded:
        """Return the events; see `Threshold.judge`."""
        del values
        (highest, tail), p = self._fitted(), self.parameters
        judged = np.flatnonzero(np.isfinite(scores.values))
        seen = scores.values[judged].astype(np.float64)
        found, bars = broken(seen, p.floor * highest, p)
        level = np.full(len(scores), np.nan, np.float32)
        level[judged] = np.where(np.isfinite(bars), bars, np.nan)
        events = []
        for one in found:
            top = one.start + int(np.argmax(seen[one.start : one.end]))
            events.append(
                event(
                    int(judged[one.start]),
                    int(judged[one.end - 1]) + 1,
                    int(judged[top]),
                    peak_score=float(seen[top]),
                    threshold=one.bar,
                    probability=tail.share_below(float(seen[top]), one.end - one.start),
                    last=int(judged[-1]) + 1,
                )
            )
        return Thresholded(tuple(events), level)

    def save(self, folder: Path) -> None:
        """Write ``threshold.json``."""
        highest, tail = self._fitted()
        learned = [asdict(tail) | {"highest": highest}]
        write_rule(folder, self.name, asdict(self.parameters), learned)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; see `Threshold.load`."""
        rule = cls()
        rule.parameters, (learned,) = read_rule(folder, cls.name, RecordParameters, _Learned)
        rule._learned = learned.highest, Tail(learned.location, learned.scale, learned.block)
        return rule

    def _fitted(self) -> tuple[float, Tail]:
        if self._learned is None:
            raise NotFitted("the record threshold was not fitted on a calibration part")
        return self._learned


@dataclass(frozen=True)
class _Learned(Tail):
    """What is saved: the tail, and the highest calibration score."""

    highest: float
