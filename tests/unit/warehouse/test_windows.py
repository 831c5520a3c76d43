"""A chart of any length gets few rows and every extreme."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from material import NOON, NOW, ramp, readings

from warehouse.home import Warehouse
from warehouse.schema import GOOD, TIME


@pytest.fixture
def week(home: Warehouse) -> Warehouse:
    home.telemetry.write(ramp(1, 7 * 1440), note="n", at=NOW)
    return home


def seconds(count: int, start: datetime) -> pl.DataFrame:
    """Return a reading a second that wanders, with a spike in the middle."""
    values = np.cumsum(np.random.default_rng(5).normal(size=count))
    values[count // 2] = 1e6
    us = int(start.timestamp()) * 1_000_000 + np.arange(count) * 1_000_000
    return pl.DataFrame(
        {"sensor_id": [1] * count, "ts": us, "value": values, "quality": [GOOD] * count}
    ).select(
        pl.col("sensor_id").cast(pl.Int32), pl.col("ts").cast(TIME), "value", pl.col("quality").cast(pl.UInt8)
    )


def assert_says_the_same(found: pl.DataFrame, raw: pl.DataFrame, start: datetime, end: datetime) -> None:
    """Each reading of the window belongs to the last row at or before it, and makes it with such others."""
    inside = raw.filter((pl.col("ts") >= start) & (pl.col("ts") < end))
    place = found["ts"].search_sorted(inside["ts"], side="right").cast(pl.Int64) - 1
    value = pl.col("value")
    wanted = (
        inside.with_columns(place.alias("place"))
        .group_by("place")
        .agg(value.min().alias("min"), value.max().alias("max"), value.mean().alias("mean"))
        .sort("place")
    )
    assert wanted["place"].to_list() == list(range(found.height))
    assert found.select("min", "max").equals(wanted.select("min", "max"))
    assert found["mean"].to_numpy() == pytest.approx(wanted["mean"].to_numpy(), nan_ok=True)


def test_a_short_window_is_the_raw_readings(week: Warehouse) -> None:
    found = week.telemetry.window(1, NOON, NOON + timedelta(hours=1), 2000)
    assert found.height == 60
    assert found["min"].to_list() == found["max"].to_list() == found["mean"].to_list()
    assert found["mean"].to_list() == [float(index) for index in range(60)]


@pytest.mark.parametrize(
    ("points", "minutes"), [(2000, 6), (500, 30), (200, 60), (20, 12 * 60), (1, 14 * 1440)]
)
def test_a_long_window_has_the_finest_width_that_fits(week: Warehouse, points: int, minutes: int) -> None:
    found = week.telemetry.window(1, NOON, NOON + timedelta(days=7), points)
    assert found.height <= points
    steps = found["ts"].diff().drop_nulls()[1:-1].unique().to_list()
    assert steps in ([], [timedelta(minutes=minutes)])
    assert_says_the_same(found, week.telemetry.read([1]), NOON, NOON + timedelta(days=7))


def test_a_spike_survives_and_what_lies_outside_the_window_stays_outside(home: Warehouse) -> None:
    flat = ramp(1, 7 * 1440).with_columns(value=pl.lit(5.0))
    home.telemetry.write(flat, note="n", at=NOW)
    start, end = NOON + timedelta(minutes=7), NOON + timedelta(days=5, minutes=8)
    home.telemetry.write(
        readings(
            [
                (1, start - timedelta(minutes=1), 1e6),
                (1, end, -1e6),
                (1, NOON + timedelta(days=3), 70.0),
                (1, start, -3.0),
                (1, end - timedelta(minutes=1), 71.0),
            ]
        ),
        note="n",
        at=NOW,
    )

    found = home.telemetry.window(1, start, end, 300)

    assert (found["min"].min(), found["max"].max()) == (-3.0, 71.0)
    assert 70.0 in found["max"]
    assert found["ts"].is_sorted()
    assert found["ts"].n_unique() == found.height
    assert found.filter(pl.col("ts") < start).is_empty()


def test_a_window_without_readings_is_empty(week: Warehouse) -> None:
    found = week.telemetry.window(1, NOON - timedelta(days=9), NOON - timedelta(days=8), 2000)
    assert found.is_empty()
    assert found.columns == ["ts", "min", "max", "mean"]
    assert week.telemetry.window(2, NOON, NOW, 2000).schema == found.schema
    assert week.telemetry.window(1, NOON + timedelta(days=8), NOW, 2000).schema == found.schema


def test_gaps_do_not_coarsen_what_is_there(home: Warehouse) -> None:
    home.telemetry.write(pl.concat([ramp(1, 500), ramp(1, 500, NOON + timedelta(days=8))]), note="n", at=NOW)
    assert home.telemetry.window(1, NOON - timedelta(days=100), NOW, 2000).height == 1000


def test_a_burst_of_readings_is_shown_as_finely_as_there_is_room(home: Warehouse) -> None:
    burst = ramp(1, 36_000, NOON, step_s=1).with_columns(
        ts=NOON + pl.duration(milliseconds=100 * pl.int_range(36_000))
    )
    home.telemetry.write(burst, note="n", at=NOW)
    found = home.telemetry.window(1, NOON, NOON + timedelta(hours=1), 2000)
    assert found.height == 1800
    assert_says_the_same(found, burst, NOON, NOON + timedelta(hours=1))


def test_a_window_inside_one_bucket_holds_nothing_from_outside_it(week: Warehouse) -> None:
    start, end = NOON + timedelta(minutes=1), NOON + timedelta(minutes=13)
    found = week.telemetry.window(1, start, end, 1)
    assert found.rows() == [(start, 1.0, 12.0, 6.5)]


@pytest.fixture(scope="module")
def dense(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """Six days by the second, one by the minute between them, one day missing."""
    home = Warehouse.open(tmp_path_factory.mktemp("dense"))
    start = datetime(2026, 4, 28, 9, 30, tzinfo=UTC)
    home.telemetry.write_batches(
        [
            seconds(3 * 86_400, start),
            ramp(1, 1440, start + timedelta(days=3)),
            seconds(3 * 86_400, start + timedelta(days=5)),
        ],
        note="n",
        at=NOW,
    )
    yield home
    home.close()


@pytest.mark.parametrize("days", [0.02, 1.0, 2.5, 4.0, 7.9])
@pytest.mark.parametrize("points", [50, 2000])
def test_days_by_the_second_and_days_by_the_minute_are_one_window(
    dense: Warehouse, days: float, points: int
) -> None:
    start = datetime(2026, 4, 28, 10, 0, 17, tzinfo=UTC)
    end = start + timedelta(days=days)
    found = dense.telemetry.window(1, start, end, points)
    assert found.height <= points
    assert found.height >= min(points, days * 1440) / 3
    assert_says_the_same(found, dense.telemetry.read([1]), start, end)


def test_only_days_by_the_second_have_the_finest_level(dense: Warehouse) -> None:
    days = dense.telemetry.rollup([1], None, None, 60)["ts"].dt.date().unique().sort().to_list()
    counts = dense.telemetry.daily([1]).filter(pl.col("count") > 5760)
    assert days == counts["ts"].dt.date().to_list()
    assert len(days) == 8
    assert date(2026, 5, 2) not in days


def test_a_pinned_window_is_of_its_snapshot(week: Warehouse) -> None:
    before = week.manifest.snapshot()
    assert before is not None
    week.telemetry.write(readings([(1, NOON + timedelta(days=8), 1e9)]), note="n", at=NOW)
    found = week.telemetry.window(1, NOON, NOW, 300, snapshot_id=before.id)
    assert found["max"].max() == 7 * 1440 - 1
    assert week.telemetry.window(1, NOON, NOW, 300)["max"].max() == 1e9
