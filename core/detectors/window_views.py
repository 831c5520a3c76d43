"""What of a window is compared: its values, its shape, or figures that sum it up.

Distances between views are root mean squares in scaled units, so that windows of different lengths compare.
Sums over windows instead of products with every step make the figures cheap: about a millisecond per
thousand steps.
"""

from typing import Final, Literal, get_args

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import maximum_filter1d, minimum_filter1d

from core.signal import Floats

View = Literal["values", "shape", "levelled", "figures", "spread"]
"""``values`` as they are; ``shape`` without their mean; ``levelled``, the shape with loud windows toned down
to the same loudness; ``figures``: mean, deviation, lowest, highest, mean step and crossings; ``spread``:
those of them that don't tell the level."""

VIEWS: Final[tuple[View, ...]] = get_args(View)

SOFTENING: Final = 0.1
"""Scaled deviation below which a levelled window is quiet and stays so."""

LEAST_DEVIATION: Final = 0.05
"""Scaled deviation that a figure counts for, at least: what hardly varied in training is no microscope."""


def view_of(values: Floats, window: int, view: View, middle: float) -> Floats:
    """Return one row for each window of a series, the first for the steps ``[0, window)``.

    Parameters
    ----------
    values
        (n,) scaled readings without NaN, at least `window` of them.
    window
        Steps of a window.
    view
        What is told of it.
    middle
        Scaled level whose crossings are counted.

    Returns
    -------
    Floats
        (n - window + 1, width); the width is `window` for the first three views.
    """
    if view in {"figures", "spread"}:
        return _figures(values, window, middle, level=view == "figures")
    rows = sliding_window_view(values.astype(np.float32), window)
    if view == "values":
        return rows / np.float32(np.sqrt(window))
    rows = rows - rows.mean(axis=1, keepdims=True, dtype=np.float32)
    if view == "levelled":
        rows /= np.sqrt((rows**2).mean(axis=1, keepdims=True) + np.float32(SOFTENING**2))
    told: Floats = rows / np.float32(np.sqrt(window))
    return told


def _figures(values: Floats, window: int, middle: float, *, level: bool) -> Floats:
    """Return mean, deviation, lowest, highest, mean step and crossings, or what of them tells no level."""
    doubles = values.astype(np.float64)
    count = doubles.size - window + 1
    mean = _running_mean(doubles, window)
    deviation = np.sqrt(np.maximum(_running_mean(doubles**2, window) - mean**2, 0.0))
    steps = _running_mean(np.abs(np.diff(doubles, prepend=doubles[:1])), window)
    side = doubles > middle
    crossings = _running_mean((side != np.concatenate([side[:1], side[:-1]])).astype(np.float64), window)
    first = window // 2
    low = minimum_filter1d(doubles, window)[first : first + count]
    high = maximum_filter1d(doubles, window)[first : first + count]
    told = [mean, deviation, low, high] if level else [deviation, high - low]
    return np.stack([*told, steps, crossings], axis=1).astype(np.float32)


def _running_mean(values: np.ndarray[tuple[int], np.dtype[np.float64]], window: int) -> Floats:
    total = np.concatenate([[0.0], np.cumsum(values)])
    mean: Floats = (total[window:] - total[:-window]) / window
    return mean
