"""The nonparametric dynamic threshold of Telemanom.

Source: Hundman et al., KDD 2018, https://arxiv.org/abs/1802.04431, sections 3.2 and 3.3, with the
constants of the published experiments. A sliding window of errors is held against the bar
``mean + z sd`` whose removal of what lies above it lowers mean and deviation most, for few and short
sequences; sequences that stand out little from the highest normal error are pruned. Errors mirrored
at their mean are judged the same way, so that unusually small ones are found too.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from core.errors import NotFitted, ParameterError
from core.results import Event, Scores, Thresholded
from core.signal import Floats, Mask
from core.thresholds.files import read_rule, write_rule
from core.thresholds.intervals import event, runs, widened
from core.thresholds.tails import Tail

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class DynamicParameters:
    """Constants of the published experiments.

    Parameters
    ----------
    batch, batches
        Steps by which the window slides, and how many such make a window.
    lowest_z, highest_z, step_z
        Tried numbers of deviations, the highest excluded.
    buffer
        Steps around a step above the bar that belong to its sequence.
    pruning
        Least relative drop from a sequence's maximum to the next lower one.
    history
        Steps at the start whose scores are replaced by their surroundings' mean.
    least_share, least_error
        Errors below this share of the window's 5 to 95 % range of the target, or windows whose errors
        never exceed `least_error` scaled units, raise nothing.

    Raises
    ------
    ParameterError
        A constant is outside its range.
    """

    batch: int = 70
    batches: int = 30
    lowest_z: float = 2.5
    highest_z: float = 12.0
    step_z: float = 0.5
    buffer: int = 100
    pruning: float = 0.13
    history: int = 250
    least_share: float = 0.05
    least_error: float = 0.05

    def __post_init__(self) -> None:
        if min(self.batch, self.buffer) < 2 or self.batches < 1 or self.history < 0:
            raise ParameterError(f"dynamic threshold: batch, buffer, batches or history too small: {self}")
        if not 0 < self.lowest_z < self.highest_z or self.step_z <= 0 or self.pruning < 0:
            raise ParameterError(f"dynamic threshold: z or pruning out of range: {self}")


class DynamicThreshold:
    """Judges the errors of each window by themselves; calibration serves the probabilities alone.

    Parameters
    ----------
    parameters
        See `DynamicParameters`.
    """

    name: ClassVar[str] = "dynamic"

    def __init__(self, parameters: DynamicParameters | None = None) -> None:
        self.parameters = parameters or DynamicParameters()
        self._tails: tuple[Tail, Tail] | None = None

    @property
    def memory(self) -> int:
        """One window."""
        return self.parameters.batch * self.parameters.batches

    @property
    def usual(self) -> float:
        """What normal scores exceed once in ten thousand steps; the bars follow each window instead."""
        return self._fitted()[0].level(10_000)

    def fit(self, scores: Scores, values: Floats) -> Self:
        """Learn how high and how low normal scores get; see `Threshold.fit`."""
        del values  # the bar itself is set anew in each window
        self._tails = Tail.of(scores.values), Tail.of(-scores.values)
        return self

    def judge(self, scores: Scores, values: Floats) -> Thresholded:
        """Return the events; see `Threshold.judge`.

        Steps without a score are skipped over, and fewer judged steps than one batch raise nothing.
        """
        tails = self._fitted()
        judged = np.flatnonzero(np.isfinite(scores.values) & np.isfinite(values))
        level = np.full(len(scores), np.nan, dtype=np.float32)
        if judged.size < self.parameters.batch:
            return Thresholded((), level)
        marks = flag(
            scores.values[judged].astype(np.float64), values[judged].astype(np.float64), self.parameters
        )
        level[judged] = marks.upper
        spans = [(low, high) for low, high in runs(marks.high | marks.low) if high - low > 1]
        events = tuple(
            self._event(scores, marks, judged, (int(low), int(high)), tails) for low, high in spans
        )
        return Thresholded(events, level)

    def save(self, folder: Path) -> None:
        """Write ``threshold.json``."""
        tails = [asdict(tail) for tail in self._fitted()]
        write_rule(folder, self.name, asdict(self.parameters), tails)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; see `Threshold.load`."""
        rule = cls()
        rule.parameters, tails = read_rule(folder, cls.name, DynamicParameters, Tail)
        rule._tails = tails[0], tails[1]
        return rule

    def _fitted(self) -> tuple[Tail, Tail]:
        if self._tails is None:
            raise NotFitted("the dynamic threshold was not fitted on a calibration part")
        return self._tails

    @staticmethod
    def _event(
        scores: Scores,
        marks: "Marks",
        judged: NDArray[np.int64],
        span: tuple[int, int],
        tails: tuple[Tail, Tail],
    ) -> Event:
        low, high = span
        seen = scores.values[judged[low:high]]
        loud = bool(marks.high[low:high].any())
        at = low + int(np.argmax(seen) if loud else np.argmin(seen))
        peak = float(scores.values[judged[at]])
        # The windows that raised it met an error above their bar, here or a buffer away: the lowest counts.
        bar = min(float(np.nanmin(marks.upper[low:high])), peak) if loud else float(marks.lower[at])
        # A quiet event is held against the mirrored bar, and its probability is that of so low a minimum.
        share = tails[0].share_below(peak, high - low) if loud else tails[1].share_below(-peak, high - low)
        return event(
            int(judged[low]),
            int(judged[high - 1]) + 1,
            int(judged[at]),
            peak_score=peak,
            threshold=bar,
            probability=share,
            last=int(judged[-1]) + 1,
        )


