"""A multivariate control chart: how far channels are from usual along their main directions, and off them.

Hotelling's T² measures the distance within the subspace in which channels usually move together, the Q
statistic (squared prediction error) what that subspace does not explain. Channels' contributions are those
of the complete decomposition of both statistics.
Sources: Jackson and Mudholkar, "Control procedures for residuals associated with principal component
analysis", Technometrics 21 (1979); Alcala and Qin, "Reconstruction-based contribution for process
monitoring", Automatica 45 (2009).
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

ARRAYS: Final = ("centre", "main", "rest", "references")

USUAL: Final = 0.999
"""Share of training steps whose statistics are below what counts as 1."""

_LEAST_VARIANCE: Final = 1e-9
_LEAST_REFERENCE: Final = 1e-6


@dataclass(frozen=True, eq=False)
class ControlChart:
    """What one chart has learned.

    Parameters
    ----------
    centre
        (channels,) mean of the training part.
    main, rest
        (channels, channels) linear maps of departures from it: the squared norms of their images are T² and
        Q, and the squares that a norm sums are the channels' contributions.
    references
        (2,) what the square roots of T² and of Q hardly ever exceeded while learning.
    """

    centre: Doubles
    main: Doubles
    rest: Doubles
    references: Doubles

    @classmethod
    def of(cls, values: Doubles, kept: float) -> Self:
        """Learn from (n, channels) values of normal steps; `kept` is the share of variance called main."""
        centre = values.mean(axis=0)
        departures = values - centre
        variances = (departures**2).mean(axis=0)
        units = 1.0 / np.sqrt(np.where(variances > _LEAST_VARIANCE, variances, 1.0))
        scaled = departures * units
        strengths, directions = np.linalg.eigh(scaled.T @ scaled / scaled.shape[0])
        strengths, directions = np.maximum(strengths[::-1], 0.0), directions[:, ::-1]
        count, width = 0, strengths.size
        if strengths.sum() > _LEAST_VARIANCE:
            reached = np.cumsum(strengths) / strengths.sum()
            # One direction at least is left to the rest, unless there is only one.
            count = min(int(np.searchsorted(reached, kept)) + 1, max(1, width - 1))
        axes, others = directions[:, :count], directions[:, count:]
        main = (axes / np.sqrt(np.maximum(strengths[:count], _LEAST_VARIANCE))) @ axes.T
        chart = cls(centre, units[:, None] * main, units[:, None] * (others @ others.T), np.ones(2))
        reached = np.quantile(np.sqrt(chart._squares(values).sum(axis=2)), USUAL, axis=1)
        references = np.where(reached > _LEAST_REFERENCE, reached, 1.0)
        return cls(chart.centre, chart.main, chart.rest, references)

    def judge(self, values: Doubles) -> tuple[Doubles, Doubles]:
        """Return how strange (n, channels) values are, and each channel's share in that.

        Returns
        -------
        tuple[Doubles, Doubles]
            (n,) the larger of both statistics' square roots, 1 at what is hardly ever exceeded; (n, channels)
            contributions to it that sum to 1.
        """
        squares = self._squares(values) / (self.references**2)[:, None, None]
        totals = squares.sum(axis=2)
        steps, larger = np.arange(values.shape[0]), totals.argmax(axis=0)
        total, parts = totals[larger, steps], squares[larger, steps]
        even = np.full(parts.shape, 1.0 / parts.shape[1])
        shares = np.divide(parts, total[:, None], out=even, where=total[:, None] > 0)
        return np.sqrt(total), shares

    def _squares(self, values: Doubles) -> Doubles:
        """Return (2, n, channels) contributions to T² and to Q."""
        departures = values - self.centre
        squares: Doubles = np.stack([departures @ self.main, departures @ self.rest]) ** 2
        return squares
