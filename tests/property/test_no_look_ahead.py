"""Causal mode: what comes after a step never changes what was said of it; review mode says that it does."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.detectors.contract import Detector
from core.detectors.discords import DiscordParameters, Discords, Seeing
from core.detectors.neighbours import Neighbours, NeighboursParameters
from core.detectors.range_check import RangeCheck
from core.detectors.reservoir import Reservoir, ReservoirParameters
from core.detectors.robust_regression import RobustRegression
from core.detectors.subspace import Subspace
from core.detectors.telemanom import Telemanom, TelemanomParameters
from core.detectors.temporal_convolution import ConvolutionParameters, TemporalConvolution
from core.detectors.window_views import View
from core.ensembles.panel import Panel
from core.ensembles.panel_parameters import PanelParameters
from core.ensembles.raise_events import Detection
from core.ensembles.trusted import RELATION, STANDSTILL
from core.ensembles.votes import Voters
from core.results import Event, Scores
from core.signal import Signal
from core.thresholds.block_maxima import BlockMaxima
from core.thresholds.contract import Threshold
from core.thresholds.extent import Extent
from core.thresholds.moving import MovingThreshold, MovingThresholdParameters
from core.thresholds.peaks_over_threshold import PeaksOverThreshold
from core.thresholds.quantile import QuantileThreshold
from core.thresholds.record import Record, RecordParameters
from core.thresholds.robust import RobustThreshold

EPOCH = np.datetime64("2024-03-01T00:00", "us")


LSTM = TelemanomParameters(
    hidden=(6,), horizon=3, window=40, smoothing_span=20, epochs=2, batch=8, least_crops=16, most_crops=16
)
CONVOLUTION = ConvolutionParameters(
    filters=6, levels=3, horizon=3, window=40, smoothing_span=20, epochs=2, least_crops=16, most_crops=16
)


def discords(view: View, window: int, *, past: bool) -> Callable[[], Detector]:
    seeing: Seeing = "past" if past else "training"
    return lambda: Discords(DiscordParameters(view, window, seeing, history=200))


MAKERS: dict[str, Callable[[], Detector]] = {
    "robust-regression": RobustRegression,
    "telemanom": lambda: Telemanom(LSTM, seed=5),
    "temporal-convolution": lambda: TemporalConvolution(CONVOLUTION, seed=5),
    "neighbours": lambda: Neighbours(NeighboursParameters(lengths=(8, 40), smoothing=5)),
    "figures of 20": discords("figures", 20, past=True),
    "figures of 75": discords("figures", 75, past=True),
    "spread of 30": discords("spread", 30, past=False),
    "values of 55": discords("values", 55, past=False),
    "shape of 100": discords("shape", 100, past=True),
    "levelled of 25": discords("levelled", 25, past=True),
    "reservoir": lambda: Reservoir(ReservoirParameters(units=40)),
    "range-check": RangeCheck,
    "subspace": Subspace,
}
LEARNED = ("telemanom", "temporal-convolution")

THRESHOLDS: dict[str, Callable[[], Threshold]] = {
    "record": lambda: Record(RecordParameters(lead=10, longest=40, reach=150)),
    "moving": lambda: MovingThreshold(MovingThresholdParameters(window=150, every=30, buffer=10)),
    "quantile": QuantileThreshold,
    "peaks-over-threshold": PeaksOverThreshold,
    "block-maxima": BlockMaxima,
    "robust": RobustThreshold,
}

every_detector = pytest.mark.parametrize(
    "name", [pytest.param(one, marks=pytest.mark.learned) if one in LEARNED else one for one in MAKERS]
)
every_threshold = pytest.mark.parametrize("name", list(THRESHOLDS))


def made(n: int, seed: int = 0) -> np.ndarray:
    """A temperature that follows a load with some delay, a minute a step, with faults where it is long."""
    rng = np.random.default_rng(seed)
    load = 50 + 20 * np.sin(np.arange(n) / 37) + rng.normal(0, 0.3, n)
    heat = np.convolve(load, np.ones(5) / 5)[:n]
    return np.stack([20 + 0.8 * heat + rng.normal(0, 0.4, n), load], axis=1).astype(np.float32)


def of(values: np.ndarray, start: int = 0) -> Signal:
    n = values.shape[0]
    return Signal(
        timestamps=EPOCH + (start + np.arange(n)) * np.timedelta64(1, "m"),
        values=values,
        channels=("temperature", "load"),
        units=("°C", "%"),
        interval=timedelta(minutes=1),
        valid=np.isfinite(values[:, 0]),
    )


@cache
def fitted(name: str) -> Detector:
    return MAKERS[name]().fit(of(made(1200)))


def other_future(values: np.ndarray, cut: int, future: tuple[int, float]) -> np.ndarray:
    other, (seed, size) = values.copy(), future
    later = np.random.default_rng(seed).normal(0, 1, values[cut:].shape) * size
    other[cut:] = later.astype(np.float32)
    return other


futures = st.tuples(st.integers(0, 99), st.sampled_from([0.0, 1.0, 1e4, 1e30, np.nan]))
"""A seed, and the size of what comes later."""


@every_detector
@settings(max_examples=25, deadline=None)
@given(cut=st.integers(101, 299), start=st.integers(0, 7), hole=st.integers(0, 299), future=futures)
def test_scores_do_not_change_with_what_comes_later(
    name: str, cut: int, start: int, hole: int, future: tuple[int, float]
) -> None:
    detector, values = fitted(name), made(300, seed=11)
    values[hole : hole + 9, 0] = np.nan
    values[60:63, 0] += 30
    assert detector.mode == "causal"
    before, after = (detector.score(of(each, start)) for each in (values, other_future(values, cut, future)))
    assert np.array_equal(before.values[:cut], after.values[:cut], equal_nan=True)
    assert np.array_equal(before.expected[:cut], after.expected[:cut], equal_nan=True)
    if before.shares is not None and after.shares is not None:
        assert np.array_equal(before.shares[:cut], after.shares[:cut], equal_nan=True)


@every_detector
@settings(max_examples=25, deadline=None)
@given(cut=st.integers(101, 299), start=st.integers(0, 7), hole=st.integers(0, 299))
def test_scores_do_not_wait_for_what_comes_later(name: str, cut: int, start: int, hole: int) -> None:
    """Products of matrices round by their shapes: the last digits may differ."""
    detector, values = fitted(name), made(300, seed=11)
    values[hole : hole + 9, 0] = np.nan
    values[60:63, 0] += 30
    whole, part = detector.score(of(values, start)), detector.score(of(values[:cut], start))
    assert np.allclose(part.values, whole.values[:cut], rtol=1e-3, atol=2e-4, equal_nan=True)
    assert np.allclose(part.expected, whole.expected[:cut], rtol=1e-3, atol=1e-3, equal_nan=True)


@every_detector
def test_the_first_judged_step_needs_no_later_one(name: str) -> None:
    """At whatever place on the grid the signal begins."""
    detector, values = fitted(name), made(300, seed=12)
    n = detector.warmup + 1
    for start in range(6):
        whole = detector.score(of(values, start)).values[:n]
        part = detector.score(of(values[:n], start)).values
        assert np.isfinite(whole[-1])
        assert np.allclose(part, whole, rtol=1e-3, atol=2e-4, equal_nan=True)


def scores_of(values: np.ndarray) -> Scores:
    n = len(values)
    return Scores(
        timestamps=EPOCH + np.arange(n) * np.timedelta64(1, "m"),
        values=np.asarray(values, dtype=np.float32),
        expected=np.full(n, np.nan, dtype=np.float32),
        shares=None,
        mode="causal",
    )


@cache
def calibrated(name: str) -> Threshold:
    normal = np.random.default_rng(7).gamma(4.0, 0.1, 1000)
    return THRESHOLDS[name]().fit(scores_of(normal), normal.astype(np.float32))


def told(events: tuple[Event, ...], *, until: int) -> list[Event]:
    """Return the events that ended before a step; they say nothing of whether more was judged."""
    return [replace(one, open=False) for one in events if one.end < until]


@st.composite
def streams(draw: st.DrawFn) -> np.ndarray:
    """600 scores with bursts and holes."""
    values = np.random.default_rng(draw(st.integers(0, 9999))).gamma(4.0, 0.1, 600)
    burst = st.tuples(st.integers(0, 599), st.integers(1, 90), st.floats(0, 30))
    for place, length, size in draw(st.lists(burst, max_size=6)):
        values[place : place + length] += size
    for place, length in draw(st.lists(st.tuples(st.integers(0, 599), st.integers(1, 60)), max_size=3)):
        values[place : place + length] = np.nan
    return values


@every_threshold
@settings(max_examples=60, deadline=None)
@given(values=streams(), cut=st.integers(1, 600), lift=st.sampled_from([None, 0.0, 1.0, 50.0]))
def test_levels_and_events_do_not_change_with_what_comes_later(
    name: str, values: np.ndarray, cut: int, lift: float | None
) -> None:
    """With other scores after the cut, or none at all."""
    other = values[:cut].copy()
    if lift is not None:
        other = np.r_[other, values[cut:] + lift]
    rule = calibrated(name)
    whole, changed = (rule.judge(scores_of(each), scores_of(each).values) for each in (values, other))
    assert np.array_equal(whole.level[:cut], changed.level[:cut], equal_nan=True)
    extent = getattr(rule, "parameters", None)
    # An event that is over may still be joined by the next, as far as the rule bridges.
    settled = cut - (extent.gap + 1 if isinstance(extent, Extent) else 0)
    last = np.flatnonzero(np.isfinite(values[:cut]))
    judged_gap = 0 if last.size == 0 else int(np.isnan(values[:cut]).sum())
    until = settled - judged_gap
    assert told(whole.events, until=until) == told(changed.events, until=until)
    if isinstance(extent, Extent):
        # A brief one may be waiting for company; what was raised stays, from the step it began at.
        so_far = scores_of(values[:cut])
        known = {one.start for one in rule.judge(so_far, so_far.values).events}
        assert known <= {one.start for one in whole.events}
        assert known <= {one.start for one in changed.events}
    else:
        starts = [[one.start for one in each.events if one.start < cut] for each in (whole, changed)]
        assert starts[0] == starts[1]


VOTERS = Voters(smoothing=(1, 20), factors=(1.1, 1.5), releases=(0.7, 0.9), floors=(1.0,), longest=120)
ENTRIES = ("figures-20-training", "figures-75-training", "spread-30-training", "reservoir@5", "reservoir@20")


APART = 60
"""Steps after which an event is not joined by another, those of the check against context included."""


@cache
def panel(standstill: float | None = 2.0) -> Panel:
    parameters = PanelParameters("causal", ENTRIES, VOTERS, standstill=standstill, gap=30, reach=500)
    values = made(2000)
    return Panel(parameters).fit(of(values[:1500]), of(values[1500:], 1500))


def faulty(n: int, every: int = 300) -> np.ndarray:
    """A jump, a standstill, missing readings and a spike, in turn; each is higher than the one before."""
    values = made(n, seed=13)
    for turn, start in enumerate(range(250, n, every)):
        if turn % 4 == 0:
            values[start : start + 25, 0] += 25 + 10 * turn
        elif turn % 4 == 1:
            values[start : start + 60, 0] = values[start, 0]
        elif turn % 4 == 2:
            values[start : start + 5, 0] = np.nan
        else:
            values[start : start + 2, 0] -= 40 + 10 * turn
    return values


def same_until(cut: int, whole: Detection, other: Detection, *, exactly: bool) -> None:
    for mine, theirs in ((whole.scores.values, other.scores.values), (whole.level, other.level)):
        if exactly:
            assert np.array_equal(mine[:cut], theirs[:cut], equal_nan=True)
        else:
            assert np.allclose(mine[:cut], theirs[:cut], rtol=1e-3, atol=1e-3, equal_nan=True)
    starts = [[one.start for one in each.events if one.start < cut] for each in (whole, other)]
    assert starts[0] == starts[1]
    spans = [
        [(one.start, one.end, one.peak) for one in each.events if one.end < cut - APART - 6]
        for each in (whole, other)
    ]
    assert spans[0] == spans[1]


@settings(max_examples=25, deadline=None)
@given(cut=st.integers(2, 1499), start=st.integers(0, 500), future=futures)
def test_a_causal_panel_does_not_change_its_word(cut: int, start: int, future: tuple[int, float]) -> None:
    values = faulty(1500)
    whole = panel().detect(of(values, start))
    assert {STANDSTILL, RELATION} <= set(panel().detectors)
    assert whole.scores.mode == "causal"
    assert len(whole.events) >= 3
    other = panel().detect(of(other_future(values, cut, future), start))
    same_until(cut, whole, other, exactly=True)


@settings(max_examples=25, deadline=None)
@given(cut=st.one_of(st.integers(2, 130), st.integers(130, 1499)), start=st.integers(0, 500))
def test_a_causal_panel_does_not_wait(cut: int, start: int) -> None:
    """Also where the signal is too short for some of its detectors, which are still warming up then."""
    values = faulty(1500)
    whole, part = panel().detect(of(values, start)), panel().detect(of(values[:cut], start))
    same_until(cut, whole, part, exactly=False)


@pytest.mark.parametrize("extra", [0, 1, 333, 2000])
def test_a_causal_panel_tells_the_same_with_its_memory_as_lead(extra: int) -> None:
    """A window that begins `memory` steps earlier than what matters raises there what any longer one does."""
    judge, values = panel(None), faulty(16_000, every=800)
    matters = 9000
    first = matters - judge.memory - extra
    assert first >= 0
    whole, part = judge.detect(of(values)), judge.detect(of(values[first:], first))
    for mine, theirs in ((whole.scores.values, part.scores.values), (whole.level, part.level)):
        assert np.allclose(mine[matters:], theirs[matters - first :], rtol=1e-3, atol=1e-3, equal_nan=True)
    expected = [(one.start, one.end, one.peak) for one in whole.events if one.start >= matters]
    found = [(one.start + first, one.end + first, one.peak + first) for one in part.events]
    assert len(expected) >= 2
    assert [one for one in found if one[0] >= matters] == expected


def test_review_mode_looks_ahead_and_says_so() -> None:
    """Else the tests above could not fail."""
    parameters = PanelParameters("review", ENTRIES, VOTERS, standstill=None)
    values = made(2000)
    judge = Panel(parameters).fit(of(values[:1500]), of(values[1500:], 1500))
    fresh = faulty(1500)
    whole, part = judge.detect(of(fresh)), judge.detect(of(fresh[:900]))
    assert whole.scores.mode == part.scores.mode == "review"
    assert not np.allclose(whole.scores.values[:900], part.scores.values, equal_nan=True)
