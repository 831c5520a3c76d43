"""Hotelling's T² chart as SKAB's leaderboard runs it, alone and with the Q statistic of the residual space.

References: Mujica et al., "Q-statistic and T2-statistic PCA-based measures for damage assessment in
structures", Structural Health Monitoring 10 (2010); settings of github.com/waico/SKAB (notebooks t2_SKAB and
t2_with_q_SKAB): standardised by the training rows, limits at 0.999, a median over 5 steps; T² alone alarms at
twice its limit, the pair, with 0.85 of the variance kept, where either is above its own. The limit of Q is
Jackson and Mudholkar's; the original's, which takes powers of the sum of variances, finds less here.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from core.signal import Mask

Doubles = NDArray[np.float64]

CONFIDENCE: Final = 0.999
MEDIAN_STEPS: Final = 5
T2_FACTOR: Final = 2.0
KEPT_VARIANCE: Final = 0.85


def t_squared(values: Doubles, rows: int) -> Mask:
    """Return (n,) where T² of all channels is above twice its limit.

    Parameters
    ----------
    values
        (n, channels) readings without gaps.
    rows
        How many of the first ones are learned from.
    """
    standard = _standardised(values, rows)
    return _median(_distances(standard, rows)) > T2_FACTOR * _t2_limit(rows, standard.shape[1])


def t_squared_and_q(values: Doubles, rows: int) -> Mask:
    """Return (n,) where T² of the main components or Q of what they leave is above its limit."""
    standard = _standardised(values, rows)
    centred = standard - standard[:rows].mean(axis=0)
    variances, directions = np.linalg.eigh(np.cov(centred[:rows].T))
    variances, directions = variances[::-1], directions[:, ::-1]
    kept = int(np.searchsorted(np.cumsum(variances) / variances.sum(), KEPT_VARIANCE)) + 1
    main, rest = centred @ directions[:, :kept], centred @ directions[:, kept:]
    beyond = _median(_distances(main, rows)) > _t2_limit(rows, kept)
    if kept == standard.shape[1]:
        return beyond
    limit = _q_limit(variances[kept:])
    return beyond | (_median((rest**2).sum(axis=1)) > limit)


def _standardised(values: Doubles, rows: int) -> Doubles:
    """Return the channels that change while learning, by their mean and deviation there."""
    learned = values[:rows]
    moving = (learned != learned[0]).any(axis=0)
    scaled: Doubles = (values[:, moving] - learned[:, moving].mean(axis=0)) / learned[:, moving].std(axis=0)
    return scaled


def _distances(standard: Doubles, rows: int) -> Doubles:
    inverse = np.linalg.inv(np.atleast_2d(np.cov(standard[:rows].T)))
    distances: Doubles = np.einsum("ij,jk,ik->i", standard, inverse, standard)
    return distances


def _t2_limit(rows: int, width: int) -> float:
    factor = width * (rows - 1) * (rows + 1) / (rows * (rows - width))
    return float(factor * stats.f.ppf(CONFIDENCE, width, rows - width))


def _q_limit(variances: Doubles) -> float:
    """Return the limit of Jackson and Mudholkar (Technometrics 21, 1979) for the residual variances."""
    first, second, third = (float((variances**power).sum()) for power in (1, 2, 3))
    shape = 1 - 2 * first * third / (3 * second**2)
    normal = float(stats.norm.ppf(CONFIDENCE))
    inner = 1 + normal * np.sqrt(2 * second * shape**2) / first + second * shape * (shape - 1) / first**2
    return float(first * inner ** (1 / shape))


def _median(values: Doubles) -> Doubles:
    """Return the median of each step and those before it; NaN, which is above nothing, at the start."""
    smooth = np.full(values.size, np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(values, MEDIAN_STEPS)
    smooth[MEDIAN_STEPS - 1 :] = np.median(windows, axis=1)
    return smooth
