"""An echo state network: a fixed random reservoir of memory with a least-squares readout for each sensor.

Source: Jaeger, "The echo state approach to analysing and training recurrent neural networks", GMD report
148, 2001; ridge readout as in Lukosevicius, "A Practical Guide to Applying Echo State Networks", 2012. The
reservoir is the same for all sensors; only the readout is learned, in closed form, so that a sensor
takes a tenth of a second and the same seed gives the same model.
"""

from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, Final, Self

import numpy as np
from numpy.typing import NDArray

from core.detectors.folders import read_arrays, read_json, write_arrays, write_json
from core.detectors.scaling import Scaling
from core.detectors.smoothing import ewma
from core.errors import ArtifactError, InsufficientData, NotFitted, ParameterError
from core.imputation.hold import hold_last
from core.networks.training import Progress, Stop
from core.results import Mode, Scores
from core.signal import Floats, Signal

CHUNK: Final = 512
"""Steps that one row of states covers; rows run side by side, each after `washout` steps of its own past."""

INPUT_LIMIT: Final = 3.0
TARGET_LIMIT: Final = 1e3

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class ReservoirParameters:
    """Parameters of the reservoir and its readout.

    Parameters
    ----------
    units, radius, leak
        Nodes, spectral radius of their connections, and the share of each state that is renewed a step.
    drive, context_drive
        Reach of the random input weights of the target, and how much weaker those of the context are.
    ridge
        Penalty of the readout for each training step, on all of its weights, the bias included.
    washout
        Steps after which a state no longer depends on where it began.
    span
        Span in steps of the moving average over absolute errors; 1 for none.
    hold
        Steps for which the last reading stands in for a missing one.

    Raises
    ------
    ParameterError
        A parameter is outside its range.
    """

    units: int = 150
    radius: float = 0.9
    leak: float = 0.5
    drive: float = 0.5
    context_drive: float = 0.5
    ridge: float = 1e-2
    washout: int = 200
    span: float = 5.0
    hold: int = 30

    def __post_init__(self) -> None:
        if min(self.units, self.washout) < 1 or self.hold < 0 or self.span < 1:
            raise ParameterError(f"reservoir: units, washout, span or hold out of range: {self}")
        if not 0 < self.radius < 1 or not 0 < self.leak <= 1:
            raise ParameterError(f"reservoir: radius must lie in (0, 1) and leak in (0, 1]: {self}")
        if self.drive <= 0 or self.context_drive < 0 or self.ridge <= 0:
            raise ParameterError(f"reservoir: drive, context_drive or ridge out of range: {self}")


@dataclass(frozen=True, eq=False)
class _Learned:
    scaling: Scaling
    deviation: float
    readout: Doubles
    normal: Floats
    channels: tuple[str, ...]


