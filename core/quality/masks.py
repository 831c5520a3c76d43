"""Masks over readings: pure functions of the values."""

import numpy as np
from numpy.typing import NDArray

from core.signal import Floats, Mask


def finite(values: Floats) -> Mask:
    """Mark the steps that carry a finite reading.

    Parameters
    ----------
    values
        (n,) readings of one channel, NaN where nothing valid was read.
    """
    return np.isfinite(values)


def unchanged_runs(values: Floats) -> NDArray[np.int64]:
    """Count, for every step, how many readings in a row up to it repeat the one before.

    Parameters
    ----------
    values
        (n,) readings of one channel; NaN never equals anything, so a gap ends a run.

    Returns
    -------
    NDArray[np.int64]
        (n,) zero where the reading changed, then 1, 2, … while it stays exactly the same.
    """
    steps = np.arange(values.shape[0])
    changed = np.ones(values.shape[0], dtype=np.bool_)
    changed[1:] = values[1:] != values[:-1]
    return steps - np.maximum.accumulate(np.where(changed, steps, 0))
