"""Ranges, spikes and standstills against what training reached."""

from datetime import timedelta

import numpy as np
import pytest

from core.detectors.range_check import MOST, Check, RangeCheck, RangeCheckParameters
from core.errors import InsufficientData, ParameterError
from core.signal import Signal


def of(target: np.ndarray, valid: np.ndarray | None = None) -> Signal:
    n = target.size
    values = target.astype(np.float32)[:, None]
    return Signal(
        timestamps=np.datetime64("2024-03-01T00:00", "us") + np.arange(n) * np.timedelta64(1, "m"),
        values=values,
        channels=("pressure",),
        units=("bar",),
        interval=timedelta(minutes=1),
        valid=np.isfinite(values[:, 0]) if valid is None else valid,
    )


def check(*checks: Check, **more: int) -> RangeCheck:
    return RangeCheck(RangeCheckParameters(checks=checks, **more))


TRAIN = np.tile([0.0, 1.0, 4.0, 2.0, -2.0, 1.0], 50)


def scores(detector: RangeCheck, target: np.ndarray, train: np.ndarray = TRAIN) -> np.ndarray:
    return detector.fit(of(train)).score(of(target)).values


def test_training_itself_reaches_one_and_never_more() -> None:
    for one in ("range", "spike"):
        assert scores(check(one), TRAIN).max() == pytest.approx(1)
    assert scores(check("standstill"), TRAIN).max() < 1


def test_each_ratio_by_its_definition() -> None:
    assert scores(check("range"), np.array([1.0, 4.0, -2.0, 7.0])) == pytest.approx([0, 1, 1, 2])
    # The largest step of training is from 2 to -2.
    assert scores(check("spike"), np.array([1.0, 3.0, 11.0, 11.0])) == pytest.approx([0, 0.5, 2, 0])
    still = scores(check("standstill", shortest_standstill=4), np.full(9, 3.0))
    assert still == pytest.approx(np.arange(9) / 4)


def test_the_score_is_the_largest_ratio_of_the_checks_that_are_made() -> None:
    target = np.r_[np.random.default_rng(0).normal(1, 2, 300), np.full(60, 0.5), 9.0]
    each = [scores(check(one), target) for one in ("range", "spike", "standstill")]
    assert np.array_equal(scores(RangeCheck(), target), np.max(each, axis=0))


@pytest.mark.parametrize("level", [0.0, 7.25, -3e4])
def test_a_single_spike_on_what_never_changed_is_seen(level: float) -> None:
    train, target = np.full(500, level), np.full(500, level)
    target[300] += 0.01 * max(abs(level), 1)
    found = scores(RangeCheck(), target, train)
    assert found[:300].max() == 0
    assert found[300] == found[301] == MOST  # there, and the step back
    assert found[302:].max() == 0


def test_a_channel_that_rests_by_nature_may_stand_still() -> None:
    lively = TRAIN
    resting = np.r_[TRAIN, np.full(200, 1.0)]
    assert scores(RangeCheck(), np.full(400, 1.0), lively)[-1] > 10
    assert scores(RangeCheck(), np.full(400, 1.0), resting).max() < 1


def test_standstills_are_held_against_the_longest_of_training_and_are_counted_up_to_a_limit() -> None:
    train = np.r_[TRAIN, np.full(51, 3.0), TRAIN]
    found = scores(check("standstill", longest_standstill=200), np.full(400, 1.5), train)
    assert found[50] == pytest.approx(1)
    assert found[-1] == pytest.approx(4)


def test_missing_and_excluded_readings_are_skipped_over() -> None:
    """They neither end a standstill nor make a spike of their own."""
    target = np.full(60, 1.5)
    target[20:30] = np.nan
    target[40] = 900.0
    valid = np.isfinite(target)
    valid[40] = False
    detector = check("spike", "standstill", shortest_standstill=10).fit(of(TRAIN))
    found = detector.score(of(target, valid)).values
    assert np.isnan(found[~valid]).all()
    assert found[valid] == pytest.approx(np.arange(49) / 10)


def test_huge_readings_are_extreme_and_finite() -> None:
    with np.errstate(over="raise", invalid="raise"):
        found = scores(RangeCheck(), np.array([1.0, 3e38, -3e38, 1.0]))
        trained = scores(RangeCheck(), np.array([1.0, 2.0]), np.array([3e38, -3e38, 3e38]))
    assert found[1] == found[2] == np.float32(MOST)
    assert np.isfinite(trained).all()


def test_training_needs_two_readings() -> None:
    with pytest.raises(InsufficientData, match="at least 2 usable steps, found 1"):
        RangeCheck().fit(of(np.r_[1.0, np.full(50, np.nan)], np.ones(51, bool)))
    assert scores(RangeCheck(), np.array([1.0, 5.0]), np.array([1.0, 2.0])).tolist() == [1.0, 7.0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"checks": ()},
        {"checks": ("colour",)},
        {"shortest_standstill": 0},
        {"shortest_standstill": 9, "longest_standstill": 8},
        {"still_share": 0.0},
        {"still_share": 1.5},
    ],
)
def test_parameters_out_of_range_are_named(wrong: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match=next(iter(wrong)).split("_")[-1]):
        RangeCheckParameters(**wrong)  # type: ignore[arg-type]
