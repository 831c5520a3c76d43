"""What benchmarks of detection share: who judges, what is counted, and what a figure is read against."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, Self

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
"""Draws of what knows nothing: our own sequences shifted at random, and a random score."""

DRAWS: Final = 10_000
"""Resamples of a bootstrap."""

Figures = dict[str, float | int | str]
"""What a benchmark writes: flat, each key ends in its unit."""

Chance = Callable[[Mask, np.random.Generator], Mask]
"""Gives as many flagged steps as there were, elsewhere."""


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

    def __add__(self, other: "Points") -> "Points":
        return Points(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))

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

    @property
    def flagged_share(self) -> float:
        """Share of steps that are flagged."""
        return (self.tp + self.fp) / max(1, self.tp + self.fp + self.fn + self.tn)


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

    @property
    def tp(self) -> float:
        """Windows found."""
        return self.found

    @property
    def fp(self) -> float:
        """Events outside all windows."""
        return self.wrong

    @property
    def fn(self) -> float:
        """Windows missed."""
        return self.missed

    @property
    def f1(self) -> float:
        """Harmonic mean of the share of windows found and of events that are right; 0 without one found."""
        return 2 * self.tp / (2 * self.tp + self.fp + self.fn) if self.tp else 0.0

    @classmethod
    def mean(cls, counts: Sequence["Windows"]) -> Self:
        """Return mean counts."""
        return cls(*(float(np.mean([getattr(one, part) for one in counts])) for part in _WINDOWS))

    @classmethod
    def total(cls, counts: Sequence["Windows"]) -> Self:
        """Return summed counts."""
        return cls(*(float(sum(getattr(one, part) for one in counts)) for part in _WINDOWS))

    @classmethod
    def of(cls, events: Sequence[tuple[int, int]], windows: Sequence[tuple[int, int]]) -> Self:
        """Count half-open events against half-open windows."""
        found = sum(any(a < end and b > start for a, b in events) for start, end in windows)
        wrong = sum(not any(a < end and b > start for start, end in windows) for a, b in events)
        return cls(found, len(windows) - found, wrong)


_WINDOWS: Final = tuple(Windows.__dataclass_fields__)


class Counted(Protocol):
    """What an F1 is made of: `Points`, `Windows`, or NASA's count of events."""

    @property
    def tp(self) -> float:
        """True positives."""

    @property
    def fp(self) -> float:
        """False positives."""

    @property
    def fn(self) -> float:
        """False negatives."""


def f1_interval(
    ours: Sequence[Counted], others: Sequence[Counted], *, seed: int, draws: int = DRAWS
) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the difference in F1 of summed counts.

    Parameters
    ----------
    ours, others
        Counts of the same series in the same order, which are drawn together, with replacement.
    """
    mine, theirs = (
        np.array([(one.tp, one.fp, one.fn) for one in side], dtype=np.float64) for side in (ours, others)
    )
    chosen = np.random.default_rng(seed).integers(0, len(ours), (draws, len(ours)))
    difference = _f1(mine[chosen].sum(axis=1)) - _f1(theirs[chosen].sum(axis=1))
    low, high = np.quantile(difference, (0.025, 0.975))
    return float(low), float(high)


def mean_interval(differences: NDArray[np.float64], *, seed: int) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the mean of paired differences, drawn with replacement."""
    drawn = np.random.default_rng(seed).integers(0, differences.size, (DRAWS, differences.size))
    low, high = np.quantile(differences[drawn].mean(axis=1), (0.025, 0.975))
    return float(low), float(high)


def shifted(inside: Mask, generator: np.random.Generator) -> Mask:
    """Return the same sequences moved by a random number of steps, around the end to the start."""
    moved: Mask = np.roll(inside, int(generator.integers(inside.size)))
    return moved


def scattered(inside: Mask, generator: np.random.Generator) -> Mask:
    """Return the steps with the highest random scores, as many as are flagged."""
    found = np.zeros(inside.size, dtype=np.bool_)
    found[generator.choice(inside.size, int(inside.sum()), replace=False)] = True
    return found


CHANCES: Final[Mapping[str, Chance]] = {
    "ours shifted at random (cheat)": shifted,
    "random score (cheat, as many flagged as ours)": scattered,
}


def points_by_chance(
    chance: Chance, found: Sequence[Mask], truth: Sequence[Mask], first: int, *, seed: int
) -> list[Points]:
    """Return `SHIFTS` counts of chance within each run's steps from `first` on."""
    generator = np.random.default_rng(seed)
    parts, true = [one[first:] for one in found], [one[first:] for one in truth]
    return [Points.pooled([chance(one, generator) for one in parts], true) for _ in range(SHIFTS)]


def windows_by_chance(
    chance: Chance, inside: Mask, windows: Sequence[tuple[int, int]], *, seed: int
) -> Windows:
    """Return the mean counts of `SHIFTS` draws of chance within one judged part."""
    generator = np.random.default_rng(seed)
    return Windows.mean([Windows.of(stretches(chance(inside, generator)), windows) for _ in range(SHIFTS)])


def _f1(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (k,) F1 of (k, 3) true positives, false positives and false negatives; 0 without any."""
    below = 2 * totals[:, 0] + totals[:, 1] + totals[:, 2]
    found: NDArray[np.float64] = np.divide(2 * totals[:, 0], below, out=np.zeros(below.size), where=below > 0)
    return found


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
