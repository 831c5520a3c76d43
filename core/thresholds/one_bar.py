"""What thresholds with one bar for all steps share: robust, quantile, peaks over threshold, block maxima."""

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.errors import NotFitted, ParameterError
from core.results import Scores, Thresholded
from core.signal import Floats
from core.thresholds.extent import Extent, raised
from core.thresholds.files import read_rule, write_rule
from core.thresholds.tails import without_outstanding

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class OneBarParameters(Extent):
    """Parameters that all rules with one bar have, besides those of `Extent`.

    Parameters
    ----------
    least
        The bar is never lower than this, in units of the score, however quiet the calibration part was.
    contamination
        Assumed share of anomalous steps in the calibration part: at most that share of its highest scores is
        left out before anything is fitted, see `core.thresholds.tails.without_outstanding`.

    Raises
    ------
    ParameterError
        A parameter is outside its range.
    """

    least: float = 0.0
    contamination: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.least < np.inf:
            raise ParameterError(f"threshold: least must be a score of 0 or more, not {self.least}")
        if not 0 <= self.contamination <= 0.5:
            raise ParameterError(f"threshold: contamination must be in [0, 0.5], not {self.contamination}")


class Learned(Protocol):
    """What a rule learned of normal scores, a frozen dataclass of numbers."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def share_below(self, peak: float, steps: int) -> float:
        """Return the share of normal stretches of `steps` steps whose highest score stays below `peak`."""


P = TypeVar("P", bound=OneBarParameters)
L = TypeVar("L", bound=Learned)


class OneBarThreshold(ABC, Generic[P, L]):
    """Holds every step against the same bar; a rule says what it learns and where the bar is.

    Parameters
    ----------
    parameters
        Of the rule; its defaults if left out.
    """

    name: ClassVar[str]
    kind: ClassVar[type[OneBarParameters]]
    """Its parameters."""
    found: ClassVar[type[Learned]]
    """What it learns."""

    def __init__(self, parameters: P | None = None) -> None:
        self.parameters: P = parameters or self.kind()  # type: ignore[assignment]
        self._learned: L | None = None

    @property
    def memory(self) -> int:
        """None: a step is held against the bar by itself; long events may begin any time ago."""
        return 0

    @abstractmethod
    def _learn(self, normal: Doubles) -> L:
        """Return what finite scores of the calibration part say of normal ones."""

    @abstractmethod
    def _bar(self, learned: L) -> float:
        """Return the bar in units of the score; `least` is seen to elsewhere."""

    def _end(self, learned: L, bar: float) -> float:
        """Return the score at which an event ends, not above the bar."""
        del learned
        return min(self.parameters.release * bar, bar)  # the bar of scores below zero lies below its share

    def fit(self, scores: Scores, values: Floats) -> Self:
        """Learn how high normal scores get; see `Threshold.fit`."""
        del values
        self._learned = self._learn(without_outstanding(scores.values, self.parameters.contamination))
        return self

    @property
    def level(self) -> float:
        """The bar, in units of the score.

        Raises
        ------
        NotFitted
            Before `fit` or `load`.
        """
        return max(self._bar(self._fitted()), self.parameters.least)

    @property
    def usual(self) -> float:
        """The bar."""
        return self.level

    def judge(self, scores: Scores, values: Floats) -> Thresholded:
        """Return the events; see `Threshold.judge`."""
        del values
        learned, bar = self._fitted(), self.level
        level, ends = np.full(len(scores), bar), np.full(len(scores), self._end(learned, bar))

        def probability(at: int, peak: float, steps: int) -> float:
            del at
            return learned.share_below(peak, steps)

        events = raised(scores, level, ends, self.parameters, probability)
        return Thresholded(events, level.astype(np.float32))

    def save(self, folder: Path) -> None:
        """Write ``threshold.json``."""
        write_rule(folder, self.name, asdict(self.parameters), [asdict(self._fitted())])

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; see `Threshold.load`."""
        parameters, (learned,) = read_rule(folder, cls.name, cls.kind, cls.found)
        rule = cls(parameters)  # type: ignore[arg-type]
        rule._learned = learned  # type: ignore[assignment]
        return rule

    def _fitted(self) -> L:
        if self._learned is None:
            raise NotFitted(f"the {self.name} threshold was not fitted on a calibration part")
        return self._learned
