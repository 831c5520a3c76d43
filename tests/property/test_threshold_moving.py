"""The moving threshold: causal, resumable, and never lifted by what it flags."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ArtifactError, NotFitted, ParameterError
from core.results import Scores
from core.thresholds.moving import MovingThreshold, MovingThresholdParameters
from core.thresholds.pareto import ParetoTail

QUICK = MovingThresholdParameters(window=200, every=17, buffer=9, contamination=0.0, steps_per_alarm=1e4)


def of(values: np.ndarray) -> Scores:
    n = len(values)
    return Scores(
        timestamps=np.datetime64("2024-01-01", "us") + np.arange(n) * np.timedelta64(1, "m"),
        values=np.asarray(values, dtype=np.float32),
        expected=np.full(n, np.nan, dtype=np.float32),
        shares=None,
        mode="causal",
    )


def normal(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).gamma(4.0, 0.1, n)


def fitted(parameters: MovingThresholdParameters = QUICK) -> MovingThreshold:
    scores = of(normal(400, 1000))
    return MovingThreshold(parameters).fit(scores, scores.values)


def level(threshold: MovingThreshold, values: np.ndarray) -> np.ndarray:
    return threshold.judge(of(values), of(values).values).level


def spelt_out(threshold: MovingThreshold, values: np.ndarray) -> list[float]:
    """The rule step by step: no blocks, no arrays."""
    p = threshold.parameters
    window = [float(each) for each in threshold._fitted()[0].normal]
    past: list[tuple[float, bool]] = []
    entered, bars, bar = 0, [], _bar(window, p)
    for score in (float(each) for each in of(values).values):
        bars.append(bar)
        if not np.isfinite(score):
            continue
        past.append((score, score > bar))
        if len(past) % p.every == 0:
            while entered < len(past) - p.buffer:
                near = past[max(0, entered - p.buffer) : entered + p.buffer + 1]
                if not any(flagged for _, flagged in near):
                    window = [*window, past[entered][0]][-p.window :]
                entered += 1
            bar = _bar(window, p)
    return bars


def _bar(window: list[float], p: MovingThresholdParameters) -> float:
    tail = ParetoTail.of(
        np.array(window), quantile=p.quantile, least_shape=p.least_shape, most_shape=p.most_shape
    )
    return tail.level(p.steps_per_alarm)


streams = st.tuples(
    st.integers(0, 400),
    st.integers(0, 9999),
    st.lists(st.tuples(st.floats(0, 1), st.integers(1, 60), st.floats(0.5, 50)), max_size=5),
    st.lists(st.tuples(st.floats(0, 1), st.integers(1, 60)), max_size=3),
)


def stream(drawn: tuple[int, int, list[tuple[float, int, float]], list[tuple[float, int]]]) -> np.ndarray:
    n, seed, bursts, holes = drawn
    values = normal(n, seed)
    for place, length, size in bursts:
        values[int(place * n) : int(place * n) + length] += size
    for place, length in holes:
        values[int(place * n) : int(place * n) + length] = np.nan
    return values


@settings(max_examples=80, deadline=None)
@given(drawn=streams)
def test_its_bars_are_those_of_the_rule_spelt_out(drawn: tuple) -> None:
    values = stream(drawn)
    assert np.array_equal(level(fitted(), values), np.array(spelt_out(fitted(), values), np.float32))


@settings(max_examples=80, deadline=None)
@given(drawn=streams, cuts=st.lists(st.floats(0, 1), min_size=1, max_size=4))
def test_judging_in_pieces_is_judging_at_once(
    tmp_path_factory: pytest.TempPathFactory, drawn: tuple, cuts: list[float]
) -> None:
    """Also when it is saved and loaded between the pieces."""
    values = stream(drawn)
    folder = tmp_path_factory.mktemp("moving")
    whole, after = fitted().advanced(of(values), of(values).values)
    threshold, pieces = fitted(), []
    found: set[tuple[int, int, int]] = set()
    edges = [0, *sorted(int(cut * len(values)) for cut in cuts), len(values)]
    for low, high in pairwise(edges):
        part = of(values[low:high])
        judged, threshold = threshold.advanced(part, part.values)
        pieces.append(judged.level)
        found |= {(low + event.start, low + event.end, low + event.peak) for event in judged.events}
        threshold.save(folder)
        threshold = MovingThreshold.load(folder)
    assert np.array_equal(np.concatenate(pieces), whole.level)
    assert threshold.level == after.level
    within = [e for e in whole.events if not any(e.start < edge < e.end for edge in edges)]
    assert {(event.start, event.end, event.peak) for event in within} <= found


@settings(max_examples=60, deadline=None)
@given(drawn=streams, cut=st.floats(0, 1), lift=st.floats(0, 100))
def test_a_step_is_judged_by_a_bar_known_before_it(drawn: tuple, cut: float, lift: float) -> None:
    values = stream(drawn)
    at = int(cut * len(values))
    other = values.copy()
    other[at:] += lift
    assert np.array_equal(level(fitted(), values)[: at + 1], level(fitted(), other)[: at + 1])


@settings(max_examples=40, deadline=None)
@given(start=st.integers(0, 300), length=st.integers(1, 300), size=st.floats(10, 1e6))
def test_an_anomaly_never_lifts_the_bar(start: int, length: int, size: float) -> None:
    """However high it is, and even if it lasts longer than the window."""
    values = normal(800, 3)
    values[start : start + length] = 5.0
    higher = values.copy()
    higher[start : start + length] = size
    assert np.array_equal(level(fitted(), values), level(fitted(), higher))
    assert (level(fitted(), values) < 5.0).all()


def test_the_neighbours_of_an_anomaly_stay_out_too() -> None:
    """Steps below the bar that lead up to an anomaly are part of it, not of what is normal."""
    values = normal(450, 3)
    values[300:309] = values[320:329] = shoulder = np.float32(0.777)
    values[309:320] = 50.0
    for buffer, entered in ((9, 0), (4, 10), (0, 18)):
        threshold = fitted(MovingThresholdParameters(**(vars(QUICK) | {"buffer": buffer})))
        _, threshold = threshold.advanced(of(values), of(values).values)
        assert (threshold._fitted()[0].normal == shoulder).sum() == entered


def test_it_follows_a_slow_change() -> None:
    values = normal(6000, 5) * np.linspace(1, 3, 6000)
    followed = fitted().judge(of(values), of(values).values)
    assert followed.level[-1] > 2 * followed.level[0]
    still = MovingThreshold(MovingThresholdParameters(**(vars(QUICK) | {"every": 10**6})))
    scores = of(normal(400, 1000))
    alarms = still.fit(scores, scores.values).judge(of(values), of(values).values).events
    assert len(followed.events) <= 2
    assert len(alarms) > 5


def test_its_window_has_a_fixed_size() -> None:
    threshold = fitted()
    for seed in range(5):
        values = normal(1000, seed)
        _, threshold = threshold.advanced(of(values), of(values).values)
        state = threshold._fitted()[0]
        assert state.normal.size == QUICK.window
        assert state.recent.size <= 2 * QUICK.buffer + QUICK.every


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("since", 17),
        ("since", -1),
        ("decided", 999),
        ("normal", [1.0] * 5),
        ("normal", ["a"]),
        ("flagged", [True]),
    ],
)
def test_a_damaged_state_is_refused(tmp_path: Path, key: str, wrong: object) -> None:
    fitted().save(tmp_path)
    path = tmp_path / "threshold.json"
    content = json.loads(path.read_text())
    content["learned"][0][key] = wrong
    path.write_text(json.dumps(content))
    with pytest.raises(ArtifactError):
        MovingThreshold.load(tmp_path)


@pytest.mark.parametrize(
    "wrong", [{"window": 23}, {"every": 0}, {"buffer": -1}, {"quantile": 1.0}, {"gap": -1}]
)
def test_parameters_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match="out of range"):
        MovingThresholdParameters(**wrong)  # type: ignore[arg-type]


def test_an_unfitted_one_can_not_go_on() -> None:
    with pytest.raises(NotFitted):
        MovingThreshold().advanced(of(np.zeros(3)), np.zeros(3, np.float32))
