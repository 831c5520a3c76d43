"""Months of small files become few, and nobody who reads notices."""

from datetime import timedelta

import polars as pl
import pytest
from material import NOON, NOW, flip_a_bit, ramp

from warehouse.errors import IntegrityError
from warehouse.home import Warehouse
from warehouse.schema import ROLLUP_LEVELS_S


@pytest.fixture
def days(home: Warehouse) -> Warehouse:
    """Ten days of hourly files."""
    for day in range(10):
        for part in range(2):
            start = NOON - timedelta(days=10 - day, hours=part)
            home.telemetry.write(pl.concat([ramp(1, 20, start), ramp(2, 20, start)]), note="n", at=NOW)
    return home


def state(home: Warehouse) -> list[list[tuple[object, ...]]]:
    rolled = [home.telemetry.rollup([1, 2], None, None, level).rows() for level in ROLLUP_LEVELS_S]
    return [home.telemetry.read([1, 2]).rows(), home.telemetry.spans().rows(), *rolled]


def test_small_files_of_a_month_are_merged_and_read_the_same(days: Warehouse) -> None:
    before = state(days)
    pinned = days.manifest.snapshot()
    assert pinned is not None
    days.manifest.pin(pinned.id)
    assert len(days.manifest.live("readings")) >= 10

    days.tidy(now=NOW)

    assert len(days.manifest.live("readings")) == 1
    assert len(days.manifest.live("rollups")) == 1
    assert state(days) == before
    assert days.telemetry.read([1, 2], snapshot_id=pinned.id).rows() == before[0]
    assert days.verify() == []


def test_days_that_still_grow_are_left_alone(days: Warehouse) -> None:
    live = days.manifest.live("readings")
    days.tidy(now=NOON - timedelta(days=9))
    assert days.manifest.live("readings") == live


def test_a_file_that_reaches_into_a_growing_day_is_left_alone(days: Warehouse) -> None:
    days.telemetry.write(ramp(1, 40, NOW - timedelta(days=2), step_s=3600), note="n", at=NOW)
    [reaching] = [file for file in days.manifest.live("readings") if file.rows == 40]
    days.tidy(now=NOW)
    assert reaching in days.manifest.live("readings")
    assert len(days.manifest.live("readings")) == 2


def test_a_damaged_file_is_not_merged(days: Warehouse) -> None:
    live = days.manifest.live("readings")
    flip_a_bit(days.root / live[3].path)
    with pytest.raises(IntegrityError, match=live[3].path):
        days.tidy(now=NOW)
    assert days.manifest.live("readings") == live
