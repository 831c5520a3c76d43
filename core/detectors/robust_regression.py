"""The robust statistical detector: the target explained by its context, strange where that fails.

Closed form, causal, and trained in a tenth of a second: what a sensor is judged by while it has no trained
model. A Huber regression on present and lagged context predicts the target; without context, the time of
day does, or the level alone. Residuals are held against their robust deviation in the same operating state.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar, Final, Self

import numpy as np
from numpy.typing import NDArray

from core.detectors import evidence, huber
from core.detectors.context_features import ContextFeatures
from core.detectors.folders import read_arrays, read_json, write_arrays, write_json
from core.errors import ArtifactError, InsufficientData, NotFitted, ParameterError
from core.networks.training import Progress, Stop
from core.quality.masks import finite
from core.results import Mode, Scores
from core.signal import Floats, Signal

SEASON_DAYS: Final = 7
"""Days of training from which the time of day explains a sensor without context."""

SCARCE: Final = 100
"""Steps a column below which the penalty is chosen, and residuals measured, on what was not fitted."""

PENALTIES: Final = (1.0, 100.0, 1e4, 1e9)
"""Choices there; the last one leaves the level alone."""

_FEATURES: Final = ("switches", "stands", "centre", "scale", "low", "high", "bar")


@dataclass(frozen=True)
class RobustParameters:
    """Parameters of the robust statistical detector.

    Parameters
    ----------
    time_constants
        Steps in which lagged context follows.
    penalty
        Ridge penalty, in steps' worth of data.
    rows
        Most training steps that the weights are fitted to, evenly spaced.
    settle
        Steps after a switch during which the machine counts as changing its state.
    hold
        Steps for which the last reading of a context channel stands in for a missing one.
    least_steps
        Usable training steps below which it refuses.

    Raises
    ------
    ParameterError
        A parameter is outside its range.
    """

    time_constants: tuple[float, ...] = (3.0, 10.0, 30.0, 60.0, 180.0)
    penalty: float = 1.0
    rows: int = 12_000
    settle: int = 90
    hold: int = 30
    least_steps: int = 120

    def __post_init__(self) -> None:
        object.__setattr__(self, "time_constants", tuple(self.time_constants))
        if not self.time_constants or min(self.time_constants) <= 0 or self.penalty <= 0:
            raise ParameterError(f"robust regression: time constants and penalty must be positive: {self}")
        if min(self.rows, self.least_steps) < 2 or min(self.settle, self.hold) < 0:
            raise ParameterError(f"robust regression: rows, settle, hold or least_steps too small: {self}")


@dataclass(frozen=True, eq=False)
class _Learned:
    features: ContextFeatures
    weights: NDArray[np.float64]
    deviations: NDArray[np.float64]
    references: NDArray[np.float64]
    repeats: float
    longest: float
    channels: tuple[str, ...]


class RobustRegression:
    """The detector; its score is the strongest kind of evidence of `core.detectors.evidence`.

    Parameters
    ----------
    parameters
        See `RobustParameters`.
    """

    name: ClassVar[str] = "robust-regression"
    title: ClassVar[str] = "Robust statistical detector"
    mode: ClassVar[Mode] = "causal"

    def __init__(self, parameters: RobustParameters | None = None) -> None:
        self.parameters = parameters or RobustParameters()
        self._learned: _Learned | None = None

    @property
    def needed(self) -> int:
        """Usable steps that fitting needs."""
        return self.parameters.least_steps

    @property
    def warmup(self) -> int:
        """Steps until averages have begun to average."""
        return 60

    @property
    def memory(self) -> int:
        """Eight of the longest time constants: what lay before weighs less than a thousandth."""
        return int(8 * max(*self.parameters.time_constants, 120))

    @property
    def plenty(self) -> int:
        """Training steps up to which it judged by errors on what was not fitted, as its own said too little.

        Raises
        ------
        NotFitted
            Before `fit` or `load`.
        """
        if self._learned is None:
            raise NotFitted("robust regression: how many steps are plenty is known once it is fitted")
        return _plenty(self._learned.weights.size, self.parameters)

    def fit(self, signal: Signal, *, progress: Progress | None = None, stop: Stop | None = None) -> Self:
        """Fit the regression and what its residuals reach; see `Detector.fit`. It has no epochs."""
        del progress, stop
        p, name = self.parameters, signal.channels[0]
        steps = np.flatnonzero(signal.valid)
        if steps.size < p.least_steps:
            raise InsufficientData(
                f"{name}: fitting the statistical detector", needed=p.least_steps, found=int(steps.size)
            )
        seasons = len(signal.channels) == 1 and (steps.size * signal.interval).days >= SEASON_DAYS
        features = ContextFeatures.of(signal, time_constants=p.time_constants, daily=seasons, hold=p.hold)
        columns, target = features.matrix(signal), signal.target.astype(np.float64)
        rows = steps[:: -(-steps.size // p.rows)]
        residuals, penalty = np.full(target.size, np.nan), p.penalty
        scarce = steps.size <= _plenty(columns.shape[1], p)
        if scarce:
            penalty, residuals[steps] = huber.cross_fitted(columns[steps], target[steps], PENALTIES)
        weights = huber.fit(columns[rows], target[rows], penalty)
        if not scarce:
            residuals[steps] = target[steps] - columns[steps] @ weights
        floor = _floor(target[steps])
        states = self._states(features, signal)
        deviations = np.array([_deviation(residuals[states == state]) for state in range(evidence.STATES)])
        whole = max(_deviation(residuals), floor)
        deviations = np.where(np.isfinite(deviations), np.maximum(deviations, 0.5 * whole), 3.0 * whole)
        repeats, longest = evidence.repeats_of(signal.target[steps])
        found = evidence.measure(residuals / deviations[states], signal.target, repeats, longest)
        self._learned = _Learned(
            features,
            weights,
            deviations,
            evidence.references(found, self.warmup, states),
            repeats,
            longest,
            signal.channels,
        )
        return self

    def score(self, signal: Signal) -> Scores:
        """Score the signal; see `Detector.score`."""
        learned = self._fitted(signal)
        if len(signal) <= self.warmup:
            raise InsufficientData(
                f"{signal.channels[0]}: scoring with the statistical detector",
                needed=self.warmup + 1,
                found=len(signal),
            )
        expected = learned.features.matrix(signal) @ learned.weights
        states = self._states(learned.features, signal)
        residuals = np.where(signal.valid & finite(signal.target), signal.target - expected, np.nan)
        found = evidence.measure(
            residuals / learned.deviations[states], signal.target, learned.repeats, learned.longest
        )
        values = found.strongest(learned.references, states)
        values[: self.warmup] = np.nan
        return Scores(
            timestamps=signal.timestamps,
            values=np.minimum(values, 1e6).astype(np.float32),
            expected=expected.astype(np.float32),
            shares=None,
            mode=self.mode,
        )

    def scaled(self, signal: Signal) -> Floats:
        """Return the (n,) target in robust deviations of its residual, per unit of the spike evidence."""
        learned = self._fitted(signal)
        unit = learned.deviations[0] * learned.references[0, 0]
        scaled: Floats = np.clip(signal.target / unit, -1e30, 1e30).astype(np.float32)
        return scaled

    def save(self, folder: Path) -> None:
        """Write ``parameters.json`` and ``learned.npz``."""
        if self._learned is None:
            raise NotFitted("robust regression: fit it before saving")
        learned, features = self._learned, self._learned.features
        content = {"method": self.name, "channels": list(learned.channels), "daily": features.daily}
        content |= {"repeats": learned.repeats, "longest": learned.longest}
        write_json(folder / "parameters.json", content | {"parameters": asdict(self.parameters)})
        arrays = {name: getattr(features, name) for name in _FEATURES}
        arrays |= {name: getattr(learned, name) for name in ("weights", "deviations", "references")}
        write_arrays(folder / "learned.npz", arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; see `Detector.load`."""
        content = read_json(folder / "parameters.json", cls.name)
        arrays = read_arrays(folder / "learned.npz", (*_FEATURES, "weights", "deviations", "references"))
        try:
            detector = cls(RobustParameters(**content["parameters"]))
            p = detector.parameters
            features = ContextFeatures(
                **{name: arrays[name] for name in _FEATURES},
                time_constants=p.time_constants,
                daily=bool(content["daily"]),
                hold=p.hold,
            )
            detector._learned = _Learned(
                features,
                arrays["weights"],
                arrays["deviations"],
                arrays["references"],
                float(content["repeats"]),
                float(content["longest"]),
                tuple(content["channels"]),
            )
        except (KeyError, TypeError, ParameterError) as error:
            raise ArtifactError(f"{folder}: parameters are incomplete ({error})") from error
        return detector

    def _states(self, features: ContextFeatures, signal: Signal) -> NDArray[np.int64]:
        """Return (n,) 0 while the machine runs, 1 while it stands, 2 while it has just changed."""
        switches = features.states(signal)
        n, count = switches.shape
        if not 0 < count <= 2:
            return np.zeros(n, dtype=np.int64)
        steps = np.arange(n)
        changed = np.zeros(n, dtype=np.bool_)
        changed[1:] = (switches[1:] != switches[:-1]).any(axis=1)
        last = np.maximum.accumulate(np.where(changed, steps, -self.parameters.settle - 1))
        standing = np.where(switches.all(axis=1), 0, 1)
        return np.where(steps - last <= self.parameters.settle, 2, standing)

    def _fitted(self, signal: Signal) -> _Learned:
        if self._learned is None:
            raise NotFitted(f"{signal.channels[0]}: the statistical detector was not fitted yet")
        if signal.channels != self._learned.channels:
            raise ParameterError(
                f"{signal.channels[0]}: the statistical detector was fitted on the channels "
                f"{', '.join(self._learned.channels)}"
            )
        return self._learned


def _plenty(columns: int, p: RobustParameters) -> int:
    """Return the steps that leave no doubt of the weights of so many columns."""
    return min(SCARCE * columns, p.rows)


def _deviation(residuals: NDArray[np.float64]) -> float:
    """Return the robust deviation of the finite residuals around 0; NaN for fewer than 50 of them."""
    known = np.abs(residuals[np.isfinite(residuals)])
    return 1.4826 * float(np.median(known)) if known.size >= 50 else float("nan")


def _floor(target: NDArray[np.float64]) -> float:
    """Return the least deviation: a tenth of the sensor's finest step, or 0.1 % of a constant's value."""
    changes = np.abs(np.diff(target))
    changes = changes[changes > 0]
    if changes.size == 0:
        return 1e-3 * max(abs(float(target[0])), 1.0)
    return max(0.1 * float(changes.min()), 1e-9 * float(np.abs(target).max()), 1e-30)
