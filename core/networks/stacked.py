"""Training of many sensors' networks in one graph: their weights are stacked on a leading axis.

A graph has a number of places. Each holds one sensor's weights until that sensor's training ends, and is
then given to the next one that waits, so that early stopping saves time and memory stays bounded. Seeds,
crops, dropout, clipping and moments are each sensor's own, and its inputs are padded to a width that
follows from its own: what a sensor learns does not depend on who shares its graph, but for the rounding
of an LSTM that is alone in one. Graphs run side by side, one a core, which fills the cores better than
splitting each operation does.
"""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Final

import numpy as np

from core.networks.checkpoints import Checkpoints
from core.networks.engine import cores, tensorflow
from core.networks.graph import TrainingGraph, TrainState
from core.networks.learner import Learner, fingerprint, validation_loss
from core.networks.listeners import Listeners, ProgressOfMany
from core.networks.stack import StackedNetwork, Weights
from core.networks.training import Epoch, Schedule, Series, Stop

PLACES: Final = 16
"""Most sensors in one graph: their activations stay within some hundred megabytes."""

WIDTH: Final = 32
"""Inputs are padded to a multiple of so many channels. Were they padded to the widest sensor's, others would
round otherwise beside it, and training makes much of a last bit."""

_WAIT_S: Final = 0.5


def train_many(
    network: StackedNetwork,
    series: Sequence[Series],
    schedules: Sequence[Schedule],
    *,
    seed: int,
    progress: ProgressOfMany | None = None,
    stop: Stop | None = None,
    checkpoints: Checkpoints | None = None,
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
        Asked by one thread at a time, at each update and after each epoch of a sensor. An exception of it
        or of `progress` ends all trainings at once and is raised here. True ends them after an epoch;
        sensors without a finished one come back as None.
    checkpoints
        Where each sensor's training is kept after each epoch, and from where it goes on; epochs that it kept
        are in the curve but not told to `progress`. On one machine, with as many cores, the result is that of
        a training that was never interrupted, bit for bit.

    Raises
    ------
    InsufficientData
        No crop of a sensor lies before its validation tail with at least half of its steps valid.
    """
    learners = [
        Learner(number, *each, network=network, seed=seed)
        for number, each in enumerate(zip(series, schedules, strict=True))
    ]
    listeners = Listeners(progress, stop)
    for width in sorted({_padded(each) for each in learners}):
        group = [each for each in learners if _padded(each) == width]
        _Training(network, group, seed=seed, listeners=listeners, checkpoints=checkpoints).run()
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
        seed: int,
        listeners: Listeners,
        checkpoints: Checkpoints | None,
    ) -> None:
        self._network, self._learners, self._seed = network, learners, seed
        self._listeners, self._checkpoints = listeners, checkpoints
        self._width = _padded(learners[0])
        self._threads = min(cores(), len(learners))
        share = -(-len(learners) // self._threads)
        self._places = -(-share // -(-share // PLACES))
        schedule = learners[0].schedule
        self._crops = (self._places, schedule.batch, schedule.window)
        self._waiting: deque[tuple[Learner, TrainState | None]] = deque()
        self._prints: dict[int, str] = {}

    def run(self) -> None:
        """Train all sensors, in graphs side by side."""
        for learner in self._learners:
            state = self._kept(learner)
            if not learner.ended:
                self._waiting.append((learner, state))
        if not self._waiting or self._listeners.ended.is_set():
            return
        tensorflow()  # loaded once, before threads ask for it
        # An interrupt from the keyboard comes here, and may come before all graphs run.
        with ThreadPoolExecutor(self._threads) as pool, self._listeners.ending():
            running = [pool.submit(self._run_graph) for _ in range(self._threads)]
            going = set(running)
            while going:
                # An interrupt that comes just before a wait begins is heard when it ends: none is long.
                going = wait(going, timeout=_WAIT_S).not_done
            for each in running:
                each.result()

    def _kept(self, learner: Learner) -> TrainState | None:
        """Let a learner take up what was kept of its training, and return the part for its graph."""
        if self._checkpoints is None:
            return None
        printed = fingerprint(self._network, learner, seed=self._seed, alone=self._places == 1)
        self._prints[learner.number] = printed
        kept = self._checkpoints.read(learner.number, printed, self._untrained(learner))
        if kept is None:
            return None
        learner.resume(kept)
        return kept.state

    def _untrained(self, learner: Learner) -> Weights:
        channels = learner.series.inputs.shape[1]
        return self._network.initial(channels, self._width, self._seed)

    def _run_graph(self) -> None:
        """Train sensors in one graph until none waits; an error here ends the other graphs too."""
        with self._listeners.ending():
            graph = TrainingGraph(self._network, self._places, self._width)
            learning: dict[int, Learner] = {}
            inputs = np.zeros((*self._crops, self._width), dtype=np.float32)
            futures = np.zeros((*self._crops, self._network.horizon), dtype=np.float32)
            while not self._listeners.ended.is_set():
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
                self._listeners.ask()
                self._close_epochs(graph, learning)

    def _fill(self, graph: TrainingGraph, learning: dict[int, Learner]) -> None:
        """Give each free place to a sensor that waits."""
        for place in range(self._places):
            if place in learning:
                continue
            try:
                learner, state = self._waiting.popleft()
            except IndexError:
                return
            graph.place(place, state or TrainState.untrained(self._untrained(learner)))
            learning[place] = learner

    def _close_epochs(self, graph: TrainingGraph, learning: dict[int, Learner]) -> None:
        """Validate and keep the sensors whose epoch is over, and free the places of those that are done."""
        due = [(place, learner) for place, learner in learning.items() if learner.due]
        states = graph.states() if due else []
        for place, learner in due:
            state = states[place]
            epoch = learner.close_epoch(state.weights, self._validation_loss(state.weights, learner.series))
            # Told first: an epoch that was kept is not told again.
            if not self._listeners.tell(learner.number, epoch):
                return
            if self._checkpoints is not None:
                self._checkpoints.write(
                    learner.number, learner.checkpoint(state), self._prints[learner.number]
                )
            self._listeners.ask()
            self._listeners.heed()
            if learner.ended:
                del learning[place]

    def _validation_loss(self, weights: Weights, series: Series) -> float:
        """Return the loss of the tail, read after steps of its own past.

        Computed for one sensor at a time: in one pass with others, whose epochs happen to end together, it
        would be rounded otherwise.
        """
        first = max(0, series.split - self._network.lead)
        predicted = self._network.forward([weights], [series.inputs[first:]])[0]
        return validation_loss(predicted, first, series)
