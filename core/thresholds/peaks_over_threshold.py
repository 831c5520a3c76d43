"""A threshold from the peaks over a first, lower one.

Source: Siffer et al., Anomaly Detection in Streams with Extreme Value Theory, KDD 2017: the bar is the score
that the generalised Pareto tail of normal scores (`core.thresholds.pareto`) exceeds with a stated risk. An
event ends at the latest where the score falls below the first threshold. For their streaming version
see `core.thresholds.moving`.
"""

from dataclasses import dataclass
from typing import ClassVar

from core.errors import ParameterError
from core.thresholds.one_bar import Doubles, OneBarParameters, OneBarThreshold
from core.thresholds.pareto import ParetoTail


@dataclass(frozen=True)
class PeaksOverThresholdParameters(OneBarParameters):
    """Parameters of the threshold, besides those of `OneBarParameters`.

    Parameters
    ----------
    quantile
        Share of normal steps below the first threshold, in [0, 1).
    steps_per_alarm
        Steps in which normal scores exceed the bar once on average; its inverse is the risk of a step.
    least_shape, most_shape
        The tail's shape is held between these, in [-0.9, 0] and [0, 0.9]. From a few tens of excesses a
        shape is so uncertain that a bar near the end of a short tail is exceeded ten times too often: by
        default no tail ends.

    Raises
    ------
    ParameterError
        A parameter is outside its range.
    """

    contamination: float = 0.1
    quantile: float = 0.98
    steps_per_alarm: float = 1e6
    least_shape: float = 0.0
    most_shape: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.quantile < 1 or not self.steps_per_alarm >= 1:
            raise ParameterError(f"peaks over threshold: quantile or steps_per_alarm out of range: {self}")
        if not -0.9 <= self.least_shape <= 0 <= self.most_shape <= 0.9:
            raise ParameterError(f"peaks over threshold: least_shape or most_shape out of range: {self}")


def tail_of(normal: Doubles, p: PeaksOverThresholdParameters) -> ParetoTail:
    """Return the tail of normal scores as the parameters want it fitted; see `ParetoTail.of`."""
    return ParetoTail.of(normal, quantile=p.quantile, least_shape=p.least_shape, most_shape=p.most_shape)


class PeaksOverThreshold(OneBarThreshold[PeaksOverThresholdParameters, ParetoTail]):
    """One bar for all steps.

    Parameters
    ----------
    parameters
        See `PeaksOverThresholdParameters`.
    """

    name: ClassVar[str] = "peaks-over-threshold"
    kind = PeaksOverThresholdParameters
    found = ParetoTail

    def _learn(self, normal: Doubles) -> ParetoTail:
        return tail_of(normal, self.parameters)

    def _bar(self, learned: ParetoTail) -> float:
        return learned.level(self.parameters.steps_per_alarm)

    def _end(self, learned: ParetoTail, bar: float) -> float:
        return min(max(self.parameters.release * bar, learned.start), bar)
