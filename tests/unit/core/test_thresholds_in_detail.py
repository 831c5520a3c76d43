"""Tails, the robust threshold's shape of events, and severity."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from core.ensembles.severity import excess, grade
from core.errors import ArtifactError, ParameterError
from core.results import Event, Scores
from core.thresholds.dynamic import DynamicParameters
from core.thresholds.robust import RobustThreshold, RobustThresholdParameters
from core.thresholds.tails import Tail

MINUTE = timedelta(minutes=1)

EVENT = Event(
    start=0,
    end=180,
    peak=5,
    peak_score=8.0,
    threshold=2.0,
    probability=0.999,
    severity="low",
    drivers=(),
    open=False,
)


def of(values: np.ndarray) -> Scores:
    n = len(values)
    return Scores(
        timestamps=np.datetime64("2024-01-01", "us") + np.arange(n) * np.timedelta64(1, "m"),
        values=np.asarray(values, dtype=np.float32),
        expected=np.full(n, np.nan, dtype=np.float32),
        shares=None,
        mode="causal",
    )


def found(values: np.ndarray, **parameters: float) -> list[tuple[int, int]]:
    calibrate = np.abs(np.random.default_rng(0).normal(0.6, 0.1, 4000))
    threshold = RobustThreshold(RobustThresholdParameters(least=2.0, **parameters))  # type: ignore[arg-type]
    scores = of(values)
    judged = threshold.fit(of(calibrate), calibrate.astype(np.float32)).judge(scores, scores.values)
    return [(event.start, event.end) for event in judged.events]


def test_the_share_of_normal_stretches_below_a_peak_is_what_it_says() -> None:
    rng = np.random.default_rng(0)
    tail = Tail.of(rng.gumbel(2.0, 0.3, 40_000), longest=100)
    fresh = rng.gumbel(2.0, 0.3, (5000, 250)).max(axis=1)
    for peak in (3.5, 4.0, 4.5):
        assert tail.share_below(peak, 250) == pytest.approx((fresh < peak).mean(), abs=0.05)


def test_a_longer_stretch_is_less_likely_to_stay_below() -> None:
    tail = Tail.of(np.random.default_rng(0).gumbel(2.0, 0.3, 4000))
    assert tail.share_below(4, 10) > tail.share_below(4, 1000) > tail.share_below(4, 100_000)
    assert tail.share_below(1e9, 10) == pytest.approx(1.0)
    assert tail.share_below(-1e9, 10) == 0.0


def test_the_level_is_exceeded_as_seldom_as_asked() -> None:
    rng = np.random.default_rng(1)
    tail = Tail.of(rng.gumbel(2.0, 0.3, 40_000))
    assert (rng.gumbel(2.0, 0.3, 1_000_000) > tail.level(10_000)).sum() == pytest.approx(100, abs=60)


def test_an_event_ends_below_the_release_and_near_ones_are_one() -> None:
    values = np.full(1000, 0.5)
    values[100:150], values[150:170], values[200:230], values[500:520] = 4.0, 1.5, 4.0, 4.0
    assert found(values) == [(100, 230), (500, 520)]
    assert found(values, gap=0) == [(100, 170), (200, 230), (500, 520)]
    assert found(values, gap=0, release=1.0) == [(100, 150), (200, 230), (500, 520)]


def test_a_brief_excess_must_be_a_high_one() -> None:
    values = np.full(1000, 0.5)
    values[100:103], values[500:503], values[700:710] = 2.5, 4.0, 2.5
    assert found(values) == [(500, 503), (700, 710)]


def test_a_calibration_part_full_of_faults_does_not_hide_the_next() -> None:
    calibrate = np.abs(np.random.default_rng(0).normal(0.6, 0.1, 4000))
    calibrate[500:2500] = 9.0
    threshold = RobustThreshold().fit(of(calibrate), calibrate.astype(np.float32))
    assert threshold.level == threshold.parameters.most
    values = np.full(1000, 0.5)
    values[300:400] = 9.0
    assert len(threshold.judge(of(values), values.astype(np.float32)).events) == 1


def test_a_saved_rule_with_parameters_out_of_range_is_refused(tmp_path: Path) -> None:
    calibrate = np.abs(np.random.default_rng(0).normal(0.6, 0.1, 400))
    RobustThreshold().fit(of(calibrate), calibrate.astype(np.float32)).save(tmp_path)
    path = tmp_path / "threshold.json"
    path.write_text(path.read_text().replace('"gap": 60', '"gap": -60'))
    with pytest.raises(ArtifactError, match="out of range"):
        RobustThreshold.load(tmp_path)


def test_severity_follows_its_table() -> None:
    assert grade(EVENT, 1.0, MINUTE) == "critical"
    assert grade(replace(EVENT, end=60), 1.0, MINUTE) == "high"
    assert grade(replace(EVENT, end=9), 1.0, MINUTE) == "medium"
    assert grade(EVENT, 2.0, MINUTE) == "high"
    assert grade(EVENT, 4.0, MINUTE) == "medium"
    assert grade(EVENT, 6.0, MINUTE) == "low"
    assert grade(replace(EVENT, probability=0.97), 1.0, MINUTE) == "high"
    assert grade(replace(EVENT, probability=0.5), 1.0, MINUTE) == "low"


def test_severity_divides_safely() -> None:
    assert excess(EVENT, 0.0) == excess(EVENT, -1.0) == 1.0
    quiet = replace(EVENT, peak_score=0.1, threshold=0.2)
    assert excess(quiet, 0.01) == 1.0
    assert grade(quiet, 0.01, MINUTE) == "low"


@pytest.mark.parametrize(
    "wrong", [{"least": 0.0}, {"most": 1.0}, {"release": 1.5}, {"brief_factor": 0.5}, {"gap": -1}]
)
def test_robust_parameters_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match="out of range: RobustThresholdParameters"):
        RobustThresholdParameters(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"batch": 1}, {"lowest_z": 0.0}, {"step_z": 0.0}, {"history": -1}])
def test_dynamic_parameters_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match="dynamic threshold"):
        DynamicParameters(**wrong)  # type: ignore[arg-type]
