"""Every threshold passes this suite: what events promise, whatever rule raised them."""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ArtifactError, InsufficientData, NotFitted
from core.results import Event, Scores
from core.thresholds.block_maxima import BlockMaxima
from core.thresholds.contract import Threshold
from core.thresholds.dynamic import DynamicThreshold
from core.thresholds.moving import MovingThreshold
from core.thresholds.peaks_over_threshold import PeaksOverThreshold
from core.thresholds.quantile import QuantileThreshold, QuantileThresholdParameters
from core.thresholds.record import Record, RecordParameters
from core.thresholds.robust import RobustThreshold
from core.thresholds.standout import Standout, StandoutParameters

MAKERS: dict[str, Callable[[], Threshold]] = {
    "dynamic": DynamicThreshold,
    "robust": RobustThreshold,
    "quantile": lambda: QuantileThreshold(QuantileThresholdParameters(contamination=0.1)),
    "peaks-over-threshold": PeaksOverThreshold,
    "block-maxima": BlockMaxima,
    "moving": MovingThreshold,
    "record": lambda: Record(RecordParameters(lead=0)),
    "standout": lambda: Standout(StandoutParameters(lead=0)),
}

WHOLE_WINDOW = ("dynamic", "standout")
"""Rules that hold a step against the rest of its window: one step alone says nothing."""

every_threshold = pytest.mark.parametrize("name", list(MAKERS))


def of(values: np.ndarray) -> Scores:
    n = len(values)
    return Scores(
        timestamps=np.datetime64("2024-01-01", "us") + np.arange(n) * np.timedelta64(1, "m"),
        values=np.asarray(values, dtype=np.float32),
        expected=np.full(n, np.nan, dtype=np.float32),
        shares=None,
        mode="causal",
    )


def normal(n: int, seed: int = 0) -> np.ndarray:
    return np.abs(np.random.default_rng(seed).normal(0.6, 0.1, n))


def readings(n: int) -> np.ndarray:
    return np.sin(np.arange(n) / 50).astype(np.float32)


def fitted(name: str) -> Threshold:
    return MAKERS[name]().fit(of(normal(2000)), readings(2000))


def events(name: str, values: np.ndarray) -> tuple[Event, ...]:
    return fitted(name).judge(of(values), readings(len(values))).events


def burst(n: int = 5000, start: int = 3000, stop: int = 3060, size: float = 8.0) -> np.ndarray:
    values = normal(n, seed=1)
    values[start:stop] = size
    return values


@every_threshold
def test_a_burst_is_one_event_around_its_steps(name: str) -> None:
    (event,) = events(name, burst())
    assert event.start <= 3000
    assert event.end >= 3060
    assert 3000 <= event.peak < 3060
    assert event.peak_score == pytest.approx(8.0)
    assert event.threshold < event.peak_score
    assert event.probability > 0.99
    assert not event.open


@every_threshold
def test_normal_scores_raise_nothing(name: str) -> None:
    assert events(name, normal(5000, seed=2)) == ()


@every_threshold
def test_an_event_that_lasts_to_the_end_is_open(name: str) -> None:
    (event,) = events(name, burst(start=4960, stop=5000))
    assert event.open
    assert event.end == 5000


@every_threshold
def test_an_open_event_does_not_end_where_judging_does_not(name: str) -> None:
    values = burst(start=4900, stop=4960)
    values[4960:] = np.nan
    (event,) = events(name, values)
    assert event.open
    assert event.end == 4960


@every_threshold
def test_the_level_is_told_where_steps_were_judged(name: str) -> None:
    values = burst()
    level = fitted(name).judge(of(values), readings(5000)).level
    assert level.shape == (5000,)
    assert np.isfinite(level[3000:3060]).all()
    assert (level[3000:3060] < 8).all()


@every_threshold
def test_steps_that_were_not_judged_are_left_out(name: str) -> None:
    values = burst()
    values[3020:3030] = np.nan
    values[:250] = np.nan
    (event,) = events(name, values)
    assert event.start <= 3000
    assert event.end >= 3060
    assert np.isfinite(values[event.peak])