class Reservoir:
    """The echo state detector; its score is the smoothed absolute error of the next value.

    Errors are in standard deviations of the target while training, or in scaled units where it never changed.

    Parameters
    ----------
    parameters
        See `ReservoirParameters`.
    seed
        Draws the reservoir.
    """

    name: ClassVar[str] = "reservoir"
    title: ClassVar[str] = "Echo state network"
    mode: ClassVar[Mode] = "causal"

    def __init__(self, parameters: ReservoirParameters | None = None, *, seed: int = 0) -> None:
        self.parameters = parameters or ReservoirParameters()
        self.seed = seed
        self._learned: _Learned | None = None

    @property
    def needed(self) -> int:
        """Usable steps that fitting needs: the washout and some more."""
        return self.parameters.washout + 60

    @property
    def warmup(self) -> int:
        """The first step, which nothing predicts."""
        return 1

    @property
    def memory(self) -> int:
        """The washout and five spans of smoothing."""
        return self.parameters.washout + int(5 * self.parameters.span)

    @property
    def normal(self) -> Floats:
        """(m,) smoothed errors on the training part after the washout, in order of time; no NaN."""
        return self._fitted().normal

    def fit(self, signal: Signal, *, progress: Progress | None = None, stop: Stop | None = None) -> Self:
        """Solve for the readout; see `Detector.fit`. There are no epochs to report."""
        del progress
        p, usable = self.parameters, int(signal.valid.sum())
        if usable < self.needed:
            raise InsufficientData(
                f"{signal.channels[0]}: fitting a reservoir's readout", needed=self.needed, found=usable
            )
        scaling = Scaling.of(signal)
        inputs, target = self._inputs(signal, scaling)
        states = self._states(inputs, 0, stop)
        learned_from = signal.valid.copy()
        learned_from[: min(p.washout, learned_from.size // 2)] = False
        rows = np.flatnonzero(learned_from[1:]) + 1
        design, wanted = states[rows - 1], target[rows]
        penalty = p.ridge * rows.size * np.eye(design.shape[1])
        readout = np.asarray(np.linalg.solve(design.T @ design + penalty, design.T @ wanted), np.float64)
        known = target[signal.valid]
        # The mean of equal numbers may differ from them by rounding: their deviation is not always 0.
        deviation = float(known.std()) if np.ptp(known) > 0 else 1.0
        errors = np.abs(wanted - design @ readout) / deviation
        normal = ewma(errors, p.span).astype(np.float32)
        self._learned = _Learned(scaling, deviation, readout, normal, signal.channels)
        return self

    def score(self, signal: Signal) -> Scores:
        """Score the signal in one pass; see `Detector.score`."""
        learned, p, n = self._fitted(), self.parameters, len(signal)
        if signal.channels != learned.channels:
            raise ParameterError(
                f"{signal.channels[0]}: the reservoir knows the channels {', '.join(learned.channels)}"
            )
        if n <= self.warmup:
            raise InsufficientData(
                f"{signal.channels[0]}: predicting with a reservoir", needed=self.warmup + 1, found=n
            )
        inputs, _ = self._inputs(signal, learned.scaling)
        predicted = np.full(n, np.nan)
        predicted[1:] = (self._states(inputs, signal.phase) @ learned.readout)[:-1]
        blind = np.isnan(hold_last(signal.target, p.hold))
        predicted[1:][blind[:-1]] = np.nan
        errors = np.abs(learned.scaling.apply(signal.values, TARGET_LIMIT)[:, 0] - predicted)
        errors[~signal.valid] = np.nan
        expected = predicted * learned.scaling.scale[0] + learned.scaling.centre[0]
        return Scores(
            timestamps=signal.timestamps,
            values=(ewma(errors, p.span) / learned.deviation).astype(np.float32),
            expected=expected.astype(np.float32),
            shares=None,
            mode=self.mode,
        )

    def scaled(self, signal: Signal) -> Floats:
        """Return the (n,) target in training standard deviations, the unit of the errors."""
        learned = self._fitted()
        scaled = learned.scaling.apply(signal.values, TARGET_LIMIT)[:, 0] / np.float32(learned.deviation)
        return scaled.astype(np.float32)

    def save(self, folder: Path) -> None:
        """Write ``readout.npz``, ``scaling.npz`` and ``parameters.json``; the reservoir is drawn again."""
        learned = self._fitted()
        write_arrays(folder / "readout.npz", {"readout": learned.readout, "normal": learned.normal})
        learned.scaling.save(folder / "scaling.npz")
        content = {"method": self.name, "seed": self.seed, "deviation": learned.deviation}
        content |= {"channels": list(learned.channels), "parameters": asdict(self.parameters)}
        write_json(folder / "parameters.json", content)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; see `Detector.load`."""
        content = read_json(folder / "parameters.json", cls.name)
        arrays = read_arrays(folder / "readout.npz", ("readout", "normal"))
        try:
            detector = cls(ReservoirParameters(**content["parameters"]), seed=content["seed"])
            channels, deviation = tuple(content["channels"]), float(content["deviation"])
        except (KeyError, TypeError, ValueError, ParameterError) as error:
            raise ArtifactError(f"{folder}: parameters are incomplete ({error})") from error
        if arrays["readout"].shape != (detector.parameters.units + len(channels) + 1,):
            raise ArtifactError(f"{folder}: readout.npz is not of the reservoir that its parameters name")
        scaling = Scaling.load(folder / "scaling.npz")
        detector._learned = _Learned(scaling, deviation, arrays["readout"], arrays["normal"], channels)
        return detector

    def _inputs(self, signal: Signal, scaling: Scaling) -> tuple[Doubles, Doubles]:
        """Return (n, channels) inputs without NaN and the (n,) target, both in scaled units."""
        filled = hold_last(signal.values, self.parameters.hold)
        inputs = np.nan_to_num(scaling.apply(filled, INPUT_LIMIT).astype(np.float64))
        target = np.nan_to_num(scaling.apply(signal.values, TARGET_LIMIT)[:, 0].astype(np.float64))
        return inputs, target

    def _states(self, inputs: Doubles, phase: int, stop: Stop | None = None) -> Doubles:
        """Return (n, units + channels + 1): the state after each step, that step's inputs, and a one.

        The sequence is cut on an absolute grid into chunks that run side by side, so a state does not depend
        on where the signal was cut, and no state on later steps.
        """
        p, n = self.parameters, inputs.shape[0]
        weights, entry, bias = _drawn(p, inputs.shape[1], self.seed)
        driven = inputs @ entry + bias
        starts = np.arange(-(phase % CHUNK), n, CHUNK)
        steps = np.arange(-p.washout, CHUNK)
        places = np.clip(starts[None, :] + steps[:, None], 0, n - 1)
        state = np.zeros((starts.size, p.units))
        states = np.empty((n, p.units + inputs.shape[1] + 1))
        for step, place in zip(steps, places, strict=True):
            if stop is not None:
                stop()
            state = (1 - p.leak) * state + p.leak * np.tanh(driven[place] + state @ weights)
            if step >= 0:
                inside = (starts + step >= 0) & (starts + step < n)
                states[place[inside], : p.units] = state[inside]
        states[:, p.units : -1], states[:, -1] = inputs, 1.0
        return states

    def _fitted(self) -> _Learned:
        if self._learned is None:
            raise NotFitted("the reservoir's readout was not fitted yet")
        return self._learned


@lru_cache(maxsize=64)
def _drawn(p: ReservoirParameters, channels: int, seed: int) -> tuple[Doubles, Doubles, Doubles]:
    """Return the reservoir's connections, its input weights and its bias; alike for sensors of any width."""
    rng = np.random.default_rng([seed, p.units])
    density = min(1.0, 10.0 / p.units)
    weights = rng.normal(size=(p.units, p.units)) * (rng.random((p.units, p.units)) < density)
    weights *= p.radius / max(float(np.abs(np.linalg.eigvals(weights)).max()), 1e-12)
    bias = rng.uniform(-p.drive, p.drive, p.units)
    entry = rng.uniform(-p.drive, p.drive, (channels, p.units))
    entry[1:] *= p.context_drive
    return weights, entry, bias
