"""A temporal convolution network: causal convolutions over ever wider gaps, with residual connections.

Source: Bai, Kolter and Koltun, "An Empirical Evaluation of Generic Convolutional and Recurrent Networks
for Sequence Modeling", 2018, https://arxiv.org/abs/1803.01271; here each level has one convolution, and
the readout predicts the next `horizon` values from every step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.networks.dropout import dropped
from core.networks.engine import tensorflow
from core.networks.stack import Tensor, Weights
from core.signal import Floats

ROWS: Final = 4096
"""Steps that are computed at once: bounds memory and keeps activations in the cache."""


@dataclass(frozen=True)
class ConvolutionNetwork:
    """The shape of the network; weights are kept apart from it.

    Parameters
    ----------
    filters, kernel, levels
        Channels of each level, taps of each convolution, and how many levels: level i reaches back
        ``(kernel - 1) * 2**i`` steps.
    horizon
        How many next values each step predicts.
    dropout
        Share of a level's channels that is dropped while training, for a whole crop.
    skip
        Whether the present value of the target is added to each prediction, so that change is learned.
    """

    filters: int
    kernel: int
    levels: int
    horizon: int
    dropout: float
    skip: bool

    @property
    def reach(self) -> int:
        """Steps, the present one included, that an output depends on."""
        return int(1 + (self.kernel - 1) * (2**self.levels - 1))

    @property
    def shapes(self) -> list[tuple[int | None, ...]]:
        """Shape of each of the weights; None where the number of channels decides."""
        level: list[tuple[int | None, ...]] = [(self.kernel * self.filters, self.filters), (self.filters,)]
        readout: list[tuple[int | None, ...]] = [(self.filters, self.horizon), (self.horizon,)]
        return [(None, self.filters), *level[1:], *level * (self.levels - 1), *readout]

    @property
    def lead(self) -> int:
        """Steps before a step that its outputs depend on."""
        return self.reach - 1

    def initial(self, channels: int, width: int, seed: int) -> Weights:
        """Return untrained weights: (taps x inputs, filters) and (filters,) a level, then the readout's."""
        rng = np.random.default_rng(seed)
        weights: Weights = []
        for level in range(self.levels):
            inputs, padded = (channels, width) if level == 0 else (self.filters, self.filters)
            kernel = np.zeros((self.kernel, padded, self.filters), dtype=np.float32)
            deviation = np.sqrt(2 / (self.kernel * inputs))
            kernel[:, :inputs] = rng.normal(0, deviation, (self.kernel, inputs, self.filters))
            weights += [kernel.reshape(-1, self.filters), np.zeros(self.filters, dtype=np.float32)]
        readout = rng.normal(0, np.sqrt(1 / self.filters), (self.filters, self.horizon)).astype(np.float32)
        return [*weights, 0.1 * readout, np.zeros(self.horizon, dtype=np.float32)]

    def trimmed(self, weights: Weights, channels: int) -> Weights:
        """Return the weights of the first `channels` channels; see `StackedNetwork.trimmed`."""
        kernel = weights[0].reshape(self.kernel, -1, self.filters)[:, :channels]
        return [kernel.reshape(-1, self.filters).copy(), *weights[1:]]

    def outputs(self, weights: Sequence[Tensor], inputs: Tensor, seeds: Tensor) -> Tensor:
        """Return predictions while training; see `StackedNetwork.outputs`."""
        tf = tensorflow()
        sensors, crops, steps, _ = inputs.shape
        state = inputs
        for level in range(self.levels):
            gap = 2**level
            padded = tf.pad(state, [[0, 0], [0, 0], [(self.kernel - 1) * gap, 0], [0, 0]])
            taps = tf.concat([padded[:, :, tap * gap : tap * gap + steps] for tap in range(self.kernel)], -1)
            rows = tf.reshape(taps, (sensors, crops * steps, taps.shape[-1]))
            result = tf.nn.relu(rows @ weights[2 * level] + weights[2 * level + 1][:, None])
            result = tf.reshape(result, (sensors, crops, steps, self.filters))
            if self.dropout:
                result *= dropped((sensors, crops, 1, self.filters), self.dropout, seeds + level)
            state = result if level == 0 else state + result
        rows = tf.reshape(state, (sensors, crops * steps, self.filters))
        readout = rows @ weights[-2] + weights[-1][:, None]
        result = tf.reshape(readout, (sensors, crops, steps, self.horizon))
        return result + inputs[..., :1] if self.skip else result

    def forward(
        self,
        weights: Sequence[Weights],
        inputs: Sequence[Floats],
        phases: Sequence[int] | None = None,  # noqa: ARG002 - an output depends on `reach` steps alone
    ) -> list[Floats]:
        """Return what each sensor's steps predict; see `StackedNetwork.forward`."""
        return [self.predict(own, each) for own, each in zip(weights, inputs, strict=True)]

    def predict(self, weights: Weights, inputs: Floats) -> Floats:
        """Return (n, horizon) predictions of one sensor by numpy alone: nothing is loaded to score."""
        n = inputs.shape[0]
        result = np.empty((n, self.horizon), dtype=np.float32)
        for first in range(0, n, ROWS):
            low = max(0, first - self.lead)
            block = self._block(weights, inputs[low : first + ROWS])
            result[first : first + ROWS] = block[first - low :]
        return result

    def _block(self, weights: Weights, inputs: Floats) -> Floats:
        n = inputs.shape[0]
        state = inputs
        for level in range(self.levels):
            gap, width = 2**level, state.shape[1]
            kernel = weights[2 * level].reshape(self.kernel, -1, self.filters)[:, :width]
            taps = np.zeros((n, self.kernel, width), dtype=np.float32)
            for tap in range(self.kernel):
                back = (self.kernel - 1 - tap) * gap
                taps[back:, tap] = state[: max(n - back, 0)]
            result = taps.reshape(n, -1) @ kernel.reshape(-1, self.filters)
            result += weights[2 * level + 1]
            np.maximum(result, 0, out=result)
            state = result if level == 0 else state + result
        result = state @ weights[-2] + weights[-1]
        return result + inputs[:, :1] if self.skip else result
