"""Training of many sensors' networks in one graph: their weights are stacked on a leading axis.

A graph has a number of places. Each holds one sensor's weights until that sensor's training ends, and is
then given to the next one that waits, so that early stopping saves time and memory stays bounded. Seeds,
crops, dropout, clipping and moments are each sensor's own, and its inputs are padded to a width that
follows from its own: what a sensor learns does not depend on who shares its graph, but for the rounding
of an LSTM that is alone in one. Graphs run side by side, one a core, which fills the cores better than
splitting each operation does.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np

from core.networks.engine import cores, tensorflow
from core.networks.graph import TrainingGraph
from core.networks.learner import Learner, validation_loss
from core.networks.stack import StackedNetwork, Weights
from core.networks.training import Epoch, Schedule, Series, Stop

PLACES: Final = 16
"""Most sensors in one graph: their activations stay within some hundred megabytes."""

WIDTH: Final = 32
"""Inputs are padded to a multiple of so many channels. Were they padded to the widest sensor's, others would
round otherwise beside it, and training makes much of a last bit."""

ProgressOfMany = Callable[[int, Epoch], None]
"""Called after each epoch of a sensor, with its position among those trained."""


def train_many(
    network: StackedNetwork,
    series: Sequence[Series],
    schedules: Sequence[Schedule],
    *,
    seed: int,
    progress: ProgressOfMany | None = None,
    stop: Stop | None = None,
) -> list[tuple[Weights, tuple[Epoch, ...]] | None]:
    """Train one network a sensor; return each one's best weights and loss curve, in order.

    Parameters
    ----------
    network
        The shape of all networks.
    series, schedules
        What each sensor learns from, and for how long; batch and window are the same for all.
    seed
        Seeds weights, crops and dropout of each sensor alike.
    progress
        Called after each epoch of a sensor, by one thread at a time.
    stop
        Asked after each epoch of a sensor; True ends all trainings. Sensors without a finished
        epoch come back as None.

    Raises
    ------
    InsufficientData
        No crop of a sensor lies before its validation tail with at least half of its steps valid.
    """
    learners = [
        Learner(number, *each, network=network, seed=seed)
        for number, each in enumerate(zip(series, schedules, strict=True))
    ]
    if learners:
        tensorflow()  # loaded once, before threads ask for it
    ended = threading.Event()
    for width in sorted({_padded(each) for each in learners}):
        group = [each for each in learners if _padded(each) == width]
        threads = min(cores(), len(group))
        share = -(-len(group) // threads)
        training = _Training(
            network, group, share=share, seed=seed, progress=progress, stop=stop, ended=ended
        )
        with ThreadPoolExecutor(threads) as pool:
            for running in [pool.submit(training.run) for _ in range(threads)]:
                running.result()
    return [
        (network.trimmed(each.best_weights, each.series.inputs.shape[1]), tuple(each.curve))
        if each.curve
        else None
        for each in learners
    ]


def _padded(learner: Learner) -> int:
    """Return the width of a learner's graph."""
    channels = int(learner.series.inputs.shape[1])
    return -(-channels // WIDTH) * WIDTH


class _Training:
    """The training of many sensors, shared by the threads that run its graphs."""

    def __init__(
        self,
        network: StackedNetwork,
        learners: Sequence[Learner],
        *,
        share: int,
        seed: int,
        progress: ProgressOfMany | None,
        stop: Stop | None,
        ended: threading.Event,
    ) -> None:
        self._network, self._seed, self._progress, self._stop = network, seed, progress, stop
        self._waiting = deque(learners)
        self._width = _padded(learners[0])
        rounds = -(-share // PLACES)
        self._places = -(-share // rounds)
        schedule = learners[0].schedule
        self._crops = (self._places, schedule.batch, schedule.window)
        self._ended = ended
        self._lock = threading.Lock()

    def run(self) -> None:
        """Train sensors in one graph until none waits."""
        finished = False
        try:
            self._run()
            finished = True
        finally:
            if not finished:  # an error here ends the other graphs too
                self._ended.set()

    def _run(self) -> None:
        graph = TrainingGraph(self._network, self._places, self._width)
        learning: dict[int, Learner] = {}
        inputs = np.zeros((*self._crops, self._width), dtype=np.float32)
        futures = np.zeros((*self._crops, self._network.horizon), dtype=np.float32)
        while not self._ended.is_set():
            self._fill(graph, learning)
            if not learning:
                return
            rates = np.zeros(self._places, dtype=np.float32)
            seeds = np.zeros(self._places, dtype=np.uint32)
            for place, learner in learning.items():
                seeds[place] = learner.draw(inputs[place], futures[place])
                rates[place] = learner.rate
            losses = graph.update(inputs, futures, rates, seeds)
            for place, learner in learning.items():
                learner.note(float(losses[place]))
            self._close_epochs(graph, learning)

    def _fill(self, graph: TrainingGraph, learning: dict[int, Learner]) -> None:
        """Give each free place to a sensor that waits."""
        for place in range(self._places):
            if place in learning:
                continue
            try:
                learner = self._waiting.popleft()
            except IndexError:
                return
            channels = learner.series.inputs.shape[1]
            graph.place(place, self._network.initial(channels, self._width, self._seed))
            learning[place] = learner

    def _close_epochs(self, graph: TrainingGraph, learning: dict[int, Learner]) -> None:
        """Validate the sensors whose epoch is over, and free the places of those that are done."""
        due = [(place, learner) for place, learner in learning.items() if learner.due]
        if not due:
            return
        stacks = graph.weights()
        weights = [[stack[place] for stack in stacks] for place, _ in due]
        for (place, learner), own, loss in zip(due, weights, self._losses(weights, due), strict=True):
            epoch = learner.close_epoch(own, loss)
            with self._lock:
                if self._progress is not None:
                    self._progress(learner.number, epoch)
                if self._stop is not None and self._stop():
                    self._ended.set()
            if learner.ended:
                del learning[place]

    def _losses(self, weights: Sequence[Weights], due: Sequence[tuple[int, Learner]]) -> list[float]:
        """Return the loss of each tail, read after steps of its own past."""
        series = [learner.series for _, learner in due]
        firsts = [max(0, each.split - self._network.lead) for each in series]
        tails = [each.inputs[first:] for each, first in zip(series, firsts, strict=True)]
        predicted = self._network.forward(weights, tails)
        return [validation_loss(*each) for each in zip(predicted, firsts, series, strict=True)]
