"""A threshold at a multiple of a high quantile of the calibration part's scores."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from core.errors import ParameterError
from core.thresholds.one_bar import Doubles, OneBarParameters, OneBarThreshold
from core.thresholds.tails import Tail


@dataclass(frozen=True)
class QuantileThresholdParameters(OneBarParameters):
    """Parameters of the threshold, besides those of `OneBarParameters`.

    Parameters
    ----------
    quantile
        Share of calibration scores that stay below what is multiplied, in [0, 1].
    factor
        The bar is this many times that quantile.

    Raises
    ------
    ParameterError
        A parameter is outside its range.
    """

    quantile: float = 0.999
    factor: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.quantile <= 1 or not 0 < self.factor < np.inf:
            raise ParameterError(f"quantile threshold: quantile or factor out of range: {self}")


@dataclass(frozen=True)
class QuantileAndTail(Tail):
    """The quantile, for the bar, and the distribution of block maxima, for the probabilities.

    Parameters
    ----------
    quantile
        In units of the score.
    """

    quantile: float


class QuantileThreshold(OneBarThreshold[QuantileThresholdParameters, QuantileAndTail]):
    """One bar for all steps.

    Parameters
    ----------
    parameters
        See `QuantileThresholdParameters`.
    """

    name: ClassVar[str] = "quantile"
    kind = QuantileThresholdParameters
    found = QuantileAndTail

    def _learn(self, normal: Doubles) -> QuantileAndTail:
        tail = Tail.of(normal)
        quantile = float(np.quantile(normal, self.parameters.quantile))
        return QuantileAndTail(tail.location, tail.scale, tail.block, quantile)

    def _bar(self, learned: QuantileAndTail) -> float:
        return self.parameters.factor * learned.quantile
