"""A panel of detectors whose decisions are merged: trusted checks alone, all others by agreement.

Each detector's score is brought to one scale, blends of them are judged in many readings, and a step is
abnormal where enough readings call it so, or where a check of `core.ensembles.trusted` does. The readings
are what `benchmarks.smap_search` chose.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, Self

import numpy as np
from numpy.typing import NDArray

from core.detectors.contract import Detector
from core.detectors.folders import read_arrays, read_json, write_arrays, write_json
from core.detectors.robust_regression import RobustRegression
from core.ensembles.blend import (
    TRAILING,
    Blend,
    Doubles,
    against_past,
    against_whole,
    before,
    blended,
)
from core.ensembles.members import fitted
from core.ensembles.panel_parameters import PanelParameters
from core.ensembles.parameters import Plain
from core.ensembles.raise_events import Detection
from core.ensembles.ranking import Ranking
from core.ensembles.remarks import remarks
from core.ensembles.sources import load, make
from core.ensembles.trusted import (
    RELATION,
    STANDSTILL,
    TRUSTED,
    Alarms,
    Relation,
    leaving_context,
    seated,
    standing_still,
)
from core.ensembles.unsettled import longest_window, unsettled
from core.ensembles.votes import (
    Key,
    Voters,
    causal_votes,
    levels,
    review_votes,
)
from core.errors import ArtifactError, ConstantSignal, InsufficientData, NotFitted, ParameterError
from core.networks.training import Progress, Stop
from core.results import Event, Mode, Scores
from core.signal import Floats, Signal
from core.splits import joined
from core.thresholds.intervals import Runs, merged, runs
from core.thresholds.said import Said
from core.thresholds.tails import Tail

Steps = NDArray[np.int64]

LEAD: Final = 50
"""Steps at the start of a window that don't tell what is usual."""

PREDICTORS: Final = ("convolution", "lstm", RELATION, "reservoir")
"""Whose prediction is shown, the first that the panel holds."""


