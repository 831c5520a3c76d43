"""Distances between windows of a series, seen in several ways, from one product of matrices.

A window is split into its level, its slope and the rest. Squared distances add up: of rests alone (trend
removed), with slopes (level removed), with levels (as they are). Z-normalised ones follow from the same
product, so that four views cost little more than one.
Sources: views as in Yeh et al., "Matrix Profile I", ICDM 2016 (z-normalised); Paparrizos and Gravano,
"k-Shape", SIGMOD 2015 (invariances).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
View = Literal["level", "shape", "trend", "profile"]

VIEWS: Final[tuple[View, ...]] = ("level", "shape", "trend", "profile")
"""Windows as they are, without their mean, without their straight line, and z-normalised."""

FLAT: Final = 1e-3
"""Standard deviation, in scaled units, far below which a window counts as flat, not as a shape of its own."""

_BLOCK: Final = 2048  # windows compared at once: bounds memory whatever the length of the series


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of one length, taken apart.

    Parameters
    ----------
    rest
        (windows, length) float32 what is left without level and slope.
    slope
        (windows,) size of the straight line without its mean.
    level
        (windows,) mean.
    """

    rest: NDArray[np.float32]
    slope: Doubles
    level: Doubles

    @classmethod
    def of(cls, values: Doubles, length: int, starts: NDArray[np.int64]) -> Self:
        """Take the windows, of two steps at least, of finite (n,) `values` that begin at `starts`."""
        windows = sliding_window_view(values, length)[starts]
        level = windows.mean(axis=1)
        centred = windows - level[:, None]
        line = np.arange(length) - (length - 1) / 2
        line /= np.linalg.norm(line)
        slope = centred @ line
        rest = (centred - slope[:, None] * line).astype(np.float32)
        return cls(rest, slope, level)

    def nearest(self, others: Self, views: Sequence[View]) -> Doubles:
        """Return (windows,) root mean squared distance to the nearest of `others`, summed over `views`."""
        length = self.rest.shape[1]
        power, theirs = _power(self.rest)[:, None], _power(others.rest)
        cross = self.rest @ others.rest.T
        squared = np.maximum(power + theirs - 2 * cross, 0)
        total = np.zeros(self.level.size)
        if "trend" in views:
            total += np.sqrt(squared.min(axis=1) / length)
        if "profile" in views:
            ours_c, theirs_c = power[:, 0] + self.slope**2, theirs + others.slope**2
            ours_d, theirs_d = np.sqrt(ours_c / length) + FLAT, np.sqrt(theirs_c / length) + FLAT
            cross += np.outer(self.slope, others.slope).astype(np.float32)
            cross *= (-2.0 / theirs_d).astype(np.float32)
            cross *= (1.0 / ours_d).astype(np.float32)[:, None]
            cross += (theirs_c / theirs_d**2).astype(np.float32)
            total += np.sqrt(np.maximum(cross.min(axis=1) + ours_c / ours_d**2, 0) / length)
        if "shape" in views or "level" in views:
            squared += np.square((self.slope[:, None] - others.slope).astype(np.float32))
            if "shape" in views:
                total += np.sqrt(squared.min(axis=1) / length)
        if "level" in views:
            squared += length * np.square((self.level[:, None] - others.level).astype(np.float32))
            total += np.sqrt(squared.min(axis=1) / length)
        return total


def distances(values: Doubles, references: Windows, views: Sequence[View]) -> Doubles:
    """Return the strangeness of each window of a series, by where it begins.

    Parameters
    ----------
    values
        (n,) finite values, n at least the length of the references.
    references
        The windows to be near to.
    views
        How windows are seen; their distances are summed.

    Returns
    -------
    NDArray[np.float64]
        (n - length + 1,) sums of root mean squared distances, in the unit of the values (`profile`: none).
    """
    length = references.rest.shape[1]
    starts = np.arange(values.size - length + 1)
    blocks = [starts[first : first + _BLOCK] for first in range(0, starts.size, _BLOCK)]
    return np.concatenate([Windows.of(values, length, block).nearest(references, views) for block in blocks])


def rates(values: Doubles, length: int) -> Doubles:
    """Return (n - length + 1, columns) means of each column over windows of that length."""
    sums = np.cumsum(np.concatenate([np.zeros((1, values.shape[1])), values]), axis=0)
    means: Doubles = (sums[length:] - sums[:-length]) / length
    return means


def nearest_rates(found: Doubles, references: Doubles) -> Doubles:
    """Return (windows,) Euclidean distance of rows to the nearest row of `references`."""
    result = np.empty(found.shape[0])
    power = np.square(references).sum(axis=1)
    for first in range(0, found.shape[0], _BLOCK):
        block = found[first : first + _BLOCK]
        squared = np.square(block).sum(axis=1)[:, None] + power - 2 * block @ references.T
        result[first : first + _BLOCK] = np.sqrt(np.maximum(squared.min(axis=1), 0))
    # Rounding leaves what occurred before at a distance of some 1e-8.
    result[result < 1e-6] = 0.0
    return result


def over_covering(found: Doubles, n: int, length: int) -> Doubles:
    """Return (n,) the mean over the windows that cover each step, of one number a window."""
    steps = np.arange(n)
    return _means(found, np.maximum(steps - length + 1, 0), np.minimum(steps, n - length) + 1)


def moving_mean(values: Doubles, before: int, after: int) -> Doubles:
    """Return (n,) the mean of each step with those `before` and `after` it, of fewer at the ends."""
    steps = np.arange(values.size)
    return _means(values, np.maximum(steps - before, 0), np.minimum(steps + after + 1, values.size))


def _means(values: Doubles, first: NDArray[np.int64], last: NDArray[np.int64]) -> Doubles:
    """Return the means over ``[first, last)`` of numbers that are not negative."""
    sums = np.cumsum(np.r_[0.0, values])
    means: Doubles = np.maximum(sums[last] - sums[first], 0.0) / (last - first)
    return means


def _power(rest: NDArray[np.float32]) -> NDArray[np.float32]:
    power: NDArray[np.float32] = np.einsum("ij,ij->i", rest, rest)
    return power
