"""A threshold set from how high scores get in the calibration part.

The bar is the score that normal stretches exceed once in a long time (block maxima, see
`core.thresholds.tails`). An event begins and ends where the score falls below a share of the bar, and near
ones are one.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from core.errors import NotFitted, ParameterError
from core.results import Event, Scores, Thresholded
from core.signal import Floats
from core.thresholds.files import read_rule, write_rule
from core.thresholds.intervals import event, merged, runs
from core.thresholds.tails import Tail


@dataclass(frozen=True)
class RobustThresholdParameters:
    """Parameters of the threshold.

    Parameters
    ----------
    steps_per_alarm
        Steps in which normal scores exceed the bar once on average.
    least, most
        The bar is never lower nor higher than this, so that a calibration part full of faults does not hide
        the next one.
    release
        Share of the bar below which an event ends.
    shortest, brief_factor
        An event that exceeds the bar on fewer than `shortest` steps counts only if its peak reaches
        `brief_factor` times the bar.
    gap
        Events at most this many steps apart are one.

    Raises
    ------
    ParameterError
        A parameter is outside its range.
    """

    steps_per_alarm: float = 5e6
    least: float = 2.0
    most: float = 4.0
    release: float = 0.6
    shortest: int = 5
    brief_factor: float = 1.5
    gap: int = 60

    def __post_init__(self) -> None:
        if self.steps_per_alarm < 1 or not 0 < self.least <= self.most or not 0 < self.release <= 1:
            raise ParameterError(f"robust threshold: bar or release out of range: {self}")
        if self.shortest < 1 or self.brief_factor < 1 or self.gap < 0:
            raise ParameterError(f"robust threshold: shortest, brief_factor or gap out of range: {self}")


class RobustThreshold:
    """One bar for all steps.

    Parameters
    ----------
    parameters
        See `RobustThresholdParameters`.
    """

    name: ClassVar[str] = "robust"

    def __init__(self, parameters: RobustThresholdParameters | None = None) -> None:
        self.parameters = parameters or RobustThresholdParameters()
        self._tail: Tail | None = None

    @property
    def memory(self) -> int:
        """None: a step is held against the bar by itself; long events may begin any time ago."""
        return 0

    def fit(self, scores: Scores, values: Floats) -> Self:
        """Learn how high normal scores get; see `Threshold.fit`."""
        del values
        self._tail = Tail.of(scores.values)
        return self

    @property
    def level(self) -> float:
        """The bar, in units of the score.

        Raises
        ------
        NotFitted
            Before `fit` or `load`.
        """
        p = self.parameters
        return min(max(self._fitted().level(p.steps_per_alarm), p.least), p.most)

    @property
    def usual(self) -> float:
        """The bar."""
        return self.level

    def judge(self, scores: Scores, values: Floats) -> Thresholded:
        """Return the events; see `Threshold.judge`."""
        del values
        p, tail = self.parameters, self._fitted()
        bar = self.level
        judged = np.flatnonzero(np.isfinite(scores.values))
        seen = scores.values[judged]
        spans = runs(seen >= p.release * bar)
        spans = np.array([s for s in spans if seen[s[0] : s[1]].max() >= bar]).reshape(-1, 2)
        events = []
        for low, high in merged(spans, p.gap):
            inside = seen[low:high]
            if (inside >= bar).sum() >= p.shortest or inside.max() >= p.brief_factor * bar:
                events.append(self._event(scores, judged, (int(low), int(high)), bar, tail))
        level = np.full(len(scores), bar, dtype=np.float32)
        return Thresholded(tuple(events), level)

    def save(self, folder: Path) -> None:
        """Write ``threshold.json``."""
        write_rule(folder, self.name, asdict(self.parameters), [asdict(self._fitted())])

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; see `Threshold.load`."""
        rule = cls()
        rule.parameters, (rule._tail,) = read_rule(folder, cls.name, RobustThresholdParameters, Tail)
        return rule

    def _fitted(self) -> Tail:
        if self._tail is None:
            raise NotFitted("the robust threshold was not fitted on a calibration part")
        return self._tail

    @staticmethod
    def _event(
        scores: Scores, judged: NDArray[np.int64], span: tuple[int, int], bar: float, tail: Tail
    ) -> Event:
        low, high = span
        at = low + int(np.argmax(scores.values[judged[low:high]]))
        peak = float(scores.values[judged[at]])
        return event(
            int(judged[low]),
            int(judged[high - 1]) + 1,
            int(judged[at]),
            peak_score=peak,
            threshold=bar,
            probability=tail.share_below(peak, high - low),
            last=int(judged[-1]) + 1,
        )
