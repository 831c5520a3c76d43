"""How alike events are: by their traits and by the shape of their deviation.

Shapes are 48 points of equal time, so that a z-normalised Euclidean distance, as matrix profiles use it
(Yeh et al., "Matrix Profile I", ICDM 2016), needs no search over lags: a whole fleet's events are compared
in one product of matrices.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from core.errors import ParameterError
from core.feedback.description import Description, Doubles

SHAPE_WEIGHT: Final = 0.5
"""Of the shapes' root mean squared difference, beside traits in their units."""


def trait_distances(one: Description, others: Sequence[Description]) -> Doubles:
    """Return (m,) Euclidean distances of traits, in their units of difference."""
    if not others:
        return np.zeros(0)
    stacked = np.stack([other.traits for other in others])
    distances: Doubles = np.sqrt(np.square(stacked - one.traits).sum(axis=1))
    return distances


def distances(one: Description, others: Sequence[Description]) -> Doubles:
    """Return (m,) distances by traits and shape together; 0 for events that are the same."""
    if not others:
        return np.zeros(0)
    shapes = np.stack([other.shape for other in others])
    apart = np.square(shapes - one.shape).mean(axis=1)
    whole: Doubles = np.sqrt(np.square(trait_distances(one, others)) + SHAPE_WEIGHT * apart)
    return whole


def nearest(one: Description, others: Sequence[Description], count: int) -> tuple[int, ...]:
    """Return positions of the `count` most similar of `others`, the nearest first; earlier ones win a tie.

    Raises
    ------
    ParameterError
        `count` is below 1.
    """
    if count < 1:
        raise ParameterError(f"similar events: ask for at least one, not {count}")
    order = np.argsort(distances(one, others), kind="stable")
    return tuple(int(position) for position in order[:count])
