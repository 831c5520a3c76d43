"""A panel of detectors whose decisions are merged: trusted checks alone, all others by agreement.

Each detector's score is brought to one scale, blends of them are judged in many readings, and a step is
abnormal where enough readings call it so, or where a trusted check does. The whole method is chosen by
`benchmarks.smap_msl`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Final, Self

import numpy as np
from numpy.typing import NDArray

from core.detectors.contract import Detector
from core.detectors.folders import read_arrays, read_json, write_arrays, write_json
from core.ensembles.blend import (
    GRID,
    TRAILING,
    Blend,
    Doubles,
    against_past,
    against_whole,
    around,
    before,
    blended,
)
from core.ensembles.parameters import Plain
from core.ensembles.raise_events import Detection
from core.ensembles.remarks import remarks
from core.ensembles.severity import grade
from core.ensembles.sources import load, make
from core.ensembles.votes import (
    Key,
    Voters,
    causal_votes,
    covered,
    levels,
    record_rule,
    review_votes,
    standout_rule,
)
from core.errors import ArtifactError, ConstantSignal, InsufficientData, NotFitted, ParameterError
from core.networks.training import Progress, Stop
from core.results import Event, Mode, Scores
from core.signal import Floats, Mask, Signal
from core.splits import joined
from core.thresholds.intervals import Runs, event, merged, runs
from core.thresholds.record import RecordParameters, broken
from core.thresholds.standout import standing_out, stretches
from core.thresholds.tails import Tail

Steps = NDArray[np.int64]

LEAD: Final = 50
"""Steps at the start of a window that don't tell what is usual."""

PREDICTORS: Final = ("convolution", "lstm", "reservoir")
"""Whose prediction is shown, the first that the panel holds."""


