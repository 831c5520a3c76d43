"""What the published recipe costs: Telemanom's own training and prediction, measured in part and scaled.

Windows of 250 steps at stride 1, each predicting the ten steps after it; two LSTM layers of 80 with dropout
0.3, Adam on the squared error, batches of 64, the last fifth of the windows for validation, at most 35 epochs
with a patience of 10; prediction over every window of the test part in batches of 70. As in `config.yaml`,
`channel.py` and `modeling.py` of https://github.com/khundman/telemanom at commit 1ee04aa.

Three series, at the quartiles of training length, stand for all: CPU seconds for each window and epoch,
times the windows of all series. A training ends after 11 epochs at the earliest (one and the patience);
where only some batches are run, 11 epochs are taken, so that the recipe is told as cheaper than it is.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from benchmarks.detection_tables import Figures, keyed
from benchmarks.tables import cpu_s, show
from core.networks.engine import keras

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

_FEWEST_BATCHES: Final = 20
"""Where a series has fewer, they are run again and again: a batch costs the same whatever is in it."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Taught:
    """A series as the recipe gets it.

    Parameters
    ----------
    name
        What it is called in the table.
    learned, judged
        (n, columns) and (m, columns): what is trained on, and what is predicted. Column 0 is predicted from
        all columns.
    """

    name: str
    learned: Floats
    judged: Floats

    @classmethod
    def scaled(cls, name: str, learned: NDArray[np.floating], judged: NDArray[np.floating]) -> Self:
        """Scale columns to -1..1 by what is learned from, as NASA's channels come; missing readings are 0."""
        low, high = np.nanmin(learned, axis=0), np.nanmax(learned, axis=0)
        width = np.where(high > low, high - low, 1.0)
        parts = (np.nan_to_num(2 * (one - low) / width - 1).astype(np.float32) for one in (learned, judged))
        return cls(name, *parts)


@dataclass(frozen=True)
class Measured:
    """What one series showed.

    Parameters
    ----------
    series
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

    series: str
    windows: int
    train_s: float
    predict_s: float
    epochs: int
    whole: bool


@dataclass(frozen=True)
class Recipe:
    """What the recipe costs for all series, in CPU seconds, and how many windows that is."""

    measured: tuple[Measured, ...]
    train_windows: int
    test_windows: int

    @property
    def epoch_cpu_s(self) -> float:
        """One epoch of every series."""
        return self.train_windows * float(np.mean([one.train_s for one in self.measured]))

    @property
    def predict_cpu_s(self) -> float:
        """Prediction of every series."""
        return self.test_windows * float(np.mean([one.predict_s for one in self.measured]))

    @property
    def epochs(self) -> float:
        """Mean epochs of the measured series."""
        return float(np.mean([one.epochs for one in self.measured]))

    @property
    def cpu_s(self) -> float:
        """Training and prediction."""
        return self.epochs * self.epoch_cpu_s + self.predict_cpu_s

    @property
    def most_cpu_s(self) -> float:
        """The same if every training took all of its epochs."""
        return EPOCHS * self.epoch_cpu_s + self.predict_cpu_s


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what a benchmark can be told of the recipe: ``--no-recipe`` and ``--recipe-batches``."""
    parser.add_argument("--no-recipe", action="store_true", help="leave out the published recipe's cost")
    parser.add_argument(
        "--recipe-batches", type=_count, default=200, help="measured on each series; 0 trains to the end"
    )


def against_recipe(taught: Sequence[Taught], ours: Mapping[str, float], *, batches: int) -> Figures:
    """Measure the recipe in this run, and print how many times the CPU seconds of `ours` it takes."""
    if not at_quartiles(taught):
        print(f"The published recipe: no training part is long enough for a batch of {WINDOW}-step windows")
        return {}
    recipe = measure(taught, batches=batches, seed=0)
    figures: Figures = {
        "recipe_epoch_cpu_s": recipe.epoch_cpu_s,
        "recipe_epochs_count": recipe.epochs,
        "recipe_predict_cpu_s": recipe.predict_cpu_s,
        "recipe_cpu_s": recipe.cpu_s,
        "recipe_all_epochs_cpu_s": recipe.most_cpu_s,
        "recipe_measured_series": ",".join(one.series for one in recipe.measured),
    }
    rows = [
        [
            one.series,
            str(one.windows),
            f"{1000 * one.train_s:.2f}",
            f"{1000 * one.predict_s:.2f}",
            f"{one.epochs} {'trained' if one.whole else 'taken: the fewest there can be'}",
        ]
        for one in recipe.measured
    ]
    header = ["series", "training windows", "ms to train a window once", "ms to predict one", "epochs"]
    show("The published recipe, CPU, this run", header, rows)
    rows = []
    for name, seconds in ours.items():
        ratio, most = (one / max(seconds, 1e-9) for one in (recipe.cpu_s, recipe.most_cpu_s))
        key = f"{keyed(name)}_recipe"
        figures |= {f"{key}_cpu_ratio": ratio, f"{key}_all_epochs_cpu_ratio": most}
        rows.append([name, f"{seconds:.2f}", f"{ratio:,.0f}", f"{most:,.0f}"])
    header = ["ours", "CPU s", f"recipe at {recipe.epochs:.0f} epochs takes so many times", f"at {EPOCHS}"]
    show(f"The recipe for all {len(taught)} trainings: {recipe.cpu_s:,.0f} CPU s", header, rows)
    return figures


