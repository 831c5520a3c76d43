"""The subspace detector: all channels of a machine on one chart, strange where they leave what they share.

Closed form, causal, and without a target to predict: what suits a machine of several sensors that know of
each other. Channels are scaled robustly and averaged over several spans, so that a slow departure too small
for any one step is seen; each span has a chart of its own, see `core.detectors.control_chart`.
Source: Lowry et al., "A multivariate exponentially weighted moving average control chart", Technometrics 34
(1992).
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar, Final, Self

import numpy as np

from core.detectors.control_chart import ARRAYS, ControlChart, Doubles
from core.detectors.folders import read_arrays, read_json, write_arrays, write_json
from core.detectors.smoothing import ewma
from core.errors import ArtifactError, InsufficientData, NotFitted, ParameterError
from core.imputation.hold import hold_last
from core.networks.training import Progress, Stop
from core.quality.masks import finite
from core.results import Mode, Scores
from core.signal import Floats, Mask, Signal

LIMIT: Final = 15.0
"""Readings beyond so many deviations count alike, so that a spike does not stay in averages for long."""

STILL: Final = 1e-3
"""Deviation of a channel that never changes, as a share of its value: a departure from it has a size."""

_LEAST_DEVIATION: Final = 0.5


@dataclass(frozen=True)
class SubspaceParameters:
    """Parameters of the subspace detector.

    Parameters
    ----------
    spans
        Steps that channels are averaged over, one chart each; 1 takes them as they are.
    kept
        Share of variance that counts as the channels' main directions.
    hold
        Steps for which the last reading of a channel stands in for a missing one.
    least_steps
        Usable training steps below which it refuses.

    Raises
    ------
    ParameterError
        A parameter is outside its range.
    """

    spans: tuple[int, ...] = (1, 5, 30)
    kept: float = 0.95
    hold: int = 30
    least_steps: int = 120

    def __post_init__(self) -> None:
        object.__setattr__(self, "spans", tuple(self.spans))
        if not self.spans or min(self.spans) < 1 or list(self.spans) != sorted(set(self.spans)):
            raise ParameterError(f"subspace: spans must be at least 1 and increase: {self}")
        if not 0 < self.kept <= 1 or self.hold < 0 or self.least_steps < 2 * self.spans[-1]:
            raise ParameterError(f"subspace: kept, hold or least_steps out of range: {self}")


@dataclass(frozen=True, eq=False)
class _Learned:
    centre: Doubles
    scale: Doubles
    charts: tuple[ControlChart, ...]
    channels: tuple[str, ...]


class Subspace:
    """The detector; its score is the strongest chart's, 1 being what one training step in a thousand exceeds.

    Parameters
    ----------
    parameters
        See `SubspaceParameters`.
    """

    name: ClassVar[str] = "subspace"
    title: ClassVar[str] = "Subspace of all channels"
    mode: ClassVar[Mode] = "causal"

    def __init__(self, parameters: SubspaceParameters | None = None) -> None:
        self.parameters = parameters or SubspaceParameters()
        self._learned: _Learned | None = None

    @property
    def needed(self) -> int:
        """Usable steps that fitting needs."""
        return self.parameters.least_steps

    @property
    def warmup(self) -> int:
        """Steps until the longest average has begun to average."""
        return self.parameters.spans[-1]

    @property
    def memory(self) -> int:
        """Five of the longest span, and the hold: what lay before weighs less than a thousandth."""
        return 5 * self.parameters.spans[-1] + self.parameters.hold

    def fit(self, signal: Signal, *, progress: Progress | None = None, stop: Stop | None = None) -> Self:
        """Learn scales and charts; see `Detector.fit`. It has no epochs."""
        del progress
        p, judged = self.parameters, _judgeable(signal)
        if judged.sum() < p.least_steps:
            raise InsufficientData(
                f"{signal.channels[0]}: fitting the subspace detector",
                needed=p.least_steps,
                found=int(judged.sum()),
            )
        centre, scale = _scales(signal.values[judged].astype(np.float64))
        scaled = self._scaled(signal, centre, scale)
        normal = np.flatnonzero(judged)[self.warmup :]
        charts = []
        for span in p.spans:
            if stop is not None:
                stop()
            charts.append(ControlChart.of(_averaged(scaled, span)[normal], p.kept))
        self._learned = _Learned(centre, scale, tuple(charts), signal.channels)
        return self

    def score(self, signal: Signal) -> Scores:
        """Score the signal; see `Detector.score`. Nothing is predicted, so nothing is expected."""
        learned = self._fitted(signal)
        n = len(signal)
        if n <= self.warmup:
            raise InsufficientData(
                f"{signal.channels[0]}: scoring with the subspace detector", needed=self.warmup + 1, found=n
            )
        scaled = self._scaled(signal, learned.centre, learned.scale)
        values, shares = np.full(n, -1.0), np.zeros(scaled.shape)
        for span, chart in zip(self.parameters.spans, learned.charts, strict=True):
            found, parts = chart.judge(_averaged(scaled, span))
            stronger = found > values
            values = np.where(stronger, found, values)
            shares = np.where(stronger[:, None], parts, shares)
        unjudged = ~_judgeable(signal) | (np.arange(n) < self.warmup)
        values[unjudged], shares[unjudged] = np.nan, np.nan
        return Scores(
            timestamps=signal.timestamps,
            values=np.minimum(values, 1e6).astype(np.float32),
            expected=np.full(n, np.nan, dtype=np.float32),
            shares=shares.astype(np.float32),
            mode=self.mode,
        )

    def scaled(self, signal: Signal) -> Floats:
        """Return the (n,) target in its robust deviations."""
        unit = self._fitted(signal).scale[0]
        scaled: Floats = np.clip(signal.target / unit, -1e30, 1e30).astype(np.float32)
        return scaled

    def save(self, folder: Path) -> None:
        """Write ``parameters.json`` and ``learned.npz``."""
        if self._learned is None:
            raise NotFitted("subspace: fit it before saving")
        content = {"method": self.name, "channels": list(self._learned.channels)}
        write_json(folder / "parameters.json", content | {"parameters": asdict(self.parameters)})
        arrays = {name: np.stack([getattr(one, name) for one in self._learned.charts]) for name in ARRAYS}
        arrays |= {"means": self._learned.centre, "scale": self._learned.scale}
        write_arrays(folder / "learned.npz", arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; see `Detector.load`."""
        content = read_json(folder / "parameters.json", cls.name)
        arrays = read_arrays(folder / "learned.npz", (*ARRAYS, "means", "scale"))
        try:
            detector = cls(SubspaceParameters(**content["parameters"]))
            channels = tuple(content["channels"])
        except (KeyError, TypeError, ParameterError) as error:
            raise ArtifactError(f"{folder}: parameters are incomplete ({error})") from error
        if len(arrays["centre"]) != len(detector.parameters.spans):
            raise ArtifactError(f"{folder}: charts and spans of the subspace detector differ in number")
        charts = tuple(
            ControlChart(**{name: arrays[name][k] for name in ARRAYS}) for k in range(len(arrays["centre"]))
        )
        detector._learned = _Learned(arrays["means"], arrays["scale"], charts, channels)
        return detector

    def _scaled(self, signal: Signal, centre: Doubles, scale: Doubles) -> Doubles:
        """Return (n, channels) readings in deviations, NaN where the target is not judged.

        Time stands still there for all channels: averages of some that go on would lose their relation to
        those that don't. A context channel without a reading for long counts as usual.
        """
        values = hold_last(signal.values, self.parameters.hold).astype(np.float64)
        scaled = np.nan_to_num(np.clip((values - centre) / scale, -LIMIT, LIMIT), nan=0.0)
        scaled[~_judgeable(signal)] = np.nan
        return scaled

    def _fitted(self, signal: Signal) -> _Learned:
        if self._learned is None:
            raise NotFitted(f"{signal.channels[0]}: the subspace detector was not fitted yet")
        if signal.channels != self._learned.channels:
            raise ParameterError(
                f"{signal.channels[0]}: the subspace detector was fitted on the channels "
                f"{', '.join(self._learned.channels)}"
            )
        return self._learned


