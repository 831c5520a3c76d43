"""One scale for scores of different detectors, and one score from many."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.ensembles.blend import (
    CAP,
    GRID,
    HIGHEST,
    LOWEST,
    TRAILING,
    USUAL,
    against_past,
    against_whole,
    around,
    before,
    blended,
    usual,
)


def scores(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).gamma(4.0, 0.1, n)


def places(n: int, start: int = 0) -> np.ndarray:
    return start + np.arange(n)


times = st.floats(1e-3, 1e3)


@settings(max_examples=40, deadline=None)
@given(factor=times, seed=st.integers(0, 99), n=st.integers(1, 900), lead=st.integers(0, 100))
def test_the_unit_of_a_score_makes_no_difference_in_review(
    factor: float, seed: int, n: int, lead: int
) -> None:
    plain = against_whole(scores(n, seed), lead)
    assert np.allclose(against_whole(factor * scores(n, seed), lead), plain) or n <= lead


@settings(max_examples=40, deadline=None)
@given(factor=times, seed=st.integers(0, 99), n=st.integers(1, 900), m=st.integers(1, 500))
def test_the_unit_of_a_score_makes_no_difference_in_causal_mode(
    factor: float, seed: int, n: int, m: int
) -> None:
    said, normal = scores(n, seed), scores(m, 1000)
    plain = against_past(said, normal, places(n))
    assert np.allclose(against_past(factor * said, factor * normal, places(n)), plain)


def spelt_out(said: np.ndarray, normal: np.ndarray, at: np.ndarray) -> list[float]:
    """Hold each step against the steps before its cell of the grid, and the end of training for the rest."""
    told = []
    for step in range(said.size):
        first = min(s for s in range(step + 1) if at[s] // GRID == at[step] // GRID)
        past = said[max(0, first - TRAILING) : first].tolist()
        missing = TRAILING - len(past)
        known = (normal.tolist()[-missing:] if missing else []) + past
        told.append(min(said[step] / usual(np.array(known)), HIGHEST**3))
    return told


@settings(max_examples=15, deadline=None)
@given(
    n=st.integers(1, 700),
    m=st.sampled_from([1, 50, TRAILING + 7]),
    start=st.sampled_from([0, 1, 199, 200, 10**9 + 3, -301]),
    missing=st.sets(st.integers(0, 690), max_size=300),
)
def test_causal_ratios_are_the_rule_spelt_out(n: int, m: int, start: int, missing: set[int]) -> None:
    at = np.array(sorted(set(range(n)) - missing), np.int64) + start
    said = scores(at.size)
    assert np.allclose(against_past(said, scores(m, 1), at), spelt_out(said, scores(m, 1), at))


@settings(max_examples=30, deadline=None)
@given(cut=st.integers(1, 4999), lift=st.floats(0, 1e6), start=st.integers(0, 999))
def test_no_later_step_is_used_in_causal_mode(cut: int, lift: float, start: int) -> None:
    said, normal = scores(5000), scores(100, 1)
    plain = against_past(said, normal, places(5000, start))
    other = said.copy()
    other[cut:] += lift
    assert np.array_equal(against_past(other, normal, places(5000, start))[:cut], plain[:cut])
    assert np.array_equal(against_past(said[:cut], normal, places(cut, start)), plain[:cut])


@settings(max_examples=30, deadline=None)
@given(first=st.integers(1, 3000), gap=st.integers(0, 500))
def test_what_lies_further_back_than_the_trailing_steps_makes_no_difference(first: int, gap: int) -> None:
    """Also where steps are missing: the grid is one of time, not of steps that were judged."""
    n = 8000
    at = places(n, 77)
    at[3500:] += gap
    said, normal = scores(n), scores(100, 1)
    plain = against_past(said, normal, at)
    other = said.copy()
    other[:first] *= 100
    safe = first + TRAILING + GRID
    assert np.array_equal(against_past(other, normal, at)[safe:], plain[safe:])
    assert np.array_equal(against_past(said[first:], normal, at[first:])[safe - first :], plain[safe:])


def test_a_step_does_not_lift_its_own_bar_in_causal_mode() -> None:
    said = np.full(1000, 1.0)
    said[500] = 50.0
    ratios = against_past(said, np.full(3000, 1.0), places(1000))
    assert ratios[500] == pytest.approx(50.0)
    assert np.allclose(ratios[:500], 1)


@pytest.mark.parametrize("n", [1, 2, 51, 99, 100, 101, 102, 3000])
@pytest.mark.parametrize("decimals", [1, 9])
def test_usual_is_numpys_quantile_to_the_last_digit(n: int, decimals: int) -> None:
    scores = np.round(np.random.default_rng(n).lognormal(size=n), decimals) + 0.1
    assert usual(scores) == np.quantile(scores, USUAL)


def test_usual_is_a_high_quantile_and_never_zero() -> None:
    assert usual(np.arange(101.0)) == pytest.approx(99)
    rare = np.zeros(1000)
    rare[7] = 3.0
    assert usual(rare) == 3.0  # nearly all are 0: the highest tells
    assert usual(np.zeros(10)) > 0
    assert usual(np.empty(0)) > 0


@pytest.mark.parametrize("n", [0, 1, 40, 500])
@pytest.mark.parametrize("level", [0.0, 1e-30, 0.3, 1e30])
def test_constant_scores_have_finite_ratios(n: int, level: float) -> None:
    still = np.full(n, level)
    for ratios in (against_whole(still, 50), against_past(still, np.full(100, level), places(n))):
        assert ratios.shape == (n,)
        assert np.isfinite(ratios).all()
        assert level > 1e-9 or (ratios < 1).all() or n == 0
    if n > 50 and level > 1e-9:
        assert np.allclose(against_whole(still, 50), 1)
        assert np.allclose(against_past(still, np.full(100, level), places(n)), 1)


def test_a_rare_departure_of_what_stands_still_is_three_times_the_usual() -> None:
    said = np.zeros(1000)
    said[500:505] = 7.0
    assert against_whole(said, 50).max() == pytest.approx(3)


def test_the_lead_does_not_tell_what_is_usual_in_review() -> None:
    said = scores(1000)
    loud = said.copy()
    loud[:50] = 1e3
    assert np.array_equal(against_whole(loud, 50)[50:], against_whole(said, 50)[50:])


@settings(max_examples=60, deadline=None)
@given(
    ratios=st.lists(st.lists(st.floats(0, 1e6), min_size=5, max_size=5).map(np.array), min_size=1, max_size=5)
)
def test_blends_stay_in_their_bounds_and_in_no_order(ratios: list[np.ndarray]) -> None:
    geometric, capped = blended(ratios, "geometric"), blended(ratios, "capped")
    assert (geometric >= LOWEST * (1 - 1e-9)).all()
    assert (geometric <= HIGHEST * (1 + 1e-9)).all()
    assert (capped >= 0).all()
    assert (capped <= CAP).all()
    for how, blend in (("geometric", geometric), ("capped", capped)):
        assert np.allclose(blended(ratios[::-1], how), blend)  # type: ignore[arg-type]


def test_blends_by_their_definitions() -> None:
    ratios = [np.array([1.0, 4.0, 0.0, 1e9]), np.array([1.0, 1.0, 1.0, 1e9])]
    assert blended(ratios, "geometric") == pytest.approx([1, 2, np.sqrt(LOWEST), HIGHEST])
    assert blended(ratios, "capped") == pytest.approx([1, 1.5, 0.5, CAP])


def test_no_detector_decides_alone_in_a_geometric_mean_of_many() -> None:
    one = [np.array([1e9]), *([np.array([1.0])] * 4)]
    two = [np.array([4.0]), np.array([4.0]), *([np.array([1.0])] * 3)]
    assert blended(one, "geometric")[0] == pytest.approx(HIGHEST**0.2)
    assert blended(two, "geometric")[0] == pytest.approx(16**0.2)


@pytest.mark.parametrize("steps", [1, 2, 5, 60, 2000])
def test_means_around_and_before_keep_constants_and_length(steps: int) -> None:
    for n in (0, 1, 7, 300):
        for mean in (around(np.full(n, 0.7), steps), before(np.full(n, 0.7), steps)):
            assert mean.shape == (n,)
            assert np.allclose(mean, 0.7)


def test_a_mean_before_sees_no_later_step_and_one_around_does() -> None:
    said = np.zeros(200)
    said[100] = 1.0
    assert before(said, 21)[:100].max() == 0
    assert before(said, 21)[100] > 0
    assert around(said, 21)[90:111] == pytest.approx(1 / 21)
    assert np.count_nonzero(around(said, 21) > 1e-12) == 21
