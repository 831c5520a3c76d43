"""Filling of short gaps with the last value, so that no network and no regression meets a NaN."""

import numpy as np

from core.errors import ParameterError
from core.signal import Floats


def hold_last(values: Floats, limit: int) -> Floats:
    """Return `values` with each gap filled by the last reading before it, for at most `limit` steps.

    Parameters
    ----------
    values
        (n,) or (n, channels) readings, NaN where nothing valid was read.
    limit
        Steps that a reading may be held; what lies further from one stays NaN, and so does
        everything before the first reading.

    Raises
    ------
    ParameterError
        The limit is negative.
    """
    if limit < 0:
        raise ParameterError(f"hold: the limit must not be negative, got {limit}")
    known = np.isfinite(values)
    if known.all():
        return values
    steps = np.arange(values.shape[0]).reshape((-1,) + (1,) * (values.ndim - 1))
    last = np.maximum.accumulate(np.where(known, steps, -1), axis=0)
    held = np.take_along_axis(values, np.maximum(last, 0), axis=0)
    return np.where((last >= 0) & (steps - last <= limit), held, np.float32(np.nan)).astype(np.float32)
