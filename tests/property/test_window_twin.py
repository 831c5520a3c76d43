"""Whatever the readings and wherever the window is cut, a chart says what a list of readings says."""

import math
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from warehouse.home import Warehouse
from warehouse.schema import GOOD, READINGS, SCORES

NOW = datetime(2027, 5, 20, tzinfo=UTC)
ORIGIN = datetime(2026, 4, 29, 22, 0, tzinfo=UTC)
NUMBERS = st.one_of(st.none(), st.just(math.nan), st.floats(-1e6, 1e6, allow_nan=False, width=32))
# Seconds between readings: bursts, minutes, hours, days.
STEPS = st.sampled_from([1, 7, 20, 60, 61, 600, 900, 3600, 40_000, 90_000])


@st.composite
def series(draw: st.DrawFn) -> list[tuple[datetime, float | None]]:
    at, rows = ORIGIN, []
    for _ in range(draw(st.integers(1, 6))):
        step = draw(STEPS)
        for value in draw(st.lists(NUMBERS, min_size=1, max_size=40)):
            at += timedelta(seconds=step)
            rows.append((at, value))
    return rows


def naive(
    rows: list[tuple[datetime, float | None]], starts: list[datetime], start: datetime, end: datetime
) -> list[tuple[float | None, float | None, int]]:
    """Return min, max and number of good readings from each start to the next."""
    found = []
    for begin, until in zip(starts, [*starts[1:], end][: len(starts)], strict=True):
        inside = [value for ts, value in rows if begin <= ts < until and start <= ts < end]
        assert inside, "a row of a chart without any reading"
        good = [value for value in inside if value is not None and not math.isnan(value)]
        found.append((min(good, default=None), max(good, default=None), len(good)))
    return found


def assert_all_inside(
    rows: list[tuple[datetime, float | None]], starts: list[datetime], start: datetime, end: datetime
) -> None:
    inside = [ts for ts, _ in rows if start <= ts < end]
    assert bool(starts) == bool(inside)
    assert starts == sorted(set(starts))
    if starts:
        assert start <= starts[0] <= inside[0]
        assert starts[-1] <= inside[-1]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=series(),
    cut=st.tuples(st.integers(-5000, 600_000), st.integers(1, 900_000)),
    max_points=st.integers(1, 40),
    limits=st.tuples(st.sampled_from([0, 10, 200_000]), st.sampled_from([3, 20, 5760])),
    late=st.booleans(),
)
def test_a_window_says_what_a_list_of_readings_says(
    rows: list[tuple[datetime, float | None]],
    cut: tuple[int, int],
    max_points: int,
    limits: tuple[int, int],
    late: bool,
) -> None:
    start = ORIGIN + timedelta(seconds=cut[0])
    end = start + timedelta(seconds=cut[1])
    # Few rows count as many, and few a day as dense, so that every way through is taken.
    raw, dense = limits
    frame = pl.DataFrame([(1, *row, GOOD) for row in rows], schema=READINGS, orient="row")
    with (
        tempfile.TemporaryDirectory() as folder,
        patch("warehouse.windows.RAW_ROWS", raw),
        patch("warehouse.windows.MUCH_RAW", 2 * raw),
        patch("warehouse.rollups.FINE_FROM", dense),
        patch("os.fsync"),
    ):
        home = Warehouse.open(Path(folder))
        if late:
            home.telemetry.write(frame[1::2], note="first", at=NOW)
            home.telemetry.write(frame[::2], note="late", at=NOW)
        else:
            home.telemetry.write(frame, note="all", at=NOW)
        found = home.telemetry.window(1, start, end, max_points)
        home.close()
    starts = found["ts"].to_list()
    assert found.height <= max_points
    assert_all_inside(rows, starts, start, end)
    expected = naive(rows, starts, start, end)
    assert found.select("min", "max").rows() == [one[:2] for one in expected]
    assert [mean is None for mean in found["mean"]] == [one[2] == 0 for one in expected]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=series(),
    again=st.lists(NUMBERS, min_size=1, max_size=30),
    cut=st.tuples(st.integers(-5000, 600_000), st.integers(1, 900_000)),
    max_points=st.integers(1, 40),
    tidied=st.booleans(),
)
def test_a_window_of_scores_says_what_a_list_of_scores_says(
    rows: list[tuple[datetime, float | None]],
    again: list[float | None],
    cut: tuple[int, int],
    max_points: int,
    tidied: bool,
) -> None:
    start = ORIGIN + timedelta(seconds=cut[0])
    end = start + timedelta(seconds=cut[1])
    by_time = dict(rows)
    parts = [rows[: len(rows) // 2], rows[len(rows) // 2 :]]
    parts.append([(ts, value) for (ts, _), value in zip(rows, again, strict=False)])
    with (
        tempfile.TemporaryDirectory() as folder,
        patch("warehouse.score_windows.RAW_ROWS", 0),
        patch("warehouse.score_rollups.FROM_ROWS", 10),
        patch("warehouse.compaction._FILES", 2),
        patch("os.fsync"),
    ):
        home = Warehouse.open(Path(folder))
        for part in parts:
            by_time.update(part)
            given_rows = [(1, 1, ts, value, value, 4.0) for ts, value in part]
            home.results.write_scores(pl.DataFrame(given_rows, schema=SCORES, orient="row"), at=NOW)
        if tidied:
            home.tidy(now=NOW)
        found = home.results.window(1, 1, start, end, max_points)
        held = home.results.read_scores(1, 1)
        home.close()
    known = sorted(by_time.items())
    assert held["ts"].to_list() == [ts for ts, _ in known]
    starts = found["ts"].to_list()
    assert found.height <= max_points
    assert_all_inside(known, starts, start, end)
    expected = naive(known, starts, start, end)
    assert found.select("score_min", "score_max").rows() == [one[:2] for one in expected]
    assert found.select("expected_min", "expected_max").rows() == [one[:2] for one in expected]
    assert found["threshold"].to_list() == [4.0] * found.height
