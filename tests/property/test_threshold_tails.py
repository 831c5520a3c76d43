"""Tails of normal scores: what they promise of the bar, whatever scores they were fitted to."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import gamma, genextreme, genpareto, norm

from core.errors import InsufficientData, ParameterError
from core.thresholds.block_maxima import BlockMaximaParameters, ExtremeValues
from core.thresholds.pareto import ParetoTail
from core.thresholds.peaks_over_threshold import PeaksOverThresholdParameters, tail_of
from core.thresholds.tails import Tail, without_outstanding

FREE = {"least_shape": -0.9, "most_shape": 0.9}


def pareto(scores: np.ndarray, **parameters: float) -> ParetoTail:
    return tail_of(scores, PeaksOverThresholdParameters(**parameters))  # type: ignore[arg-type]


def maxima(scores: np.ndarray, **parameters: float) -> ExtremeValues:
    return ExtremeValues.of(scores, BlockMaximaParameters(**parameters))  # type: ignore[arg-type]


every_tail = pytest.mark.parametrize("fit", [pareto, maxima, Tail.of])

# Ties, steps as coarse as a quarter, constants, zeros and values up to 1e30.
anything = st.one_of(
    arrays(np.float64, st.integers(24, 300), elements=st.floats(0, 1e30)),
    arrays(np.float64, st.integers(24, 300), elements=st.integers(0, 8).map(lambda each: each / 4)),
    st.tuples(st.integers(24, 300), st.floats(0, 1e6)).map(lambda drawn: np.full(*drawn)),
)


@every_tail
@settings(max_examples=150, deadline=None)
@given(scores=anything)
def test_any_scores_give_a_bar_that_rises_with_the_steps(fit: type, scores: np.ndarray) -> None:
    tail = fit(scores)
    levels = [tail.level(steps) for steps in (1e3, 1e4, 1e6, 1e9)]
    assert np.isfinite(levels).all()
    assert levels == sorted(levels)
    assert levels[-1] > np.median(scores)
    peaks = [0.0, float(scores.max()), levels[0], levels[-1], 10 * levels[-1] + 1]
    shares = [tail.share_below(peak, 10) for peak in sorted(peaks)]
    assert all(0 <= share <= 1 for share in shares)
    assert shares == sorted(shares)
    assert tail.share_below(levels[0], 10) >= tail.share_below(levels[0], 1000)


@pytest.mark.parametrize("fit", [pareto, maxima])
@settings(max_examples=100, deadline=None)
@given(
    scores=arrays(np.float64, st.integers(24, 300), elements=st.floats(2.0**-7, 2.0**7, width=32)),
    power=st.integers(-6, 6),
)
def test_scores_in_another_unit_give_the_bar_in_that_unit(fit: type, scores: np.ndarray, power: int) -> None:
    assert fit(2.0**power * scores).level(1e6) == pytest.approx(2.0**power * fit(scores).level(1e6), rel=1e-9)


@pytest.mark.parametrize("shape", [-0.3, 0.0, 0.25])
def test_the_fits_find_the_distribution_that_scores_were_drawn_from(shape: float) -> None:
    rng = np.random.default_rng(1)
    scores = genpareto.rvs(shape, scale=0.3, size=100_000, random_state=rng)
    tail = pareto(scores, quantile=0.9, **FREE)
    assert tail.shape == pytest.approx(shape, abs=0.05)
    assert tail.level(1e4) == pytest.approx(genpareto.isf(1e-4, shape, scale=0.3), rel=0.1)
    highest = genextreme.rvs(-shape, loc=2, scale=0.3, size=20_000, random_state=rng)
    values = maxima(highest, blocks=20_000, **FREE)
    assert values.shape == pytest.approx(shape, abs=0.05)
    assert (values.location, values.scale) == pytest.approx((2, 0.3), rel=0.03)
    assert values.level(1e4) == pytest.approx(genextreme.isf(1e-4, -shape, loc=2, scale=0.3), rel=0.1)


@every_tail
@pytest.mark.parametrize("drawn", [norm(0.6, 0.1), gamma(2.0, scale=0.2)])
def test_the_bar_is_exceeded_about_as_seldom_as_asked(fit: type, drawn: object) -> None:
    """The median over calibration parts of 4,000 steps, for one alarm in 100,000."""
    rng = np.random.default_rng(2)
    chances = [drawn.sf(fit(drawn.rvs(4000, random_state=rng)).level(1e5)) for _ in range(60)]  # type: ignore[attr-defined]
    assert 1e-8 < np.median(chances) < 3e-5
    assert np.quantile(chances, 0.9) < 2e-4


def test_a_shape_free_to_end_is_exceeded_too_often() -> None:
    """Why by default no tail ends."""
    rng = np.random.default_rng(2)
    parts = [rng.gamma(2.0, 0.2, 2000) for _ in range(60)]
    kept, free = (
        [gamma(2.0, scale=0.2).sf(pareto(part, least_shape=least).level(1e5)) for part in parts]
        for least in (0.0, -0.3)
    )
    assert np.quantile(free, 0.9) > 3 * np.quantile(kept, 0.9)


def test_no_score_lies_beyond_the_end_of_a_tail_that_ends() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        scores = rng.beta(1.0, rng.uniform(0.5, 3), 400)
        tail, values = pareto(scores, quantile=0.8, **FREE), maxima(scores, **FREE)
        for low, scale, shape in (
            (tail.start, tail.scale, tail.shape),
            (values.location, values.scale, values.shape),
        ):
            assert shape >= 0 or low - scale / shape >= scores.max() * (1 - 1e-9)


@pytest.mark.parametrize("count", [0, 1, 2, 9])
def test_few_excesses_make_an_exponential_tail(count: int) -> None:
    scores = np.full(2000, 0.5)
    scores[:count] = np.linspace(0.6, 0.9, count)
    tail = pareto(scores)
    assert tail.shape == 0
    assert tail.start == 0.5
    assert tail.share == max(count, 1) / 2000
    assert 0.5 < tail.level(1e6) < 5


@every_tail
@pytest.mark.parametrize("n", [0, 1, 23])
def test_too_few_scores_are_refused(fit: type, n: int) -> None:
    with pytest.raises(InsufficientData, match=f"at least 24 usable steps, found {n}"):
        fit(np.ones(n))


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 9999), share=st.floats(0, 0.3), contamination=st.floats(0, 0.5))
def test_never_more_than_the_assumed_share_is_left_out_and_only_the_highest(
    seed: int, share: float, contamination: float
) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.gamma(2.0, 0.2, 500)
    scores[: int(share * 500)] *= 20
    scores[rng.integers(0, 500, 20)] = np.nan
    rest, finite = without_outstanding(scores, contamination), scores[np.isfinite(scores)]
    assert rest.size >= (1 - contamination) * finite.size
    assert np.array_equal(rest, finite[finite <= rest.max()])


def test_faults_in_the_calibration_part_are_left_out_and_a_healthy_tail_is_not() -> None:
    rng = np.random.default_rng(4)
    healthy = rng.gamma(2.0, 0.2, 4000)
    faulty = healthy.copy()
    faulty[1000:1300] = 30.0
    assert without_outstanding(healthy, 0.1).size >= 3995
    rest = without_outstanding(faulty, 0.1)
    assert rest.max() < 30
    for fit in (pareto, maxima):
        clean = fit(healthy).level(1e6)
        assert fit(rest).level(1e6) == pytest.approx(clean, rel=0.1)
        assert fit(faulty).level(1e6) > 5 * clean


@pytest.mark.parametrize(
    "wrong",
    [
        {"contamination": 0.6},
        {"contamination": -0.1},
        {"steps_per_alarm": 0.5},
        {"least_shape": 0.1},
        {"most_shape": 1.0},
        {"release": 0.0},
        {"steps_per_alarm": float("nan")},
    ],
)
def test_parameters_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    for kind in (PeaksOverThresholdParameters, BlockMaximaParameters):
        with pytest.raises(ParameterError, match=r"contamination|out of range"):
            kind(**wrong)  # type: ignore[arg-type]
    with pytest.raises(ParameterError):
        PeaksOverThresholdParameters(quantile=1.0)
    with pytest.raises(ParameterError):
        BlockMaximaParameters(blocks=1)
