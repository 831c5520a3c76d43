"""The rows of NASA's table: who judged, what was counted, what it cost, and how they are told."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.detection_tables import Figures, f1_interval, keyed
from benchmarks.event_counting import Events
from benchmarks.panel_runs import Costs, Run, train_together
from benchmarks.smap_channels import Channel, Count, count
from benchmarks.tables import peak_mb
from core.detectors.telemanom import Telemanom
from core.ensembles.raise_events import Detection
from core.splits import joined
from core.thresholds.dynamic import DynamicThreshold

SPACECRAFT: Final = ("SMAP", "MSL")

HEADER: Final = (
    "who judged",
    "F1",
    "tp/fp/fn",
    "precision",
    "recall",
    *SPACECRAFT,
    "flagged",
    "against the reference, 95 %",
    "train s",
    "score s",
    "threshold s",
    "wall s",
    "peak MB so far",
)


@dataclass(frozen=True)
class Row:
    """One way to judge all channels.

    Parameters
    ----------
    name
        Whom the row is about; what stands in brackets is not part of the keys in the JSON.
    totals
        By seed, or one.
    crafts
        The same by spacecraft.
    channels
        Counts by channel, seeds added up; empty where it was not counted so.
    costs
        Of the first seed; None for what was not run here.
    """

    name: str
    totals: Sequence[Count]
    crafts: Mapping[str, Sequence[Count]]
    channels: Mapping[str, Count] = field(default_factory=dict)
    costs: Costs | None = None
    peak_mb: float = field(default_factory=peak_mb)

    @classmethod
    def of(cls, name: str, run: Run, channels: Sequence[Channel], *, costly: bool = True) -> "Row":
        """Return the row of a run."""
        craft = {one.name: one.spacecraft for one in channels}
        crafts = {each: run.totals(craft, each) for each in sorted(set(craft.values()))}
        sums = {one: sum((seed[one] for seed in run.counts), Count()) for one in craft}
        return cls(name, run.totals(), crafts, sums, run.costs if costly else None)

    @property
    def f1(self) -> float:
        """Mean over seeds."""
        return float(np.mean([one.f1 for one in self.totals]))


def of_events(name: str, channels: Sequence[Channel], events: Events) -> Row:
    """Return the row of events that come from elsewhere."""
    counts = {one.name: count(one, events.get(one.name, ())) for one in channels}
    return Row.of(name, Run(counts=[counts]), channels, costly=False)


def read_events(path: Path, channels: Sequence[Channel]) -> Events:
    """Return the events of a file ``channel,start,end``, both inclusive, of the channels that are wanted."""
    found: dict[str, list[tuple[int, int]]] = {one.name: [] for one in channels}
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["channel"] in found:
                found[row["channel"]].append((int(row["start"]), int(row["end"])))
    return found


def write_events(path: Path, events: Events) -> None:
    """Write ``channel,start,end``, both inclusive."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(("channel", "start", "end"))
        rows.writerows((name, *span) for name in sorted(events) for span in sorted(events[name]))


def told(row: Row, reference: Row | None) -> tuple[list[str], Figures]:
    """Return a row's cells and its figures, beside the reference's if there is one."""
    totals = row.totals
    key = keyed(row.name)
    precision, recall = _mean([_precision(one) for one in totals]), _mean([_recall(one) for one in totals])
    figures: Figures = {
        f"{key}_f1_ratio": row.f1,
        f"{key}_f1_deviation_ratio": float(np.std([one.f1 for one in totals])),
        f"{key}_precision_ratio": precision,
        f"{key}_recall_ratio": recall,
        f"{key}_flagged_ratio": _mean([one.flagged_share for one in totals]),
    }
    for part in ("tp", "fp", "fn"):
        figures[f"{key}_{part}_count"] = _mean([getattr(one, part) for one in totals])
    for craft, counts in row.crafts.items():
        figures[f"{key}_{craft.lower()}_f1_ratio"] = _mean([one.f1 for one in counts])
    beside = ""
    if reference is not None and row.channels and row is not reference:
        # Counts of all seeds are pooled; the reference's F1 is the same however often it counts.
        theirs = [reference.channels[one] for one in row.channels]
        low, high = f1_interval(list(row.channels.values()), theirs, seed=0)
        difference = row.f1 - reference.f1
        beside = f"{difference:+.3f} ({low:+.3f} to {high:+.3f})"
        figures |= {f"{key}_difference_ratio": difference, f"{key}_difference_low_ratio": low}
        figures[f"{key}_difference_high_ratio"] = high
    cells = [""] * 5
    if row.costs is not None:
        costs = row.costs
        parts = (costs.train_cpu_s, costs.score_cpu_s, costs.threshold_cpu_s, costs.wall_s)
        cells = [*(f"{part:.1f}" for part in parts), f"{row.peak_mb:.0f}"]
        names = ("train_cpu_s", "score_cpu_s", "threshold_cpu_s", "wall_s")
        figures |= {f"{key}_{name}": part for name, part in zip(names, parts, strict=True)}
        figures |= {f"{key}_cpu_s": costs.cpu_s, f"{key}_peak_memory_mb": row.peak_mb}
    deviation = f" ± {np.std([one.f1 for one in totals]):.3f}" if len(totals) > 1 else ""
    parts_of = "/".join(f"{_mean([getattr(one, each) for one in totals]):.3g}" for each in ("tp", "fp", "fn"))
    crafts = [
        f"{_mean([one.f1 for one in row.crafts[craft]]):.3f}" if craft in row.crafts else ""
        for craft in SPACECRAFT
    ]
    flagged = f"{100 * _mean([one.flagged_share for one in totals]):.1f} %"
    said = [row.name, f"{row.f1:.3f}{deviation}", parts_of, f"{precision:.3f}", f"{recall:.3f}"]
    return [*said, *crafts, flagged, beside, *cells], figures


def lstm_run(channels: Sequence[Channel]) -> Run:
    """Judge by the LSTM and the nonparametric dynamic threshold, as Telemanom does, with one seed."""
    trained, run = train_together(Telemanom(seed=0), channels), Run()
    run.costs.add(trained.costs)
    for channel in channels:
        detector = trained.detectors.get(channel.name)
        if not isinstance(detector, Telemanom):
            run.remarks[channel.name] = "not judged: its training part is too short or constant for the LSTM"
            run.note(channel, None, 0)
            continue
        whole, scores = joined(channel.train, channel.calibrate), trained.scores[channel.name]
        with run.costs.of("score"):
            normal = detector.score(whole)
        with run.costs.of("threshold"):
            rule = DynamicThreshold().fit(normal, detector.scaled(whole))
            judged = rule.judge(scores, detector.scaled(channel.test))
        run.note(channel, Detection(scores, judged.events, judged.level), 0)
    return run


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else 0.0


def _precision(one: Count) -> float:
    return one.tp / (one.tp + one.fp) if one.tp + one.fp else 0.0


def _recall(one: Count) -> float:
    return one.tp / (one.tp + one.fn) if one.tp + one.fn else 0.0