def _judgeable(signal: Signal) -> Mask:
    """Mark the steps at which the target was read and is fit to be learned from and judged."""
    return signal.valid & finite(signal.target)


def _scales(learned: Doubles) -> tuple[Doubles, Doubles]:
    """Return (channels,) medians and robust deviations; infinite deviation where nothing was ever read."""
    width = learned.shape[1]
    centre, scale = np.zeros(width), np.full(width, np.inf)
    for channel in range(width):
        readings = learned[np.isfinite(learned[:, channel]), channel]
        if readings.size == 0:
            continue
        middle = float(np.median(readings))
        deviation, spread = 1.4826 * float(np.median(np.abs(readings - middle))), float(readings.std())
        # Most readings of a switch are equal, and a rare burst widens the plain deviation: neither will do.
        deviation = max(deviation, _LEAST_DEVIATION * spread) if deviation > 0 else spread
        centre[channel] = middle
        scale[channel] = deviation if deviation > 0 else STILL * max(abs(middle), 1.0)
    return centre, scale


def _averaged(scaled: Doubles, span: int) -> Doubles:
    """Return (n, channels) exponentially weighted means over `span` steps."""
    if span == 1:
        return scaled
    return np.stack([ewma(scaled[:, channel], span) for channel in range(scaled.shape[1])], axis=1)
