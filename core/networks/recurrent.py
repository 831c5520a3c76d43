"""A stacked LSTM in which every step predicts, with the weights of many sensors side by side.

Source: the network of Telemanom (Hundman et al., KDD 2018, https://arxiv.org/abs/1802.04431), which
predicts from the last step of a window alone. Here every step predicts, so that one pass over a sequence
scores all of it. Gates and weights are ordered as in Keras' LSTM, which saves and reads them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.networks.dropout import dropped
from core.networks.engine import tensorflow
from core.networks.recurrence import recurrence, states
from core.networks.stack import Tensor, Weights
from core.signal import Floats

CHUNK: Final = 1024
"""Steps that one row scores; chunks of a long sequence run side by side."""

ROWS: Final = 64
"""Rows that run side by side: bounds memory to some hundred megabytes."""


@dataclass(frozen=True)
class RecurrentNetwork:
    """The shape of the network; weights are kept apart from it.

    Parameters
    ----------
    hidden
        Units of each LSTM layer, from the input on.
    horizon
        How many next values each step predicts.
    lead
        Steps that are read before a step's outputs count.
    dropout
        Share of each layer's outputs that is dropped while training.
    """

    hidden: tuple[int, ...]
    horizon: int
    lead: int
    dropout: float

    def initial(self, channels: int, width: int, seed: int) -> Weights:
        """Return untrained weights: kernel, recurrent kernel and bias a layer, then the readout's."""
        rng = np.random.default_rng(seed)
        weights: Weights = []
        inputs, padded = channels, width
        for units in self.hidden:
            kernel = np.zeros((padded, 4 * units), dtype=np.float32)
            kernel[:inputs] = _glorot(rng, inputs, 4 * units)
            bias = np.zeros(4 * units, dtype=np.float32)
            bias[units : 2 * units] = 1  # of the forget gate, so that training begins by remembering
            weights += [kernel, _orthogonal(rng, units, 4 * units), bias]
            inputs = padded = units
        return [*weights, _glorot(rng, inputs, self.horizon), np.zeros(self.horizon, dtype=np.float32)]

    def trimmed(self, weights: Weights, channels: int) -> Weights:
        """Return the weights of the first `channels` channels; see `StackedNetwork.trimmed`."""
        return [weights[0][:channels].copy(), *weights[1:]]

    def outputs(self, weights: Sequence[Tensor], inputs: Tensor, seeds: Tensor | None) -> Tensor:
        """Return predictions; see `StackedNetwork.outputs`. Without seeds nothing is dropped."""
        tf = tensorflow()
        sensors, crops, steps, _ = inputs.shape
        state = tf.transpose(inputs, (0, 2, 1, 3))
        for layer, units in enumerate(self.hidden):
            kernel, recurrent, bias = weights[3 * layer : 3 * layer + 3]
            rows = tf.reshape(state, (sensors, steps * crops, state.shape[-1]))
            gates = tf.reshape(rows @ kernel + bias[:, None], (sensors, steps, crops, 4 * units))
            state = recurrence(tf.transpose(gates, (1, 0, 2, 3)), recurrent)
            state = tf.transpose(state, (1, 0, 2, 3))
            if self.dropout and seeds is not None:
                state *= dropped((sensors, steps, crops, units), self.dropout, seeds + layer)
        rows = tf.reshape(state, (sensors, steps * crops, self.hidden[-1]))
        readout = tf.reshape(rows @ weights[-2] + weights[-1][:, None], (sensors, steps, crops, self.horizon))
        return tf.transpose(readout, (0, 2, 1, 3))

    def forward(
        self, weights: Sequence[Weights], inputs: Sequence[Floats], phases: Sequence[int] | None = None
    ) -> list[Floats]:
        """Return what each sensor's steps predict, in one pass; see `StackedNetwork.forward`.

        Sequences are cut into chunks that run side by side, those of all sensors too, each after `lead`
        steps of its own past: every step is computed once plus that overlap, and no output depends on
        later steps. Computed by numpy: compiling a graph takes longer than to score a fleet.

        Parameters
        ----------
        weights, inputs
            Of each sensor.
        phases
            Position of each sensor's first step on an absolute grid. Chunks are cut on that grid, so that
            a step's outputs do not depend on which window around it is read.
        """
        starts = [
            np.arange(-(phase % CHUNK), each.shape[0], CHUNK)
            for each, phase in zip(inputs, phases or [0] * len(inputs), strict=True)
        ]
        outputs = [np.empty((each.shape[0], self.horizon), dtype=np.float32) for each in inputs]
        # Sensors with about equally many chunks run together.
        waiting = sorted(range(len(inputs)), key=lambda sensor: starts[sensor].size)
        while waiting:
            least = starts[waiting[0]].size
            near = [sensor for sensor in waiting if starts[sensor].size <= 2 * least]
            together = near[: max(1, ROWS // least)]
            waiting = waiting[len(together) :]
            self._chunks(
                [weights[each] for each in together],
                [inputs[each] for each in together],
                [starts[each] for each in together],
                [outputs[each] for each in together],
            )
        return outputs

    def _chunks(
        self,
        weights: list[Weights],
        inputs: list[Floats],
        starts: list[NDArray[np.int64]],
        outputs: list[Floats],
    ) -> None:
        """Fill `outputs` of some sensors, a bounded number of their chunks at a time."""
        width = max(own[0].shape[0] for own in weights)
        padded = [[_padded(own[0], width), *own[1:]] for own in weights]
        stacks = [np.stack(each) for each in zip(*padded, strict=True)]
        ends = [each.shape[0] - begun[-1] for each, begun in zip(inputs, starts, strict=True)]
        longest = CHUNK if max(each.size for each in starts) > 1 else max(ends)
        offsets = np.arange(-self.lead, longest)
        for first in range(0, max(each.size for each in starts), ROWS):
            rows = max(each[first : first + ROWS].size for each in starts)
            batch = np.zeros((len(inputs), rows, offsets.size, width), dtype=np.float32)
            for sensor, (each, begun) in enumerate(zip(inputs, starts, strict=True)):
                # Before its first step a sequence is taken to have stood still.
                places = np.clip(begun[first : first + ROWS, None] + offsets, 0, each.shape[0] - 1)
                batch[sensor, : places.shape[0], :, : each.shape[1]] = each[places]
            predicted = self._pass(stacks, batch)[:, :, self.lead :]
            for sensor, begun in enumerate(starts):
                for row, begin in enumerate(begun[first : first + ROWS]):
                    low, high = max(int(begin), 0), min(int(begin) + CHUNK, inputs[sensor].shape[0])
                    outputs[sensor][low:high] = predicted[sensor, row, low - begin : high - begin]

    def _pass(self, stacks: list[Floats], inputs: Floats) -> Floats:
        """Return (sensors, rows, steps, horizon) outputs of (sensors, rows, steps, width) inputs."""
        sensors, rows, steps, _ = inputs.shape
        state = np.ascontiguousarray(inputs.transpose(0, 2, 1, 3))
        for layer, units in enumerate(self.hidden):
            kernel, recurrent, bias = stacks[3 * layer : 3 * layer + 3]
            # A sigmoid is half a hyperbolic tangent of half its argument: one call serves all gates.
            halves = np.full(4 * units, 0.5, dtype=np.float32)
            halves[2 * units : 3 * units] = 1
            flat = state.reshape(sensors, steps * rows, -1) @ (kernel * halves)
            gates = flat.reshape(sensors, steps, rows, 4 * units)
            gates += (bias * halves)[:, None, None]
            gates = np.ascontiguousarray(gates.transpose(1, 0, 2, 3))
            state = np.ascontiguousarray(states(gates, recurrent * halves).transpose(1, 0, 2, 3))
        flat = state.reshape(sensors, steps * rows, -1) @ stacks[-2] + stacks[-1][:, None]
        return flat.reshape(sensors, steps, rows, self.horizon).transpose(0, 2, 1, 3)


def _padded(kernel: Floats, width: int) -> Floats:
    return np.pad(kernel, ((0, width - kernel.shape[0]), (0, 0)))


def _glorot(rng: np.random.Generator, rows: int, columns: int) -> Floats:
    limit = np.sqrt(6 / (rows + columns))
    return rng.uniform(-limit, limit, (rows, columns)).astype(np.float32)


def _orthogonal(rng: np.random.Generator, rows: int, columns: int) -> Floats:
    factor, triangle = np.linalg.qr(rng.normal(size=(columns, rows)))
    return np.ascontiguousarray((factor * np.sign(np.diag(triangle))).T, dtype=np.float32)
