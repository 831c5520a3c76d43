"""A chart of any length gets few rows and every extreme."""

from datetime import timedelta

import polars as pl
import pytest
from material import NOON, NOW, ramp, readings

from warehouse.home import Warehouse


@pytest.fixture
def week(home: Warehouse) -> Warehouse:
    home.telemetry.write(ramp(1, 7 * 1440), note="n", at=NOW)
    return home


def test_a_short_window_is_the_raw_readings(week: Warehouse) -> None:
    found = week.telemetry.window(1, NOON, NOON + timedelta(hours=1), 2000)
    assert found.height == 60
    assert found["min"].to_list() == found["max"].to_list() == found["mean"].to_list()
    assert found["mean"].to_list() == [float(index) for index in range(60)]


def test_a_long_window_is_the_finest_level_that_fits(week: Warehouse) -> None:
    found = week.telemetry.window(1, NOON, NOON + timedelta(days=7), 2000)
    assert found.height == 7 * 96
    assert week.telemetry.window(1, NOON, NOON + timedelta(days=7), 200).height == 7 * 24


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


def test_gaps_do_not_coarsen_what_is_there(home: Warehouse) -> None:
    home.telemetry.write(pl.concat([ramp(1, 500), ramp(1, 500, NOON + timedelta(days=8))]), note="n", at=NOW)
    assert home.telemetry.window(1, NOON - timedelta(days=100), NOW, 2000).height == 1000


def test_a_burst_of_readings_is_not_taken_for_few(home: Warehouse) -> None:
    burst = ramp(1, 36_000, NOON, step_s=1).with_columns(
        ts=NOON + pl.duration(milliseconds=100 * pl.int_range(36_000))
    )
    home.telemetry.write(burst, note="n", at=NOW)
    assert home.telemetry.window(1, NOON, NOON + timedelta(hours=1), 2000).height == 4


def test_a_window_inside_one_bucket_holds_nothing_from_outside_it(week: Warehouse) -> None:
    start, end = NOON + timedelta(minutes=1), NOON + timedelta(minutes=13)
    found = week.telemetry.window(1, start, end, 1)
    assert found.rows() == [(start, 1.0, 12.0, 6.5)]
