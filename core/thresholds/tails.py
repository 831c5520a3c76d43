"""How high scores get in normal stretches: a Gumbel distribution of block maxima.

Source: the block maxima method of extreme value theory (Coles, An Introduction to Statistical Modeling
of Extreme Values, 2001, chapter 3), with the shape held at zero.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from core.errors import InsufficientData

Doubles = NDArray[np.float64]

LEAST_STEPS: Final = 24
"""Judged steps below which no tail is fitted."""

_MEDIAN: Final = -np.log(np.log(2.0))
_QUARTILES: Final = np.log(np.log(4.0) / np.log(4.0 / 3.0))


@dataclass(frozen=True)
class Tail:
    """The distribution of the highest score in normal stretches of one length.

    Parameters
    ----------
    location, scale
        Of the Gumbel distribution, in units of the score; the scale is positive.
    block
        Steps of the stretches it was fitted to.
    """

    location: float
    scale: float
    block: int

    @classmethod
    def of(cls, scores: NDArray[np.floating], *, blocks: int = 40, longest: int = 1440) -> Self:
        """Fit to the maxima of equally long blocks, by their median and quartiles.

        Quartiles keep a fault in the calibration part from lifting the bar, as long as it touches
        fewer than a quarter of the blocks.

        Parameters
        ----------
        scores
            (n,) scores in order of time; NaN steps are left out.
        blocks
            Wanted number of blocks; a short calibration part has fewer steps in each.
        longest
            Most steps of a block.

        Raises
        ------
        InsufficientData
            Fewer than `LEAST_STEPS` judged steps.
        """
        maxima, block = block_maxima(scores[np.isfinite(scores)].astype(np.float64), blocks, longest)
        low, middle, high = np.quantile(maxima, (0.25, 0.5, 0.75))
        # Blocks that are all alike say nothing of the spread; a hundredth of the level stands in for it.
        scale = max(float(high - low) / _QUARTILES, 0.01 * abs(float(middle)), 1e-9)
        return cls(location=float(middle) - scale * _MEDIAN, scale=scale, block=block)

    def share_below(self, peak: float, steps: int) -> float:
        """Return the share of normal stretches of `steps` steps whose highest score stays below `peak`."""
        exceeding = np.exp(min(-(peak - self.location) / self.scale, 700.0))
        return float(np.exp(-exceeding * max(steps, 1) / self.block))

    def level(self, steps: float) -> float:
        """Return the score that normal stretches exceed once in `steps` steps on average."""
        return self.location + self.scale * float(np.log(steps / self.block))


def block_maxima(judged: Doubles, blocks: int, longest: int) -> tuple[Doubles, int]:
    """Return the (k,) highest scores of equally long blocks, the oldest steps left out, and their length.

    Parameters
    ----------
    judged
        (n,) finite scores in order of time.
    blocks
        Wanted number of blocks; a short calibration part has fewer steps in each.
    longest
        Most steps of a block.

    Raises
    ------
    InsufficientData
        Fewer than `LEAST_STEPS` scores.
    """
    if judged.size < LEAST_STEPS:
        raise InsufficientData("calibrating a threshold", needed=LEAST_STEPS, found=int(judged.size))
    block = min(max(judged.size // blocks, 1), longest)
    count = judged.size // block
    maxima: Doubles = judged[judged.size - count * block :].reshape(count, block).max(axis=1)
    return maxima, block


def without_outstanding(scores: NDArray[np.floating], contamination: float) -> Doubles:
    """Return the (k,) finite scores in order of time, without those that a fault left among them.

    At most the share `contamination` is left out: the highest scores, as far as they also stand above what
    normal stretches a hundred times as long would reach by their median and quartiles (`Tail`). Without that
    second condition, a calibration part free of faults would lose its tail, and the bar would be too low.

    Parameters
    ----------
    scores
        (n,) scores of the calibration part; NaN steps, among them those labelled as anomalies, are left out.
    contamination
        Assumed share of anomalous steps, in [0, 0.5].

    Raises
    ------
    InsufficientData
        Fewer than `LEAST_STEPS` judged steps.
    """
    judged: Doubles = scores[np.isfinite(scores)].astype(np.float64)
    tail = Tail.of(judged)
    most = int(contamination * judged.size)
    if most == 0:
        return judged
    # The highest that must stay; what equals it stays too, so that never more than the share goes.
    kept = np.partition(judged, judged.size - most - 1)[judged.size - most - 1]
    normal: Doubles = judged[judged <= max(kept, tail.level(100.0 * judged.size))]
    return normal
