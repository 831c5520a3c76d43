"""How likely an event is real, learned from verdicts: a logistic regression on its traits and its likes.

Verdicts count by likeness, on the same sensor and over the fleet, as log odds that are shrunk towards even;
a sensor's own record of verdicts is its offset. Each training row is made of the verdicts before it alone,
so that the regression sees the evidence as it will be when it is asked. While verdicts are few, or all the
same, the answer is the share of real ones, shrunk towards one half.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.feedback.description import Doubles
from core.feedback.similarity import trait_distances
from core.feedback.verdicts import SeenEvent, Verdict

FEW: Final = 10
"""Verdicts below which the base rate is all that is said."""

_BANDWIDTH: Final = 1.5
_PENALTY: Final = 0.15
_TRAIT_SCALE: Final = 3.0


@dataclass(frozen=True)
class Probability:
    """The probability that an event is real.

    Parameters
    ----------
    value
        In (0, 1).
    verdicts
        How many it rests on.
    prior
        True where it is the base rate alone.
    """

    value: float
    verdicts: int
    prior: bool


class EventProbability:
    """The model; closed to what was recorded after it was made.

    Parameters
    ----------
    verdicts
        In the order in which they were recorded.
    """

    def __init__(self, verdicts: Sequence[Verdict]) -> None:
        self._verdicts = tuple(verdicts)
        real = [one.real for one in self._verdicts]
        self._base = (sum(real) + 1) / (len(real) + 2)
        self._weights: Doubles | None = None
        if len(real) >= FEW and 0 < sum(real) < len(real):
            rows = [_row(one.event, self._verdicts[:k]) for k, one in enumerate(self._verdicts)]
            self._weights = _fit(np.stack(rows), np.array(real))

    @property
    def base_rate(self) -> float:
        """Share of real events among verdicts, shrunk towards one half."""
        return self._base

    def of(self, event: SeenEvent) -> Probability:
        """Return the probability that an event is real."""
        if self._weights is None:
            return Probability(self._base, len(self._verdicts), prior=True)
        odds = float(np.append(_row(event, self._verdicts), 1.0) @ self._weights)
        value = 1 / (1 + np.exp(-np.clip(odds, -30, 30)))
        return Probability(float(value), len(self._verdicts), prior=False)


def _row(event: SeenEvent, verdicts: Sequence[Verdict]) -> Doubles:
    """Return traits, log odds by likeness on the sensor and over the fleet, and the sensor's log odds."""
    traits = event.description.traits / _TRAIT_SCALE
    apart = trait_distances(event.description, [one.event.description for one in verdicts])
    weight = np.exp(-0.5 * np.square(apart / _BANDWIDTH))
    real = np.array([one.real for one in verdicts], dtype=np.bool_)
    own = np.array([one.event.sensor_id == event.sensor_id for one in verdicts], dtype=np.bool_)
    ones = np.ones(len(verdicts))
    return np.append(
        traits, [_odds(weight[own], real[own]), _odds(weight, real), _odds(ones[own], real[own])]
    )


def _odds(weights: Doubles, real: np.typing.NDArray[np.bool_]) -> float:
    return float(np.log((weights[real].sum() + 0.5) / (weights[~real].sum() + 0.5)))


def _fit(rows: Doubles, real: np.typing.NDArray[np.bool_]) -> Doubles:
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=_PENALTY, max_iter=1000).fit(rows, real)
    weights: Doubles = np.append(fitted.coef_[0], fitted.intercept_)
    return weights
