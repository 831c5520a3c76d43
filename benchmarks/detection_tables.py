"""What benchmarks of detection share: who judges, what is counted, and what a figure is read against."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from core.detectors.robust_regression import RobustRegression
from core.ensembles.contract import Raiser
from core.ensembles.presets import new_raiser
from core.ensembles.raise_events import Detection, EventRaiser
from core.results import Mode
from core.signal import Mask, Signal
from core.splits import DECLARED_TRAIN_SHARE
from core.thresholds.robust import RobustThreshold

STATISTICAL: Final = "statistical"
"""The robust statistical detector with its threshold: what judges a sensor that has no trained model."""

SHIFTS: Final = 1000
"""Random shifts of our own sequences that a figure is held against."""


def raiser_of(preset: str, *, mode: Mode, seed: int) -> Raiser:
    """Return an unfitted judge: a named preset, or the statistical detector."""
    if preset == STATISTICAL:
        return EventRaiser(RobustRegression(), RobustThreshold())
    return new_raiser(preset, mode=mode, seed=seed)


def judged(raiser: Raiser, signal: Signal, rows: int) -> Detection:
    """Fit on the first `rows` steps, the last fifth of them for the bars, and judge the whole signal."""
    cut = round(rows * DECLARED_TRAIN_SHARE)
    return raiser.fit(signal.slice(0, cut), signal.slice(cut, rows)).detect(signal)


def flags(detection: Detection) -> Mask:
    """Return (n,) True inside events."""
    inside = np.zeros(len(detection.scores), dtype=np.bool_)
    for event in detection.events:
        inside[event.start : event.end] = True
    return inside


def stretches(inside: Mask) -> list[tuple[int, int]]:
    """Return the half-open stretches of True."""
    edges = np.flatnonzero(np.diff(np.r_[False, inside, False].astype(np.int8)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


@dataclass(frozen=True)
class Points:
    """Steps counted one by one, as SKAB does.

    Parameters
    ----------
    tp, fp, fn, tn
        True and false positives, false and true negatives.
    """

    tp: int = 0
    fp: int = 0
    fn: int = 0
    tn: int = 0

    @classmethod
    def pooled(cls, found: Sequence[Mask], truth: Sequence[Mask], first: int = 0) -> Self:
        """Count the steps from `first` on of all runs together."""
        if not found:
            return cls()
        said = np.concatenate([one[first:] for one in found])
        true = np.concatenate([one[first:] for one in truth])
        hits = int((said & true).sum())
        return cls(hits, int(said.sum()) - hits, int(true.sum()) - hits, int((~said & ~true).sum()))

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 without a hit."""
        return 2 * self.tp / (2 * self.tp + self.fp + self.fn) if self.tp else 0.0

    @property
    def far(self) -> float:
        """False alarm rate: percent of normal steps that are flagged."""
        return 100 * self.fp / max(1, self.fp + self.tn)

    @property
    def mar(self) -> float:
        """Missed alarm rate: percent of anomalous steps that are not flagged."""
        return 100 * self.fn / max(1, self.fn + self.tp)


@dataclass(frozen=True)
class Windows:
    """Labelled windows found, and events outside them.

    Parameters
    ----------
    found, missed
        Windows that some event overlaps, and those that none does.
    wrong
        Events that overlap no window.
    """

    found: float
    missed: float
    wrong: float

    @classmethod
    def of(cls, events: Sequence[tuple[int, int]], windows: Sequence[tuple[int, int]]) -> Self:
        """Count half-open events against half-open windows."""
        found = sum(any(a < end and b > start for a, b in events) for start, end in windows)
        wrong = sum(not any(a < end and b > start for start, end in windows) for a, b in events)
        return cls(found, len(windows) - found, wrong)


def shifted(inside: Mask, generator: np.random.Generator) -> Mask:
    """Return the same sequences moved by a random number of steps, around the end to the start."""
    moved: Mask = np.roll(inside, int(generator.integers(inside.size)))
    return moved


def shifted_points(
    found: Sequence[Mask], truth: Sequence[Mask], first: int, *, seed: int
) -> NDArray[np.float64]:
    """Return the (`SHIFTS`,) F1 of our own sequences shifted within each run's steps from `first` on."""
    generator = np.random.default_rng(seed)
    parts, true = [one[first:] for one in found], [one[first:] for one in truth]
    return np.array(
        [Points.pooled([shifted(one, generator) for one in parts], true).f1 for _ in range(SHIFTS)]
    )


def shifted_windows(inside: Mask, windows: Sequence[tuple[int, int]], *, seed: int) -> Windows:
    """Return the mean counts of our own sequences shifted within one judged part."""
    generator = np.random.default_rng(seed)
    counts = [Windows.of(stretches(shifted(inside, generator)), windows) for _ in range(SHIFTS)]
    found, missed, wrong = np.mean([(one.found, one.missed, one.wrong) for one in counts], axis=0)
    return Windows(float(found), float(missed), float(wrong))


def per_ten_thousand(events: float, steps: int) -> float:
    """Return events for each 10,000 steps."""
    return 1e4 * events / max(1, steps)


def keyed(name: str) -> str:
    """Return a row's name, without what it says in brackets, as the start of a key in the JSON."""
    said = name.partition(" (")[0].lower()
    words = "".join(letter if letter.isalnum() else " " for letter in said)
    return "_".join(words.split())


def key_figures(name: str, values: Mapping[str, float]) -> dict[str, float | int | str]:
    """Return a row's figures with its name before each key, rounded to four decimals."""
    return {f"{keyed(name)}_{key}": round(float(value), 4) for key, value in values.items()}