def at_quartiles(taught: Sequence[Taught]) -> list[Taught]:
    """Return those at the quartiles of training length, of the series long enough for the recipe."""
    able = [
        one
        for one in taught
        if _windows(one.learned) * (1 - VALIDATION) >= BATCH and _windows(one.judged) >= PREDICTED_BATCH
    ]
    able.sort(key=lambda one: (len(one.learned), one.name))
    places = dict.fromkeys(round(share * (len(able) - 1)) for share in (0.25, 0.5, 0.75)) if able else {}
    return [able[place] for place in places]


def measure(taught: Sequence[Taught], *, batches: int, seed: int) -> Recipe:
    """Train and predict on three series, and scale to all.

    Parameters
    ----------
    batches
        Batches of training, and of prediction, that are measured on each; 0 trains to the early stop.

    Raises
    ------
    SystemExit
        No series is long enough.
    """
    chosen = at_quartiles(taught)
    if not chosen:
        raise SystemExit("the published recipe: no series has a training part long enough for its windows")
    return Recipe(
        measured=tuple(_measured(one, batches, seed) for one in chosen),
        train_windows=sum(_windows(one.learned) for one in taught),
        test_windows=sum(_windows(one.judged) for one in taught),
    )


def _measured(one: Taught, batches: int, seed: int) -> Measured:
    library = keras()
    library.utils.set_random_seed(seed)
    inputs, wanted = _cut(one.learned, np.random.default_rng(seed))
    learned = round(inputs.shape[0] * (1 - VALIDATION))
    model = _model(library, inputs.shape[2])
    for _ in range(_WARM):
        model.train_on_batch(inputs[:BATCH], wanted[:BATCH])
        model.test_on_batch(inputs[:BATCH], wanted[:BATCH])
        model.predict_on_batch(inputs[:PREDICTED_BATCH])
    if batches:
        train_s = 0.0
        for work, rows in ((model.train_on_batch, learned), (model.test_on_batch, inputs.shape[0] - learned)):
            before, done = cpu_s(), 0
            for part in _parts(rows, inputs.shape[0], BATCH, batches):
                work(inputs[part], wanted[part])
                done += BATCH
            train_s += (cpu_s() - before) / done * rows / inputs.shape[0]
        epochs = FEWEST_EPOCHS
    else:
        before = cpu_s()
        epochs = _train_whole(library, model, inputs, wanted)
        train_s = (cpu_s() - before) / (epochs * inputs.shape[0])
    windows = sliding_window_view(one.judged, WINDOW, axis=0).transpose(0, 2, 1)
    most = batches or _FEWEST_BATCHES
    cut = np.ascontiguousarray(windows[: most * PREDICTED_BATCH])
    before, done = cpu_s(), 0
    for part in _parts(cut.shape[0], cut.shape[0], PREDICTED_BATCH, most):
        model.predict_on_batch(cut[part])
        done += PREDICTED_BATCH
    predict_s = (cpu_s() - before) / done
    return Measured(one.name, inputs.shape[0], train_s, predict_s, epochs, not batches)


def _parts(rows: int, held: int, size: int, most: int) -> Iterator[slice]:
    """Yield full batches: as many as `rows` has, but at least a few, and never more than `most`.

    Where `held` windows don't hold that many, their batches are taken again.
    """
    full = held // size
    for number in range(min(most, max(rows // size, _FEWEST_BATCHES))):
        start = number % full * size
        yield slice(start, start + size)


def _model(library: Any, width: int) -> Any:  # noqa: ANN401 # keras publishes no usable types
    layers = library.layers
    stack: list[Any] = [layers.Input((WINDOW, width))]
    for place, units in enumerate(UNITS):
        stack += [layers.LSTM(units, return_sequences=place + 1 < len(UNITS)), layers.Dropout(DROPOUT)]
    model = library.Sequential([*stack, layers.Dense(AHEAD)])
    model.compile(loss="mse", optimizer="adam")
    return model


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


def _windows(values: Floats) -> int:
    return max(len(values) - WINDOW - AHEAD + 1, 0)


def _count(told: str) -> int:
    if not told.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a number from 0 on, not {told!r}")
    return int(told)
