"""What the published recipe costs: Telemanom's own training and prediction, measured in part and scaled.

Windows of 250 steps at stride 1, each predicting the ten steps after it; two LSTM layers of 80 with dropout
0.3, Adam on the squared error, batches of 64, the last fifth of the windows for validation, at most 35 epochs
with a patience of 10; prediction over every window of the test part in batches of 70. As in `config.yaml`,
`channel.py` and `modeling.py` of https://github.com/khundman/telemanom at commit 1ee04aa.

Three channels, at the quartiles of training length, stand for all: CPU seconds for each window and epoch,
times the windows of all channels. A training ends after 11 epochs at the earliest (one and the patience);
where only some batches are run, 11 epochs are taken, so that the recipe is told as cheaper than it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from benchmarks.smap_channels import Channel
from benchmarks.tables import cpu_s
from core.networks.engine import keras
from core.splits import joined

WINDOW: Final = 250
AHEAD: Final = 10
UNITS: Final = (80, 80)
DROPOUT: Final = 0.3
BATCH: Final = 64
PREDICTED_BATCH: Final = 70
VALIDATION: Final = 0.2
EPOCHS: Final = 35
PATIENCE: Final = 10
LEAST_CHANGE: Final = 0.0003
FEWEST_EPOCHS: Final = 1 + PATIENCE

_WARM: Final = 2
"""Batches that are run before the clock: tracing the graph is not charged to the recipe."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Measured:
    """What one channel showed.

    Parameters
    ----------
    channel
        Its name.
    windows
        Windows of its training part, validation included.
    train_s
        CPU seconds for one window in one epoch, its share of the validation included.
    predict_s
        CPU seconds for one window of a test part.
    epochs
        Epochs that the training took; the fewest there can be where it was not run to its end.
    whole
        Whether it was.
    """

    channel: str
    windows: int
    train_s: float
    predict_s: float
    epochs: int
    whole: bool


@dataclass(frozen=True)
class Recipe:
    """What the recipe costs for all channels, in CPU seconds, and how many windows that is."""

    measured: tuple[Measured, ...]
    train_windows: int
    test_windows: int

    @property
    def epoch_cpu_s(self) -> float:
        """One epoch of every channel."""
        return self.train_windows * float(np.mean([one.train_s for one in self.measured]))

    @property
    def predict_cpu_s(self) -> float:
        """The test parts of every channel."""
        return self.test_windows * float(np.mean([one.predict_s for one in self.measured]))

    @property
    def epochs(self) -> float:
        """Mean epochs of the measured channels."""
        return float(np.mean([one.epochs for one in self.measured]))

    @property
    def cpu_s(self) -> float:
        """Training and prediction."""
        return self.epochs * self.epoch_cpu_s + self.predict_cpu_s

    @property
    def most_cpu_s(self) -> float:
        """The same if every training took all of its epochs."""
        return EPOCHS * self.epoch_cpu_s + self.predict_cpu_s


def at_quartiles(channels: Sequence[Channel]) -> list[Channel]:
    """Return those at the quartiles of training length, of the channels long enough for the recipe."""
    able = [one for one in channels if _windows(_train_steps(one)) * (1 - VALIDATION) >= 2 * BATCH]
    able.sort(key=lambda one: (_train_steps(one), one.name))
    places = dict.fromkeys(round(share * (len(able) - 1)) for share in (0.25, 0.5, 0.75)) if able else {}
    return [able[place] for place in places]


def measure(channels: Sequence[Channel], *, batches: int, seed: int) -> Recipe:
    """Train and predict on three channels, and scale to all.

    Parameters
    ----------
    batches
        Batches of training, and of prediction, that are measured on each; 0 trains to the early stop.

    Raises
    ------
    SystemExit
        No channel is long enough.
    """
    chosen = at_quartiles(channels)
    if not chosen:
        raise SystemExit("the published recipe: no channel has a training part long enough for its windows")
    return Recipe(
        measured=tuple(_measured(one, batches, seed) for one in chosen),
        train_windows=sum(_windows(_train_steps(one)) for one in channels),
        test_windows=sum(_windows(len(one.test)) for one in channels),
    )


