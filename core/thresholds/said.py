"""What people said of steps before they are judged: it changes what counts as usual, never what is found."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from core.errors import ParameterError
from core.signal import Mask

HIGHEST_TAUGHT: Final = 1.65
"""Times its bar up to which a false positive counts as usual: no verdict hides what is far worse."""


@dataclass(frozen=True, eq=False)
class Said:
    """Verdicts by step.

    Parameters
    ----------
    abnormal
        (n,) True inside what people called a true anomaly: no bar is set from it.
    normal
        (n,) True inside what people called a false positive: it is usual, though it was above its bar.

    Raises
    ------
    ParameterError
        A step is both, or the masks are of different lengths.
    """

    abnormal: Mask
    normal: Mask

    def __post_init__(self) -> None:
        if self.abnormal.shape != self.normal.shape or (self.abnormal & self.normal).any():
            raise ParameterError("verdicts: a step can't be a true anomaly and a false positive at once")

    def __bool__(self) -> bool:
        return bool(self.abnormal.any() or self.normal.any())

    def at(self, steps: NDArray[np.int64]) -> Self:
        """Return what was said of some steps, such as those that are judged."""
        return type(self)(self.abnormal[steps], self.normal[steps])