@dataclass(frozen=True)
class PanelParameters:
    """Who sits on a panel, and how it decides.

    Parameters
    ----------
    mode
        ``causal``: a step is judged from the past alone; ``review``: later steps are seen too.
    entries
        Detectors by their names in `core.ensembles.sources`; ``name@span`` averages its errors over that
        span of past steps first.
    voters
        How the blends of their scores are read.
    standstill
        How many times the longest standstill known makes an event of its own; None trusts no check.
    gap
        Events at most this many steps apart are one.
    reach
        Steps back in which a record is looked for; causal mode alone.

    Raises
    ------
    ParameterError
        There is no entry, or a number is out of range.
    """

    mode: Mode
    entries: tuple[str, ...]
    voters: Voters
    standstill: float | None = 2.0
    gap: int = 50
    reach: int = 10_000

    def __post_init__(self) -> None:
        object.__setattr__(self, "entries", tuple(self.entries))
        if not self.entries or len(set(self.entries)) < len(self.entries):
            raise ParameterError(f"panel: entries must be there and differ: {self.entries}")
        if self.gap < 0 or self.reach < 2 or (self.standstill is not None and self.standstill < 1):
            raise ParameterError(f"panel: standstill, gap or reach out of range: {self}")
        names = [entry.partition("@")[0] for entry in self.entries]
        spans = [entry.partition("@")[2] for entry in self.entries if "@" in entry]
        if "standstill" in names or not all(span.isdecimal() and int(span) >= 1 for span in spans):
            raise ParameterError(f"panel: entries are name or name@span, no standstill: {self.entries}")
        if self.mode == "causal" and any(name.endswith("-whole") for name in names):
            raise ParameterError("panel: a causal panel can't hold a detector that sees the whole window")

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the detectors, each once, the trusted check last."""
        names = dict.fromkeys(entry.partition("@")[0] for entry in self.entries)
        return (*names, *(["standstill"] if self.standstill is not None else []))


@dataclass(frozen=True)
class _Learned:
    """What `fit` leaves behind besides the detectors."""

    highest: Mapping[Key, float]
    normals: Mapping[str, Doubles]
    tail: Tail
    remarks: tuple[str, ...]


class Panel:
    """Several detectors and a rule that merges what they say.

    Parameters
    ----------
    parameters
        See `PanelParameters`.
    seed
        Of the detectors that draw random numbers.
    title
        How the panel is called on screen.
    """

    name: ClassVar[str] = "panel"

    def __init__(self, parameters: PanelParameters, *, seed: int = 0, title: str = "Panel") -> None:
        self.panel = parameters
        self.seed = seed
        self.title = title
        self.detectors: dict[str, Detector] = {}
        self._learned: _Learned | None = None

    @property
    def mode(self) -> Mode:
        """Whether it judges a step from the past alone."""
        return self.panel.mode

    @property
    def memory(self) -> int:
        """Steps of past that a judgement may depend on: of scores, what is usual, averages and record."""
        names = self.detectors or {name: make(name, self.seed) for name in self.panel.sources}
        steps = max(one.memory for one in names.values()) + self.panel.reach
        if self.mode == "review":
            return steps
        spans = max(int(entry.partition("@")[2] or 1) for entry in self.panel.entries)
        averaged = 5 * (spans + max(self.panel.voters.smoothing))
        return steps + TRAILING + GRID + averaged + self.panel.voters.longest

    @property
    def remarks(self) -> tuple[str, ...]:
        """Sentences that a person must see about what was fitted."""
        return self._fitted().remarks if self._learned is not None else ()

    def fit(
        self,
        train: Signal,
        calibrate: Signal,
        *,
        progress: Progress | None = None,
        stop: Stop | None = None,
        given: Mapping[str, Detector] | None = None,
    ) -> Self:
        """Fit every detector on both parts; see `Raiser.fit`.

        What needs no second part to be calibrated on learns from both: distances of training windows are
        taken to other windows, and a record has no parameter to fit.

        Parameters
        ----------
        given
            Detectors that were fitted already, by name, such as those trained together with other sensors'.
        """
        signal = joined(train, calibrate)
        self.detectors, refused = {}, {}
        for name in self.panel.sources:
            if given is not None and name in given:
                self.detectors[name] = given[name]
                continue
            try:
                self.detectors[name] = make(name, self.seed).fit(signal, progress=progress, stop=stop)
            except (ConstantSignal, InsufficientData) as error:
                refused[name] = error
        if not any(name != "standstill" for name in self.detectors):
            short = [one for one in refused.values() if isinstance(one, InsufficientData)]
            raise min(short, key=lambda one: one.needed) if short else next(iter(refused.values()))
        normals = self.normals(signal)
        highest, ranked = levels(normals, self.panel.voters, self.mode)
        tail = Tail.of(ranked)
        kept = {entry: one[-TRAILING:] for entry, one in normals.items()}
        self._learned = _Learned(highest, kept, tail, remarks(refused, self.detectors))
        return self

    def detect(self, signal: Signal, *, given: Mapping[str, Scores] | None = None) -> Detection:
        """Score a signal and raise its events; see `Raiser.detect`.

        Parameters
        ----------
        given
            Scores that were made already, by the detector's name.
        """
        learned, n = self._fitted(), len(signal)
        judged = np.flatnonzero(signal.valid & np.isfinite(signal.target))
        scores = self.scores(signal, given or {})
        ratios = self.ratios(scores, judged, signal.phase)
        values, level = np.full(n, np.nan, np.float32), np.full(n, np.nan, np.float32)
        events: tuple[Event, ...] = ()
        if judged.size and ratios:
            blends = {one: blended(list(ratios.values()), one) for one in self.panel.voters.blends}
            spans, still = self._decided(blends, scores, judged, learned)
            ranked, bars = self._ranking(blends, learned)
            ranked = np.maximum(ranked, still * bars)
            values[judged], level[judged] = ranked, bars
            events = tuple(
                self._event((int(low), int(high)), ranked, bars, judged, signal)
                for low, high in merged(spans, self.panel.gap)
            )
        predictions = [scores[name].expected for name in PREDICTORS if name in scores]
        expected = predictions[0] if predictions else np.full(n, np.nan, np.float32)
        return Detection(Scores(signal.timestamps, values, expected, None, self.mode), events, level)

    def save(self, folder: Path) -> None:
        """Write every detector into a folder of its own, and ``panel.json``."""
        learned = self._fitted()
        for name, detector in self.detectors.items():
            detector.save(folder / name)
        content = {
            "method": self.name,
            "seed": self.seed,
            "title": self.title,
            "parameters": asdict(self.panel),
            "detectors": {name: detector.name for name, detector in self.detectors.items()},
            "highest": [[blend, steps, value] for (blend, steps), value in learned.highest.items()],
            "tail": asdict(learned.tail),
            "remarks": list(learned.remarks),
        }
        write_json(folder / "panel.json", content)
        write_arrays(folder / "panel.npz", dict(learned.normals))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        ArtifactError
            A file is missing or damaged.
        """
        content = read_json(folder / "panel.json", cls.name)
        try:
            stored: dict[str, Any] = content["parameters"]
            parameters = PanelParameters(**stored | {"voters": Voters(**stored["voters"])})
            panel = cls(parameters, seed=content["seed"], title=content["title"])
            panel.detectors = {name: load(folder / name, m) for name, m in content["detectors"].items()}
            highest: dict[Key, float] = {(b, int(s)): float(v) for b, s, v in content["highest"]}
            held = tuple(entry for entry in parameters.entries if entry.partition("@")[0] in panel.detectors)
            normals = read_arrays(folder / "panel.npz", held)
            panel._learned = _Learned(highest, normals, Tail(**content["tail"]), tuple(content["remarks"]))
        except (AttributeError, KeyError, TypeError, ValueError, ParameterError) as error:
            raise ArtifactError(f"{folder}: panel.json is incomplete ({error})") from error
        return panel

    def parameters(self) -> dict[str, Plain]:
        """Return who sits on the panel and how it decides, by name."""
        told: dict[str, Plain] = {"panel.entries": ", ".join(self.panel.entries), "panel.mode": self.mode}
        for name, value in asdict(self.panel.voters).items():
            told[f"panel.{name}"] = ", ".join(map(str, value)) if isinstance(value, tuple) else value
        standstill = self.panel.standstill if self.panel.standstill is not None else "not trusted"
        return told | {"panel.standstill": standstill, "panel.gap": self.panel.gap}

    def normals(self, signal: Signal) -> dict[str, Doubles]:
        """Return by entry what the detectors say of the training part, in order of time, without NaN."""
        normals: dict[str, Doubles] = {}
        for entry in self.panel.entries:
            name, _, span = entry.partition("@")
            detector = self.detectors.get(name)
            if detector is None:
                continue
            own: Floats | None = getattr(detector, "normal", None)
            said = detector.score(signal).values if own is None else own
            said = said[np.isfinite(said)]
            normals[entry] = before(said.astype(np.float64), int(span or 1))
        return normals

    def scores(self, signal: Signal, given: Mapping[str, Scores]) -> dict[str, Scores]:
        """Return by name what each detector says; one that the signal is too short for says nothing."""
        scores: dict[str, Scores] = {}
        short: list[InsufficientData] = []
        for name, detector in self.detectors.items():
            if name in given:
                scores[name] = given[name]
                continue
            try:
                scores[name] = detector.score(signal)
            except InsufficientData as error:
                short.append(error)
        if not any(name != "standstill" for name in scores):
            raise min(short, key=lambda one: one.needed)
        return scores

    def ratios(self, scores: Mapping[str, Scores], judged: Steps, phase: int) -> dict[str, Doubles]:
        """Return by entry the judged steps' scores in multiples of what is usual."""
        ratios: dict[str, Doubles] = {}
        for entry in self.panel.entries:
            name, _, span = entry.partition("@")
            if name in scores:
                said = np.nan_to_num(scores[name].values[judged].astype(np.float64))
            elif name in self.detectors and self.mode == "causal":
                # It would be warming up in a longer signal: what follows must make no difference.
                said = np.zeros(judged.size)
            else:
                continue
            said = before(said, int(span or 1))
            if self.mode == "review":
                ratios[entry] = against_whole(said, LEAD)
            else:
                ratios[entry] = against_past(said, self._fitted().normals[entry], phase + judged)
        return ratios

    def _decided(
        self, blends: Mapping[Blend, Doubles], scores: Mapping[str, Scores], judged: Steps, learned: _Learned
    ) -> tuple[Runs, Doubles]:
        """Return the runs of judged steps called abnormal, and the trusted check's score in its own bars."""
        voters = self.panel.voters
        if self.mode == "review":
            votes = review_votes(blends, voters)
        else:
            votes = causal_votes(blends, learned.highest, voters, self.panel.reach)
        abnormal = votes >= voters.share
        alone, still = self.trusted(scores, judged)
        abnormal |= alone
        return runs(abnormal), still

    def trusted(self, scores: Mapping[str, Scores], judged: Steps) -> tuple[Mask, Doubles]:
        """Return the judged steps that the trusted check calls abnormal, and its score in its own bars."""
        p, said, n = self.panel, scores.get("standstill"), judged.size
        if said is None or p.standstill is None:
            return np.zeros(n, np.bool_), np.zeros(n)
        still = np.nan_to_num(said.values[judged].astype(np.float64))
        # A standstill grows by one a step: without a lag it would be its own record and never break one.
        most = p.voters.longest
        rule = RecordParameters(p.standstill, 1.0, 0, 0.5, longest=most, reach=p.reach, lag=most // 2)
        found, bars = broken(still, 1.0, rule)
        alone = covered([(one.start, one.end) for one in found], n)
        return alone, np.where(alone, still / bars, 0.0)

    def _ranking(self, blends: Mapping[Blend, Doubles], learned: _Learned) -> tuple[Doubles, Doubles]:
        """Return the score that is shown and the bar it is shown against, both of the middle reading."""
        voters, reach, (blend, steps) = self.panel.voters, self.panel.reach, self.panel.voters.middle
        factors, releases = sorted(voters.factors), sorted(voters.releases)
        factor, release = factors[len(factors) // 2], releases[len(releases) // 2]
        if self.mode == "causal":
            scores = before(blends[blend], steps)
            rule = record_rule(voters, factor, release, reach)
            return scores, broken(scores, max(voters.floors) * learned.highest[voters.middle], rule)[1]
        scores = around(blends[blend], steps)
        found = stretches(scores, standout_rule(voters, release))
        kept = standing_out(found, factor)
        rest = kept[-1].rest if kept else found[0].height if found else float(scores.max())
        return scores, np.full(scores.size, factor * rest)

    def _event(
        self, span: tuple[int, int], ranked: Doubles, bars: Doubles, judged: Steps, signal: Signal
    ) -> Event:
        low, high = span
        learned = self._fitted()
        at = low + int(np.argmax(ranked[low:high]))
        peak = float(ranked[at])
        raised = event(
            int(judged[low]),
            int(judged[high - 1]) + 1,
            int(judged[at]),
            peak_score=peak,
            threshold=min(float(bars[at]), peak),
            probability=learned.tail.share_below(peak, high - low),
            last=int(judged[-1]) + 1,
        )
        usual_peak = max(learned.tail.level(10_000), 1e-9)
        return replace(raised, severity=grade(raised, usual_peak, signal.interval))

    def _fitted(self) -> _Learned:
        if self._learned is None:
            raise NotFitted("the panel was not fitted yet")
        return self._learned
