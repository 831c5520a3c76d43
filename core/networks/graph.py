"""One compiled update of many sensors' networks at a time, and Adam's moments of each."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from core.networks.engine import tensorflow
from core.networks.stack import StackedNetwork, Tensor, Weights
from core.signal import Floats

FIRST: Final = 0.9
SECOND: Final = 0.999
EPSILON: Final = 1e-7
"""Adam's decays of both moments, and its floor, as Keras has them."""

LARGEST_NORM: Final = 1.0
"""To which a sensor's gradient is clipped."""


@dataclass(frozen=True, eq=False)
class TrainState:
    """What training has made of one sensor's network.

    Parameters
    ----------
    weights
        As from `StackedNetwork.initial`.
    means, squares
        Adam's moments of their gradients, shaped like them.
    steps
        Steps that Adam has made.
    """

    weights: Weights
    means: Weights
    squares: Weights
    steps: int

    @classmethod
    def untrained(cls, weights: Weights) -> Self:
        """Return the state of a training that begins with these weights."""
        means, squares = ([np.zeros_like(each) for each in weights] for _ in range(2))
        return cls(weights, means, squares, steps=0)


class TrainingGraph:
    """Places for sensors, and one compiled update of all of them.

    Parameters
    ----------
    network
        The shape of all networks.
    places
        How many sensors it holds at a time.
    width
        Channels of its inputs.
    """

    def __init__(self, network: StackedNetwork, places: int, width: int) -> None:
        tf = tensorflow()
        shapes = [each.shape for each in network.initial(width, width, 0)]
        # The weights, and the two moments that Adam keeps of their gradients.
        self._stacks = [
            [tf.Variable(np.zeros((places, *shape), dtype=np.float32)) for shape in shapes] for _ in range(3)
        ]
        self._steps = np.zeros(places, dtype=np.float32)
        self._update = _compiled(network)

    def place(self, place: int, state: TrainState) -> None:
        """Give a place to a sensor whose training begins or goes on."""
        for stack, own in zip(self._stacks, (state.weights, state.means, state.squares), strict=True):
            for variable, each in zip(stack, own, strict=True):
                variable[place].assign(each)
        self._steps[place] = state.steps

    def update(self, inputs: Floats, futures: Floats, rates: Floats, seeds: NDArray[np.uint32]) -> Floats:
        """Update each place whose rate is positive and return the (places,) losses."""
        self._steps += rates > 0
        arrays = (inputs, futures, rates, np.maximum(self._steps, 1), seeds)
        losses: Floats = self._update(self._stacks, tuple(map(tensorflow().constant, arrays))).numpy()
        return losses

    def states(self) -> list[TrainState]:
        """Return what training has made so far of the sensor at each place."""
        arrays = [[variable.numpy() for variable in stack] for stack in self._stacks]
        states = []
        for place, steps in enumerate(self._steps):
            weights, means, squares = ([each[place] for each in stack] for stack in arrays)
            states.append(TrainState(weights, means, squares, int(steps)))
        return states


@cache
def _compiled(network: StackedNetwork) -> Callable[..., Tensor]:
    """Return one update of all places, compiled by XLA: three times as fast as the graph alone.

    Kept for the process: threads, chunks and sensors of one shape share what was compiled.
    """
    tf = tensorflow()

    def update(stacks: list[list[Tensor]], arrays: tuple[Tensor, ...]) -> Tensor:
        (variables, means, squares), (inputs, futures, rates, steps, seeds) = stacks, arrays
        known = tf.math.is_finite(futures)
        wanted = tf.where(known, futures, 0.0)
        counts = tf.cast(known, tf.float32)
        with tf.GradientTape() as tape:
            errors = tf.square(network.outputs(variables, inputs, seeds) - wanted) * counts
            losses = tf.reduce_sum(errors, (1, 2, 3)) / tf.maximum(tf.reduce_sum(counts, (1, 2, 3)), 1.0)
            # A sensor's weights enter its own loss alone, so the sum's gradient is everyone's own.
            total = tf.reduce_sum(losses)
        gradients = tape.gradient(total, variables)
        norms = [tf.reduce_sum(tf.square(each), range(1, len(each.shape))) for each in gradients]
        clip = tf.minimum(1.0, LARGEST_NORM / tf.sqrt(tf.maximum(tf.add_n(norms), 1e-12)))
        scale = rates * tf.sqrt(1 - SECOND**steps) / (1 - FIRST**steps)
        for variable, mean, square, gradient in zip(variables, means, squares, gradients, strict=True):
            shape = [-1] + [1] * (len(variable.shape) - 1)
            clipped = gradient * tf.reshape(clip, shape)
            mean.assign(FIRST * mean + (1 - FIRST) * clipped)
            square.assign(SECOND * square + (1 - SECOND) * tf.square(clipped))
            variable.assign_sub(tf.reshape(scale, shape) * mean / (tf.sqrt(square) + EPSILON))
        return losses

    compiled: Callable[..., Tensor] = tf.function(update, jit_compile=True)
    return compiled
