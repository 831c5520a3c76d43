"""Steps near a gap, whose windows hold readings from before it: they look flat, and raise nothing."""

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.results import Mode
from core.signal import Mask

Steps = NDArray[np.int64]

FEWEST: Final = 10
"""Missing steps in a row from which they are a gap: fewer are bridged by the reading before them."""

AVERAGED: Final = 30
"""Steps that it takes until averages have forgotten what windows over a gap said."""

_SHORT: Final = 50


def longest_window(sources: Iterable[str]) -> int:
    """Return the steps of the longest window that detectors of these names compare."""
    told = [name.split("-")[1] for name in sources if name.count("-") == 2]
    return max([_SHORT, *(int(one) for one in told if one.isdecimal())])


def unsettled(judged: Steps, longest: int, mode: Mode) -> Mask:
    """Return the (m,) mask of judged steps that are too near a gap to raise anything.

    Parameters
    ----------
    judged
        (m,) increasing steps that are judged.
    longest
        Steps of the longest window: what lies farther from a gap has none that reaches over it.
    mode
        In review mode windows reach over the gap from before it, too.
    """
    mask = np.zeros(judged.size, np.bool_)
    missing = np.diff(judged) - 1
    for place in np.flatnonzero(missing >= FEWEST):
        reach = min(int(missing[place]), longest) + AVERAGED
        last = np.searchsorted(judged, judged[place + 1] + reach)
        first = np.searchsorted(judged, judged[place] - reach) if mode == "review" else place + 1
        mask[first:last] = True
    return mask
