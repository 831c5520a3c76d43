"""Distances to windows seen before: what is known, what is new, and that no later step tells."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from core.detectors.contract import LooksFarBack
from core.detectors.discords import DiscordParameters, Discords, Seeing
from core.detectors.window_views import VIEWS, View
from core.errors import InsufficientData, ParameterError
from core.results import Mode
from core.signal import Signal

EPOCH = np.datetime64("2024-03-01T00:00", "us")


def of(target: np.ndarray, *, start: int = 0, valid: np.ndarray | None = None) -> Signal:
    n = target.size
    values = target.astype(np.float32)[:, None]
    return Signal(
        timestamps=EPOCH + (start + np.arange(n)) * np.timedelta64(1, "m"),
        values=values,
        channels=("pressure",),
        units=("bar",),
        interval=timedelta(minutes=1),
        valid=np.isfinite(values[:, 0]) if valid is None else valid,
    )


def waves(n: int, *, noise: float = 0.05, seed: int = 0) -> np.ndarray:
    return np.sin(np.arange(n) / 6) + np.random.default_rng(seed).normal(0, noise, n)


def detector(
    view: View = "figures", window: int = 40, seeing: Seeing = "past", mode: Mode = "causal", **more: int
) -> Discords:
    return Discords(DiscordParameters(view, window, seeing, mode, **more))


@pytest.mark.parametrize("view", VIEWS)
def test_a_pattern_that_was_seen_in_the_past_is_no_distance_away(view: View) -> None:
    """Once it is strange, when it returns on the grid of what is kept it is known."""
    odd = np.random.default_rng(5).normal(0, 0.8, 80)
    values = waves(3000, seed=1)
    values[1000:1080] = odd
    values[2000:2080] = odd
    causal = detector(view).fit(of(waves(1500))).score(of(values)).values
    training = detector(view, seeing="training").fit(of(waves(1500))).score(of(values)).values
    inside = np.arange(2040, 2080)  # whose windows lie in the pattern
    assert np.nanmin(causal[inside]) < 1e-3 * np.nanmax(causal[1040:1080])
    assert np.nanmin(training[inside]) > 0.3 * np.nanmin(training[1040:1080])


@pytest.mark.parametrize("view", VIEWS)
def test_what_will_come_back_is_known_in_review_alone(view: View) -> None:
    odd = np.random.default_rng(5).normal(0, 0.8, 80)
    values = waves(3000, seed=1)
    values[1000:1080] = odd
    values[2000:2080] = odd
    whole = detector(view, seeing="whole", mode="review").fit(of(waves(1500))).score(of(values)).values
    past = detector(view, mode="review").fit(of(waves(1500))).score(of(values)).values
    inside = slice(1020, 1060)  # told at the middle of their windows
    assert np.nanmin(whole[inside]) < 1e-3 * np.nanmax(past[inside])
    assert np.nanmin(past[inside]) > 100 * np.nanmin(whole[inside])


def test_what_lies_beyond_the_history_is_forgotten() -> None:
    odd = np.random.default_rng(5).normal(0, 0.8, 80)
    values = waves(3000, seed=1)
    values[1000:1080] = values[2000:2080] = odd
    train = of(waves(1500))
    near = detector(history=1000).fit(train).score(of(values)).values[2040:2080]
    far = detector(history=900).fit(train).score(of(values)).values[2040:2080]
    assert np.nanmin(near) < 1e-3
    assert np.nanmin(far) > 0.1


@pytest.mark.parametrize("seeing", ["training", "past"])
@pytest.mark.parametrize("window", [20, 50, 100])
@pytest.mark.parametrize("first", [1, 2, 3, 5, 799])
def test_distances_do_not_depend_on_where_the_signal_was_cut(seeing: Seeing, window: int, first: int) -> None:
    one = detector("figures", window, seeing, history=500).fit(of(waves(1500)))
    values = waves(3000, seed=2)
    values[1700:1720] += 2
    whole = one.score(of(values)).values
    part = one.score(of(values[first:], start=first)).values
    assert np.allclose(part[one.memory :], whole[first + one.memory :], atol=1e-4)


@pytest.mark.parametrize("window", [25, 50, 100, 130])
@pytest.mark.parametrize("start", range(5))
def test_no_later_step_tells_before_the_grid_begins(window: int, start: int) -> None:
    """Long windows are asked for every few steps: those before the first of the grid must not wait for it."""
    one = detector("values", window, "training").fit(of(waves(1500)))
    values = waves(window + 20, seed=3)
    whole = one.score(of(values, start=start)).values
    for end in range(window, window + 20):
        other = values.copy()
        other[end:] = 50.0
        assert np.array_equal(one.score(of(other, start=start)).values[:end], whole[:end], equal_nan=True)
        cut = one.score(of(values[:end], start=start)).values
        assert np.allclose(cut, whole[:end], atol=1e-5, equal_nan=True)


def test_a_step_is_told_by_the_window_that_ends_at_it_or_by_the_one_around_it() -> None:
    values = waves(1000, seed=4)
    values[500:510] += 3
    train = of(waves(1500))
    causal = detector().fit(train).score(of(values)).values
    review = detector(mode="review").fit(train).score(of(values)).values
    assert causal[499] < 0.5 * causal[505]
    assert causal[480:500].max() < 0.5 * causal[500:548].min()
    assert review[485:525].min() > 2 * review[:475][39:].max()


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("window", [4, 10, 50])
def test_the_shortest_training_part_gives_finite_distances(view: View, window: int) -> None:
    one = detector(view, window)
    one.fit(of(waves(one.needed)))
    assert one.normal.size >= 24  # enough to calibrate a threshold on
    assert np.isfinite(one.normal).all()
    scores = one.score(of(waves(300, seed=2))).values
    assert np.isfinite(scores[one.warmup :]).all()


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("level", [-1.0, 0.123, -0.7])
def test_rounding_is_no_departure_of_what_never_changed(view: View, level: float) -> None:
    """Channels that their publisher scaled are not shifted to 0, so sums over them round."""
    train, fresh = (replace(of(np.full(n, level)), units=("scaled",)) for n in (1500, 2003))
    one = detector(view, 50).fit(train)
    assert one.normal.max() == 0
    assert np.nanmax(one.score(fresh).values) == 0


def test_no_more_windows_are_kept_than_asked_for() -> None:
    one = detector(training=20, seeing="training").fit(of(waves(5000)))
    more = detector(training=2000, seeing="training").fit(of(waves(5000)))
    fresh = of(waves(1000, seed=6))
    few, many = one.score(fresh).values[one.warmup :], more.score(fresh).values[one.warmup :]
    assert few.mean() > many.mean()


def test_steps_called_valid_without_a_reading_are_not_learned_from() -> None:
    values = waves(1500)
    values[300:400] = np.nan
    one = detector().fit(of(values, valid=np.ones(1500, bool)))
    other = detector().fit(of(values))
    fresh = of(waves(500, seed=7))
    assert np.array_equal(one.score(fresh).values, other.score(fresh).values, equal_nan=True)
    nothing = of(np.full(1500, np.nan), valid=np.ones(1500, bool))
    with pytest.raises(InsufficientData, match="found 0"):
        detector().fit(nothing)


@pytest.mark.parametrize(
    "wrong",
    [
        {"view": "colour"},
        {"seeing": "future"},
        {"mode": "later"},
        {"window": 3},
        {"stride": 0},
        {"training": 0},
        {"history": 10},
        {"seeing": "whole", "mode": "causal"},
    ],
)
def test_parameters_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match="discords"):
        DiscordParameters(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["causal", "review"])
@pytest.mark.parametrize("window", [20, 75])
@pytest.mark.parametrize("first", [0, 19, 700, 703, 999])
def test_the_newest_steps_alone_are_told_as_with_all_others(mode: Mode, window: int, first: int) -> None:
    values = waves(1000, seed=1)
    values[400:470] += 2
    values[650:680] = np.nan
    judge = detector(window=window, mode=mode, history=300).fit(of(waves(1500)))
    assert isinstance(judge, LooksFarBack)
    whole, newest = judge.score(of(values, start=3)), judge.score_newest(of(values, start=3), first)
    assert np.isnan(newest.values[:first]).all()
    assert np.allclose(newest.values[first:], whole.values[first:], rtol=1e-4, atol=1e-5, equal_nan=True)
