"""Scores of different detectors on one scale, and one score from many.

A score is divided by what it exceeds once in a hundred steps: of the whole window in review mode, of the
steps before it in causal mode. Blends of such ratios stand out better than any one of them does: a geometric
mean asks for agreement, a capped mean lets no single one decide.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from core.detectors.smoothing import ewma
from core.signal import Mask

Doubles = NDArray[np.float64]
Blend = Literal["geometric", "capped"]

USUAL: Final = 0.99
"""Quantile that stands for what normal scores reach."""

TRAILING: Final = 3000
"""Steps of past that tell what is usual in causal mode."""

GRID: Final = 200
"""Steps after which what is usual is looked up again, on an absolute grid."""

LOWEST: Final = 0.05
HIGHEST: Final = 20.0
"""Ratios are held in these bounds before a geometric mean, so that no detector vetoes or decides alone."""

CAP: Final = 2.0
"""Bound of a ratio in a capped mean."""

_TINY: Final = 1e-9


def usual(scores: Doubles) -> float:
    """Return what finite scores reach; their highest where nearly all are 0, and never 0."""
    if scores.size == 0:
        return _TINY
    level = _quantile(scores, USUAL)
    return max(level if level > _TINY else float(scores.max()), _TINY)


def _quantile(scores: Doubles, share: float) -> float:
    """Return what `numpy.quantile` does, which takes four times as long for some thousand scores."""
    place = share * (scores.size - 1)
    low = int(place)
    high = min(low + 1, scores.size - 1)
    ordered = np.partition(scores, (low, high))
    below, above, rest = float(ordered[low]), float(ordered[high]), place - low
    return below + (above - below) * rest if rest < 0.5 else above - (above - below) * (1 - rest)


def against_whole(scores: Doubles, lead: int, abnormal: Mask | None = None) -> Doubles:
    """Return (n,) scores in multiples of what the window reaches after its first `lead` steps.

    Parameters
    ----------
    abnormal
        (n,) steps that people called a true anomaly: they don't tell what is usual.
    """
    after = scores[lead:] if abnormal is None else scores[lead:][~abnormal[lead:]]
    level = float(np.quantile(after, USUAL)) if after.size else 0.0
    if level <= _TINY:  # a rare departure of what else stands still is three times the usual
        level = max(float(after.max()) if after.size else 0.0, _TINY) / 3.0
    return scores / level


def against_past(
    scores: Doubles, normal: Doubles, places: NDArray[np.int64], abnormal: Mask | None = None
) -> Doubles:
    """Return (n,) scores in multiples of what the steps before them reached.

    Parameters
    ----------
    scores
        (n,) scores without NaN.
    normal
        (m,) scores of the training part: its end stands in where the past is shorter than `TRAILING`.
    places
        (n,) increasing positions of the steps on the absolute grid; steps that were not judged are left out.
    abnormal
        (n,) steps that people called a true anomaly: they don't tell what is usual.
    """
    ratios = np.empty(scores.size)
    cells = places // GRID
    edges = [0, *(np.flatnonzero(np.diff(cells)) + 1).tolist(), scores.size]
    for first, end in pairwise(edges):
        seen = slice(max(0, first - TRAILING), first)
        past = scores[seen] if abnormal is None else scores[seen][~abnormal[seen]]
        wanted = max(normal.size - (TRAILING - past.size), 0)
        known = np.concatenate([normal[wanted:] if past.size < TRAILING else normal[:0], past])
        part = slice(first, end)
        ratios[part] = np.minimum(scores[part] / usual(known), HIGHEST**3)
    return ratios


def blended(ratios: Sequence[Doubles], how: Blend) -> Doubles:
    """Return one (n,) score from several of the same steps."""
    stacked = np.stack(ratios)
    if how == "capped":
        capped: Doubles = np.minimum(stacked, CAP).mean(axis=0)
        return capped
    geometric: Doubles = np.exp(np.log(np.clip(stacked, LOWEST, HIGHEST)).mean(axis=0))
    return geometric


def around(scores: Doubles, steps: int) -> Doubles:
    """Return the mean of the `steps` steps around each."""
    if steps <= 1 or scores.size == 0:
        return scores
    mean: Doubles = uniform_filter1d(scores, steps, mode="nearest")
    return mean


def before(scores: Doubles, span: int) -> Doubles:
    """Return the exponentially weighted mean of each step and those before it."""
    return scores if span <= 1 else ewma(scores, span)
