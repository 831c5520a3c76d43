"""A stacked LSTM in which every step of a sequence predicts the next values of the target.

Source: the network of Telemanom (Hundman et al., KDD 2018, https://arxiv.org/abs/1802.04431), which
predicts from the last step of a window alone. Here every step predicts, so that one pass over a
sequence scores all of it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from core.errors import ArtifactError
from core.networks.engine import keras, tensorflow
from core.signal import Floats

CHUNK: Final = 1024
"""Steps that one row of a batch scores; chunks of a long sequence run side by side."""

ROWS: Final = 64
"""Chunks in one batch: bounds memory to some hundred megabytes."""


class KerasModel(Protocol):
    """What is used of a Keras model."""

    input_shape: tuple[int | None, ...]
    output_shape: tuple[int | None, ...]
    trainable_variables: Sequence[object]

    def __call__(self, inputs: Floats, *, training: bool) -> Floats:
        """Return the outputs; inside a traced function, tensors stand for the arrays."""

    def get_weights(self) -> list[NDArray[np.float32]]:
        """Return the weights."""

    def set_weights(self, weights: list[NDArray[np.float32]]) -> None:
        """Set the weights."""

    def save(self, filepath: Path) -> None:
        """Write the model."""


class SequenceNetwork:
    """An LSTM that maps (batch, steps, channels) to (batch, steps, horizon).

    Parameters
    ----------
    model
        A Keras model of that shape, from `build` or `load`.
    """

    def __init__(self, model: KerasModel) -> None:
        self.model = model
        tf = tensorflow()
        shape = tf.TensorSpec([None, None, model.input_shape[-1]], tf.float32)
        self._pass = tf.function(lambda inputs: model(inputs, training=False), input_signature=[shape])

    @classmethod
    def build(
        cls, channels: int, hidden: tuple[int, ...], horizon: int, *, dropout: float, seed: int
    ) -> Self:
        """Return an untrained network whose weights follow from `seed` alone.

        Parameters
        ----------
        channels, horizon
            Width of the input, and how many next values each step predicts.
        hidden
            Units of each LSTM layer, from the input on.
        dropout
            Share of each layer's outputs that is dropped while training.
        seed
            Seeds the initial weights and the dropout.
        """
        layers, initializers = keras().layers, keras().initializers
        seeds = iter(np.random.SeedSequence(seed).generate_state(3 * len(hidden) + 1, np.uint32) >> 1)
        inputs = keras().Input((None, channels))
        outputs = inputs
        for units in hidden:
            outputs = layers.LSTM(
                units,
                return_sequences=True,
                kernel_initializer=initializers.GlorotUniform(seed=int(next(seeds))),
                recurrent_initializer=initializers.Orthogonal(seed=int(next(seeds))),
            )(outputs)
            outputs = layers.Dropout(dropout, seed=int(next(seeds)))(outputs)
        readout = initializers.GlorotUniform(seed=int(next(seeds)))
        return cls(keras().Model(inputs, layers.Dense(horizon, kernel_initializer=readout)(outputs)))

    @property
    def horizon(self) -> int:
        """How many next values each step predicts."""
        return int(self.model.output_shape[-1] or 0)

    def forward(self, inputs: Floats, *, lead: int, phase: int = 0) -> Floats:
        """Predict from every step of a sequence in one pass.

        The sequence is cut into chunks that run side by side, each after `lead` steps of its own past, so
        every step is computed once plus that overlap, and no output depends on later steps.

        Parameters
        ----------
        inputs
            (n, channels) without NaN.
        lead
            Steps that each chunk reads before its first output.
        phase
            Position of the first step on an absolute grid. Chunks are cut on that grid, so that the
            outputs of a step do not depend on which window around it is read.

        Returns
        -------
        Floats
            (n, horizon); row t holds what was predicted at t for the steps t + 1, t + 2, …
        """
        n = inputs.shape[0]
        starts = np.arange(-(phase % CHUNK), n, CHUNK)
        offsets = np.arange(-lead, CHUNK)
        outputs = np.empty((n, self.horizon), dtype=np.float32)
        for first in range(0, starts.size, ROWS):
            batch = starts[first : first + ROWS]
            # Before its first step a sequence is taken to have stood still; after its last nothing is kept.
            places = np.clip(batch[:, None] + offsets, 0, n - 1)
            predicted = self._pass(inputs[places]).numpy()[:, lead:]
            low, high = max(int(batch[0]), 0), min(int(batch[-1]) + CHUNK, n)
            outputs[low:high] = predicted.reshape(-1, self.horizon)[low - batch[0] : high - batch[0]]
        return outputs

    def weights(self) -> list[NDArray[np.float32]]:
        """Return a copy of all trained weights."""
        return [np.array(weight) for weight in self.model.get_weights()]

    def restore(self, weights: list[NDArray[np.float32]]) -> None:
        """Set all weights to a copy that `weights` returned."""
        self.model.set_weights(weights)

    def save(self, path: Path) -> None:
        """Write the network as a ``.keras`` file."""
        self.model.save(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a ``.keras`` file in Keras' safe mode, which runs no code from the file.

        Raises
        ------
        ArtifactError
            The file is missing or is no such network.
        """
        if not path.is_file():
            raise ArtifactError(f"{path}: the network is missing; train the sensor again")
        try:
            model = keras().saving.load_model(path, compile=False, safe_mode=True)
        except (ValueError, TypeError, OSError, KeyError) as error:
            raise ArtifactError(f"{path}: not a saved network ({error}); train the sensor again") from error
        return cls(model)
