"""Training of a sequence network on random crops, stopped early by a validation tail in order of time."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import SupportsFloat

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from core.errors import InsufficientData
from core.networks.engine import keras, tensorflow
from core.networks.sequence import SequenceNetwork
from core.signal import Floats, Mask


@dataclass(frozen=True)
class Epoch:
    """What one epoch of training came to.

    Parameters
    ----------
    number, of
        Which epoch, from 1, of how many at most.
    loss, validation_loss
        Mean squared error in scaled units, on the crops and on the validation tail.
    """

    number: int
    of: int
    loss: float
    validation_loss: float


Progress = Callable[[Epoch], None]
Stop = Callable[[], bool]


@dataclass(frozen=True)
class Schedule:
    """How long and in which portions a network is trained.

    Parameters
    ----------
    epochs, patience, least_gain
        Most epochs; epochs without a gain of `least_gain` in validation loss after which it ends.
    crops, batch
        Crops drawn per epoch, and of them per update.
    window
        Steps of one crop.
    learning_rate
        Of Adam, with gradients clipped to norm 1.
    """

    epochs: int
    patience: int
    least_gain: float
    crops: int
    batch: int
    window: int
    learning_rate: float


@dataclass(frozen=True, eq=False)
class Series:
    """What a network learns from, in scaled units.

    Parameters
    ----------
    inputs
        (n, channels) without NaN.
    target
        (n,) values to predict; anything where `valid` is False.
    valid
        (n,) steps that count in the loss.
    split
        First step of the validation tail.
    """

    inputs: Floats
    target: Floats
    valid: Mask
    split: int


def train(
    network: SequenceNetwork,
    series: Series,
    schedule: Schedule,
    *,
    seed: int,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> tuple[Epoch, ...]:
    """Train `network` in place and leave it with the weights of its best epoch.

    Parameters
    ----------
    network
        From `SequenceNetwork.build`.
    series, schedule
        What to learn from, and for how long.
    seed
        Seeds the choice of crops.
    progress
        Called after each epoch.
    stop
        Asked after each epoch; True ends the training.

    Returns
    -------
    tuple[Epoch, ...]
        The loss curve.

    Raises
    ------
    InsufficientData
        No crop lies before the validation tail with at least half of its steps valid.
    """
    horizon, window = network.horizon, schedule.window
    futures, weights = _futures(series, horizon)
    starts = _starts(series, window, horizon)
    update = _update(network, schedule.learning_rate)
    rng = np.random.default_rng(seed)
    best, best_weights, waited = np.inf, network.weights(), 0
    curve: list[Epoch] = []
    for number in range(1, schedule.epochs + 1):
        losses = []
        for _ in range(max(1, schedule.crops // schedule.batch)):
            places = rng.choice(starts, schedule.batch)[:, None] + np.arange(window)
            losses.append(update(series.inputs[places], futures[places], weights[places]))
        loss = float(np.mean([float(each) for each in losses]))
        validation_loss = _validation_loss(network, series, futures, weights, window)
        curve.append(Epoch(number, schedule.epochs, loss, validation_loss))
        if progress is not None:
            progress(curve[-1])
        if validation_loss < best - schedule.least_gain:
            best, best_weights, waited = validation_loss, network.weights(), 0
        else:
            waited += 1
        if waited >= schedule.patience or (stop is not None and stop()):
            break
    network.restore(best_weights)
    return tuple(curve)


def _futures(series: Series, horizon: int) -> tuple[Floats, Floats]:
    """Return (n, horizon) next values at each step and how much each counts."""
    n = series.target.shape[0]
    target = np.concatenate([np.where(series.valid, series.target, 0), np.zeros(horizon)])
    counts = np.concatenate([series.valid, np.zeros(horizon)])
    return (
        sliding_window_view(target.astype(np.float32), horizon)[1 : n + 1],
        sliding_window_view(counts.astype(np.float32), horizon)[1 : n + 1],
    )


def _starts(series: Series, window: int, horizon: int) -> NDArray[np.int64]:
    last = series.split - window - horizon
    usable = np.concatenate([[0], np.cumsum(series.valid[: series.split])])
    starts: NDArray[np.int64] = np.arange(0, max(last + 1, 0))
    starts = starts[usable[starts + window] - usable[starts] >= window / 2]
    if starts.size == 0:
        raise InsufficientData(
            f"cutting training windows of {window} + {horizon} steps with at least half of them usable",
            needed=window + horizon,
            found=int(usable[-1]),
        )
    return starts


def _update(
    network: SequenceNetwork, learning_rate: float
) -> Callable[[Floats, Floats, Floats], SupportsFloat]:
    """Return one compiled step of training; its shapes stay the same, so it is traced once."""
    tf, model = tensorflow(), network.model
    optimizer = keras().optimizers.Adam(learning_rate, clipnorm=1.0)
    optimizer.build(model.trainable_variables)

    def update(inputs: Floats, futures: Floats, weights: Floats) -> object:
        with tf.GradientTape() as tape:
            errors = tf.square(model(inputs, training=True) - futures) * weights
            loss = tf.reduce_sum(errors) / tf.maximum(tf.reduce_sum(weights), 1.0)
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    compiled: Callable[[Floats, Floats, Floats], SupportsFloat] = tf.function(update)
    return lambda inputs, futures, weights: compiled(*map(tf.constant, (inputs, futures, weights)))


def _validation_loss(
    network: SequenceNetwork, series: Series, futures: Floats, weights: Floats, window: int
) -> float:
    """Return the mean squared error of the tail, read after a window of its own past."""
    first = max(0, series.split - window)
    outputs = network.forward(series.inputs[first:], lead=window)[series.split - first :]
    counts = weights[series.split :].astype(np.float64)
    errors = (outputs - futures[series.split :]) ** 2 * counts
    return float(errors.sum() / max(counts.sum(), 1.0))
