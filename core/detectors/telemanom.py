"""Telemanom's LSTM: the target predicted from itself and its context, strange where the prediction fails.

Source: Hundman et al., "Detecting Spacecraft Anomalies Using LSTMs and Nonparametric Dynamic
Thresholding", KDD 2018, https://arxiv.org/abs/1802.04431. Layers, dropout, horizon, window and smoothing
are the published ones. Trained sequence to sequence, as `core.networks.sequence` says.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar, Final, Self

import numpy as np

from core.detectors.folders import read_json, write_json
from core.detectors.scaling import Scaling
from core.detectors.smoothing import ewma
from core.errors import ArtifactError, ConstantSignal, InsufficientData, NotFitted, ParameterError
from core.imputation.hold import hold_last
from core.networks.sequence import SequenceNetwork
from core.networks.training import Epoch, Progress, Schedule, Series, Stop, train
from core.results import Mode, Scores
from core.signal import Floats, Signal

INPUT_LIMIT: Final = 3.0
"""Scaled values beyond this look the same to the network."""

TARGET_LIMIT: Final = 10.0
"""Scaled readings beyond this are equally strange, so that no value overflows."""


@dataclass(frozen=True)
class TelemanomParameters:
    """Parameters of the LSTM and of its training.

    Parameters
    ----------
    hidden, dropout, horizon, window
        Units of each layer, dropped share, next values predicted at each step, steps of context.
    smoothing_span
        Span of the moving average over errors, in steps: 0.05 x 70 x 30 as published.
    epochs, patience, least_gain, batch, learning_rate, validation_share
        Of the training; see `core.networks.training.Schedule`. The validation tail is the last
        `validation_share` of the training part.
    coverage, least_crops, most_crops
        Crops per epoch: so many that each step is seen `coverage` times, within these bounds.
    hold
        Steps for which the last reading stands in for a missing one.

    Raises
    ------
    ParameterError
        A parameter is outside its range.
    """

    hidden: tuple[int, ...] = (80, 80)
    dropout: float = 0.3
    horizon: int = 10
    window: int = 250
    smoothing_span: int = 105
    epochs: int = 40
    patience: int = 10
    least_gain: float = 1e-5
    batch: int = 16
    learning_rate: float = 2e-3
    validation_share: float = 0.2
    coverage: float = 25.0
    least_crops: int = 256
    most_crops: int = 640
    hold: int = 30

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", tuple(self.hidden))
        positive = ("horizon", "window", "smoothing_span", "epochs", "patience", "batch", "least_crops")
        wrong = [name for name in positive if getattr(self, name) < 1]
        wrong += ["hidden"] if not self.hidden or min(self.hidden) < 1 else []
        wrong += [name for name in ("least_gain", "hold") if getattr(self, name) < 0]
        wrong += [name for name in ("learning_rate", "coverage") if getattr(self, name) <= 0]
        wrong += ["dropout"] if not 0 <= self.dropout < 1 else []
        wrong += ["validation_share"] if not 0 < self.validation_share < 1 else []
        wrong += ["most_crops"] if self.most_crops < self.least_crops else []
        if wrong:
            values = ", ".join(f"{name}={getattr(self, name)}" for name in wrong)
            raise ParameterError(f"telemanom: out of range: {values}")

    def schedule(self, steps: int) -> Schedule:
        """Return the training schedule for that many steps before the validation tail."""
        crops = round(self.coverage * steps / self.window)
        return Schedule(
            epochs=self.epochs,
            patience=self.patience,
            least_gain=self.least_gain,
            crops=min(max(crops, self.least_crops), self.most_crops),
            batch=self.batch,
            window=self.window,
            learning_rate=self.learning_rate,
        )


class Telemanom:
    """The LSTM detector; its score is the smoothed absolute error in scaled units.

    Parameters
    ----------
    parameters
        See `TelemanomParameters`.
    seed
        Seeds weights, dropout and crops: the same seed gives the same model on one machine.

    Attributes
    ----------
    history
        The loss curve of the last `fit`.
    """

    name: ClassVar[str] = "telemanom"
    title: ClassVar[str] = "LSTM (Telemanom)"
    mode: ClassVar[Mode] = "causal"

    def __init__(self, parameters: TelemanomParameters | None = None, *, seed: int = 0) -> None:
        self.parameters = parameters or TelemanomParameters()
        self.seed = seed
        self.history: tuple[Epoch, ...] = ()
        self._network: SequenceNetwork | None = None
        self._scaling: Scaling | None = None
        self._channels: tuple[str, ...] = ()

    @property
    def needed(self) -> int:
        """Usable steps that fitting needs: one window before the validation tail."""
        p = self.parameters
        return int(np.ceil((p.window + p.horizon) / (1 - p.validation_share))) + 1

    @property
    def warmup(self) -> int:
        """Steps at the start of a signal that are not judged: one window."""
        return self.parameters.window

    @property
    def memory(self) -> int:
        """One window and five spans of smoothing."""
        return self.parameters.window + 5 * self.parameters.smoothing_span

    def fit(self, signal: Signal, *, progress: Progress | None = None, stop: Stop | None = None) -> Self:
        """Train on the signal; see `Detector.fit`."""
        p, usable = self.parameters, int(signal.valid.sum())
        if usable < self.needed:
            raise InsufficientData(
                f"{signal.channels[0]}: training the LSTM", needed=self.needed, found=usable
            )
        readings = signal.target[signal.valid]
        if readings.min() == readings.max():
            raise ConstantSignal(
                f"{signal.channels[0]}: all {usable} readings of its training part are {readings[0]:g}, so "
                "an LSTM has nothing to learn; use the statistical detector, or train on a part that changes"
            )
        scaling = Scaling.of(signal)
        inputs = self._inputs(signal, scaling)
        # Cut by usable steps, not by time, so that a long gap leaves neither part empty.
        split = int(np.searchsorted(np.cumsum(signal.valid), usable * (1 - p.validation_share))) + 1
        target = scaling.apply(signal.values, TARGET_LIMIT)[:, 0]
        series = Series(inputs, np.clip(target, -INPUT_LIMIT, INPUT_LIMIT), signal.valid, split)
        network = SequenceNetwork.build(
            inputs.shape[1], p.hidden, p.horizon, dropout=p.dropout, seed=self.seed
        )
        self.history = train(network, series, p.schedule(split), seed=self.seed, progress=progress, stop=stop)
        self._network, self._scaling, self._channels = network, scaling, signal.channels
        return self

    def score(self, signal: Signal) -> Scores:
        """Score the signal in one pass; see `Detector.score`."""
        network, scaling = self._fitted(signal)
        n, p = len(signal), self.parameters
        if n <= self.warmup:
            raise InsufficientData(
                f"{signal.channels[0]}: scoring with the LSTM", needed=self.warmup + 1, found=n
            )
        inputs = self._inputs(signal, scaling)
        phase = int(signal.timestamps[0].astype("datetime64[us]").astype(np.int64)) // int(
            signal.interval.total_seconds() * 1e6
        )
        predicted = np.full(n, np.nan)
        predicted[1:] = network.forward(inputs, lead=p.window, phase=phase)[:-1, 0]
        # Without a reading for that long, the network sees a stand-in and predicts nothing to be shown.
        blind = np.isnan(hold_last(signal.target, p.hold))
        predicted[1:][blind[:-1]] = np.nan
        predicted[: self.warmup] = np.nan
        errors = np.abs(self.scaled(signal) - predicted)
        errors[~signal.valid] = np.nan
        expected = predicted * scaling.scale[0] + scaling.centre[0]
        return Scores(
            timestamps=signal.timestamps,
            values=ewma(errors, p.smoothing_span).astype(np.float32),
            expected=expected.astype(np.float32),
            shares=None,
            mode=self.mode,
        )

    def scaled(self, signal: Signal) -> Floats:
        """Return the (n,) target in scaled units, the unit of the score."""
        _, scaling = self._fitted(signal)
        return scaling.apply(signal.values, TARGET_LIMIT)[:, 0]

    def save(self, folder: Path) -> None:
        """Write ``network.keras``, ``scaling.npz`` and ``parameters.json``."""
        if self._network is None or self._scaling is None:
            raise NotFitted("telemanom: fit it before saving")
        folder.mkdir(parents=True, exist_ok=True)
        self._network.save(folder / "network.keras")
        self._scaling.save(folder / "scaling.npz")
        content = {"method": self.name, "seed": self.seed, "channels": list(self._channels)}
        write_json(folder / "parameters.json", content | {"parameters": asdict(self.parameters)})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; see `Detector.load`."""
        content = read_json(folder / "parameters.json", cls.name)
        try:
            detector = cls(TelemanomParameters(**content["parameters"]), seed=content["seed"])
            detector._channels = tuple(content["channels"])
        except (KeyError, TypeError) as error:
            raise ArtifactError(f"{folder}: parameters are incomplete ({error})") from error
        detector._scaling = Scaling.load(folder / "scaling.npz")
        detector._network = SequenceNetwork.load(folder / "network.keras")
        return detector

    def _inputs(self, signal: Signal, scaling: Scaling) -> Floats:
        filled = hold_last(signal.values, self.parameters.hold)
        return np.nan_to_num(scaling.apply(filled, INPUT_LIMIT), nan=0.0)

    def _fitted(self, signal: Signal) -> tuple[SequenceNetwork, Scaling]:
        if self._network is None or self._scaling is None:
            raise NotFitted(f"{signal.channels[0]}: the LSTM was not trained yet")
        if signal.channels != self._channels:
            raise ParameterError(
                f"{signal.channels[0]}: the LSTM was trained on the channels {', '.join(self._channels)}"
            )
        return self._network, self._scaling
