"""Months of small files become few, and nobody who reads notices."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import polars as pl
import pytest
from material import NOON, NOW, flip_a_bit, new_version, pump_batch, pump_rows, ramp, readings, scores

from warehouse.errors import ManifestConflict
from warehouse.home import Warehouse
from warehouse.manifest import Manifest
from warehouse.schema import ROLLUP_LEVELS_S

JUNE = datetime(2026, 6, 10, tzinfo=UTC)


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


def test_a_damaged_file_is_not_merged(days: Warehouse) -> None:
    live = days.manifest.live("readings")
    flip_a_bit(days.root / live[3].path)
    days.tidy(now=NOW)
    assert [one.file.path for one in days.damage()] == [live[3].path]
    assert (days.root / live[3].path).exists()
    assert days.telemetry.read([1, 2]).height == 800 - live[3].rows


@pytest.fixture
def month(home: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """Eight sensors, one of them dense, written by the day, where a file holds a thousand rows."""
    monkeypatch.setattr("warehouse.merged_files.FILE_ROWS", 1000)
    monkeypatch.setattr("warehouse.compaction.FILE_ROWS", 1000)
    for day in range(8):
        start = datetime(2026, 5, 2 + day, tzinfo=UTC)
        parts = [ramp(one, 48, start, step_s=1800) for one in range(1, 9) if one != 5]
        home.telemetry.write(pl.concat([*parts, ramp(5, 400, start, step_s=200)]), note="n", at=JUNE)
    return home


def test_files_of_a_month_that_ended_hold_sensors_in_order_and_no_more_than_they_should(
    month: Warehouse,
) -> None:
    sensors = list(range(1, 9))
    before = month.telemetry.read(sensors)
    month.tidy(now=JUNE)
    files = month.manifest.live("readings")
    assert sum(file.rows for file in files) == before.height
    assert max(file.rows for file in files) <= 1200  # whole days of the dense sensor
    dense = [file for file in files if file.sensor_min <= 5 <= file.sensor_max]
    assert all((file.sensor_min, file.sensor_max) == (5, 5) for file in dense)
    by_time = sorted(dense, key=lambda file: file.start)
    assert all(one.end <= after.start for one, after in pairwise(by_time))
    others = sorted((file.sensor_min, file.sensor_max) for file in files if file not in dense)
    assert all(one[1] < after[0] for one, after in pairwise(others))
    assert month.telemetry.read(sensors).equals(before)


@pytest.mark.parametrize("rows", [700, 1000, 2500])
def test_what_was_merged_is_left_alone(month: Warehouse, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # Of 700 rows, each file of the dense sensor holds a day, which is far less than it may.
    monkeypatch.setattr("warehouse.compaction.FILE_ROWS", rows)
    month.tidy(now=JUNE)
    files = [month.manifest.live("readings"), month.manifest.live("rollups")]
    month.tidy(now=JUNE)
    assert [month.manifest.live("readings"), month.manifest.live("rollups")] == files


def test_late_rows_of_a_month_that_ended_are_merged_once_they_are_many(month: Warehouse) -> None:
    month.tidy(now=JUNE)
    settled = set(month.manifest.live("readings"))
    late = [(1, datetime(2026, 5, 2, 0, 7 + minute, tzinfo=UTC), 1.0) for minute in range(2)]
    month.telemetry.write(readings(late[:1]), note="late", at=JUNE)
    month.tidy(now=JUNE)
    # One row is not worth rewriting the others.
    assert settled <= set(month.manifest.live("readings"))

    month.telemetry.write(ramp(2, 300, datetime(2026, 5, 3, 0, 7, 30, tzinfo=UTC)), note="late", at=JUNE)
    month.tidy(now=JUNE)
    ranges = [
        (one.sensor_min, one.sensor_max) for one in month.manifest.live("readings") if one.sensor_max < 5
    ]
    assert ranges == sorted(set(ranges))
    assert month.telemetry.read([2]).height == 8 * 48 + 300
    assert month.telemetry.read([1]).height == 8 * 48 + 1


def test_a_write_that_comes_between_is_not_lost(days: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    correction = readings([(1, NOON - timedelta(days=10), 77.0)])
    commit = Manifest.commit

    def overtaken(self: Manifest, **given: object) -> object:
        if str(given["note"]).startswith("compaction of readings"):
            monkeypatch.setattr(Manifest, "commit", commit)
            days.telemetry.write(correction, note="correction", at=NOW)
        return commit(self, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(Manifest, "commit", overtaken)
    before = days.telemetry.read([1]).height
    days.tidy(now=NOW)
    found = days.telemetry.read([1])
    assert found.height == before
    assert found.filter(pl.col("ts") == NOON - timedelta(days=10))["value"].to_list() == [77.0]
    assert days.telemetry.spans([1])["rows"].to_list() == [before]


def test_a_merge_that_is_overtaken_leaves_no_file(days: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    def conflict(self: Manifest, **_: object) -> None:
        raise ManifestConflict("another write")

    before = sorted(days.root.rglob("*.parquet"))
    monkeypatch.setattr(Manifest, "commit", conflict)
    days.tidy(now=NOW)
    assert sorted(days.root.rglob("*.parquet")) == before


def test_scores_of_many_scorings_become_one_file(home: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    report = home.ingest(pump_batch(pump_rows(10)), at=NOW, actor="ada")
    assert report.snapshot is not None
    home.catalog.add_version(new_version(1, report.snapshot.id))
    monkeypatch.setattr("warehouse.result_commit._GROWTH", 0)
    for hour in range(10):
        home.results.write_scores(scores(1, 1, 60, NOON + timedelta(hours=hour), float(hour)), at=NOW)
    before = home.results.read_scores(1, 1)
    assert len(home.manifest.live("scores")) == 10

    home.tidy(now=NOW)

    assert len(home.manifest.live("scores")) == 1
    assert home.results.read_scores(1, 1).equals(before)
    assert home.results.scored_until(1, 1) == before["ts"].max()