@dataclass(frozen=True)
class _Learned:
    """What `fit` leaves behind besides the detectors."""

    highest: Mapping[Key, float]
    normals: Mapping[str, Doubles]
    tail: Tail
    remarks: tuple[str, ...]
    relation: Relation | None


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
        members = [*names.values(), *([RobustRegression()] if self.panel.relation is not None else [])]
        return max(one.memory for one in members) + self.panel.recall

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
        checkpoints: Path | None = None,
        given: Mapping[str, Detector] | None = None,
    ) -> Self:
        """Fit every detector on both parts; see `Raiser.fit`.

        What needs no second part to be calibrated on learns from both: distances of training windows are
        taken to other windows, and a record has no parameter to fit. The relation check learns from the
        first, and sets its bar on the second.

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
            own, member = checkpoints and checkpoints / name, make(name, self.seed)
            try:
                self.detectors[name] = fitted(member, signal, progress=progress, stop=stop, checkpoints=own)
            except (ConstantSignal, InsufficientData) as error:
                refused[name] = error
        if not any(name not in TRUSTED for name in self.detectors):
            short = [one for one in refused.values() if isinstance(one, InsufficientData)]
            raise min(short, key=lambda one: one.needed) if short else next(iter(refused.values()))
        normals = self.normals(signal)
        highest, ranked = levels(normals, self.panel.voters, self.mode)
        tail = Tail.of(ranked)
        kept = {entry: one[-TRAILING:] for entry, one in normals.items()}
        relation, told = None, tuple[str, ...]()
        if self.panel.relation is not None:
            relation, told = seated(train, calibrate, self.panel.relation, stop=stop)
        if relation is not None:
            self.detectors[RELATION] = relation.detector
        told = (*remarks(refused, self.detectors), *told)
        self._learned = _Learned(highest, kept, tail, told, relation)
        return self

    def detect(
        self, signal: Signal, *, given: Mapping[str, Scores] | None = None, said: Said | None = None
    ) -> Detection:
        """Score a signal and raise its events; see `Raiser.detect`.

        Parameters
        ----------
        given
            Scores that were made already, by the detector's name.
        """
        learned, n = self._fitted(), len(signal)
        judged = np.flatnonzero(signal.valid & np.isfinite(signal.target))
        scores = self.scores(signal, given or {})
        own = None if said is None else said.at(judged)
        ratios = self.ratios(scores, judged, signal.phase, own)
        values, level = np.full(n, np.nan, np.float32), np.full(n, np.nan, np.float32)
        events: tuple[Event, ...] = ()
        if judged.size and ratios:
            blends = {one: blended(list(ratios.values()), one) for one in self.panel.voters.blends}
            alone = self.trusted(scores, judged, own)
            spans = self._decided(blends, alone, judged, own)
            ranking = Ranking.of(blends, self.panel, learned.highest, alone, own)
            values[judged], level[judged] = ranking.scores, ranking.bars
            events = tuple(
                ranking.event(low, high, judged, learned.tail, signal.interval)
                for low, high in merged(spans, self.panel.gap).tolist()
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
            "explained": None if learned.relation is None else learned.relation.explained,
        }
        write_json(folder / "panel.json", content)
        write_arrays(folder / "panel.npz", dict(learned.normals))
        if learned.relation is not None:
            learned.relation.save_bar(folder)

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
            tail, relation = Tail(**content["tail"]), None
            if content.get("explained") is not None:  # panels of earlier releases have no relation check
                relation = Relation.of(panel.detectors[RELATION], folder, float(content["explained"]))
            panel._learned = _Learned(highest, normals, tail, tuple(content["remarks"]), relation)
        except (AttributeError, KeyError, TypeError, ValueError, ParameterError) as error:
            raise ArtifactError(f"{folder}: panel.json is incomplete ({error})") from error
        return panel

    def parameters(self) -> dict[str, Plain]:
        """Return who sits on the panel and how it decides, by name."""
        told: dict[str, Plain] = {"panel.entries": ", ".join(self.panel.entries), "panel.mode": self.mode}
        for name, value in asdict(self.panel.voters).items():
            told[f"panel.{name}"] = ", ".join(map(str, value)) if isinstance(value, tuple) else value
        for name, value in (("standstill", self.panel.standstill), ("relation", self.panel.relation)):
            told[f"panel.{name}"] = "not trusted" if value is None else value
        relation = None if self._learned is None else self._learned.relation
        told["panel.explained"] = None if relation is None else round(relation.explained, 3)
        told["panel.predictor"] = next((name for name in PREDICTORS if name in self.detectors), None)
        return told | {"panel.gap": self.panel.gap}

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
        if not any(name not in TRUSTED for name in scores):
            raise min(short, key=lambda one: one.needed)
        return scores

    def ratios(
        self, scores: Mapping[str, Scores], judged: Steps, phase: int, own: Said | None = None
    ) -> dict[str, Doubles]:
        """Return by entry the judged steps' scores in multiples of what is usual."""
        abnormal = None if own is None else own.abnormal
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
                ratios[entry] = against_whole(said, LEAD, abnormal)
            else:
                known = self._fitted().normals[entry]
                ratios[entry] = against_past(said, known, phase + judged, abnormal)
        return ratios

    def _decided(
        self,
        blends: Mapping[Blend, Doubles],
        alone: Mapping[str, Alarms],
        judged: Steps,
        own: Said | None,
    ) -> Runs:
        """Return the runs of judged steps called abnormal."""
        voters, learned = self.panel.voters, self._fitted()
        if self.mode == "review":
            votes = review_votes(blends, voters)
        else:
            votes = causal_votes(blends, learned.highest, voters, self.panel.reach, own)
        abnormal = votes >= voters.share
        abnormal &= ~unsettled(judged, longest_window(self.panel.sources), self.mode)
        for one in alone.values():
            abnormal |= one.inside
        return runs(abnormal)

    def trusted(
        self, scores: Mapping[str, Scores], judged: Steps, own: Said | None = None
    ) -> dict[str, Alarms]:
        """Return by name what each trusted check that sits on the panel raises by itself."""
        p, relation, found = self.panel, self._fitted().relation, dict[str, Alarms]()
        if p.standstill is not None and STANDSTILL in scores:
            said, longest = scores[STANDSTILL], p.voters.longest
            found[STANDSTILL] = standing_still(
                said, judged, p.standstill, longest=longest, reach=p.reach, people=own
            )
        if relation is not None and RELATION in scores:
            found[RELATION] = leaving_context(scores[RELATION], judged, relation.threshold)
        return found

    def _fitted(self) -> _Learned:
        if self._learned is None:
            raise NotFitted("the panel was not fitted yet")
        return self._learned
