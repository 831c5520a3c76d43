"""A threshold from the highest scores of equally long blocks.

Source: Coles, An Introduction to Statistical Modeling of Extreme Values, 2001, chapter 3, for the return
level of the generalised extreme value distribution; Hosking, Wallis and Wood, Technometrics 27, 1985, for its
fit by probability-weighted moments. `core.thresholds.tails` is the same with the shape held at zero and
fitted by quartiles. An event ends at the latest where the score falls below what an ordinary block reaches.
"""

from dataclasses import dataclass
from typing import ClassVar, Final, Self

import numpy as np
from scipy.special import gamma
from scipy.stats import genextreme

from core.errors import ParameterError
from core.thresholds.one_bar import Doubles, OneBarParameters, OneBarThreshold
from core.thresholds.tails import block_maxima

FEWEST: Final = 10
"""Blocks below which no shape is fitted."""


@dataclass(frozen=True)
class BlockMaximaParameters(OneBarParameters):
    """Parameters of the threshold, besides those of `OneBarParameters`.

    Parameters
    ----------
    steps_per_alarm
        Steps in which normal scores exceed the bar once on average.
    blocks, longest
        Wanted number of blocks, and most steps of one.
    least_shape, most_shape
        The distribution's shape is held between these, in [-0.9, 0] and [0, 0.9]; by default no tail ends,
        as in `core.thresholds.peaks_over_threshold`.

    Raises
    ------
    ParameterError
        A parameter is outside its range.
    """

    contamination: float = 0.1
    steps_per_alarm: float = 1e6
    blocks: int = 40
    longest: int = 1440
    least_shape: float = 0.0
    most_shape: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.steps_per_alarm >= 1 or self.blocks < 2 or self.longest < 1:
            raise ParameterError(f"block maxima: steps_per_alarm, blocks or longest out of range: {self}")
        if not -0.9 <= self.least_shape <= 0 <= self.most_shape <= 0.9:
            raise ParameterError(f"block maxima: least_shape or most_shape out of range: {self}")


@dataclass(frozen=True)
class ExtremeValues:
    """The distribution of the highest score in normal stretches of one length.

    Parameters
    ----------
    location, scale, shape
        Of the generalised extreme value distribution; a negative shape means that scores have an upper end.
        Location and scale are in units of the score, the scale is positive.
    block
        Steps of the stretches it was fitted to.
    """

    location: float
    scale: float
    shape: float
    block: int

    @classmethod
    def of(cls, normal: Doubles, p: BlockMaximaParameters) -> Self:
        """Fit to the maxima of equally long blocks.

        The shape is 0, a Gumbel distribution, with fewer than `FEWEST` blocks, with maxima that are all
        alike, or where the fitted distribution would end below a maximum that was seen.

        Parameters
        ----------
        normal
            (n,) finite scores in order of time.
        p
            How to fit it.

        Raises
        ------
        InsufficientData
            Fewer than `LEAST_STEPS` scores.
        """
        maxima, block = block_maxima(normal, p.blocks, p.longest)
        ordered, k = np.sort(maxima), maxima.size
        first = float(ordered.mean())
        rank = np.arange(k, dtype=np.float64)
        weighted = float(ordered @ rank) / (k * max(k - 1, 1))
        twice = float(ordered @ (rank * (rank - 1))) / (k * max((k - 1) * (k - 2), 1))
        # L-moments: half the mean difference of two maxima, and the lean of three.
        spread, lean = 2 * weighted - first, 6 * twice - 6 * weighted + first
        least = max(0.01 * abs(first), 1e-9)
        shape = 0.0
        if k >= FEWEST and spread > 1e-9 * abs(first):
            offset = 2.0 / (3.0 + lean / spread) - np.log(2.0) / np.log(3.0)
            shape = min(max(float(-7.8590 * offset - 2.9554 * offset**2), p.least_shape), p.most_shape)
        found = cls._with(shape, first, spread, least, block)
        if found.shape < 0 and ordered[-1] > found.location - found.scale / found.shape:
            return cls._with(0.0, first, spread, least, block)
        return found

    @classmethod
    def _with(cls, shape: float, mean: float, spread: float, least: float, block: int) -> Self:
        """Return the distribution of a given shape with these first two L-moments."""
        if abs(shape) < 1e-6:
            scale = max(spread / np.log(2.0), least)
            return cls(float(mean - np.euler_gamma * scale), float(scale), 0.0, block)
        moment = float(gamma(1.0 - shape))
        scale = max(spread * -shape / ((1.0 - 2.0**shape) * moment), least)
        return cls(float(mean + scale * (1.0 - moment) / shape), float(scale), shape, block)

    def level(self, steps: float) -> float:
        """Return the score that normal stretches exceed once in `steps` steps on average."""
        chance = float(-np.expm1(-self.block / steps))
        return float(genextreme.isf(chance, -self.shape, loc=self.location, scale=self.scale))

    def share_below(self, peak: float, steps: int) -> float:
        """Return the share of normal stretches of `steps` steps whose highest score stays below `peak`."""
        one = float(genextreme.cdf(peak, -self.shape, loc=self.location, scale=self.scale))
        return float(one ** (max(steps, 1) / self.block))


class BlockMaxima(OneBarThreshold[BlockMaximaParameters, ExtremeValues]):
    """One bar for all steps.

    Parameters
    ----------
    parameters
        See `BlockMaximaParameters`.
    """

    name: ClassVar[str] = "block-maxima"
    kind = BlockMaximaParameters
    found = ExtremeValues

    def _learn(self, normal: Doubles) -> ExtremeValues:
        return ExtremeValues.of(normal, self.parameters)

    def _bar(self, learned: ExtremeValues) -> float:
        return learned.level(self.parameters.steps_per_alarm)

    def _end(self, learned: ExtremeValues, bar: float) -> float:
        return min(max(self.parameters.release * bar, learned.location), bar)
