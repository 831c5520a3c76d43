"""Readings on a regular grid, and gaps that are held."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from core.errors import InsufficientData, ParameterError
from core.imputation.grid import Column, regular, typical_interval
from core.imputation.hold import hold_last
from core.quality.masks import unchanged_runs

START = np.datetime64("2024-05-01T10:00:00", "us")
MINUTE = timedelta(minutes=1)


def column(name: str, seconds: list[float], values: list[float]) -> Column:
    offsets = (np.array(seconds) * 1e6).astype("timedelta64[us]")
    return Column(name, "bar", START + offsets, np.array(values, dtype=np.float64))


def test_readings_go_to_the_nearest_step() -> None:
    signal = regular([column("p", [0, 58, 121, 240], [1, 2, 3, 5])], MINUTE)
    assert np.array_equal(signal.timestamps, START + np.arange(5) * np.timedelta64(60, "s"))
    assert np.array_equal(signal.target, np.float32([1, 2, 3, np.nan, 5]), equal_nan=True)
    assert signal.valid.tolist() == [True, True, True, False, True]


def test_context_follows_the_span_of_the_target() -> None:
    target = column("p", [60, 120, 180], [1, 2, 3])
    signal = regular([target, column("speed", [0, 61, 300], [7, 8, 9])], MINUTE)
    assert signal.channels == ("p", "speed")
    assert np.array_equal(signal.context[:, 0], np.float32([8, np.nan, np.nan]), equal_nan=True)


def test_the_last_of_several_readings_on_a_step_counts() -> None:
    signal = regular([column("p", [0, 10, 20, 60], [1, 2, 3, 4])], MINUTE)
    assert signal.target.tolist() == [3, 4]


def test_nan_and_infinities_are_gaps_and_do_not_hide_a_good_reading() -> None:
    signal = regular([column("p", [0, 60, 65, 120], [1, 2, np.nan, np.inf])], MINUTE)
    assert signal.target.tolist() == [1, 2]


def test_values_beyond_single_precision_stay_finite() -> None:
    signal = regular([column("p", [0, 60], [1e300, -1e300])], MINUTE)
    assert np.isfinite(signal.target).all()


def test_the_grid_is_the_same_whatever_window_is_read() -> None:
    seconds = [60.0 * i + (i % 7) for i in range(100)]
    whole = regular([column("p", seconds, list(range(100)))], MINUTE)
    part = regular([column("p", seconds[37:], list(range(37, 100)))], MINUTE)
    assert np.array_equal(whole.timestamps[37:], part.timestamps)
    assert np.array_equal(whole.target[37:], part.target)


def test_readings_at_half_past_keep_their_times() -> None:
    hours = [1800.0 + 3600 * i for i in range(5)]
    signal = regular([column("p", hours, [1, 2, 3, 4, 5])], timedelta(hours=1))
    assert signal.timestamps[0] == START + np.timedelta64(1800, "s")
    assert len(signal) == 5


def test_a_stated_window_is_filled_to_its_ends() -> None:
    start = datetime(2024, 5, 1, 9, 58, tzinfo=UTC)
    signal = regular([column("p", [0, 60], [1, 2])], MINUTE, start=start, end=start + timedelta(minutes=6))
    assert np.array_equal(signal.target, np.float32([np.nan, np.nan, 1, 2, np.nan, np.nan]), equal_nan=True)


def test_a_target_without_readings_is_refused() -> None:
    with pytest.raises(InsufficientData, match="p: putting readings on a grid"):
        regular([column("p", [0, 60], [np.nan, np.nan])], MINUTE)


def test_a_grid_that_would_not_fit_into_memory_is_refused() -> None:
    with pytest.raises(ParameterError, match="choose a longer interval"):
        regular([column("p", [0, 86_400 * 3650], [1, 2])], timedelta(milliseconds=1))


def test_an_interval_must_be_positive() -> None:
    with pytest.raises(ParameterError, match="interval"):
        regular([column("p", [0], [1])], timedelta(0))


def test_the_interval_of_readings_is_their_usual_distance() -> None:
    assert typical_interval(column("p", [0, 60, 119, 180, 900], [0] * 5).timestamps) == timedelta(
        seconds=60.5
    )
    with pytest.raises(InsufficientData, match="finding the interval"):
        typical_interval(column("p", [0], [0]).timestamps)


def test_gaps_are_held_up_to_the_limit_and_not_from_the_future() -> None:
    values = np.float32([np.nan, 1, np.nan, np.nan, np.nan, 2, np.nan])
    held = hold_last(values, 2)
    assert np.array_equal(held, np.float32([np.nan, 1, 1, 1, np.nan, 2, 2]), equal_nan=True)
    assert np.array_equal(hold_last(values, 0), values, equal_nan=True)
    both = hold_last(np.stack([values, values[::-1]], axis=1), 1)
    assert np.array_equal(both[:, 1], np.float32([np.nan, 2, 2, np.nan, np.nan, 1, 1]), equal_nan=True)
    with pytest.raises(ParameterError, match="negative"):
        hold_last(values, -1)


def test_runs_of_unchanged_readings_are_counted_and_end_at_gaps() -> None:
    values = np.float32([5, 5, 5, 6, np.nan, 6, 6])
    assert unchanged_runs(values).tolist() == [0, 1, 2, 0, 0, 0, 1]
    assert unchanged_runs(np.float32([])).tolist() == []
