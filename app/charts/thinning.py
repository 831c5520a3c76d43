"""Fewer points for the same picture: MinMaxLTTB, with extremes and gaps kept.

Source: Van Der Donckt et al., "MinMaxLTTB: Leveraging MinMax-Preselection to Scale LTTB", VIS 2023.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from tsdownsample import MinMaxLTTBDownsampler

Floats = NDArray[np.float64]

LIMIT: Final = 1200
"""Points of a line: two a pixel of the widest chart there is room for beside list and card."""
_GAPS: Final = 200  # at most so many breaks are drawn; more of them can't be told apart on a screen


def thin(times_ms: Floats, values: Floats, limit: int = LIMIT) -> tuple[Floats, Floats]:
    """Return at most `limit` points that look like all of them.

    Parameters
    ----------
    times_ms
        (n,) increasing milliseconds.
    values
        (n,) values; NaN where there is none.
    limit
        The most points to return, breaks included; at least 16.

    Returns
    -------
    times, values
        The kept points in order, always with the smallest and the largest value; a NaN stands where a
        stretch without values lay between two of them.
    """
    present = np.isfinite(values)
    x = np.ascontiguousarray(times_ms[present])
    y = np.ascontiguousarray(values[present])
    if x.size == 0:
        return x, y
    breaks = _breaks(times_ms, x, min(_GAPS, limit // 4))
    room = limit - breaks.size - 2
    if x.size > room:
        kept = np.asarray(MinMaxLTTBDownsampler().downsample(x, y, n_out=room), dtype=np.int64)
        # LTTB may prefer a larger triangle to the extreme itself.
        kept = np.union1d(kept, np.array([int(np.argmin(y)), int(np.argmax(y))]))
    else:
        kept = np.arange(x.size)
    places = np.searchsorted(kept, breaks, side="right")
    halfway = (x[breaks] + x[np.minimum(breaks + 1, x.size - 1)]) / 2.0
    return (
        np.insert(x[kept], places, halfway),
        np.insert(y[kept], places, np.nan),
    )


def _breaks(times_ms: Floats, x: Floats, most: int) -> NDArray[np.int64]:
    """Return indices into the present points after which a stretch without values follows."""
    if x.size < 2:
        return np.empty(0, dtype=np.int64)
    steps = np.diff(x)
    ordinary = float(np.median(np.diff(times_ms)))
    found = np.flatnonzero(steps > 2.5 * ordinary)
    if found.size > most:
        found = np.sort(found[np.argsort(steps[found])[-most:]])
    return found.astype(np.int64)
