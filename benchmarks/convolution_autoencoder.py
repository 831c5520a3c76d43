"""The convolutional autoencoder of SKAB's leaderboard, trained anew for each run, in Keras.

Architecture and settings as published at github.com/waico/SKAB (Katser and Kozitsin, 2020): windows of
60 steps of all standardised channels; convolutions of 32 and 16 filters of width 7 at stride 2 and the way
back; a single output channel that is held against all of them; a window is strange above 4/3 of the 0.999
quantile of the training windows; a step is flagged where each of the windows over it is.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.networks.engine import keras
from core.signal import Mask

WINDOW: Final = 60
QUANTILE: Final = 0.999
MARGIN: Final = 4 / 3
EPOCHS: Final = 100
PATIENCE: Final = 5


def reconstruction_alarms(values: NDArray[np.float64], rows: int, *, seed: int, epochs: int = EPOCHS) -> Mask:
    """Return (n,) where every window over a step is rebuilt worse than any of the training part.

    Windows that reach beyond a step are needed to judge it, so the last steps never are, as in the original.

    Parameters
    ----------
    values
        (n, channels) readings without gaps.
    rows
        How many of the first ones are learned from.
    seed
        Of weights, dropout and the order of windows.
    epochs
        Most epochs; training stops early as published.
    """
    learned = values[:rows]
    deviation = learned.std(axis=0)
    scaled = (values - learned.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
    windows = np.lib.stride_tricks.sliding_window_view(scaled.astype(np.float32), WINDOW, axis=0)
    windows = np.ascontiguousarray(windows.transpose(0, 2, 1))
    rebuilt = _trained(windows[: rows - WINDOW + 1], seed, epochs)
    errors = np.abs(windows - rebuilt(windows)).mean(axis=1).sum(axis=1)
    bar = MARGIN * float(np.quantile(errors[: rows - WINDOW + 1], QUANTILE))
    strange = np.asarray(errors > bar)
    flagged = np.zeros(values.shape[0], dtype=np.bool_)
    # The original looks at the 59 windows that start before the step, not at the one that starts there.
    runs: Mask = np.logical_and.reduce(np.lib.stride_tricks.sliding_window_view(strange, WINDOW - 1), axis=1)
    last = strange.size - WINDOW + 1
    flagged[WINDOW - 1 : last] = runs[: last - WINDOW + 1]
    return flagged


def _trained(windows: NDArray[np.float32], seed: int, epochs: int) -> Callable[[NDArray[np.float32]], Any]:
    """Return the autoencoder's function from windows to their reconstructions."""
    engine = keras()
    engine.utils.set_random_seed(seed)
    layers = engine.layers
    same = {"kernel_size": 7, "padding": "same"}
    halving = {**same, "strides": 2, "activation": "relu"}
    network = engine.Sequential(
        [
            engine.Input(shape=windows.shape[1:]),
            layers.Conv1D(32, **halving),
            layers.Dropout(0.2),
            layers.Conv1D(16, **halving),
            layers.Conv1DTranspose(16, **halving),
            layers.Dropout(0.2),
            layers.Conv1DTranspose(32, **halving),
            layers.Conv1DTranspose(1, **same),
        ]
    )
    network.compile(optimizer=engine.optimizers.Adam(learning_rate=0.001), loss="mse")
    # The loss compares the single rebuilt channel with each one; the last tenth of windows says when to stop.
    network.fit(
        windows,
        windows,
        epochs=epochs,
        batch_size=32,
        validation_split=0.1,
        verbose=0,
        callbacks=[engine.callbacks.EarlyStopping(monitor="val_loss", patience=PATIENCE, mode="min")],
    )
    return partial(network.predict, verbose=0)
