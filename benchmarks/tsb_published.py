"""Two of TSB-AD's methods, run as published: to show that series and measure are those of its figures.

Parameters are those of Liu and Paparrizos (TSB-AD, NeurIPS 2024): KMeansAD with 10 clusters and windows of 40
(track M) or of the second period (track U); POLY of power 4. Both look at the whole series, as published.
"""

from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from core.detectors.window_distance import over_covering
from core.evaluation.range_auc import buffer_length

Doubles = NDArray[np.float64]

CLUSTERS: Final = 10
MULTIVARIATE_WINDOW: Final = 40
POWER: Final = 4

_ROUNDS: Final = 100


def kmeans_ad(values: Doubles, *, window: int, seed: int) -> Doubles:
    """Return (n,) the mean distance of z-normalised covering windows to their cluster's centre.

    Windows of all columns are normalised together. Yairi et al., 2001, as TSB-AD runs it.

    Parameters
    ----------
    values
        (n, columns).
    window
        Steps of a window, at most n.
    seed
        Chooses the first centres (k-means++).
    """
    n = values.shape[0]
    # In double precision, as published: the rounding in windows that never change is part of its figures.
    windows = sliding_window_view(values, window, axis=0).reshape(n - window + 1, -1)
    spread = windows.std(axis=1, ddof=1, keepdims=True)
    centred = windows - windows.mean(axis=1, keepdims=True)
    rows = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0)
    centres = _first_centres(rows, np.random.default_rng(seed))
    nearest = np.full(rows.shape[0], -1)
    for _ in range(_ROUNDS):
        before, nearest = nearest, _to_centres(rows, centres).argmin(axis=1)
        if np.array_equal(before, nearest):
            break
        for cluster in np.unique(nearest):
            centres[cluster] = rows[nearest == cluster].mean(axis=0)
    distance = np.linalg.norm(rows - centres[nearest], axis=1)
    return over_covering(distance, n, window)


def univariate_window(values: Doubles) -> int:
    """Return the window of KMeansAD in track U: the period after the strongest one."""
    return buffer_length(values, rank=2)


def poly(values: Doubles) -> Doubles:
    """Return (n,) how far each stretch of a period lies from a polynomial through its neighbourhood.

    The difference is measured between spectra, so that each stretch gets one number. As published, the
    polynomial of a stretch is evaluated up to and including the step after it. Li et al., 2007.

    Parameters
    ----------
    values
        (n,) the series, not constant.
    """
    n, window = values.size, buffer_length(values)
    scaled = (values - values.min()) / (values.max() - values.min())
    reach = min(max(10 * window, 100), n)
    scores = np.zeros(n)
    for stretch in range(-(-min(500, n // 10) // window), n // window + 1):
        start, stop = stretch * window, min((stretch + 1) * window, n)
        if start == stop:
            break
        last = stretch == n // window
        if start + reach // 2 < n and start - reach // 2 > 0:
            first, end = start - reach // 2, start + reach // 2
        elif start + reach // 2 >= n:
            first, end = n - reach, n
        else:
            first, end = 0, reach
        around = np.r_[first:start, start + window : max(end, start + window)]
        fitted = np.polynomial.Polynomial.fit(around, scaled[around], POWER)
        at = np.arange(start, stop) if last else np.linspace(start, start + window, window)
        off = np.fft.fft(scaled[start:stop]) - np.fft.fft(fitted(at))
        scores[start:stop] = np.linalg.norm(off) / off.size
    return scores


def _first_centres(rows: Doubles, choose: np.random.Generator) -> Doubles:
    """Choose centres by greedy k-means++ (Arthur and Vassilvitskii, SODA 2007): the best of a few draws."""
    power = np.square(rows).sum(axis=1)
    picked = [int(choose.integers(rows.shape[0]))]
    far = np.maximum(power + _to_centres(rows, rows[picked])[:, 0], 0.0)
    while len(picked) < CLUSTERS:
        if far.sum() <= 0:  # fewer different windows than clusters
            picked.append(picked[0])
            continue
        draws = choose.choice(rows.shape[0], 2 + int(np.log(CLUSTERS)), p=far / far.sum())
        left = np.minimum(np.maximum(power[:, None] + _to_centres(rows, rows[draws]), 0.0), far[:, None])
        best = int(left.sum(axis=0).argmin())
        picked.append(int(draws[best]))
        far = left[:, best]
    return rows[picked]


def _to_centres(rows: Doubles, centres: Doubles) -> Doubles:
    """Return (rows, centres) squared distances, each less the row's own square."""
    found: Doubles = np.square(centres).sum(axis=1) - 2 * rows @ centres.T
    return found
