"""A fleet judged step by step: what the instant tier knows of each sensor is carried from call to call.

All sensors' arrays are stacked, so that a step is a few products of matrices. It is a smaller panel than the
presets': the reservoir's error and the distances of windows of 50 steps to training windows (figures, and the
figures that tell no level), blended and held against one record, and the checks that are trusted alone, of
standstills and of the relation to context. It leaves out: windows of other lengths and of the sensor's own
past, voters (one reading of the blend decides), what was usual lately (ratios are to training), and the
forgetting of old records.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar, Final, Self

import numpy as np

from core.detectors.discords import DiscordParameters, Discords
from core.detectors.folders import read_arrays, read_json, write_arrays, write_json
from core.detectors.range_check import RangeCheck, RangeCheckParameters
from core.detectors.reservoir import Reservoir, ReservoirParameters
from core.detectors.robust_regression import RobustParameters, RobustRegression
from core.detectors.window_views import View
from core.ensembles.blend import before, blended, usual
from core.ensembles.stream_extents import Extents
from core.ensembles.stream_memory import Carried
from core.ensembles.stream_parts import Doubles, Echoes, Standstills
from core.ensembles.stream_records import Records
from core.ensembles.stream_relations import Relations
from core.ensembles.stream_windows import WINDOW, Windows
from core.ensembles.trusted import Relation, seated
from core.ensembles.votes import LAG
from core.errors import ArtifactError, NotFitted, ParameterError
from core.signal import Floats, Mask, Signal
from core.splits import DECLARED_TRAIN_SHARE
from core.thresholds.record import RecordParameters
from core.thresholds.robust import RobustThresholdParameters

SOURCES: Final = ("reservoir", "figures-50-training", "spread-50-training", "standstill")
"""Who is heard, in the order of `Step.sources`."""

VIEWS: Final[tuple[View, ...]] = ("figures", "spread")


@dataclass(frozen=True)
class StreamParameters:
    """Parameters of a stream.

    Parameters
    ----------
    smoothing
        Span in steps over which the blend is averaged.
    factor, release, floor, longest, lead
        Of the blend's record, see `RecordParameters`.
    standstill
        How many times the record a standstill must be.
    relation
        Share of the target's variance that its context must explain for the check against context to be
        trusted, see `core.ensembles.trusted.seated`.

    Raises
    ------
    ParameterError
        A parameter is outside its range.
    """

    smoothing: int = 10
    factor: float = 1.06
    release: float = 0.8
    floor: float = 1.0
    longest: int = 300
    lead: int = 500
    standstill: float = 2.0
    relation: float = 0.5

    def __post_init__(self) -> None:
        if self.smoothing < 1 or not 0 < self.relation <= 1:
            raise ParameterError(f"stream: smoothing must be at least 1, relation in (0, 1]: {self}")
        _ = self.record, self.trusted

    @property
    def record(self) -> RecordParameters:
        """The rule that the blend is held against."""
        return RecordParameters(
            factor=self.factor,
            floor=self.floor,
            lead=self.lead,
            release=self.release,
            longest=self.longest,
            lag=LAG,
        )

    @property
    def trusted(self) -> RecordParameters:
        """The rule that standstills are held against."""
        return RecordParameters(self.standstill, 1.0, 0, 0.5, longest=self.longest, lag=self.longest // 2)


@dataclass(frozen=True, eq=False)
class Step:
    """What one step says of every sensor.

    Parameters
    ----------
    scores
        (sensors,) in multiples of the bar; NaN where nothing was read.
    alarms
        (sensors,) True while an event runs.
    sources
        (4, sensors) what each of `SOURCES` says; NaN while warming up.
    relations
        (sensors,) what the check against context says in multiples of its bar; NaN where there is none.
    """

    scores: Doubles
    alarms: Mask
    sources: Doubles
    relations: Doubles


@dataclass(frozen=True, eq=False)
class _Sensor:
    """The fitted sources of one sensor, what each usually reaches, and the blend's highest in training."""

    reservoir: Reservoir
    figures: Discords
    spread: Discords
    check: RangeCheck
    relation: Relation | None
    usual: tuple[float, ...]
    highest: float