@every_threshold
@pytest.mark.parametrize("n", [0, 1, 5, 500])
def test_nothing_judged_raises_nothing(name: str, n: int) -> None:
    judged = fitted(name).judge(of(np.full(n, np.nan)), readings(n))
    assert judged.events == ()
    assert judged.level.shape == (n,)


@every_threshold
@pytest.mark.parametrize("n", [0, 1, 10])
def test_too_few_scores_to_calibrate_on_are_refused_with_the_number_needed(name: str, n: int) -> None:
    with pytest.raises(InsufficientData, match=f"at least 24 usable steps, found {n}"):
        MAKERS[name]().fit(of(normal(n)), readings(n))


@every_threshold
def test_a_calibration_part_without_a_score_is_refused(name: str) -> None:
    with pytest.raises(InsufficientData, match="found 0"):
        MAKERS[name]().fit(of(np.full(500, np.nan)), readings(500))


@every_threshold
def test_steps_labelled_anomalous_do_not_lift_the_bar(name: str) -> None:
    """They have no score; the rest is learned from as if they were not there."""
    calibrate = normal(2000)
    labelled = np.insert(calibrate, 700, np.full(300, np.nan))
    one, other = (MAKERS[name]().fit(of(each), readings(len(each))) for each in (calibrate, labelled))
    assert one.usual == other.usual
    assert one.judge(of(burst()), readings(5000)).events == other.judge(of(burst()), readings(5000)).events


@every_threshold
def test_judging_leaves_a_threshold_as_it_was(name: str) -> None:
    threshold = fitted(name)
    first, second = (threshold.judge(of(burst()), readings(5000)) for _ in range(2))
    assert first.events == second.events
    assert np.array_equal(first.level, second.level, equal_nan=True)


@every_threshold
@pytest.mark.parametrize("score", [0.0, 0.6, 50.0])
def test_one_step_can_be_judged(name: str, score: float) -> None:
    judged = fitted(name).judge(of(np.array([score])), readings(1))
    assert judged.level.shape == (1,)
    assert [(event.start, event.end, event.open) for event in judged.events] == (
        [(0, 1, True)] if score > 1 and name not in WHOLE_WINDOW else []
    )


@every_threshold
def test_constant_scores_can_be_calibrated_on_and_judged(name: str) -> None:
    threshold = MAKERS[name]().fit(of(np.full(500, 0.3)), readings(500))
    assert threshold.judge(of(np.full(3000, 0.3)), readings(3000)).events == ()
    assert len(threshold.judge(of(burst()), readings(5000)).events) >= 1


@every_threshold
def test_scores_of_zero_can_be_calibrated_on_and_judged(name: str) -> None:
    threshold = MAKERS[name]().fit(of(np.zeros(500)), readings(500))
    assert threshold.judge(of(np.zeros(3000)), readings(3000)).events == ()


@every_threshold
def test_scores_below_zero_are_judged(name: str) -> None:
    """A score may be a logarithm: what is not one must still stand out, and what is normal must not."""
    threshold = MAKERS[name]().fit(of(normal(2000) - 3), readings(2000))
    assert threshold.judge(of(normal(5000, seed=2) - 3), readings(5000)).events == ()
    found = threshold.judge(of(burst() - 3), readings(5000)).events
    assert [3000 <= event.peak < 3060 for event in found] == [True]


@pytest.mark.parametrize("name", [name for name in MAKERS if name != "record"])
def test_a_fault_in_the_calibration_part_does_not_hide_the_next(name: str) -> None:
    calibrate = normal(2000)
    calibrate[900:1100] = 8.0
    threshold = MAKERS[name]().fit(of(calibrate), readings(2000))
    (event,) = threshold.judge(of(burst()), readings(5000)).events
    assert event.probability > 0.9


def test_a_fault_in_the_calibration_part_is_a_record_unless_it_is_labelled() -> None:
    """A record trusts that part: without the label the next fault must be higher, with it it need not."""
    calibrate = normal(2000)
    calibrate[900:1100] = 8.0
    trusting = MAKERS["record"]().fit(of(calibrate), readings(2000))
    assert trusting.judge(of(burst()), readings(5000)).events == ()
    assert len(trusting.judge(of(burst(size=9.0)), readings(5000)).events) == 1
    calibrate[900:1100] = np.nan
    labelled = MAKERS["record"]().fit(of(calibrate), readings(2000))
    assert len(labelled.judge(of(burst()), readings(5000)).events) == 1


