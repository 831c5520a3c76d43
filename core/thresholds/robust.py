"""A threshold set from how high scores get in the calibration part.

The bar is the score that normal stretches exceed once in a long time (block maxima, see
`core.thresholds.tails`). An event begins and ends where the score falls below a share of the bar, and near
ones are one.
"""

from dataclasses import dataclass
from typing import ClassVar

from core.errors import ParameterError
from core.thresholds.one_bar import Doubles, OneBarParameters, OneBarThreshold
from core.thresholds.tails import Tail


@dataclass(frozen=True)
class RobustThresholdParameters(OneBarParameters):
    """Parameters of the threshold, besides those of `OneBarParameters`.

    Parameters
    ----------
    steps_per_alarm
        Steps in which normal scores exceed the bar once on average.
    least, most
        The bar is never lower nor higher than this, so that a calibration part full of faults does not hide
        the next one.

    Raises
    ------
    ParameterError
        A parameter is outside its range.
    """

    steps_per_alarm: float = 5e6
    least: float = 2.0
    most: float = 4.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.steps_per_alarm < 1 or not 0 < self.least <= self.most:
            raise ParameterError(f"robust threshold: steps_per_alarm, least or most out of range: {self}")


class RobustThreshold(OneBarThreshold[RobustThresholdParameters, Tail]):
    """One bar for all steps.

    Parameters
    ----------
    parameters
        See `RobustThresholdParameters`.
    """

    name: ClassVar[str] = "robust"
    kind = RobustThresholdParameters
    found = Tail

    def _learn(self, normal: Doubles) -> Tail:
        return Tail.of(normal)

    def _bar(self, learned: Tail) -> float:
        return min(learned.level(self.parameters.steps_per_alarm), self.parameters.most)