class Stream:
    """The causal instant tier of a fleet, with its memory.

    Parameters
    ----------
    parameters
        See `StreamParameters`.
    seed
        Draws the reservoir.
    phase
        Position of the first step to come on the absolute grid of the interval.
    """

    name: ClassVar[str] = "stream"

    def __init__(self, parameters: StreamParameters | None = None, *, seed: int = 0, phase: int = 0) -> None:
        self.parameters = parameters or StreamParameters()
        self.seed = seed
        self.phase = phase
        self._reservoir = ReservoirParameters(span=1.0)
        self._check = RangeCheckParameters(checks=("standstill",))
        self._regression = RobustParameters()
        self._warmup = RobustRegression(self._regression).warmup
        self._carried: Carried | None = None

    def fit(self, signals: Sequence[Signal]) -> Self:
        """Learn what is normal in the training part of every sensor; one that is given twice is fitted once.

        The last fifth of it sets the bar of the check against context, which learns from what is before.

        Raises
        ------
        InsufficientData
            A training part is too short for one of the sources.
        ParameterError
            There is no signal.
        """
        if not signals:
            raise ParameterError("stream: there must be at least one sensor")
        p, alike = self.parameters, {one: self._learn(one) for one in dict.fromkeys(signals)}
        each = [alike[one] for one in signals]
        width = max(len(one.channels) for one in signals)
        self._carried = Carried(
            Echoes.of([one.reservoir for one in each], self._reservoir, width),
            Windows.of([one.figures for one in each], [one.spread for one in each], WINDOW),
            Standstills.of([one.check for one in each]),
            Relations.of([one.relation for one in each], self._regression, width - 1),
            Records.above(p.floor * np.array([one.highest for one in each]), p.record.lag),
            Records.above(np.ones(len(each)), p.trusted.lag),
            Extents.above(np.array([one.relation.threshold.level for one in each if one.relation])),
            np.array([one.usual for one in each]).T,
            np.zeros((2, len(each))),
        )
        return self

    @property
    def shape(self) -> tuple[int, int]:
        """Sensors, and channels of the widest."""
        sensors, channels = self._fitted().echoes.centre.shape
        return sensors, channels

    def step(self, readings: Floats) -> Step:
        """Judge one step of every sensor and remember it.

        Parameters
        ----------
        readings
            (sensors, channels) float32, the target first, NaN where nothing valid was read; channels that a
            sensor does not have are not looked at.

        Raises
        ------
        NotFitted, ParameterError
            Before `fit`, or the readings have another shape.
        """
        carried, p = self._fitted(), self.parameters
        if readings.shape != self.shape:
            raise ParameterError(f"stream: readings of shape {readings.shape}, the fleet's is {self.shape}")
        readings = readings.astype(np.float32)
        target, known = readings[:, 0], np.isfinite(readings[:, 0])
        first = int(carried.windows.seen[0]) == 0
        errors = carried.echoes.step(readings, self._reservoir, self.seed, first=first)
        distances = carried.windows.step(target, self.phase)
        still = carried.standstills.step(target, self._check.longest_standstill)
        relations, left = np.full(known.size, np.nan), np.zeros(known.size, np.bool_)
        told, rows = carried.relations.step(readings, self._regression, self._warmup), carried.relations.rows
        relations[rows] = told / carried.leaving.bar
        left[rows] = carried.leaving.step(told, RobustThresholdParameters())
        sources = np.stack([errors, *distances, still])
        sources[:, ~known] = np.nan
        ratios = np.nan_to_num(sources[:3]) / carried.usual
        blend = blended(list(ratios), "geometric")
        decay = 1.0 - 2.0 / (p.smoothing + 1.0) if p.smoothing > 1 else 0.0
        carried.mean = np.where(
            known, decay * carried.mean + np.stack([blend, np.ones(blend.size)]), carried.mean
        )
        smooth = carried.mean[0] / np.maximum(carried.mean[1], 1.0)
        runs, bars = carried.record.step(smooth, known, p.record)
        stuck, still_bars = carried.trusted.step(np.nan_to_num(sources[3]), known, p.trusted)
        scores = np.maximum(smooth / bars, np.where(stuck, still / still_bars, 0.0))
        scores = np.maximum(scores, np.where(left & (relations > 1), relations, 0.0))
        return Step(np.where(known, scores, np.nan), runs | stuck | left, sources, relations)

    def save(self, folder: Path) -> None:
        """Write ``stream.npz``, what was learned and what is remembered, and ``stream.json``."""
        carried = self._fitted()
        write_arrays(folder / "stream.npz", carried.arrays())
        content = {"method": self.name, "parameters": asdict(self.parameters), "seed": self.seed}
        content |= {"phase": self.phase, "reservoir": asdict(self._reservoir), "check": asdict(self._check)}
        content |= {"regression": asdict(self._regression)}
        write_json(folder / "stream.json", content)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; the stream goes on where it was.

        Raises
        ------
        ArtifactError
            A file is missing or damaged.
        """
        content = read_json(folder / "stream.json", cls.name)
        try:
            parameters = StreamParameters(**content["parameters"])
            stream = cls(parameters, seed=int(content["seed"]), phase=int(content["phase"]))
            stream._reservoir = ReservoirParameters(**content["reservoir"])
            stream._check = RangeCheckParameters(**content["check"])
            stream._regression = RobustParameters(**content["regression"])
        except (KeyError, TypeError, ValueError, ParameterError) as error:
            raise ArtifactError(f"{folder}: stream.json is incomplete ({error})") from error
        stream._carried = Carried.of(read_arrays(folder / "stream.npz", Carried.names()))
        return stream

    def _learn(self, signal: Signal) -> _Sensor:
        figures, spread = (
            Discords(DiscordParameters(view=view, window=WINDOW, seeing="training")).fit(signal)
            for view in VIEWS
        )
        reservoir = Reservoir(self._reservoir, seed=self.seed).fit(signal)
        normals = [one.normal.astype(np.float64) for one in (reservoir, figures, spread)]
        size = min(one.size for one in normals)
        normals = [one[one.size - size :] for one in normals]
        levels = tuple(usual(one) for one in normals)
        ratios = [one / level for one, level in zip(normals, levels, strict=True)]
        highest = float(before(blended(ratios, "geometric"), self.parameters.smoothing).max())
        check, cut = RangeCheck(self._check).fit(signal), round(DECLARED_TRAIN_SHARE * len(signal))
        parts = signal.slice(0, cut), signal.slice(cut, len(signal))
        relation, _ = seated(*parts, self.parameters.relation)
        return _Sensor(reservoir, figures, spread, check, relation, levels, highest)

    def _fitted(self) -> Carried:
        if self._carried is None:
            raise NotFitted("the stream was not fitted yet")
        return self._carried
