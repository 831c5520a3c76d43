"""The checks that a panel trusts alone: where they sit, and from which step on they raise an event."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from core.detectors.smoothing import ewma
from core.ensembles.trusted import Relation, leaving_context, measured, seated, standing_still
from core.results import Scores
from core.signal import Signal
from core.thresholds.robust import RobustThreshold, RobustThresholdParameters

EPOCH = np.datetime64("2024-03-01T00:00", "us")
LEAST = 0.5


def signal(target: np.ndarray, *context: np.ndarray, start: int = 0) -> Signal:
    values = np.stack([target, *context], axis=1).astype(np.float32)
    n, width = values.shape
    return Signal(
        timestamps=EPOCH + (start + np.arange(n)) * np.timedelta64(1, "m"),
        values=values,
        channels=("temperature", *(f"context {one}" for one in range(1, width))),
        units=("",) * width,
        interval=timedelta(minutes=1),
        valid=np.isfinite(values[:, 0]),
    )


def load(n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 50 + 20 * np.sin(np.arange(n) / 60) + rng.normal(0, 0.3, n)


def following(driven: np.ndarray, noise: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed + 100)
    return 20 + 0.5 * ewma(driven, 9) + rng.normal(0, noise, driven.size)


def seat(whole: Signal, cut: int = 4000) -> tuple[Relation | None, tuple[str, ...]]:
    return seated(whole.slice(0, cut), whole.slice(cut, len(whole)), LEAST)


def test_a_target_that_follows_a_measured_context_is_checked_against_it() -> None:
    driven = load(5000)
    check, remarks = seat(signal(following(driven, 0.3), driven))
    assert check is not None
    assert 0.95 < check.explained <= 1.0
    assert remarks == ()


@pytest.mark.parametrize("values", [(0.0, 1.0), (1.0, 1.0), tuple(range(20)), (0.0, 0.5, 7.0)])
def test_commands_and_states_are_no_measurement_however_well_they_explain(values: tuple[float, ...]) -> None:
    rng = np.random.default_rng(0)
    command = np.repeat(rng.choice(values, 50), 100)
    whole = signal(following(100 * command, 0.3), command)
    assert not measured(whole)
    assert seat(whole) == (None, ())


def test_one_measurement_among_commands_is_enough() -> None:
    driven, command = load(5000), (np.random.default_rng(0).random(5000) < 0.02).astype(float)
    check, _ = seat(signal(following(driven, 0.3) + command, command, driven), 4900)
    assert check is not None


def test_readings_that_are_not_learned_from_make_no_measurement() -> None:
    whole = signal(load(5000), np.r_[np.zeros(4000), load(1000)])
    assert not measured(whole.slice(0, 4000))
    assert not measured(replace(whole, valid=np.arange(5000) < 4000))
    assert measured(whole)


def test_a_sensor_without_context_has_none_and_none_is_missed() -> None:
    assert seat(signal(load(5000))) == (None, ())


def test_a_context_that_explains_too_little_is_told_with_its_share() -> None:
    driven = load(5000)
    check, (remark,) = seat(signal(load(5000, seed=5)[::-1] + following(driven, 30.0), driven))
    assert check is None
    assert remark.startswith("The check against context was left out: context explains ")
    assert remark.endswith("% of the target, and 50% is needed.")


def test_a_trend_that_both_have_in_common_is_no_relation() -> None:
    """Of a calibration part that goes on rising, the context explains no more than its own level does."""
    rng = np.random.default_rng(3)
    trend = np.linspace(0, 30, 5000)
    driven = 50 + trend + rng.normal(0, 4.0, 5000)
    level = np.where(np.arange(5000) < 4000, trend, 24.0)
    check, (remark,) = seat(signal(20 + level + rng.normal(0, 0.5, 5000), driven))
    assert check is None
    assert "explains 0%" in remark


@pytest.mark.parametrize("steps", [1200, 60])
def test_too_few_steps_to_learn_from_are_told_with_the_number_needed(steps: int) -> None:
    driven = load(steps + 500)
    check, (remark,) = seat(signal(following(driven, 0.3), driven), steps)
    assert check is None
    assert remark.endswith(f"found {steps}.")
    assert ("more than 1300" if steps == 1200 else "at least 120") in remark


def test_a_fault_in_the_calibration_part_does_not_unseat_it() -> None:
    driven = load(5000)
    target = following(driven, 0.3)
    target[4300:4500] += 60
    check, _ = seat(signal(target, driven))
    assert check is not None
    assert check.explained > 0.9


def test_stops_of_the_machine_are_explained_although_they_are_rare() -> None:
    """While it runs the target hardly moves; that it stops with its context is the relation."""
    rng = np.random.default_rng(0)
    runs = (np.arange(5000) % 500) >= 40
    driven = runs * (50 + rng.normal(0, 0.5, 5000))
    target = runs * (30 + rng.normal(0, 0.5, 5000))
    check, _ = seat(signal(target, driven))
    assert check is not None
    assert check.explained > 0.5


def of(values: np.ndarray) -> Scores:
    n = values.size
    return Scores(
        timestamps=EPOCH + np.arange(n) * np.timedelta64(1, "m"),
        values=values.astype(np.float32),
        expected=np.full(n, np.nan, np.float32),
        shares=None,
        mode="causal",
    )


def bar_of_two() -> RobustThreshold:
    quiet = of(np.random.default_rng(0).random(2000))
    return RobustThreshold(RobustThresholdParameters(most=2.0)).fit(quiet, quiet.values)


def test_an_event_begins_where_it_is_known_and_stays() -> None:
    """Five steps beyond the bar, or one far beyond; never earlier once more is known."""
    values = np.full(500, 0.5)
    values[100:104] = 1.5  # near the bar
    values[104:140] = 2.5
    values[210:213] = 2.5  # brief, and no company within the gap
    values[300] = 3.5
    values[400:403] = 2.5
    values[440:443] = 2.5  # company for those before
    threshold, judged = bar_of_two(), np.arange(500)
    alarms = leaving_context(of(values), judged, threshold)
    assert alarms.spans == ((108, 140), (300, 301), (441, 443))
    assert np.array_equal(np.flatnonzero(alarms.ratios), [*range(108, 140), 300, 441, 442])
    assert np.allclose(alarms.ratios[[110, 300]], [1.25, 1.75])
    for cut in range(90, 500):
        sooner = leaving_context(of(values[:cut]), judged[:cut], threshold)
        starts = [start for start, _ in alarms.spans if start < cut]
        assert [start for start, _ in sooner.spans] == starts
        assert np.array_equal(sooner.ratios, alarms.ratios[:cut])


def test_spans_count_judged_steps_alone() -> None:
    values = np.full(300, 0.5)
    values[100:150] = 3.5
    values[60:90] = np.nan
    judged = np.flatnonzero(np.isfinite(values))
    alarms = leaving_context(of(values), judged, bar_of_two())
    assert alarms.spans == ((70, 120),)
    assert alarms.inside.sum() == 50


def test_an_event_is_graded_by_the_check_only_where_the_check_made_its_peak() -> None:
    values = np.full(300, 0.5)
    values[100:150] = 3.0
    alarms = leaving_context(of(values), np.arange(300), bar_of_two())
    assert alarms.graded(120, 1.5 * 7.0, 7.0) == alarms.found[0]
    assert alarms.graded(120, 1.6 * 7.0, 7.0) is None
    assert alarms.graded(20, 1.0, 7.0) is None
    assert alarms.found[0].probability > 0.9


def test_a_standstill_longer_than_any_known_raises_and_grades_nothing() -> None:
    ratios = np.zeros(400)
    ratios[100:200] = np.arange(100) / 20
    alarms = standing_still(of(ratios), np.arange(400), 2.0, longest=300, reach=1000)
    ((start, end),) = alarms.spans
    assert (start, end) == (141, 200)
    assert alarms.graded(180, 0.1, 0.01) is None
    assert alarms.ratios[199] > 2