@every_threshold
def test_huge_scores_are_judged(name: str) -> None:
    found = events(name, burst(size=1e30))
    assert len(found) == 1
    assert np.isfinite(found[0].peak_score)


@every_threshold
def test_a_saved_threshold_judges_as_before(name: str, tmp_path: Path) -> None:
    threshold = fitted(name)
    threshold.save(tmp_path)
    again = type(threshold).load(tmp_path)
    before, after = (each.judge(of(burst()), readings(5000)) for each in (threshold, again))
    assert before.events == after.events
    assert np.array_equal(before.level, after.level, equal_nan=True)
    assert threshold.usual == again.usual


@every_threshold
def test_damaged_or_foreign_files_are_refused(name: str, tmp_path: Path) -> None:
    threshold = fitted(name)
    with pytest.raises(ArtifactError):
        type(threshold).load(tmp_path)
    threshold.save(tmp_path)
    path = tmp_path / "threshold.json"
    content = path.read_text()
    strange = json.loads(content)
    strange["learned"][0]["skale"] = 1.0
    parts = json.loads(content) | {"learned": []}
    options = json.loads(content) | {"parameters": {"nonsense": 1}}
    named = content.replace(name, "another", 1), content.replace("learned", "burned")
    for wrong in (content[:50], "[]", *named, *map(json.dumps, (strange, parts, options))):
        path.write_text(wrong)
        with pytest.raises(ArtifactError):
            type(threshold).load(tmp_path)


@every_threshold
def test_an_unfitted_threshold_refuses_to_judge(name: str, tmp_path: Path) -> None:
    threshold = MAKERS[name]()
    with pytest.raises(NotFitted):
        threshold.judge(of(burst()), readings(5000))
    with pytest.raises(NotFitted):
        threshold.save(tmp_path)
    with pytest.raises(NotFitted):
        _ = threshold.usual


@every_threshold
@settings(max_examples=25, deadline=None)
@given(lead=st.integers(1, 3000), start=st.integers(600, 1800), length=st.integers(1, 200))
def test_events_point_at_the_step(name: str, lead: int, start: int, length: int) -> None:
    """Scores that come later by some steps raise the same events later by as many."""
    values = burst(2500, start, start + length)
    told = readings(2500)
    threshold = fitted(name)
    plain = threshold.judge(of(values), told)
    shifted = threshold.judge(
        of(np.concatenate([np.full(lead, np.nan), values])),
        np.concatenate([np.zeros(lead, np.float32), told]),
    )
    moved = [
        replace(event, start=event.start + lead, end=event.end + lead, peak=event.peak + lead)
        for event in plain.events
    ]
    assert list(shifted.events) == moved
    assert np.array_equal(shifted.level[lead:], plain.level, equal_nan=True)
    assert start <= plain.events[0].peak < start + length
    if name != "dynamic":  # its sequences take in a stated number of steps around
        (event,) = plain.events
        assert start - 3 <= event.start <= start
        assert start + length <= event.end <= start + length + 3


@every_threshold
@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 3000),
    seed=st.integers(0, 9999),
    bursts=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 150), st.floats(0, 50)), max_size=8),
    holes=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 400)), max_size=4),
)
def test_events_are_ordered_apart_and_inside(
    name: str,
    n: int,
    seed: int,
    bursts: list[tuple[float, int, float]],
    holes: list[tuple[float, int]],
) -> None:
    values = normal(n, seed)
    for place, length, size in bursts:
        values[int(place * n) : int(place * n) + length] += size
    for place, length in holes:
        values[int(place * n) : int(place * n) + length] = np.nan
    found = events(name, values)
    for earlier, later in pairwise(found):
        assert earlier.end <= later.start
        assert not earlier.open
    for event in found:
        assert event.end <= n
        assert np.isfinite(values[event.start])
        assert np.isfinite(values[event.end - 1])
        assert event.peak_score == np.float32(values[event.peak])
        assert np.isfinite(event.threshold)
