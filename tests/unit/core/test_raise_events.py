"""Detector and threshold together, and their figures on what neither saw."""

import json
import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from core.detectors.robust_regression import RobustParameters, RobustRegression
from core.ensembles.contract import Raiser
from core.ensembles.raise_events import EventRaiser
from core.errors import InsufficientData, NotFitted
from core.evaluation.held_out import held_out, overlap_rates
from core.results import Scores
from core.signal import Floats, Signal
from core.splits import Split, chronological
from core.thresholds.robust import RobustThreshold

DAY = 1440


def made(days: int = 10, seed: int = 0) -> Signal:
    rng = np.random.default_rng(seed)
    n = days * DAY
    load = 50 + 10 * np.sin(np.arange(n) / 200)
    values = np.stack([20 + 0.5 * load + rng.normal(0, 0.2, n), load], axis=1).astype(np.float32)
    return Signal(
        timestamps=np.datetime64("2024-03-01", "us") + np.arange(n) * np.timedelta64(1, "m"),
        values=values,
        channels=("temperature", "load"),
        units=("°C", "%"),
        interval=timedelta(minutes=1),
        valid=np.ones(n, dtype=bool),
    )


def with_faults(signal: Signal, *spans: tuple[int, int]) -> Signal:
    values = signal.values.copy()
    for start, end in spans:
        values[start:end, 0] += 5
    return replace(signal, values=values)


def raiser(split: Split) -> EventRaiser:
    return EventRaiser(RobustRegression(), RobustThreshold()).fit(split.train, split.calibrate)


class Shared(RobustRegression):
    """Tells shares, as a method may."""

    def score(self, signal: Signal) -> Scores:
        shares: Floats = np.tile(np.float32([0.3, 0.7]), (len(signal), 1))
        return replace(super().score(signal), shares=shares)


def test_events_are_graded_and_name_their_drivers_where_the_detector_has_shares() -> None:
    split = chronological(with_faults(made(), (12_500, 12_900)))
    plain = raiser(split).detect(split.test)
    assert [event.severity for event in plain.events] == ["critical"]
    assert plain.events[0].drivers == ()
    shared = EventRaiser(Shared(), RobustThreshold()).fit(split.train, split.calibrate).detect(split.test)
    assert shared.events[0].drivers == ((1, pytest.approx(0.7, abs=1e-4)), (0, pytest.approx(0.3, abs=1e-4)))


def test_the_calibration_part_is_scored_from_its_first_step() -> None:
    """It is read with the training part before it, so that a short one loses nothing to the warm-up."""
    signal = made(2)
    fitted = EventRaiser(RobustRegression(), RobustThreshold())
    fitted.fit(signal.slice(0, 2000), signal.slice(2000, 2030))
    assert fitted.threshold.usual >= 2


def test_too_short_a_calibration_part_is_refused_by_name() -> None:
    signal = made(2)
    with pytest.raises(InsufficientData, match="temperature: calibrating the threshold: needs at least 24"):
        EventRaiser(RobustRegression(), RobustThreshold()).fit(
            signal.slice(0, 2000), signal.slice(2000, 2010)
        )


def test_nothing_is_detected_before_fitting() -> None:
    with pytest.raises(NotFitted):
        EventRaiser(RobustRegression(), RobustThreshold()).detect(made(1))


def test_saved_and_read_again_it_finds_the_same(tmp_path: Path) -> None:
    split = chronological(with_faults(made(), (12_500, 12_900)))
    fitted = raiser(split)
    fitted.save(tmp_path)
    again = EventRaiser(
        RobustRegression.load(tmp_path / "detector"), RobustThreshold.load(tmp_path / "threshold")
    )
    assert again.detect(split.test).events == fitted.detect(split.test).events


