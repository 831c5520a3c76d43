"""One sensor under training: its crops, its losses and the best of its weights so far."""

import hashlib
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from core.networks.checkpoints import Checkpoint
from core.networks.graph import TrainState
from core.networks.stack import StackedNetwork, Weights
from core.networks.training import Epoch, Schedule, Series
from core.signal import Floats


class Learner:
    """The state of one sensor's training.

    Parameters
    ----------
    number
        Position of the sensor among those trained.
    series, schedule
        What it learns from, and for how long.
    network
        Gives the horizon.
    seed
        Seeds crops and dropout.

    Raises
    ------
    InsufficientData
        No crop lies before the validation tail with at least half of its steps valid.
    """

    def __init__(
        self, number: int, series: Series, schedule: Schedule, *, network: StackedNetwork, seed: int
    ) -> None:
        self.number, self.series, self.schedule = number, series, schedule
        self.curve: list[Epoch] = []
        self.best_weights: Weights = []
        self._best, self._waited, self._updates = np.inf, 0, 0
        self._losses: list[float] = []
        self._starts = series.starts(schedule.window, network.horizon)
        self._futures = series.futures(network.horizon)
        self._rng = np.random.Generator(np.random.PCG64(seed))

    @property
    def due(self) -> bool:
        """Whether an epoch is over."""
        return len(self._losses) >= self.schedule.updates

    @property
    def ended(self) -> bool:
        """Whether the last epoch is over, or the last that patience allows."""
        return len(self.curve) >= self.schedule.epochs or self._waited >= self.schedule.patience

    @property
    def rate(self) -> float:
        """The learning rate of the next update."""
        return self.schedule.rate(self._updates)

    def draw(self, inputs: Floats, futures: Floats) -> int:
        """Write the next update's crops, and return the seed of its dropout.

        Parameters
        ----------
        inputs, futures
            (batch, window, width) and (batch, window, horizon), overwritten; columns that this sensor
            has not are set to 0.
        """
        shape = (self.schedule.batch, 1)
        places: NDArray[np.int64] = self._rng.choice(self._starts, shape) + np.arange(self.schedule.window)
        own = self.series.inputs.shape[1]
        inputs[..., :own] = self.series.inputs[places]
        inputs[..., own:] = 0
        futures[...] = self._futures[places]
        return int(self._rng.integers(0, 2**32, dtype=np.uint32))

    def note(self, loss: float) -> None:
        """Note the loss of an update."""
        self._losses.append(loss)
        self._updates += 1

    def checkpoint(self, state: TrainState) -> Checkpoint:
        """Return all that its training needs to go on, between two epochs."""
        return Checkpoint(
            state=state,
            best=self.best_weights,
            best_loss=self._best,
            curve=np.array([(epoch.loss, epoch.validation_loss) for epoch in self.curve], dtype=np.float64),
            waited=self._waited,
            updates=self._updates,
            generator=self._rng.bit_generator.state,
        )

    def resume(self, kept: Checkpoint) -> None:
        """Take up what `checkpoint` returned; its state is for the graph."""
        self.curve = [
            Epoch(number, self.schedule.epochs, loss, validation_loss)
            for number, (loss, validation_loss) in enumerate(kept.curve.tolist(), start=1)
        ]
        self.best_weights, self._best = kept.best, kept.best_loss
        self._waited, self._updates, self._losses = kept.waited, kept.updates, []
        self._rng.bit_generator.state = kept.generator

    def close_epoch(self, weights: Weights, validation_loss: float) -> Epoch:
        """Note an epoch's losses and keep its weights if they are the best so far."""
        loss = float(np.mean(self._losses))
        self.curve.append(Epoch(len(self.curve) + 1, self.schedule.epochs, loss, validation_loss))
        self._losses = []
        if validation_loss < self._best - self.schedule.least_gain or not self.best_weights:
            self._best, self._waited = validation_loss, 0
            self.best_weights = [each.copy() for each in weights]
        else:
            self._waited += 1
        return self.curve[-1]


def fingerprint(network: StackedNetwork, learner: Learner, *, seed: int, alone: bool) -> str:
    """Return a SHA-256 of all that decides what a training comes to, bit for bit on one machine.

    Parameters
    ----------
    network, learner
        The shape of the network; what it learns from and for how long.
    seed
        Of weights, crops and dropout.
    alone
        Whether its graph holds no other sensor, which rounds otherwise.
    """
    series = learner.series
    told = (network, learner.schedule, series.split, seed, alone, version("tensorflow"), np.__version__)
    digest = hashlib.sha256(repr(told).encode())
    for each in (series.inputs, series.target, series.valid):
        digest.update(f"{each.shape} {each.dtype.str}".encode())
        digest.update(np.ascontiguousarray(each).data)
    return digest.hexdigest()


def validation_loss(predicted: Floats, first: int, series: Series) -> float:
    """Return the mean squared error of the tail.

    Parameters
    ----------
    predicted
        (steps, horizon) from step `first` of the series on.
    first
        Not after the validation tail's first step.
    series
        What was predicted.
    """
    futures = series.futures(predicted.shape[1])[series.split :]
    errors = (predicted[series.split - first :] - futures).astype(np.float64)
    known = np.isfinite(errors)
    return float(np.square(errors[known]).mean()) if known.any() else float("inf")
