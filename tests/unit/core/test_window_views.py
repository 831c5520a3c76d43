"""Views of windows against each window looked at by itself."""

import numpy as np
import pytest

from core.detectors.window_views import SOFTENING, VIEWS, View, view_of


def series(n: int = 300, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = np.sin(np.arange(n) / 7) + rng.normal(0, 0.3, n)
    values[100:140] = 0.25  # stands still
    values[200] = 90.0
    return values.astype(np.float32)


def by_itself(values: np.ndarray, start: int, window: int, view: View, middle: float) -> np.ndarray:
    """Tell one window. Steps and crossings are those into its readings, so the reading before counts."""
    doubles = values.astype(np.float64)
    one = doubles[start : start + window]
    if view in {"figures", "spread"}:
        lead = doubles[max(start - 1, 0) : start + window]
        step = np.abs(np.diff(lead)).sum() / window
        crossings = np.abs(np.diff((lead > middle).astype(int))).sum() / window
        level = [one.mean(), one.std(), one.min(), one.max()]
        return np.array(
            [*(level if view == "figures" else [one.std(), one.max() - one.min()]), step, crossings]
        )
    if view != "values":
        one = one - one.mean()
    if view == "levelled":
        one = one / np.sqrt((one**2).mean() + SOFTENING**2)
    told: np.ndarray = one / np.sqrt(window)
    return told


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("window", [4, 5, 50, 51, 300])
def test_each_row_tells_its_window(view: View, window: int) -> None:
    values = series()
    rows = view_of(values, window, view, 0.1)
    width = {"figures": 6, "spread": 4}.get(view, window)
    assert rows.shape == (300 - window + 1, width)
    assert rows.dtype == np.float32
    for start in range(0, rows.shape[0], 3):
        wanted = by_itself(values, start, window, view, 0.1)
        assert np.allclose(rows[start], wanted, rtol=1e-4, atol=2e-5), (start, rows[start], wanted)


@pytest.mark.parametrize("view", VIEWS)
def test_a_row_depends_on_its_window_and_the_reading_before_alone(view: View) -> None:
    values = series()
    rows = view_of(values, 20, view, 0.0)
    other = values.copy()
    other[:99] = 7.0
    other[120:] = -3.0
    assert np.allclose(view_of(other, 20, view, 0.0)[100], rows[100], atol=1e-5)
    assert np.allclose(view_of(values[99:], 20, view, 0.0)[1:], rows[100:], atol=1e-5)


@pytest.mark.parametrize("view", ["shape", "levelled", "spread"])
def test_these_views_don_t_tell_the_level(view: View) -> None:
    values = series()
    values[200] = 0.0
    assert np.allclose(
        view_of(values, 30, view, 0.0), view_of(values + np.float32(3), 30, view, 3.0), atol=1e-4
    )


def test_a_loud_window_is_levelled_and_a_quiet_one_stays_quiet() -> None:
    wave = np.sin(np.arange(200) / 5).astype(np.float32)
    norms = [
        np.linalg.norm(view_of(np.float32(size) * wave, 100, "levelled", 0.0)[0]) for size in (1, 10, 1e-3)
    ]
    assert norms[0] == pytest.approx(1, abs=0.02)
    assert norms[1] == pytest.approx(1, abs=0.02)
    assert norms[2] < 0.01


def test_distances_of_windows_of_different_lengths_compare() -> None:
    values = series(2000, seed=4)
    norms = [np.linalg.norm(view_of(values, window, "values", 0.0), axis=1).mean() for window in (100, 400)]
    assert norms[0] == pytest.approx(norms[1], rel=0.2)


@pytest.mark.parametrize("view", VIEWS)
def test_huge_readings_earlier_leave_later_figures_as_they_are(view: View) -> None:
    """Sums that run over the whole series must not lose small windows behind large ones."""
    values = series(3000)
    loud = values.copy()
    loud[:1000] = 100.0
    assert np.allclose(view_of(loud, 50, view, 0.0)[1100:], view_of(values, 50, view, 0.0)[1100:], atol=1e-4)