@dataclass(frozen=True, eq=False)
class Marks:
    """What the windows say of each step.

    Parameters
    ----------
    high, low
        (n,) steps whose errors are unusually large, and unusually small.
    upper, lower
        (n,) bars of the window that judged each step; NaN where none did.
    """

    high: Mask
    low: Mask
    upper: Doubles
    lower: Doubles


def flag(errors: Doubles, values: Doubles, p: DynamicParameters) -> Marks:
    """Mark the anomalous steps of smoothed errors.

    Parameters
    ----------
    errors, values
        (n,) smoothed errors and the target, in the same unit, without NaN; at least one batch.
    p
        The constants.
    """
    n = errors.size
    errors = errors.copy()
    errors[: p.history] = errors[: 2 * p.history].mean() if p.history else 0.0
    size = p.batch * min(p.batches, -(-n // p.batch))
    count = max(0, (n - size) // p.batch)
    ignored = 2 * p.history if n >= 2500 else p.history if n >= 1800 else 0
    marks = Marks(np.zeros(n, bool), np.zeros(n, bool), np.full(n, np.nan), np.full(n, np.nan))
    for number in range(count + 1):
        start = number * p.batch
        stop = n if number == count else start + size
        window = _Window(
            errors[start:stop],
            values[start:stop],
            first=ignored if number == 0 else stop - start - p.batch,
            known=(marks.high | marks.low)[start:stop],
            mean=float(errors[start:stop].mean()),
            sd=float(errors[start:stop].std()),
        )
        mirrored = window.mean + (window.mean - window.errors)
        upper, lower = _bar(window.errors, window, p), _bar(mirrored, window, p)
        marks.upper[start + window.first : stop] = upper
        marks.lower[start + window.first : stop] = 2 * window.mean - lower
        marks.high[start:stop] |= _anomalous(window.errors, upper, window, p)
        marks.low[start:stop] |= _anomalous(mirrored, lower, window, p)
    return marks


@dataclass(frozen=True, eq=False)
class _Window:
    """A window of errors and target: `first` is the first step it judges, `known` what earlier ones found."""

    errors: Doubles
    values: Doubles
    first: int
    known: Mask
    mean: float
    sd: float

    @property
    def even(self) -> bool:
        """Whether all errors are the same, but for rounding."""
        return self.sd <= 1e-12 * abs(self.mean)


def _bar(errors: Doubles, window: _Window, p: DynamicParameters) -> float:
    """Return the bar that best separates few, short sequences; ``highest_z`` deviations if none does."""
    n, reach, mean, sd = errors.size, p.buffer - 1, window.mean, window.sd
    bars = mean + sd * np.arange(p.lowest_z, p.highest_z, p.step_z)
    fallback = mean + p.highest_z * sd
    places = np.flatnonzero(errors >= bars[0])
    if window.even or mean == 0 or places.size == 0:
        return fallback
    # Rows are bars. All steps above a bar are among `places`, so a row costs only as many steps as those.
    above = errors[places] >= bars[:, None]
    bars, above = bars[above.any(axis=1)], above[above.any(axis=1)]
    far = -n - 2 * p.buffer
    last = np.maximum.accumulate(np.where(above, places, far), axis=1)
    before = np.concatenate([np.full((bars.size, 1), far), last[:, :-1]], axis=1)
    sequences = (above & (places - before > 2 * reach + 1)).sum(axis=1)
    begin = np.maximum(np.maximum(places - reach, 0), before + reach + 1)
    covered = np.where(above, np.maximum(np.minimum(places + reach, n - 1) - begin + 1, 0), 0).sum(axis=1)
    centred, left = errors - mean, n - above.sum(axis=1)
    sums = centred.sum() - np.where(above, centred[places], 0.0).sum(axis=1)
    squares = (centred**2).sum() - np.where(above, centred[places] ** 2, 0.0).sum(axis=1)
    spread = np.sqrt(np.maximum(squares / left - (sums / left) ** 2, 0.0))
    gains = (-(sums / left) / mean + (sd - spread) / sd) / (sequences**2 + covered)
    gains[(sequences > 5) | (covered >= n * 0.5)] = -np.inf
    best = bars.size - 1 - int(np.argmax(gains[::-1]))
    return float(bars[best]) if np.isfinite(gains[best]) else fallback


def _anomalous(errors: Doubles, bar: float, window: _Window, p: DynamicParameters) -> Mask:
    """Return the judged steps of a window, mirrored or not, that stay anomalous after pruning."""
    n, nothing = errors.size, np.zeros(errors.size, bool)
    highest = window.errors.max()
    if window.even or highest <= p.least_error or not (errors >= bar).any():
        return nothing
    low, high = np.percentile(window.values, (5, 95))
    least = p.least_share * (high - low)
    if window.sd <= p.least_share * window.values.std() and highest <= least:
        return nothing
    mask = widened(np.flatnonzero((errors >= bar) & (errors > least)), p.buffer, n)
    mask[: window.first] = False
    normal = errors[~(mask | window.known)]
    spans = runs(mask)
    long = spans[spans[:, 1] - spans[:, 0] > 1]
    if long.shape[0] == 0:
        return mask
    maxima = np.array([errors[start:stop].max() for start, stop in long])
    ranked = np.append(np.sort(maxima)[::-1], normal.max() if normal.size else -np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        standing = np.flatnonzero(~((ranked[:-1] - ranked[1:]) / ranked[:-1] < p.pruning))
    if standing.size == 0:
        return nothing
    kept = nothing
    for start, stop in long[maxima >= ranked[standing[-1]]]:
        kept[start:stop] = True
    return kept
