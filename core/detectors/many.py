"""What detectors add that train many sensors in one graph."""

from collections.abc import Sequence
from typing import Protocol, Self

from core.errors import CoreError
from core.networks.listeners import ProgressOfMany
from core.networks.training import Stop
from core.results import Scores
from core.signal import Signal


class FitsMany(Protocol):
    """A detector that fits and scores many signals together, at a fraction of the cost of one by one.

    The one that is asked gives parameters and seed and stays as it is; what it returns are
    detectors of their own, each like what `fit` makes of that signal.
    """

    def refusal(self, signal: Signal) -> CoreError | None:
        """Return why `fit` would refuse the signal, at no cost; None if it would not."""

    def fit_many(
        self, signals: Sequence[Signal], *, progress: ProgressOfMany | None = None, stop: Stop | None = None
    ) -> list[Self | None]:
        """Learn what is normal in each signal.

        Parameters
        ----------
        signals
            The training parts, of any lengths and channels.
        progress
            Called after each epoch of each signal.
        stop
            Asked at each update and after each epoch of a signal. What it raises ends all trainings at once;
            True ends them after an epoch, with what was learned so far.

        Returns
        -------
        list[Self | None]
            A fitted detector for each signal, in order; None only where `stop` came before its first epoch.

        Raises
        ------
        InsufficientData, ConstantSignal
            The first refusal, before anything is trained. Leave out such signals by `refusal`.
        """

    def score_many(self, detectors: Sequence[Self], signals: Sequence[Signal]) -> list[Scores]:
        """Score each signal by the fitted detector at its position; see `Detector.score`."""
