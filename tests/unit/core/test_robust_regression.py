"""The statistical detector against machines with known faults."""

from datetime import timedelta
from functools import cache

import numpy as np
import pytest

from core.detectors import huber
from core.detectors.robust_regression import RobustParameters, RobustRegression
from core.detectors.smoothing import ewma
from core.ensembles.raise_events import Detection, EventRaiser
from core.errors import ParameterError
from core.signal import Signal
from core.thresholds.robust import RobustThreshold

DAY = 1440


def machine(days: int, seed: int = 0) -> np.ndarray:
    """Columns: temperature, load, running; stopped for two hours each day, inrush at each start."""
    rng = np.random.default_rng(seed)
    n = days * DAY
    minute = np.arange(n)
    running = ((minute % DAY) >= 120).astype(float)
    load = running * (60 + 15 * np.sin(minute / 170) + rng.normal(0, 0.2, n))
    heat = ewma(load, 41)
    since = np.where(running > 0, (minute % DAY) - 120, 1e9)
    temperature = 20 + 0.5 * heat + 8 * np.exp(-since / 3) + rng.normal(0, 0.15, n)
    return np.stack([np.round(temperature, 2), load, running], axis=1)


def of(values: np.ndarray, channels: int = 3) -> Signal:
    n = values.shape[0]
    kept = values[:, :channels].astype(np.float32)
    return Signal(
        timestamps=np.datetime64("2024-03-01", "us") + np.arange(n) * np.timedelta64(1, "m"),
        values=kept,
        channels=("temperature", "load", "running")[:channels],
        units=("°C", "%", "")[:channels],
        interval=timedelta(minutes=1),
        valid=np.isfinite(kept[:, 0]),
    )


@cache
def raiser(channels: int = 3) -> EventRaiser:
    signal = of(machine(14), channels)
    return EventRaiser(RobustRegression(), RobustThreshold()).fit(
        signal.slice(0, 10 * DAY), signal.slice(10 * DAY, 14 * DAY)
    )


def detected(values: np.ndarray, channels: int = 3) -> Detection:
    return raiser(channels).detect(of(values, channels))


@pytest.mark.parametrize("channels", [2, 3])
def test_a_healthy_machine_raises_nothing_not_even_when_it_starts(channels: int) -> None:
    assert detected(machine(20, seed=1), channels).events == ()


def test_a_step_is_found_at_once_and_ends_when_it_ends() -> None:
    values = machine(6, seed=2)
    values[5000:5600, 0] += 2.0
    (event,) = detected(values).events
    assert 5000 <= event.start < 5010
    assert 5600 <= event.end < 5660


def test_a_slow_drift_is_found_long_before_single_readings_tell() -> None:
    values = machine(6, seed=3)
    values[4700:5700, 0] += np.linspace(0, 0.6, 1000)
    (event,) = detected(values).events
    assert 4700 <= event.start < 5500


def test_a_stuck_sensor_is_found_although_its_value_is_a_usual_one() -> None:
    values = machine(6, seed=4)
    at = 5000
    values[at : at + 300, 0] = values[at, 0]
    found = detected(values).events
    assert [event for event in found if at <= event.start < at + 150 and event.end >= at + 300]


def test_single_spikes_are_found() -> None:
    values = machine(6, seed=5)
    values[5000, 0] += 3.0
    (event,) = detected(values).events
    assert event.start == event.peak == 5000
    assert event.end <= 5030


def test_an_oscillation_around_the_right_value_is_found() -> None:
    values = machine(6, seed=6)
    values[5000:5400, 0] += 0.5 * np.sin(np.arange(400) * 2 * np.pi / 11)
    (event,) = detected(values).events
    assert 5000 <= event.start < 5100
    assert 5400 <= event.end < 5450


def test_a_changed_relation_to_the_load_is_found() -> None:
    values = machine(6, seed=7)
    values[5000:5600, 0] = 50 + 0.3 * (values[5000:5600, 0] - 50)
    found = detected(values).events
    assert found
    assert found[0].start >= 5000


def test_the_expected_value_follows_the_load() -> None:
    values = machine(6, seed=8)
    expected = detected(values).scores.expected
    off = np.abs(expected - values[:, 0])[values[:, 2] > 0]
    assert np.median(off) < 0.2


def test_a_load_never_seen_before_does_not_run_wild() -> None:
    values = machine(6, seed=9)
    values[5000:5010, 1] = 1e6
    expected = detected(values).scores.expected
    assert np.abs(expected[4990:5100]).max() < 500


def test_without_context_the_time_of_day_explains() -> None:
    minute = np.arange(20 * DAY)
    rng = np.random.default_rng(0)
    values = (20 + 5 * np.sin(2 * np.pi * minute / DAY) + rng.normal(0, 0.2, minute.size)).reshape(-1, 1)
    signal = of(values, 1)
    fitted = EventRaiser(RobustRegression(), RobustThreshold()).fit(
        signal.slice(0, 10 * DAY), signal.slice(10 * DAY, 15 * DAY)
    )
    assert fitted.detect(signal).events == ()
    night = values.copy()
    night[18 * DAY + 1000 : 18 * DAY + 1100] = 25.0  # usual at noon, not at night
    (event,) = fitted.detect(of(night, 1)).events
    assert 18 * DAY + 1000 <= event.start < 18 * DAY + 1030


def test_without_context_and_season_the_level_is_expected() -> None:
    rng = np.random.default_rng(0)
    signal = of(rng.normal(5, 1, (2 * DAY, 1)), 1)
    scores = RobustRegression().fit(signal.slice(0, DAY)).score(signal)
    assert np.allclose(scores.expected, 5, atol=0.2)


@pytest.mark.parametrize(
    "wrong",
    [{"time_constants": ()}, {"penalty": 0.0}, {"rows": 1}, {"settle": -1}, {"time_constants": (0.0,)}],
)
def test_parameters_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match="robust regression"):
        RobustParameters(**wrong)  # type: ignore[arg-type]


def test_outliers_hardly_pull_the_regression() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(0, 1, 500)
    columns = np.stack([np.ones(500), x], axis=1)
    target = 3 + 2 * x + rng.normal(0, 0.1, 500)
    target[:60] += 50
    weights = huber.fit(columns, target, 1.0)
    assert weights == pytest.approx([3, 2], abs=0.1)


def test_smoothing_weighs_as_published_and_steps_over_gaps() -> None:
    smooth = ewma(np.array([1.0, np.nan, 2.0, 4.0]), span=3)
    assert smooth[0] == 1.0
    assert np.isnan(smooth[1])
    assert smooth[2] == pytest.approx((2 + 0.5 * 1) / 1.5)
    assert smooth[3] == pytest.approx((4 + 0.5 * 2 + 0.25 * 1) / 1.75)
