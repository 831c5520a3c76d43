"""A threshold for review: the stretches whose peaks stand out from all the rest of the same window.

The highest stretch is taken out, then the next, and so on; those down to the last whose peak exceeds the
highest of what is left by a factor are events. That is the pruning of Hundman et al. (KDD 2018, section
3.3), without a bar before it. It looks at both sides of a step, so it is no rule for causal judgement.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from core.errors import NotFitted, ParameterError
from core.results import Scores, Thresholded
from core.signal import Floats
from core.thresholds.files import read_rule, write_rule
from core.thresholds.intervals import event, merged, runs
from core.thresholds.tails import Tail

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class StandoutParameters:
    """Parameters of the rule.

    Parameters
    ----------
    factor
        How many times the highest of the rest the last event's peak must be.
    release
        Share of its peak at which a stretch ends.
    gap
        Steps below that share which a stretch may bridge; at most twice `aside`: none bridges another.
    most
        Most stretches looked at.
    longest
        Steps of an event at most, around its peak: what goes on is a standing condition.
    aside
        Steps beside a stretch that don't count as the rest.
    coverage
        Share of the window that stretches may cover together; beyond it nothing stands out.
    lead
        Steps at the start that raise nothing and don't count as the rest.

    Raises
    ------
    ParameterError
        A parameter is outside its range.
    """

    factor: float = 1.15
    release: float = 0.8
    gap: int = 100
    most: int = 3
    longest: int = 300
    aside: int = 50
    coverage: float = 0.4
    lead: int = 100

    def __post_init__(self) -> None:
        if self.factor < 1 or not 0 < self.release <= 1 or not 0 < self.coverage <= 1:
            raise ParameterError(f"standout: factor, release or coverage out of range: {self}")
        if min(self.most, self.longest) < 1 or min(self.gap, self.aside, self.lead) < 0:
            raise ParameterError(f"standout: most, longest, gap, aside or lead out of range: {self}")
        if self.gap > 2 * self.aside:
            raise ParameterError(f"standout: gap must be at most twice aside: {self}")


@dataclass(frozen=True)
class Stretch:
    """A high stretch: half-open steps, the step and height of its peak, and the highest of the rest."""

    start: int
    end: int
    peak: int
    height: float
    rest: float


def stretches(scores: Doubles, p: StandoutParameters) -> tuple[Stretch, ...]:
    """Return the high stretches of finite (n,) scores, the highest first, before any is judged."""
    left = scores.copy()
    left[: p.lead] = -np.inf
    found: list[Stretch] = []
    covered = 0
    while len(found) < p.most and left.size:
        peak = int(np.argmax(left))
        height = float(left[peak])
        if not np.isfinite(height) or height <= 0:
            break
        spans = merged(runs(left >= p.release * height), p.gap)
        start, end = (int(edge) for edge in spans[np.searchsorted(spans[:, 0], peak, side="right") - 1])
        covered += end - start
        if covered > p.coverage * scores.size:
            break
        left[max(0, start - p.aside) : end + p.aside] = -np.inf
        rest = float(left.max())
        if end - start > p.longest:
            start = max(start, min(peak - p.longest // 2, end - p.longest))
            end = start + p.longest
        found.append(Stretch(start, end, peak, height, max(rest, 0.0)))
    return tuple(found)


def standing_out(found: tuple[Stretch, ...], factor: float) -> tuple[Stretch, ...]:
    """Return the stretches down to the last one that exceeds what is left of it by `factor`."""
    last = max((n for n, one in enumerate(found) if one.height > factor * one.rest), default=-1)
    return found[: last + 1]


class Standout:
    """Judges a window by itself; calibration serves the probabilities alone.

    Parameters
    ----------
    parameters
        See `StandoutParameters`.
    """

    name: ClassVar[str] = "standout"

    def __init__(self, parameters: StandoutParameters | None = None) -> None:
        self.parameters = parameters or StandoutParameters()
        self._tail: Tail | None = None

    @property
    def memory(self) -> int:
        """None of its own: what stands out depends on the whole window, wherever it was cut."""
        return 0

    @property
    def usual(self) -> float:
        """What normal scores exceed once in ten thousand steps."""
        return self._fitted().level(10_000)

    def fit(self, scores: Scores, values: Floats) -> Self:
        """Learn how high normal scores get; see `Threshold.fit`."""
        del values
        self._tail = Tail.of(scores.values)
        return self

    def judge(self, scores: Scores, values: Floats) -> Thresholded:
        """Return the events; see `Threshold.judge`. The level is the bar that the last event passed."""
        del values
        tail, p = self._fitted(), self.parameters
        judged = np.flatnonzero(np.isfinite(scores.values))
        seen = scores.values[judged].astype(np.float64)
        kept = standing_out(stretches(seen, p), p.factor)
        # Where nothing stands out, the bar is what would have.
        bar = p.factor * (kept[-1].rest if kept else max(float(seen[p.lead :].max(initial=0.0)), 0.0))
        level = np.full(len(scores), np.nan, np.float32)
        level[judged] = bar
        events = tuple(
            event(
                int(judged[one.start]),
                int(judged[one.end - 1]) + 1,
                int(judged[one.peak]),
                peak_score=one.height,
                threshold=min(bar, one.height),
                probability=tail.share_below(one.height, one.end - one.start),
                last=int(judged[-1]) + 1,
            )
            for one in sorted(kept, key=lambda one: one.start)
        )
        return Thresholded(events, level)

    def save(self, folder: Path) -> None:
        """Write ``threshold.json``."""
        write_rule(folder, self.name, asdict(self.parameters), [asdict(self._fitted())])

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; see `Threshold.load`."""
        rule = cls()
        rule.parameters, (rule._tail,) = read_rule(folder, cls.name, StandoutParameters, Tail)
        return rule

    def _fitted(self) -> Tail:
        if self._tail is None:
            raise NotFitted("the standout threshold was not fitted on a calibration part")
        return self._tail
