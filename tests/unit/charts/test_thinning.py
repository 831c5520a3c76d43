"""A chart never gets more than 2,000 points a trace, and no spike is lost on the way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.charts.thinning import LIMIT, thin


def _minutes(n: int) -> np.ndarray:
    return np.arange(n, dtype=np.float64) * 60_000.0


def test_a_single_spike_in_a_year_of_minutes_survives():
    values = np.random.default_rng(0).normal(50, 1, 525_600)
    values[311_137] = 400.0
    values[42] = -300.0
    x, y = thin(_minutes(525_600), values)
    assert x.size <= LIMIT
    assert y.max() == 400.0
    assert y.min() == -300.0
    assert x[int(np.argmax(y))] == 311_137 * 60_000.0


def test_a_spike_beside_a_gap_survives():
    values = np.sin(np.arange(50_000) / 500)
    values[20_000:21_000] = np.nan
    values[21_000] = 9.0
    _, y = thin(_minutes(50_000), values)
    assert np.nanmax(y) == 9.0


def test_a_gap_breaks_the_line_and_a_regular_step_does_not():
    values = np.ones(100)
    values[40:60] = np.nan
    x, y = thin(_minutes(100), values)
    assert np.isnan(y).sum() == 1
    assert 39 * 60_000.0 < x[np.isnan(y)][0] < 60 * 60_000.0
    _, whole = thin(_minutes(100), np.ones(100))
    assert not np.isnan(whole).any()


def test_missing_rows_break_the_line_like_missing_values():
    times = np.concatenate([_minutes(50), _minutes(50) + 86_400_000.0])
    _, y = thin(times, np.ones(100))
    assert np.isnan(y).sum() == 1


def test_nothing_but_missing_values_gives_an_empty_line():
    x, y = thin(_minutes(10), np.full(10, np.nan))
    assert x.size == 0
    assert y.size == 0


@pytest.mark.parametrize("limit", [16, 96, 2000])
def test_many_gaps_stay_within_the_limit(limit: int):
    values = np.random.default_rng(1).normal(size=30_000)
    values[::3] = np.nan
    values[1::7] = np.nan
    x, _ = thin(_minutes(30_000), values, limit)
    assert x.size <= limit


@given(
    values=st.lists(st.floats(-1e9, 1e9) | st.just(float("nan")), min_size=0, max_size=400),
    limit=st.integers(16, 120),
)
def test_whatever_comes_in_order_extremes_and_limit_hold(values: list[float], limit: int):
    array = np.array(values, dtype=np.float64)
    x, y = thin(_minutes(array.size), array, limit)
    assert x.size == y.size <= limit
    assert (np.diff(x) > 0).all()
    present = array[np.isfinite(array)]
    if present.size:
        assert np.nanmax(y) == present.max()
        assert np.nanmin(y) == present.min()
    kept = y[np.isfinite(y)]
    assert np.isin(kept, present).all()
