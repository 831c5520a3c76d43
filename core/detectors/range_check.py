"""What a person checks first: beyond any reading, jump or standstill that the training part knows.

Raw readings, unsmoothed, so that a single-sample spike on a channel that never changed is seen. The score is
a ratio: 1 is as extreme as training ever was.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar, Final, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from core.detectors.folders import read_json, write_json
from core.errors import ArtifactError, InsufficientData, NotFitted, ParameterError
from core.quality.masks import unchanged_runs
from core.results import Mode, Scores
from core.signal import Floats, Signal

Check = Literal["range", "spike", "standstill"]
"""``range``: distance from the middle of all readings; ``spike``: step from one reading to the next;
``standstill``: readings in a row that are equal."""

CHECKS: Final[tuple[Check, ...]] = get_args(Check)

MOST: Final = 1e4
"""Ratios beyond this are equally extreme: what never changed has no size to be divided by."""


@dataclass(frozen=True)
class RangeCheckParameters:
    """Parameters of the checks.

    Parameters
    ----------
    checks
        Which are made; the score is the largest of their ratios.
    shortest_standstill
        Equal readings in a row that are not worth a word, however lively the training part was.
    longest_standstill
        Readings in a row that are counted at most.
    still_share
        A training part that stood still for this share of its time is one of a channel that rests: its
        standstills say nothing.

    Raises
    ------
    ParameterError
        A parameter is outside its range.
    """

    checks: tuple[Check, ...] = CHECKS
    shortest_standstill: int = 20
    longest_standstill: int = 5000
    still_share: float = 0.25

    def __post_init__(self) -> None:
        object.__setattr__(self, "checks", tuple(self.checks))
        if not self.checks or not set(self.checks) <= set(CHECKS):
            raise ParameterError(f"range check: checks must be some of {', '.join(CHECKS)}: {self.checks}")
        if not 1 <= self.shortest_standstill <= self.longest_standstill or not 0 < self.still_share <= 1:
            raise ParameterError(f"range check: standstill or still_share out of range: {self}")


@dataclass(frozen=True)
class _Extremes:
    """What training reached: all finite, in the unit of the target or in steps."""

    middle: float
    reach: float
    step: float
    standstill: int
    rests: bool
    channels: tuple[str, ...]


class RangeCheck:
    """Ratios of a reading to the extremes of the training part.

    Parameters
    ----------
    parameters
        See `RangeCheckParameters`.
    """

    name: ClassVar[str] = "range-check"
    title: ClassVar[str] = "Range, spike and standstill"
    mode: ClassVar[Mode] = "causal"

    def __init__(self, parameters: RangeCheckParameters | None = None) -> None:
        self.parameters = parameters or RangeCheckParameters()
        self._extremes: _Extremes | None = None

    @property
    def needed(self) -> int:
        """Usable steps that fitting needs: two make a step."""
        return 2

    @property
    def warmup(self) -> int:
        """None: the first reading can be out of range."""
        return 0

    @property
    def memory(self) -> int:
        """The longest standstill that is counted."""
        return self.parameters.longest_standstill

    def fit(self, signal: Signal, *, progress: object = None, stop: object = None) -> Self:
        """Note the extremes; see `Detector.fit`. There are no epochs to report."""
        del progress, stop
        readings = signal.target[signal.valid & np.isfinite(signal.target)].astype(np.float64)
        if readings.size < self.needed:
            raise InsufficientData(
                f"{signal.channels[0]}: noting the extremes of training",
                needed=self.needed,
                found=readings.size,
            )
        low, high, p = float(readings.min()), float(readings.max()), self.parameters
        standstill = int(unchanged_runs(readings.astype(np.float32)).max())
        self._extremes = _Extremes(
            middle=(low + high) / 2,
            reach=(high - low) / 2,
            step=float(np.abs(np.diff(readings)).max()),
            standstill=max(standstill, p.shortest_standstill),
            rests=standstill > p.still_share * readings.size,
            channels=signal.channels,
        )
        return self

    def score(self, signal: Signal) -> Scores:
        """Return the ratios; see `Detector.score`."""
        extremes, n = self._fitted(), len(signal)
        if signal.channels != extremes.channels:
            raise ParameterError(
                f"{signal.channels[0]}: the extremes are of the channels {', '.join(extremes.channels)}"
            )
        if n < 1:
            raise InsufficientData(f"{signal.channels[0]}: checking its range", needed=1, found=0)
        known = np.flatnonzero(signal.valid & np.isfinite(signal.target))
        readings = signal.target[known].astype(np.float64)
        ratios = np.zeros(known.size)
        if "range" in self.parameters.checks:
            ratios = np.maximum(ratios, _ratio(np.abs(readings - extremes.middle), extremes.reach))
        if "spike" in self.parameters.checks and known.size:
            steps = np.abs(np.diff(readings, prepend=readings[:1]))
            ratios = np.maximum(ratios, _ratio(steps, extremes.step))
        if "standstill" in self.parameters.checks and known.size and not extremes.rests:
            still = np.minimum(
                unchanged_runs(signal.target[known]).astype(np.float64), self.parameters.longest_standstill
            )
            ratios = np.maximum(ratios, still / extremes.standstill)
        values = np.full(n, np.nan, np.float32)
        values[known] = ratios
        unknown = np.full(n, np.nan, np.float32)
        return Scores(signal.timestamps, values, unknown, None, self.mode)

    def scaled(self, signal: Signal) -> Floats:
        """Return the (n,) distance of the target from the middle of training, in reaches of training."""
        extremes = self._fitted()
        away = signal.target.astype(np.float64) - extremes.middle
        scaled: Floats = np.clip(away / (extremes.reach or 1.0), -MOST, MOST).astype(np.float32)
        return scaled

    def save(self, folder: Path) -> None:
        """Write ``parameters.json``."""
        extremes = asdict(self._fitted())
        content = {"method": self.name, "parameters": asdict(self.parameters), "extremes": extremes}
        write_json(folder / "parameters.json", content)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; see `Detector.load`."""
        content = read_json(folder / "parameters.json", cls.name)
        try:
            detector = cls(RangeCheckParameters(**content["parameters"]))
            extremes = content["extremes"]
            detector._extremes = _Extremes(**extremes | {"channels": tuple(extremes["channels"])})
        except (KeyError, TypeError, ParameterError) as error:
            raise ArtifactError(f"{folder}: parameters.json is incomplete ({error})") from error
        return detector

    def _fitted(self) -> _Extremes:
        if self._extremes is None:
            raise NotFitted("the extremes of the training part were not noted yet: fit first")
        return self._extremes


def _ratio(sizes: NDArray[np.float64], largest: float) -> NDArray[np.float64]:
    """Return sizes in multiples of the largest of training; where that is 0, any size is `MOST`."""
    if largest > 0:
        return np.minimum(sizes / largest, MOST)
    return np.where(sizes > 0, MOST, 0.0)
