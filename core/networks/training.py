"""What a training of sequence networks is made of: its schedule, its series, its crops and its loss curve."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from core.errors import InsufficientData
from core.signal import Floats, Mask

LEAST_USABLE: Final = 0.5
"""Share of a crop's steps that must be valid."""


@dataclass(frozen=True)
class Epoch:
    """What one epoch of training came to.

    Parameters
    ----------
    number, of
        Which epoch, from 1, of how many at most.
    loss, validation_loss
        Mean squared error in scaled units, on the crops and on the validation tail.
    """

    number: int
    of: int
    loss: float
    validation_loss: float


Progress = Callable[[Epoch], None]
Stop = Callable[[], bool]


@dataclass(frozen=True)
class Schedule:
    """How long and in which portions a network is trained.

    Parameters
    ----------
    epochs, patience, least_gain
        Most epochs; epochs without a gain of `least_gain` in validation loss after which it ends.
    crops, batch
        Crops drawn per epoch, and of them per update.
    window
        Steps of one crop.
    learning_rate
        Of Adam, with gradients clipped to norm 1.
    final_rate
        Share of the learning rate that is left in the last epoch; it falls along half a cosine.
    """

    epochs: int
    patience: int
    least_gain: float
    crops: int
    batch: int
    window: int
    learning_rate: float
    final_rate: float = 1.0

    @property
    def updates(self) -> int:
        """Updates per epoch."""
        return max(1, self.crops // self.batch)

    def rate(self, update: int) -> float:
        """Return the learning rate of an update, counted from 0 over all epochs."""
        done = min(update / max(1, self.updates * self.epochs - 1), 1.0)
        share = self.final_rate + (1 - self.final_rate) * 0.5 * (1 + np.cos(np.pi * done))
        return float(self.learning_rate * share)


@dataclass(frozen=True, eq=False)
class Series:
    """What a network learns from, in scaled units.

    Parameters
    ----------
    inputs
        (n, channels) without NaN.
    target
        (n,) values to predict; anything where `valid` is False.
    valid
        (n,) steps that count in the loss.
    split
        First step of the validation tail.
    """

    inputs: Floats
    target: Floats
    valid: Mask
    split: int

    def futures(self, horizon: int) -> Floats:
        """Return (n, horizon) next values of each step, NaN where one does not count."""
        n = self.target.shape[0]
        known = np.where(self.valid, self.target, np.float32(np.nan)).astype(np.float32)
        padded = np.concatenate([known, np.full(horizon, np.nan, dtype=np.float32)])
        return sliding_window_view(padded, horizon)[1 : n + 1]

    def starts(self, window: int, horizon: int) -> NDArray[np.int64]:
        """Return where crops may begin that end, with all they predict, before the validation tail.

        Raises
        ------
        InsufficientData
            No crop has at least half of its steps valid.
        """
        last = self.split - window - horizon
        usable = np.concatenate([[0], np.cumsum(self.valid[: self.split])])
        starts: NDArray[np.int64] = np.arange(0, max(last + 1, 0))
        starts = starts[usable[starts + window] - usable[starts] >= window * LEAST_USABLE]
        if starts.size == 0:
            raise InsufficientData(
                f"cutting training windows of {window} + {horizon} steps with at least half of them usable",
                needed=window + horizon,
                found=int(usable[-1]),
            )
        return starts
