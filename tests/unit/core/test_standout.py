"""The standout rule against its description spelt out, and what it promises."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.errors import ParameterError
from core.results import Scores
from core.thresholds.standout import Standout, StandoutParameters, Stretch, standing_out, stretches


def of(values: np.ndarray) -> Scores:
    n = len(values)
    return Scores(
        timestamps=np.datetime64("2024-01-01", "us") + np.arange(n) * np.timedelta64(1, "m"),
        values=np.asarray(values, dtype=np.float32),
        expected=np.full(n, np.nan, dtype=np.float32),
        shares=None,
        mode="review",
    )


def spelt_out(scores: np.ndarray, p: StandoutParameters) -> list[Stretch]:
    """The highest stretch is taken out, then the next: step by step, without arrays."""
    left = {step: float(score) for step, score in enumerate(scores) if step >= p.lead}
    found: list[Stretch] = []
    steps = 0
    while left and len(found) < p.most:
        height = max(left.values())
        peak = min(step for step, score in left.items() if score == height)
        if height <= 0:
            break
        bar = p.release * height
        start, end = peak, peak + 1
        for way in (-1, 1):  # walk from the peak, bridging what is at most `gap` steps below the bar
            step, last = peak, peak
            while abs(step - last) <= p.gap + 1:
                if left.get(step, -np.inf) >= bar:
                    last = step
                step += way
            start, end = min(start, last), max(end, last + 1)
        steps += end - start
        if steps > p.coverage * scores.size:
            break
        left = {s: v for s, v in left.items() if not start - p.aside <= s < end + p.aside}
        rest = max([0.0, *left.values()])
        if end - start > p.longest:
            start = max(start, min(peak - p.longest // 2, end - p.longest))
            end = start + p.longest
        found.append(Stretch(start, end, peak, height, rest))
    return found


scores_of = arrays(
    np.float64,
    st.integers(0, 90),
    elements=st.one_of(st.integers(0, 12).map(float), st.floats(0, 12), st.just(-1.0)),
)


@st.composite
def rules(draw: st.DrawFn) -> StandoutParameters:
    aside = draw(st.integers(0, 8))
    return StandoutParameters(
        factor=draw(st.floats(1.0, 2.0)),
        release=draw(st.floats(0.1, 1.0)),
        gap=draw(st.integers(0, 2 * aside)),
        most=draw(st.integers(1, 4)),
        longest=draw(st.integers(1, 30)),
        aside=aside,
        coverage=draw(st.floats(0.1, 1.0)),
        lead=draw(st.integers(0, 20)),
    )


@settings(max_examples=100, deadline=None)
@given(scores=scores_of, p=rules())
def test_its_stretches_are_the_rule_spelt_out(scores: np.ndarray, p: StandoutParameters) -> None:
    assert list(stretches(scores, p)) == spelt_out(scores, p)


@settings(max_examples=150, deadline=None)
@given(scores=scores_of, p=rules())
def test_events_are_the_stretches_down_to_the_last_that_stands_out(
    scores: np.ndarray, p: StandoutParameters
) -> None:
    single = scores.astype(np.float32).astype(np.float64)
    found = spelt_out(single, p)
    last = max((place for place, one in enumerate(found) if one.height > p.factor * one.rest), default=-1)
    rule = Standout(p).fit(of(np.arange(100.0)), np.zeros(100, np.float32))
    judged = rule.judge(of(single), np.zeros(single.size, np.float32))
    assert [(one.start, one.end, one.peak) for one in judged.events] == sorted(
        (one.start, one.end, one.peak) for one in found[: last + 1]
    )


@settings(max_examples=100, deadline=None)
@given(scores=scores_of, p=rules(), power=st.integers(-20, 20))
def test_another_unit_makes_no_difference(scores: np.ndarray, p: StandoutParameters, power: int) -> None:
    """By powers of two, which multiply without rounding."""
    times = 2.0**power
    scaled = stretches(scores * times, p)
    plain = stretches(scores, p)
    assert list(scaled) == [replace(one, height=one.height * times, rest=one.rest * times) for one in plain]
    assert len(standing_out(scaled, p.factor)) == len(standing_out(plain, p.factor))


@settings(max_examples=100, deadline=None)
@given(scores=scores_of, p=rules(), more=st.floats(1.0, 3.0))
def test_a_higher_factor_finds_less(scores: np.ndarray, p: StandoutParameters, more: float) -> None:
    found = stretches(scores, p)
    fewer = standing_out(found, p.factor * more)
    assert fewer == standing_out(found, p.factor)[: len(fewer)]


@settings(max_examples=100, deadline=None)
@given(scores=scores_of, p=rules())
def test_stretches_are_apart_hold_their_peaks_and_fall_in_height(
    scores: np.ndarray, p: StandoutParameters
) -> None:
    found = stretches(scores, p)
    steps = [step for one in found for step in range(one.start, one.end)]
    assert len(steps) == len(set(steps))
    assert all(p.lead <= one.start <= one.peak < one.end <= scores.size for one in found)
    assert all(one.end - one.start <= p.longest for one in found)
    heights = [one.height for one in found]
    assert heights == sorted(heights, reverse=True)


def test_a_second_fault_hides_neither_itself_nor_the_first() -> None:
    """The first does not exceed what is left by the factor, but both together do."""
    scores = np.full(3000, 1.0) + np.random.default_rng(0).normal(0, 0.02, 3000)
    scores[1000:1030] = 5.0
    scores[2000:2030] = 4.9
    found = standing_out(stretches(scores, StandoutParameters()), 1.15)
    assert [(one.start, one.end) for one in found] == [(1000, 1030), (2000, 2030)]


def test_the_level_where_nothing_stands_out_is_one_that_nothing_exceeds() -> None:
    rule = Standout().fit(of(np.arange(100.0)), np.zeros(100, np.float32))
    for values in (np.full(500, 0.3), np.zeros(500), np.full(50, 3.0)):
        judged = rule.judge(of(values), np.zeros(values.size, np.float32))
        assert judged.events == ()
        assert (judged.level[100:] >= values[100:].astype(np.float32)).all()


def test_a_gap_that_would_bridge_another_stretch_is_refused() -> None:
    StandoutParameters(gap=20, aside=10)
    with pytest.raises(ParameterError, match="twice aside"):
        StandoutParameters(gap=21, aside=10)


@pytest.mark.parametrize(
    "wrong",
    [
        {"factor": 0.9},
        {"release": 0.0},
        {"coverage": 1.1},
        {"most": 0},
        {"longest": 0},
        {"gap": -1},
        {"lead": -1},
    ],
)
def test_parameters_out_of_range_are_named(wrong: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        StandoutParameters(**wrong)  # type: ignore[arg-type]
