"""Ridge regression by Huber's loss: outliers in what is learned from pull no more than their sign.

Source: Huber, Robust Estimation of a Location Parameter, 1964; fitted by iteratively reweighted least
squares.
"""

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

TUNING: Final = 1.345
"""Residuals beyond this many robust deviations count less; 95 % efficient where errors are normal."""

FOLDS: Final = 4
"""Blocks in order of time; each is predicted by weights from the others."""

ROUNDS: Final = 8


def robust_deviation(values: NDArray[np.float64]) -> float:
    """Return 1.4826 times the median absolute deviation: the standard deviation if `values` are normal."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


def fit(
    columns: NDArray[np.float64], target: NDArray[np.float64], penalty: float, *, rounds: int = ROUNDS
) -> NDArray[np.float64]:
    """Return the (columns,) weights of a Huber regression.

    Parameters
    ----------
    columns
        (n, columns), the first of them constant; others that never change get no weight.
    target
        (n,) what they shall explain.
    penalty
        Ridge penalty in steps' worth of data, on columns of unit deviation; the constant is free.
    rounds
        Times that outliers are weighed anew.
    """
    centre, spread = columns.mean(axis=0), columns.std(axis=0)
    live = spread > 1e-9 * np.maximum(np.abs(centre), 1.0)
    design = np.concatenate([np.ones((target.size, 1)), (columns[:, live] - centre[live]) / spread[live]], 1)
    ridge = np.full(design.shape[1], penalty)
    ridge[0] = 0.0
    middle = float(np.median(target))
    shifted = target - middle
    counts = np.ones(target.size)
    weights = np.zeros(design.shape[1])
    for _ in range(rounds):
        weighted = design * counts[:, None]
        weights = np.linalg.solve(weighted.T @ design + np.diag(ridge), weighted.T @ shifted)
        residuals = shifted - design @ weights
        deviation = robust_deviation(residuals)
        if deviation <= 0:
            break
        counts = np.minimum(1.0, TUNING * deviation / np.maximum(np.abs(residuals), 1e-300))
    result = np.zeros(columns.shape[1])
    result[live] = weights[1:] / spread[live]
    result[0] = middle + weights[0] - float(centre[live] @ result[live])
    return result


def cross_fitted(
    columns: NDArray[np.float64], target: NDArray[np.float64], penalties: tuple[float, ...]
) -> tuple[float, NDArray[np.float64]]:
    """Return the penalty that predicts best what was not fitted, and the residuals of those predictions.

    Where columns are many and steps few, residuals of the fit itself are too small to judge others by.

    Parameters
    ----------
    columns, target
        As `fit` takes them, in order of time.
    penalties
        What to choose from.
    """
    edges = np.linspace(0, target.size, FOLDS + 1).astype(np.int64)
    best, chosen, kept = np.inf, penalties[0], target
    for penalty in penalties:
        residuals = np.empty(target.size)
        for low, high in pairwise(edges):
            others = np.r_[0:low, high : target.size]
            weights = fit(columns[others], target[others], penalty, rounds=3)
            residuals[low:high] = target[low:high] - columns[low:high] @ weights
        # Half of the residuals may be nothing where a sensor rests: the mean sees the others too.
        off = float(np.abs(np.clip(residuals, *np.quantile(residuals, (0.01, 0.99)))).mean())
        if off < best:
            best, chosen, kept = off, penalty, residuals
    return chosen, kept