def _measured(channel: Channel, batches: int, seed: int) -> Measured:
    library = keras()
    library.utils.set_random_seed(seed)
    values = joined(channel.train, channel.calibrate).values
    inputs, wanted = _cut(values, np.random.default_rng(seed))
    learned = round(inputs.shape[0] * (1 - VALIDATION))
    model = _model(library, inputs.shape[2])
    for _ in range(_WARM):
        model.train_on_batch(inputs[:BATCH], wanted[:BATCH])
        model.test_on_batch(inputs[:BATCH], wanted[:BATCH])
        model.predict_on_batch(inputs[:PREDICTED_BATCH])
    if batches:
        rows = min(batches * BATCH, learned // BATCH * BATCH)
        train_s = _train_some(model, inputs[:rows], wanted[:rows])
        held = inputs.shape[0] - learned
        train_s *= learned / inputs.shape[0]
        checked = min(held // BATCH * BATCH, rows)
        train_s += _check_some(model, inputs[-checked:], wanted[-checked:]) * held / inputs.shape[0]
        epochs = FEWEST_EPOCHS
    else:
        before = cpu_s()
        epochs = _train_whole(library, model, inputs, wanted)
        train_s = (cpu_s() - before) / (epochs * inputs.shape[0])
    windows = sliding_window_view(channel.test.values, WINDOW, axis=0).transpose(0, 2, 1)
    most = max(batches, 20) * PREDICTED_BATCH
    part = np.ascontiguousarray(windows[: min(most, windows.shape[0])])
    before = cpu_s()
    for start in range(0, part.shape[0], PREDICTED_BATCH):
        model.predict_on_batch(part[start : start + PREDICTED_BATCH])
    predict_s = (cpu_s() - before) / part.shape[0]
    return Measured(channel.name, inputs.shape[0], train_s, predict_s, epochs, not batches)


def _model(library: Any, width: int) -> Any:  # noqa: ANN401 # keras publishes no usable types
    layers = library.layers
    stack: list[Any] = [layers.Input((WINDOW, width))]
    for place, units in enumerate(UNITS):
        stack += [layers.LSTM(units, return_sequences=place + 1 < len(UNITS)), layers.Dropout(DROPOUT)]
    model = library.Sequential([*stack, layers.Dense(AHEAD)])
    model.compile(loss="mse", optimizer="adam")
    return model


def _train_some(model: Any, inputs: Floats, wanted: Floats) -> float:  # noqa: ANN401
    """Return CPU seconds a window of training batch by batch."""
    before: float = cpu_s()
    for start in range(0, inputs.shape[0], BATCH):
        model.train_on_batch(inputs[start : start + BATCH], wanted[start : start + BATCH])
    return (cpu_s() - before) / max(len(inputs), 1)


def _check_some(model: Any, inputs: Floats, wanted: Floats) -> float:  # noqa: ANN401
    """Return CPU seconds a window of validation."""
    before: float = cpu_s()
    for start in range(0, inputs.shape[0], BATCH):
        model.test_on_batch(inputs[start : start + BATCH], wanted[start : start + BATCH])
    return (cpu_s() - before) / max(len(inputs), 1)


def _train_whole(library: Any, model: Any, inputs: Floats, wanted: Floats) -> int:  # noqa: ANN401
    """Train to the early stop and return the epochs that took."""
    stop = library.callbacks.EarlyStopping(monitor="val_loss", patience=PATIENCE, min_delta=LEAST_CHANGE)
    told = model.fit(
        inputs,
        wanted,
        batch_size=BATCH,
        epochs=EPOCHS,
        validation_split=VALIDATION,
        callbacks=[stop],
        verbose=0,
    )
    return len(told.history["loss"])


def _cut(values: Floats, choose: np.random.Generator) -> tuple[Floats, Floats]:
    """Return (windows, 250, channels) inputs and the (windows, 10) target after each, in random order."""
    both = sliding_window_view(values, WINDOW + AHEAD, axis=0).transpose(0, 2, 1)
    both = both[choose.permutation(both.shape[0])]
    return np.ascontiguousarray(both[:, :WINDOW]), np.ascontiguousarray(both[:, WINDOW:, 0])


def _windows(steps: int) -> int:
    return max(steps - WINDOW - AHEAD + 1, 0)


def _train_steps(channel: Channel) -> int:
    return len(channel.train) + len(channel.calibrate)