def test_held_out_figures_are_those_of_the_test_part_alone() -> None:
    clean = chronological(made())
    figures = held_out(raiser(clean), clean)
    assert figures.steps == len(clean.test)
    assert figures.alarms_per_week == 0
    assert figures.flagged_share == 0
    assert figures.precision is None
    # Noise of 0.2 on a target whose deviation while training is a little above 3.5.
    assert figures.normalised_error == pytest.approx(0.2 / clean.train.target.std(), rel=0.05)
    assert figures.persistence_error == pytest.approx(0.2 * 2**0.5 / clean.train.target.std(), rel=0.05)


class Unpredicting(RobustRegression):
    """Judges without saying what it expected, as a check of ranges does."""

    def score(self, signal: Signal) -> Scores:
        scores = super().score(signal)
        return replace(scores, expected=np.full_like(scores.expected, np.nan))


def test_without_a_prediction_there_are_alarms_but_no_errors() -> None:
    start = 8 * DAY
    split = chronological(with_faults(made(), (start + 500, start + 800)))
    fitted = EventRaiser(Unpredicting(), RobustThreshold()).fit(split.train, split.calibrate)
    figures = held_out(fitted, split)
    assert np.isnan(figures.normalised_error)
    assert np.isnan(figures.persistence_error)
    assert figures.steps == len(split.test)
    assert figures.alarms_per_week == pytest.approx(3.5)


def test_it_is_named_after_its_detector_and_tells_the_parameters_of_both() -> None:
    plain: Raiser = EventRaiser(RobustRegression(RobustParameters(settle=7)), RobustThreshold())
    assert (plain.name, plain.title) == ("robust-regression", "Robust statistical detector")
    assert (plain.mode, plain.remarks) == ("causal", ())
    told = plain.parameters()
    assert told["detector.settle"] == 7
    assert told["detector.time_constants"] == [3.0, 10.0, 30.0, 60.0, 180.0]
    assert any(name.startswith("threshold.") for name in told)
    assert json.loads(json.dumps(told)) == told


def test_alarms_and_flagged_share_count_on_the_clock_of_the_data() -> None:
    start = 8 * DAY
    faulty = chronological(with_faults(made(), (start + 500, start + 800), (start + 2000, start + 2200)))
    figures = held_out(raiser(faulty), faulty, labelled=[(500, 800), (1200, 1300), (2000, 2200)])
    assert figures.alarms_per_week == pytest.approx(2 * 7 / 2)
    assert figures.flagged_share == pytest.approx(500 / (2 * DAY), rel=0.2)
    assert (figures.precision, figures.recall) == (1.0, pytest.approx(2 / 3))
    assert figures.f1 == pytest.approx(0.8)


def test_a_target_that_never_changed_has_figures_in_its_own_unit() -> None:
    still = made()
    still = replace(still, values=np.full_like(still.values, 7))
    split = chronological(still)
    figures = held_out(raiser(split), split)
    assert figures.normalised_error == pytest.approx(0, abs=1e-6)
    assert figures.persistence_error == 0


def counted_by_hand(events: list[tuple[int, int]], truth: list[tuple[int, int]]) -> tuple[int, int, int]:
    matched, wrong = set(), 0
    for start, end in events:
        touching = [i for i, (a, b) in enumerate(truth) if set(range(start, end)) & set(range(a, b))]
        if touching:
            matched.add(touching[0])
        else:
            wrong += 1
    return len(matched), wrong, len(truth) - len(matched)


def test_rates_count_events_by_overlap() -> None:
    rng = random.Random(0)
    for _ in range(300):
        events, truth = (
            [(a, a + rng.randint(1, 30)) for a in sorted(rng.sample(range(200), rng.randint(0, 6)))]
            for _ in "ab"
        )
        right, wrong, missed = counted_by_hand(events, truth)
        precision, recall, f1 = overlap_rates(events, truth)
        assert precision == (right / (right + wrong) if events else 0)
        assert recall == (right / (right + missed) if truth else 0)
        assert f1 == pytest.approx(2 * right / (2 * right + wrong + missed) if right else 0)
