"""An LSTM's weights as a Keras model in a ``.keras`` file, which other tools open too."""

import json
import zipfile
from pathlib import Path
from typing import Any, Final

import numpy as np

from core.errors import ArtifactError
from core.networks.engine import keras
from core.networks.recurrent import RecurrentNetwork
from core.networks.stack import Weights

_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)


def save_recurrent(network: RecurrentNetwork, weights: Weights, path: Path) -> None:
    """Write the network with its weights as a ``.keras`` file: the same bytes for the same weights."""
    layers = keras().layers
    inputs = keras().Input((None, weights[0].shape[0]), name="inputs")
    outputs = inputs
    # Named, since Keras counts the layers that a process has made.
    for place, units in enumerate(network.hidden):
        outputs = layers.LSTM(units, return_sequences=True, name=f"lstm_{place}")(outputs)
        outputs = layers.Dropout(network.dropout, name=f"dropout_{place}")(outputs)
    outputs = layers.Dense(network.horizon, name="outputs")(outputs)
    model = keras().Model(inputs, outputs, name="telemanom")
    model.set_weights(weights)
    model.save(path)
    _settle(path)


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


def _settle(path: Path) -> None:
    """Take from a ``.keras`` file what tells when and by which process it was written."""
    with zipfile.ZipFile(path) as written:
        members = {name: written.read(name) for name in sorted(written.namelist())}
    metadata = json.loads(members["metadata.json"])
    metadata.pop("date_saved", None)
    members["metadata.json"] = json.dumps(metadata).encode()
    config = json.loads(members["config.json"])
    _renumber(config, {})
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(zipfile.ZipInfo(name, _NO_TIME), content)


def _renumber(config: Any, known: dict[int, int]) -> None:  # noqa: ANN401 # any JSON
    """Give shared objects numbers from 1, in the order of their appearance, in place of addresses."""
    inner = config.values() if isinstance(config, dict) else config if isinstance(config, list) else ()
    if isinstance(config, dict) and isinstance(config.get("shared_object_id"), int):
        found = config["shared_object_id"]
        config["shared_object_id"] = known.setdefault(found, len(known) + 1)
    for one in inner:
        _renumber(one, known)


def _shapes(network: RecurrentNetwork, weights: Weights) -> list[tuple[int, ...]]:
    inputs = weights[0].shape[0] if weights and weights[0].ndim else 0
    shapes: list[tuple[int, ...]] = []
    for units in network.hidden:
        shapes += [(inputs, 4 * units), (units, 4 * units), (4 * units,)]
        inputs = units
    return [*shapes, (inputs, network.horizon), (network.horizon,)]
