"""Figures on the test part, which neither fitting nor calibration saw."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.ensembles.contract import Raiser
from core.results import HeldOutFigures
from core.signal import Floats, Mask, Signal
from core.splits import Split, joined

WEEK_S = 7 * 86_400.0


def held_out(
    raiser: Raiser, split: Split, *, labelled: Sequence[tuple[int, int]] | None = None, lead: bool = True
) -> HeldOutFigures:
    """Judge the test part of a split and return its figures.

    Parameters
    ----------
    raiser
        Fitted on the split's train part and calibrated on its calibrate part.
    labelled
        Half-open step intervals of the test part that are known to be anomalous; None without labels.
    lead
        Whether the steps before the test part may warm the detector up; False where the source
        declares the parts as separate recordings.

    Errors are told in standard deviations of the target while training; where it never changed there, in the
    sensor's own unit; where nothing was predicted, they are NaN.

    Raises
    ------
    InsufficientData
        The test part is shorter than the detector's warm-up.
    """
    return figures_of(judged_part(raiser, split, lead=lead), labelled)


@dataclass(frozen=True, eq=False)
class JudgedPart:
    """What an ensemble says of a part of time that it did not learn from.

    Parameters
    ----------
    test
        The part.
    events
        Half-open step intervals of it, in order.
    expected
        (n,) predictions, NaN where there is none.
    judged
        (n,) steps that have a score.
    before
        (n,) the reading before each step, NaN where there is none.
    scale
        Standard deviation of the target while training; 1 of its own unit if it never changed.
    """

    test: Signal
    events: tuple[tuple[int, int], ...]
    expected: Floats
    judged: Mask
    before: Floats
    scale: float


def judged_part(raiser: Raiser, split: Split, *, lead: bool = True) -> JudgedPart:
    """Judge the test part of a split; see `held_out`.

    Raises
    ------
    InsufficientData
        The test part is shorter than the detector's warm-up.
    """
    past = joined(split.train, split.calibrate)
    past = past.slice(max(0, len(past) - raiser.memory) if lead else len(past), len(past))
    signal = joined(past, split.test) if len(past) else split.test
    skip = len(past)
    detection = raiser.detect(signal)
    test = signal.slice(skip, len(signal))
    return JudgedPart(
        test=test,
        events=tuple(
            (max(one.start - skip, 0), one.end - skip) for one in detection.events if one.end > skip
        ),
        expected=detection.scores.expected[skip:],
        judged=np.isfinite(detection.scores.values[skip:]),
        before=signal.target[skip - 1 : -1] if skip else np.r_[np.float32(np.nan), test.target[:-1]],
        scale=_spread(split.train),
    )


def figures_of(part: JudgedPart, labelled: Sequence[tuple[int, int]] | None) -> HeldOutFigures:
    """Return the figures of a judged part; see `held_out`."""
    test, expected, steps = part.test, part.expected, int(part.judged.sum())
    weeks = steps * test.interval.total_seconds() / WEEK_S
    flagged = np.zeros(len(test), dtype=np.bool_)
    for start, end in part.events:
        flagged[start:end] = True
    as_before = np.where(np.isfinite(expected), part.before, np.nan)
    precision, recall, f1 = (None, None, None) if labelled is None else overlap_rates(part.events, labelled)
    return HeldOutFigures(
        steps=steps,
        normalised_error=_error(test, expected, part.scale),
        persistence_error=_error(test, as_before, part.scale),
        alarms_per_week=len(part.events) / weeks if weeks > 0 else 0.0,
        flagged_share=float((flagged & part.judged).sum() / steps) if steps else 0.0,
        precision=precision,
        recall=recall,
        f1=f1,
    )


def overlap_rates(
    events: Sequence[tuple[int, int]], labelled: Sequence[tuple[int, int]]
) -> tuple[float, float, float]:
    """Return precision, recall and F1 of half-open intervals, counted as Hundman et al. (KDD 2018) do.

    An event counts for the first labelled interval it overlaps; several events on one interval count once;
    an event that overlaps none is a false alarm.
    """
    hit: set[int] = set()
    wrong = 0
    for start, end in events:
        match = next((n for n, (a, b) in enumerate(labelled) if start < b and end > a), None)
        if match is None:
            wrong += 1
        else:
            hit.add(match)
    precision = len(hit) / (len(hit) + wrong) if hit or wrong else 0.0
    recall = len(hit) / len(labelled) if labelled else 0.0
    both = precision + recall
    return precision, recall, 2 * precision * recall / both if both else 0.0


@dataclass(frozen=True)
class VerdictRates:
    """How events meet what people said of the same time.

    Parameters
    ----------
    confirmed, found
        Intervals that people called true anomalies, and how many of them an event meets.
    right, wrong, unjudged
        Events on such an interval, on one that people called a false positive alone, and on neither.
    """

    confirmed: int
    found: int
    right: int
    wrong: int
    unjudged: int

    @property
    def precision(self) -> float | None:
        """Share of the events with a verdict that are right; None without any."""
        judged = self.right + self.wrong
        return self.right / judged if judged else None

    @property
    def recall(self) -> float | None:
        """Share of the true anomalies that are found; None without any."""
        return self.found / self.confirmed if self.confirmed else None


def verdict_rates(
    events: Sequence[tuple[int, int]],
    confirmed: Sequence[tuple[int, int]],
    refuted: Sequence[tuple[int, int]],
) -> VerdictRates:
    """Return how events meet verdicts, all half-open step intervals.

    People judge what they are shown, so an event without a verdict is neither right nor wrong.
    """

    def meets(one: tuple[int, int], others: Sequence[tuple[int, int]]) -> bool:
        return any(one[0] < end and start < one[1] for start, end in others)

    right = sum(meets(one, confirmed) for one in events)
    wrong = sum(meets(one, refuted) and not meets(one, confirmed) for one in events)
    return VerdictRates(
        confirmed=len(confirmed),
        found=sum(meets(one, events) for one in confirmed),
        right=right,
        wrong=wrong,
        unjudged=len(events) - right - wrong,
    )


def _spread(train: Signal) -> float:
    """Return the standard deviation of the target while training; 1 of its own unit if it never changed."""
    values = train.target[train.valid].astype(np.float64)
    spread = float(values.std()) if values.size else 0.0
    return spread if spread > 0 else 1.0


def _error(test: Signal, expected: Floats, scale: float) -> float:
    both = test.valid & np.isfinite(expected)
    if not both.any():
        return float("nan")
    errors = (test.target[both] - expected[both]).astype(np.float64)
    return float(np.sqrt(np.mean(errors**2))) / scale
