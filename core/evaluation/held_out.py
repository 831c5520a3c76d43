"""Figures on the test part, which neither fitting nor calibration saw."""

from collections.abc import Sequence

import numpy as np

from core.ensembles.contract import Raiser
from core.results import HeldOutFigures
from core.signal import Floats, Signal
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
    before = joined(split.train, split.calibrate)
    before = before.slice(max(0, len(before) - raiser.memory) if lead else len(before), len(before))
    signal = joined(before, split.test) if len(before) else split.test
    skip = len(before)
    detection = raiser.detect(signal)
    expected, judged = detection.scores.expected[skip:], np.isfinite(detection.scores.values[skip:])
    test = signal.slice(skip, len(signal))
    events = [(max(one.start - skip, 0), one.end - skip) for one in detection.events if one.end > skip]
    steps = int(judged.sum())
    weeks = steps * test.interval.total_seconds() / WEEK_S
    flagged = np.zeros(len(test), dtype=np.bool_)
    for start, end in events:
        flagged[start:end] = True
    scale = _spread(split.train)
    before_values = signal.target[skip - 1 : -1] if skip else np.r_[np.float32(np.nan), test.target[:-1]]
    precision, recall, f1 = (None, None, None) if labelled is None else overlap_rates(events, labelled)
    return HeldOutFigures(
        steps=steps,
        normalised_error=_error(test, expected, scale),
        persistence_error=_error(test, np.where(np.isfinite(expected), before_values, np.nan), scale),
        alarms_per_week=len(events) / weeks if weeks > 0 else 0.0,
        flagged_share=float((flagged & judged).sum() / steps) if steps else 0.0,
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
