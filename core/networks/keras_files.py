"""An LSTM's weights as a Keras model in a ``.keras`` file, which other tools open too."""

from pathlib import Path

import numpy as np

from core.errors import ArtifactError
from core.networks.engine import keras
from core.networks.recurrent import RecurrentNetwork
from core.networks.stack import Weights


def save_recurrent(network: RecurrentNetwork, weights: Weights, path: Path) -> None:
    """Write the network with its weights as a ``.keras`` file."""
    layers = keras().layers
    inputs = keras().Input((None, weights[0].shape[0]))
    outputs = inputs
    for units in network.hidden:
        outputs = layers.LSTM(units, return_sequences=True)(outputs)
        outputs = layers.Dropout(network.dropout)(outputs)
    model = keras().Model(inputs, layers.Dense(network.horizon)(outputs))
    model.set_weights(weights)
    model.save(path)


def load_recurrent(network: RecurrentNetwork, path: Path) -> Weights:
    """Read the weights of a ``.keras`` file in Keras' safe mode, which runs no code from the file.

    Raises
    ------
    ArtifactError
        The file is missing, can't be read, or holds another network.
    """
    if not path.is_file():
        raise ArtifactError(f"{path}: the network is missing; train the sensor again")
    try:
        model = keras().saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, OSError, KeyError) as error:
        raise ArtifactError(f"{path}: not a saved network ({error}); train the sensor again") from error
    weights = [np.array(each, dtype=np.float32) for each in model.get_weights()]
    if [each.shape for each in weights] != _shapes(network, weights):
        raise ArtifactError(f"{path}: the network is not the one its parameters name; train the sensor again")
    return weights


def _shapes(network: RecurrentNetwork, weights: Weights) -> list[tuple[int, ...]]:
    inputs = weights[0].shape[0] if weights and weights[0].ndim else 0
    shapes: list[tuple[int, ...]] = []
    for units in network.hidden:
        shapes += [(inputs, 4 * units), (units, 4 * units), (4 * units,)]
        inputs = units
    return [*shapes, (inputs, network.horizon), (network.horizon,)]
