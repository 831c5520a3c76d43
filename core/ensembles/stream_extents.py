"""Events of scores held against one bar, step by step for a fleet; see `core.thresholds.extent`."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from core.signal import Mask
from core.thresholds.extent import Extent

Doubles = NDArray[np.float64]
Counts = NDArray[np.int64]

_OUTSIDE, _NEAR, _LOUD = 0, 1, 2

_LONG_AGO: Final = np.iinfo(np.int64).max // 2


@dataclass(eq=False)
class Extents:
    """What the rule remembers of each sensor.

    Parameters
    ----------
    bar
        (k,) that scores are held against.
    stretch
        (k,) whether scores are outside an event, near the bar, or near it after they exceeded it.
    apart, quiet
        (k,) judged steps from the last stretch that exceeded the bar to this one, and to now.
    loud, known
        (k,) steps beyond the bar in stretches that belong together, and True once those are an event.
    """

    bar: Doubles
    stretch: Counts
    apart: Counts
    quiet: Counts
    loud: Counts
    known: Mask

    @classmethod
    def above(cls, bar: Doubles) -> Self:
        """Start with nothing seen."""
        zeros = np.zeros(bar.size, np.int64)
        none = np.zeros(bar.size, np.bool_)
        return cls(bar, zeros, zeros.copy(), np.full(bar.size, _LONG_AGO), zeros.copy(), none)

    def step(self, scores: Doubles, p: Extent) -> Mask:
        """Return the (k,) mask of events that run now, each from the step on at which it is known.

        Parameters
        ----------
        scores
            (k,) scores; for those that are NaN time stands still.
        """
        judged = np.isfinite(scores)
        near, above = judged & (scores > p.release * self.bar), judged & (scores > self.bar)
        self.apart = np.where(near & (self.stretch == _OUTSIDE), self.quiet, self.apart)
        anew = above & (self.stretch != _LOUD) & (self.apart > p.gap)
        self.loud = np.where(anew, 0, self.loud) + above
        enough = (self.loud >= p.shortest) | (scores >= p.brief_factor * self.bar)
        self.known = (self.known & ~anew) | (above & enough)
        inside = np.where(above, _LOUD, np.maximum(self.stretch, _NEAR))
        self.stretch = np.where(judged, np.where(near, inside, _OUTSIDE), self.stretch)
        self.quiet = np.where(judged, np.where(self.stretch == _LOUD, 0, self.quiet + 1), self.quiet)
        runs: Mask = self.known & (self.stretch == _LOUD)
        return runs
