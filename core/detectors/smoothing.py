"""Exponentially weighted means along time."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter


def ewma(values: NDArray[np.floating], span: float) -> NDArray[np.float64]:
    """Return the exponentially weighted mean of each step and all before it.

    Weights decay by ``1 - 2 / (span + 1)`` a step and are normalised from the first step on, as in
    pandas' ``ewm(span).mean()``. NaN steps are left out: they stay NaN, and time stands still in them.

    Parameters
    ----------
    values
        (n,) numbers.
    span
        At least 1; about the number of steps that are averaged.
    """
    decay = 1.0 - 2.0 / (span + 1.0)
    known = np.isfinite(values)
    result = np.full(values.shape, np.nan)
    seen = values[known].astype(np.float64)
    if seen.size:
        sums = lfilter([1.0], [1.0, -decay], seen)
        weights = lfilter([1.0], [1.0, -decay], np.ones(seen.size))
        result[known] = sums / weights
    return result
