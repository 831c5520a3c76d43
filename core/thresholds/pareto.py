"""How far scores reach beyond a high quantile: a generalised Pareto distribution of the excesses.

Source: Pickands, Annals of Statistics 3, 1975, for the distribution; Hosking and Wallis, Technometrics 29,
1987, for its fit by probability-weighted moments, which always exists, needs no iteration and is better than
maximum likelihood on tens of excesses.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import boxcox
from scipy.stats import genpareto

from core.errors import InsufficientData
from core.thresholds.tails import LEAST_STEPS

FEWEST: Final = 10
"""Excesses below which no shape is fitted: the tail is exponential then."""


@dataclass(frozen=True)
class ParetoTail:
    """The distribution of normal scores above `start`.

    Parameters
    ----------
    start
        Score above which the tail is described.
    share
        Share of normal steps that exceed it, in (0, 1].
    shape, scale
        Of the generalised Pareto distribution; a negative shape means that scores have an upper end. The
        scale is positive, in units of the score.
    """

    start: float
    share: float
    shape: float
    scale: float

    @classmethod
    def of(
        cls, normal: NDArray[np.float64], *, quantile: float, least_shape: float, most_shape: float
    ) -> Self:
        """Fit to what exceeds a quantile of normal scores.

        Parameters
        ----------
        normal
            (n,) finite scores, in any order.
        quantile
            Share of steps that the tail leaves below its start, in [0, 1).
        least_shape, most_shape
            The shape is held between these, and so that no score lies beyond its upper end. With fewer
            than `FEWEST` excesses it is 0.

        Raises
        ------
        InsufficientData
            Fewer than `LEAST_STEPS` scores.
        """
        n = normal.size
        if n < LEAST_STEPS:
            raise InsufficientData("calibrating a threshold", needed=LEAST_STEPS, found=int(n))
        # An order statistic, not a value between two: scores in coarse steps keep their steps.
        place = int(quantile * (n - 1))
        start = float(np.partition(normal, place)[place])
        excesses = np.sort(normal[normal > start]) - start
        k = excesses.size
        # Excesses that are all but none say nothing of the spread; a hundredth of the level stands in.
        least = max(0.01 * abs(start), 1e-9)
        if k == 0:
            return cls(start, 1.0 / n, 0.0, least)
        mean = float(excesses.sum() / k)
        shape = 0.0
        if k >= FEWEST:
            lower = float(excesses @ np.arange(k - 1, -1, -1)) / (k * (k - 1))
            top = float(excesses[-1])
            spread = mean - 2.0 * lower
            shape = 2.0 - mean / spread if spread > 1e-12 * mean else least_shape
            if top > mean:
                shape = max(shape, -mean / (top - mean))
            shape = min(max(shape, least_shape), most_shape)
        return cls(start, k / n, shape, max(mean * (1.0 - shape), least))

    def level(self, steps: float) -> float:
        """Return the score that normal steps exceed once in `steps` steps on average, at least `start`."""
        return self.start + self.scale * float(boxcox(max(steps * self.share, 1.0), self.shape))

    def share_below(self, peak: float, steps: int) -> float:
        """Return the share of normal stretches of `steps` steps whose highest score stays below `peak`.

        Steps are taken as independent, which tells too low a share where scores are smooth.
        """
        beyond = float(genpareto.sf(max((peak - self.start) / self.scale, 0.0), self.shape))
        return float(np.exp(max(steps, 1) * np.log1p(-min(self.share * beyond, 1.0 - 1e-12))))
