"""Events of scores above a bar: what holds whatever the scores are."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.errors import ParameterError
from core.results import Event, Scores
from core.thresholds.block_maxima import BlockMaxima, BlockMaximaParameters
from core.thresholds.extent import Extent, raised
from core.thresholds.moving import MovingThreshold
from core.thresholds.peaks_over_threshold import PeaksOverThreshold, PeaksOverThresholdParameters
from core.thresholds.quantile import QuantileThreshold, QuantileThresholdParameters
from core.thresholds.robust import RobustThreshold, RobustThresholdParameters

CALIBRATE = np.random.default_rng(0).gamma(4.0, 0.1, 1000)


def of(values: np.ndarray) -> Scores:
    n = len(values)
    return Scores(
        timestamps=np.datetime64("2024-01-01", "us") + np.arange(n) * np.timedelta64(1, "m"),
        values=np.asarray(values, dtype=np.float32),
        expected=np.full(n, np.nan, dtype=np.float32),
        shares=None,
        mode="causal",
    )


def steps(events: tuple[Event, ...]) -> set[int]:
    return {step for event in events for step in range(event.start, event.end)}


scores_of = arrays(
    np.float32,
    st.integers(0, 120),
    elements=st.one_of(st.integers(0, 8).map(float), st.just(float("nan")), st.floats(0, 8, width=32)),
)
extents = st.builds(
    Extent,
    release=st.floats(0.1, 1.0),
    shortest=st.integers(1, 6),
    brief_factor=st.floats(1.0, 3.0),
    gap=st.integers(0, 10),
)


def spelt_out(values: np.ndarray, bar: float, p: Extent) -> list[tuple[int, int]]:
    """The rule of extent and merging, step by step."""
    judged = [(i, float(v)) for i, v in enumerate(values) if np.isfinite(v)]
    stretches: list[list[int]] = []
    for place, (_, score) in enumerate(judged):
        if score > bar or score > p.release * bar:
            if stretches and stretches[-1][-1] == place - 1:
                stretches[-1].append(place)
            else:
                stretches.append([place])
    stretches = [each for each in stretches if max(judged[place][1] for place in each) > bar]
    joined: list[list[int]] = []
    for each in stretches:
        if joined and each[0] - joined[-1][-1] - 1 <= p.gap:
            joined[-1] += each
        else:
            joined.append(each)
    found = []
    for each in joined:
        seen = [judged[place][1] for place in each]
        if sum(score > bar for score in seen) >= p.shortest or max(seen) >= p.brief_factor * bar:
            found.append((judged[each[0]][0], judged[each[-1]][0] + 1))
    return found


@settings(max_examples=200, deadline=None)
@given(values=scores_of, bar=st.one_of(st.floats(0.1, 8), st.integers(1, 8).map(float)), extent=extents)
def test_events_are_those_of_the_rule_spelt_out(values: np.ndarray, bar: float, extent: Extent) -> None:
    level = np.full(len(values), bar)
    events = raised(of(values), level, extent.release * level, extent, lambda *_: 0.5)
    assert [(event.start, event.end) for event in events] == spelt_out(values, bar, extent)
    for event in events:
        assert event.peak_score == values[event.peak] == np.nanmax(values[event.start : event.end])
        assert event.threshold == bar < event.peak_score


@settings(max_examples=200, deadline=None)
@given(values=scores_of, bars=st.tuples(st.floats(0, 8), st.floats(0, 8)), extent=extents)
def test_a_higher_bar_never_flags_more(values: np.ndarray, bars: tuple[float, float], extent: Extent) -> None:
    low, high = (
        steps(
            raised(
                of(values),
                np.full(len(values), bar),
                np.full(len(values), extent.release * bar),
                extent,
                _even,
            )
        )
        for bar in sorted(bars)
    )
    assert high <= low


def _even(at: int, peak: float, length: int) -> float:
    del at, peak, length
    return 0.5


RULES = {
    "quantile": lambda strict: QuantileThreshold(QuantileThresholdParameters(factor=strict)),
    "peaks-over-threshold": lambda strict: PeaksOverThreshold(
        PeaksOverThresholdParameters(steps_per_alarm=10.0 ** (2 * strict))
    ),
    "block-maxima": lambda strict: BlockMaxima(BlockMaximaParameters(steps_per_alarm=10.0 ** (2 * strict))),
    "robust": lambda strict: RobustThreshold(
        RobustThresholdParameters(steps_per_alarm=10.0 ** (2 * strict), least=0.1, most=100.0)
    ),
}


@pytest.mark.parametrize("name", list(RULES))
@settings(max_examples=50, deadline=None)
@given(values=scores_of, strict=st.tuples(st.floats(1, 4), st.floats(1, 4)))
def test_a_stricter_rule_never_flags_more(name: str, values: np.ndarray, strict: tuple[float, float]) -> None:
    lax, stern = (RULES[name](each).fit(of(CALIBRATE), CALIBRATE) for each in sorted(strict))
    assert lax.level <= stern.level
    assert steps(stern.judge(of(values), values).events) <= steps(lax.judge(of(values), values).events)


@pytest.mark.parametrize("name", ["quantile", "peaks-over-threshold", "block-maxima"])
@settings(max_examples=50, deadline=None)
@given(values=scores_of, power=st.integers(-8, 8))
def test_scores_in_another_unit_raise_the_same_events(name: str, values: np.ndarray, power: int) -> None:
    found = []
    for unit in (1.0, 2.0**power):
        rule = RULES[name](2.0).fit(of(CALIBRATE * unit), CALIBRATE)
        events = rule.judge(of(values * np.float32(unit)), values).events
        found.append([(event.start, event.end, event.peak) for event in events])
        assert rule.level / unit == pytest.approx(RULES[name](2.0).fit(of(CALIBRATE), CALIBRATE).level)
    assert found[0] == found[1]


@settings(max_examples=50, deadline=None)
@given(
    calibrate=arrays(np.float32, st.integers(24, 200), elements=st.floats(0, 100, width=32)),
    quantile=st.floats(0, 1),
    factor=st.floats(0.1, 10),
    least=st.floats(0, 10),
)
def test_the_quantile_rule_is_what_its_name_says(
    calibrate: np.ndarray, quantile: float, factor: float, least: float
) -> None:
    p = QuantileThresholdParameters(quantile=quantile, factor=factor, least=least)
    bar = QuantileThreshold(p).fit(of(calibrate), calibrate).level
    assert bar == pytest.approx(max(factor * np.quantile(calibrate.astype(np.float64), quantile), least))


@pytest.mark.parametrize(
    "wrong",
    [{"quantile": 1.1}, {"quantile": -0.1}, {"factor": 0.0}, {"least": -1.0}, {"factor": float("inf")}],
)
def test_quantile_parameters_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match="threshold: "):
        QuantileThresholdParameters(**wrong)


@pytest.mark.parametrize("rule", [PeaksOverThreshold, BlockMaxima, MovingThreshold, QuantileThreshold])
def test_a_quiet_calibration_part_need_not_make_a_low_bar(rule: type) -> None:
    quiet, values = np.zeros(500, np.float32), np.zeros(300, np.float32)
    values[100:150], values[200:250] = 0.3, 3.0
    for least, expected in ((0.0, 2), (1.0, 1), (5.0, 0)):
        threshold = rule(replace(rule().parameters, least=least, gap=0)).fit(of(quiet), quiet)
        assert threshold.level == pytest.approx(least, abs=1e-3)
        assert len(threshold.judge(of(values), values).events) == expected
