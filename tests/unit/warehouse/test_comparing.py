"""What changed between two snapshots, counted by sensor."""

from datetime import timedelta

import polars as pl
from material import NOON, NOW, minutes, ramp, readings

from warehouse.comparing import compare_readings
from warehouse.home import Warehouse


def snapshot(home: Warehouse) -> int:
    newest = home.manifest.snapshot()
    assert newest is not None
    return newest.id


def test_added_and_changed_readings_are_counted_by_sensor(home: Warehouse) -> None:
    home.telemetry.write(pl.concat([ramp(one, 100) for one in (1, 2, 3)]), note="n", at=NOW)
    before = snapshot(home)
    times = minutes(100)
    home.telemetry.write(
        readings([(1, times[4], -1.0), (1, times[5], -2.0), (2, NOON - timedelta(days=40), 1.0)]),
        note="n",
        at=NOW,
    )
    home.telemetry.write(ramp(4, 10), note="n", at=NOW)

    found = compare_readings(home.telemetry, before, snapshot(home))

    assert found.columns == ["sensor_id", "added", "removed", "changed"]
    assert found.rows() == [(1, 0, 0, 2), (2, 1, 0, 0), (4, 10, 0, 0)]
    assert compare_readings(home.telemetry, snapshot(home), before).rows() == [
        (1, 0, 0, 2),
        (2, 0, 1, 0),
        (4, 0, 10, 0),
    ]


def test_a_snapshot_is_equal_to_itself_and_to_what_compaction_made_of_it(home: Warehouse) -> None:
    for hour in range(10):
        home.telemetry.write(ramp(1, 50, NOON - timedelta(days=40, hours=hour)), note="n", at=NOW)
    before = snapshot(home)
    assert compare_readings(home.telemetry, before, before).is_empty()
    home.tidy(now=NOW)
    assert snapshot(home) > before
    assert compare_readings(home.telemetry, before, snapshot(home)).is_empty()


def test_a_value_that_became_missing_is_a_change(home: Warehouse) -> None:
    home.telemetry.write(ramp(1, 3), note="n", at=NOW)
    before = snapshot(home)
    home.telemetry.write(readings([(1, NOON, None)]), note="n", at=NOW)
    assert compare_readings(home.telemetry, before, snapshot(home)).rows() == [(1, 0, 0, 1)]
