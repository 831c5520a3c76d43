"""The record rule against its description spelt out, and what it promises."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.errors import ParameterError
from core.results import Scores
from core.thresholds.record import Break, Record, RecordParameters, broken


def of(values: np.ndarray) -> Scores:
    n = len(values)
    return Scores(
        timestamps=np.datetime64("2024-01-01", "us") + np.arange(n) * np.timedelta64(1, "m"),
        values=np.asarray(values, dtype=np.float32),
        expected=np.full(n, np.nan, dtype=np.float32),
        shares=None,
        mode="causal",
    )


def spelt_out(scores: np.ndarray, floor: float, p: RecordParameters) -> tuple[list[Break], list[float]]:
    """The rule step by step: no arrays, no filters."""
    normal = [True] * scores.size
    found: list[Break] = []
    bars: list[float] = []
    stood: list[tuple[int, float]] = []
    step = 0
    while step < scores.size:
        among = range(max(0, step - p.lag - p.reach), max(0, step - p.lag))
        before = [float(scores[one]) for one in among if normal[one]]
        # What stood is part of the record as soon as it ended.
        before += [height for end, height in stood if end <= step < end + p.lag]
        bar = p.factor * max([floor, 0.0, *before])
        bars.append(bar)
        if step < p.lead or not scores[step] > bar:
            step += 1
            continue
        end = step + 1
        while end < scores.size and end - step < p.longest:
            if scores[end] < p.release * bar or scores[end] <= 0:
                break
            end += 1
        standing = end - step == p.longest and end < scores.size
        for one in range(step, end):
            normal[one] = standing
        bars += [bar] * (end - step - 1)
        stood += [(end, float(scores[step:end].max()))] if standing else []
        found.append(Break(step, end, bar, standing))
        step = end
    return found, bars


scores_of = arrays(
    np.float64,
    st.integers(0, 90),
    elements=st.one_of(st.integers(0, 12).map(float), st.floats(0, 12), st.just(-1.0)),
)
rules = st.builds(
    RecordParameters,
    factor=st.floats(1.0, 2.0),
    lead=st.integers(0, 20),
    release=st.floats(0.1, 1.0),
    longest=st.integers(1, 30),
    reach=st.integers(2, 60),
    lag=st.one_of(st.just(0), st.integers(0, 12), st.just(200)),
)


@settings(max_examples=100, deadline=None)
@given(scores=scores_of, floor=st.floats(-2, 6), p=rules)
def test_it_is_the_rule_spelt_out(scores: np.ndarray, floor: float, p: RecordParameters) -> None:
    found, bars = broken(scores, floor, p)
    wanted, wanted_bars = spelt_out(scores, floor, p)
    assert list(found) == wanted
    assert bars.tolist() == wanted_bars


@settings(max_examples=100, deadline=None)
@given(scores=scores_of, floor=st.floats(0, 6), p=rules, power=st.integers(-20, 20))
def test_another_unit_makes_no_difference(
    scores: np.ndarray, floor: float, p: RecordParameters, power: int
) -> None:
    """By powers of two, which multiply without rounding, but for numbers next to 0."""
    assume(floor == 0 or floor > 1e-300)
    times = 2.0**power
    plain, _ = broken(scores, floor, p)
    scaled, _ = broken(scores * times, floor * times, p)
    assert [replace(one, bar=one.bar * times) for one in plain] == list(scaled)


@settings(max_examples=100, deadline=None)
@given(scores=scores_of, floor=st.floats(0, 6), p=rules, more=st.floats(1.0, 2.0))
def test_a_higher_factor_finds_less(
    scores: np.ndarray, floor: float, p: RecordParameters, more: float
) -> None:
    """Where nothing is forgotten: neither a record out of reach nor one that a long event set."""
    p = replace(p, longest=100, reach=100)

    def steps(rule: RecordParameters) -> set[int]:
        return {step for one in broken(scores, floor, rule)[0] for step in range(one.start, one.end)}

    assert steps(replace(p, factor=p.factor * more)) <= steps(p)


@settings(max_examples=100, deadline=None)
@given(scores=scores_of, floor=st.floats(0, 6), p=rules, more=st.floats(1.0, 2.0))
def test_a_higher_factor_never_finds_the_first_earlier(
    scores: np.ndarray, floor: float, p: RecordParameters, more: float
) -> None:
    low, _ = broken(scores, floor, p)
    high, _ = broken(scores, floor, replace(p, factor=p.factor * more))
    if high:
        assert high[0].start >= low[0].start


@settings(max_examples=100, deadline=None)
@given(scores=scores_of, floor=st.floats(0, 6), p=rules, cut=st.integers(0, 90))
def test_what_comes_later_makes_no_difference(
    scores: np.ndarray, floor: float, p: RecordParameters, cut: int
) -> None:
    found, bars = broken(scores, floor, p)
    before, bars_before = broken(scores[:cut], floor, p)
    assert bars_before.tolist() == bars[:cut].tolist()
    assert [one.start for one in before] == [one.start for one in found if one.start < cut]
    ended = [one for one in found if one.end < cut]
    assert list(before[: len(ended)]) == ended


def test_a_fault_does_not_lift_the_record_but_what_goes_on_does() -> None:
    p = RecordParameters(factor=1.1, lead=0, release=0.8, longest=50, reach=1000)
    scores = np.full(500, 0.5)
    scores[100:130] = scores[200:230] = 5.0
    assert [(one.start, one.end) for one in broken(scores, 1.0, p)[0]] == [(100, 130), (200, 230)]
    scores[100:180] = 5.0
    (first,) = broken(scores, 1.0, p)[0]
    assert (first.start, first.end, first.standing) == (100, 150, True)


def test_a_record_out_of_reach_is_forgotten() -> None:
    p = RecordParameters(factor=1.1, lead=100, release=0.8, longest=50, reach=100)
    scores = np.full(600, 0.5)
    scores[:100] = 1.0
    for again, found in ((150, 0), (199, 0), (200, 1), (400, 1)):
        later = scores.copy()
        later[again] = 1.05
        assert [one.start for one in broken(later, 0.2, p)[0] if one.start == again] == [again] * found


def test_a_climb_breaks_the_record_of_what_was_before_it() -> None:
    """A jump of an averaged score is a climb, whose own steps would keep it from ever breaking a record."""
    scores = np.ones(600)
    scores[300:] = 1 + 2 * (1 - 0.95 ** np.arange(1, 301))
    p = RecordParameters(factor=1.2, lead=0, release=0.5)
    assert broken(scores, 1.0, p)[0] == ()
    (found, *_) = broken(scores, 1.0, replace(p, lag=40))[0]
    assert 300 < found.start < 305


def test_what_follows_a_spike_on_scores_of_zero_is_no_part_of_it() -> None:
    """Their bar is 0, and of 0 there is no share below which an event could end."""
    scores = np.zeros(1000)
    scores[400:403] = 2.0
    ((start, end),) = [(one.start, one.end) for one in broken(scores, 0.0, RecordParameters())[0]]
    assert (start, end) == (400, 403)


def test_scores_below_zero_break_no_record() -> None:
    assert broken(np.linspace(-9, -1, 500), -9.0, RecordParameters())[0] == ()


def test_the_bar_is_known_from_training_before_anything_was_seen() -> None:
    calibrate = np.full(200, 2.0)
    rule = Record(RecordParameters(factor=1.5, floor=0.5, lead=0)).fit(of(calibrate), calibrate)
    assert rule.judge(of(np.ones(5)), np.ones(5, np.float32)).level[0] == pytest.approx(1.5)
    assert rule.usual >= 1.5


@pytest.mark.parametrize(
    "wrong",
    [
        {"factor": 0.9},
        {"floor": -0.1},
        {"release": 0.0},
        {"release": 1.1},
        {"lead": -1},
        {"longest": 0},
        {"reach": 1},
        {"lag": -1},
    ],
)
def test_parameters_out_of_range_are_named(wrong: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        RecordParameters(**wrong)  # type: ignore[arg-type]
