"""What detectors share that predict the target from the past: strange is where the prediction fails."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar, cast

import numpy as np

from core.detectors.folders import read_json, write_json
from core.detectors.forecast import Learned, Lesson, held_against, lesson
from core.detectors.forecasting_parameters import ForecastingParameters
from core.detectors.scaling import Scaling
from core.errors import ArtifactError, ConstantSignal, CoreError, InsufficientData, NotFitted, ParameterError
from core.networks.checkpoints import Checkpoints
from core.networks.listeners import ProgressOfMany
from core.networks.stack import StackedNetwork, Weights
from core.networks.stacked import train_many
from core.networks.training import Epoch, Progress, Stop
from core.results import Mode, Scores
from core.signal import Floats, Signal

P = TypeVar("P", bound=ForecastingParameters)


class ForecastingDetector(ABC, Generic[P]):
    """A detector whose score is the absolute error of a network's prediction, in scaled units.

    Parameters
    ----------
    parameters
        See the class of each method's parameters.
    seed
        Seeds weights, dropout and crops: the same seed gives the same model on one machine.

    Attributes
    ----------
    history
        The loss curve of the last `fit`.
    learned
        What the last `fit` or `load` left behind; None before.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    mode: ClassVar[Mode] = "causal"
    noun: ClassVar[str]
    """What messages call the network."""

    parameters_of: ClassVar[type[ForecastingParameters]]
    """The class of its parameters."""

    def __init__(self, parameters: P | None = None, *, seed: int = 0) -> None:
        self.parameters: P = parameters or cast("P", self.parameters_of())
        self.seed = seed
        self.history: tuple[Epoch, ...] = ()
        self.learned: Learned | None = None
        self._checkpoints: Checkpoints | None = None

    @abstractmethod
    def network(self) -> StackedNetwork:
        """Return the shape of the network."""

    @abstractmethod
    def _save_weights(self, weights: Weights, folder: Path) -> None:
        """Write the weights into an existing folder."""

    @abstractmethod
    def _load_weights(self, folder: Path) -> Weights:
        """Read what `_save_weights` wrote."""

    @property
    def needed(self) -> int:
        """Usable steps that fitting needs: one crop and all it predicts before the validation tail."""
        p = self.parameters
        return int(np.ceil((p.window + p.horizon) / (1 - p.validation_share))) + 1

    @property
    def warmup(self) -> int:
        """Steps at the start of a signal that are not judged: what the network reads before it counts."""
        return self.network().lead + self.parameters.averaged - 1

    @property
    def memory(self) -> int:
        """The warm-up and five spans of smoothing."""
        return self.warmup + 5 * self.parameters.smoothing_span

    def refusal(self, signal: Signal) -> CoreError | None:
        """Return why the signal can't be learned from; see `FitsMany.refusal`."""
        usable = int(signal.valid.sum())
        if usable < self.needed:
            message = f"{signal.channels[0]}: training the {self.noun}"
            return InsufficientData(message, needed=self.needed, found=usable)
        readings = signal.target[signal.valid]
        if readings.min() == readings.max():
            return ConstantSignal(
                f"{signal.channels[0]}: all {usable} readings of its training part are {readings[0]:g}, so "
                f"the {self.noun} has nothing to learn; choose a preset without a network, or train on a "
                "part that changes"
            )
        try:
            lesson(signal, self.parameters).series.starts(self.parameters.window, self.parameters.horizon)
        except InsufficientData as error:
            return error
        return None

    def keep(self, checkpoints: Checkpoints) -> None:
        """Keep trainings to go on from; see `KeepsCheckpoints.keep`."""
        self._checkpoints = checkpoints

    def fit(self, signal: Signal, *, progress: Progress | None = None, stop: Stop | None = None) -> Self:
        """Train on the signal; see `Detector.fit`."""
        heard = None if progress is None else lambda _, epoch: progress(epoch)
        for fitted in self.fit_many([signal], progress=heard, stop=stop):
            # Alone, a signal heeds `stop` after its first epoch at the earliest.
            if fitted is not None:
                self.learned, self.history = fitted.learned, fitted.history
        return self

    def fit_many(
        self, signals: Sequence[Signal], *, progress: ProgressOfMany | None = None, stop: Stop | None = None
    ) -> list[Self | None]:
        """Train on many signals in one graph; see `FitsMany.fit_many`."""
        lessons: list[Lesson] = []
        for signal in signals:
            refused = self.refusal(signal)
            if refused is not None:
                raise refused
            lessons.append(lesson(signal, self.parameters))
        series = [each.series for each in lessons]
        schedules = [self.parameters.schedule(each.split) for each in series]
        trained = train_many(
            self.network(),
            series,
            schedules,
            seed=self.seed,
            progress=progress,
            stop=stop,
            checkpoints=self._checkpoints,
        )
        fitted: list[Self | None] = []
        for signal, each, result in zip(signals, lessons, trained, strict=True):
            if result is None:
                fitted.append(None)
                continue
            detector = type(self)(self.parameters, seed=self.seed)
            weights, detector.history = result
            detector.learned = Learned(signal.channels, each.columns, each.scaling, weights)
            fitted.append(detector)
        return fitted

    def score(self, signal: Signal) -> Scores:
        """Score the signal in one pass; see `Detector.score`."""
        return self.score_many([self], [signal])[0]

    def score_many(self, detectors: Sequence[Self], signals: Sequence[Signal]) -> list[Scores]:
        """Score each signal by the detector at its position; see `FitsMany.score_many`.

        Raises
        ------
        ParameterError
            A detector has another network than this one, besides what `score` raises.
        """
        pairs = list(zip(detectors, signals, strict=True))
        network = self.network()
        if any(each.network() != network for each in detectors):
            raise ParameterError(f"{self.name}: detectors with other networks can't be scored in one pass")
        learned = [detector.learned_from(signal) for detector, signal in pairs]
        for detector, signal in pairs:
            if len(signal) <= detector.warmup:
                message = f"{signal.channels[0]}: scoring with the {self.noun}"
                raise InsufficientData(message, needed=detector.warmup + 1, found=len(signal))
        outputs = network.forward(
            [own.weights for own in learned],
            [
                own.inputs(signal, detector.parameters.hold)
                for own, (detector, signal) in zip(learned, pairs, strict=True)
            ],
            [signal.phase for signal in signals],
        )
        return [
            held_against(signal, each, learned=own, parameters=detector.parameters, warmup=detector.warmup)
            for (detector, signal), each, own in zip(pairs, outputs, learned, strict=True)
        ]

    def scaled(self, signal: Signal) -> Floats:
        """Return the (n,) target in scaled units, the unit of the score."""
        return self.learned_from(signal).scaled(signal)

    def save(self, folder: Path) -> None:
        """Write the weights, ``scaling.npz`` and ``parameters.json``."""
        learned = self.learned
        if learned is None:
            raise NotFitted(f"{self.name}: fit it before saving")
        folder.mkdir(parents=True, exist_ok=True)
        self._save_weights(learned.weights, folder)
        learned.scaling.save(folder / "scaling.npz")
        content = {
            "method": self.name,
            "seed": self.seed,
            "channels": list(learned.channels),
            "columns": list(learned.columns),
            "parameters": asdict(self.parameters),
        }
        write_json(folder / "parameters.json", content)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; see `Detector.load`."""
        content = read_json(folder / "parameters.json", cls.name)
        try:
            parameters: Any = cls.parameters_of(**content["parameters"])
            detector = cls(parameters, seed=content["seed"])
            channels = tuple(content["channels"])
            # Models of the first release read all channels and did not say so.
            columns = tuple(content.get("columns", range(len(channels))))
        except (KeyError, TypeError, ParameterError) as error:
            raise ArtifactError(f"{folder}: parameters are incomplete ({error})") from error
        scaling = Scaling.load(folder / "scaling.npz")
        weights = detector._load_weights(folder)
        detector.learned = Learned(channels, columns, scaling, weights)
        return detector

    def learned_from(self, signal: Signal) -> Learned:
        """Return what was learned, if it was from such a signal.

        Raises
        ------
        NotFitted, ParameterError
            Nothing was learned, or from other channels.
        """
        learned = self.learned
        if learned is None:
            raise NotFitted(f"{signal.channels[0]}: the {self.noun} was not trained yet")
        if signal.channels != learned.channels:
            raise ParameterError(
                f"{signal.channels[0]}: the {self.noun} was trained on the channels "
                f"{', '.join(learned.channels)}"
            )
        return learned
