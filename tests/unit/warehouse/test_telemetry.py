"""What a person who reads back what was written would notice."""

import math
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from material import NOON, NOW, minutes, ramp, readings, values_of

from warehouse.errors import SchemaError
from warehouse.home import Warehouse
from warehouse.schema import INFINITE, MISSING, READINGS, ROLLUP_LEVELS_S


def test_what_is_written_is_read_in_order_of_sensor_and_time(home: Warehouse) -> None:
    first, second = minutes(2)
    home.telemetry.write(readings([(2, second, 4.0), (1, second, 2.0), (2, first, 3.0)]), note="n", at=NOW)
    home.telemetry.write(readings([(1, first, 1.0)]), note="late", at=NOW)

    assert values_of(home.telemetry.read([1, 2])) == [
        (1, first, 1.0),
        (1, second, 2.0),
        (2, first, 3.0),
        (2, second, 4.0),
    ]
    assert home.telemetry.read([1, 2]).schema == READINGS


def test_a_read_is_half_open_and_of_the_asked_sensors_only(home: Warehouse) -> None:
    home.telemetry.write(pl.concat([ramp(one, 10) for one in (1, 2, 3)]), note="n", at=NOW)
    times = minutes(10)

    found = home.telemetry.read([1, 3], times[2], times[4])

    assert values_of(found) == [
        (1, times[2], 2.0),
        (1, times[3], 3.0),
        (3, times[2], 2.0),
        (3, times[3], 3.0),
    ]
    assert home.telemetry.read([]).is_empty()
    assert home.telemetry.read([99]).schema == READINGS


def test_nan_and_infinities_become_null_with_their_quality(home: Warehouse) -> None:
    times = minutes(4)
    given = [(1, times[0], math.nan), (1, times[1], math.inf), (1, times[2], -math.inf), (1, times[3], None)]
    home.telemetry.write(readings(given), note="n", at=NOW)

    found = home.telemetry.read([1])

    assert found["value"].to_list() == [None] * 4
    assert found["quality"].to_list() == [MISSING, INFINITE, INFINITE, MISSING]


def test_of_doubles_in_one_write_the_last_wins_and_is_counted(home: Warehouse) -> None:
    ts = NOON
    report = home.telemetry.write_batches(
        [readings([(1, ts, 1.0), (1, ts, 2.0)]), readings([(1, ts, 3.0)])], note="n", at=NOW
    )

    assert (report.added, report.duplicates) == (1, 2)
    assert values_of(home.telemetry.read([1])) == [(1, ts, 3.0)]


def test_writing_the_same_again_changes_nothing_and_says_so(home: Warehouse) -> None:
    data = pl.concat([ramp(1, 3000), ramp(2, 3000)])
    first = home.telemetry.write(data, note="n", at=NOW)
    files = home.manifest.live("readings")

    again = home.telemetry.write(data, note="n", at=NOW + timedelta(hours=1))

    assert (again.added, again.replaced, again.unchanged, again.changed) == (0, 0, 6000, False)
    assert again.snapshot == first.snapshot
    assert home.manifest.live("readings") == files


def test_another_value_replaces_the_stored_one_which_stays_in_a_pinned_snapshot(home: Warehouse) -> None:
    before = home.telemetry.write(ramp(1, 5), note="n", at=NOW).snapshot
    assert before is not None
    home.manifest.pin(before.id)

    report = home.telemetry.write(readings([(1, NOON, 99.0)]), note="correction", at=NOW)
    home.collect(now=NOW + timedelta(days=30), grace_s=0)

    assert (report.added, report.replaced) == (0, 1)
    assert home.telemetry.read([1])["value"].to_list() == [99.0, 1.0, 2.0, 3.0, 4.0]
    assert home.telemetry.read([1], snapshot_id=before.id)["value"].to_list() == [0.0, 1.0, 2.0, 3.0, 4.0]
    old = home.telemetry.rollup([1], None, None, 900, snapshot_id=before.id)
    assert old["max"].to_list() == [4.0]
    assert home.telemetry.rollup([1], None, None, 900)["max"].to_list() == [99.0]


def test_the_digest_names_the_state_of_the_readings(home: Warehouse) -> None:
    first = home.telemetry.write(ramp(1, 5), note="n", at=NOW).snapshot
    second = home.telemetry.write(readings([(1, NOON, 99.0)]), note="n", at=NOW).snapshot
    assert first is not None
    assert second is not None
    assert first.digest != second.digest
    assert home.manifest.snapshot(first.id) == first


def test_files_are_cut_by_month(home: Warehouse) -> None:
    start = datetime(2026, 4, 30, 23, 0, tzinfo=UTC)
    home.telemetry.write(ramp(1, 120, start), note="n", at=NOW)

    files = home.manifest.live("readings")

    assert [file.rows for file in files] == [60, 60]
    assert [file.path.split("/")[1] for file in files] == ["2026-04", "2026-05"]
    assert home.telemetry.read([1]).height == 120


def test_a_reading_a_minute_leaves_few_files(home: Warehouse) -> None:
    for index, ts in enumerate(minutes(120)):
        home.telemetry.write(readings([(1, ts, float(index)), (2, ts, 0.0)]), note="minute", at=NOW)

    assert len(home.manifest.live("readings")) <= 6
    assert len(home.manifest.live("rollups")) <= 2
    assert home.telemetry.read([1])["value"].to_list() == [float(index) for index in range(120)]


def test_a_late_reading_of_another_day_does_not_rewrite_a_large_file(home: Warehouse) -> None:
    large = pl.concat([ramp(one, 2000) for one in range(1, 11)])
    home.telemetry.write(large, note="n", at=NOW)
    before = home.manifest.live("readings")

    home.telemetry.write(readings([(1, NOON - timedelta(hours=1), -1.0)]), note="late", at=NOW)

    assert set(before) <= set(home.manifest.live("readings"))
    assert home.telemetry.read([1])["value"][0] == -1.0


@pytest.mark.parametrize("level", ROLLUP_LEVELS_S)
def test_rollups_say_what_the_readings_say(home: Warehouse, level: int) -> None:
    home.telemetry.write(pl.concat([ramp(1, 4000), ramp(2, 4000, first=7.0)]), note="n", at=NOW)
    home.telemetry.write(readings([(1, NOON, 500.0), (1, minutes(2)[1], math.nan)]), note="n", at=NOW)

    expected = (
        home.telemetry.read([1])
        .group_by_dynamic("ts", every=f"{level}s")
        .agg(
            pl.col("value").min().alias("min"),
            pl.col("value").max().alias("max"),
            pl.col("value").mean().alias("mean"),
            pl.col("value").count().cast(pl.Int64).alias("count"),
        )
    )
    found = home.telemetry.rollup([1], None, None, level)

    assert found.select("ts", "min", "max", "count").equals(expected.select("ts", "min", "max", "count"))
    assert found["mean"].to_list() == pytest.approx(expected["mean"].to_list())


def test_a_bucket_without_good_values_counts_none_and_has_no_extremes(home: Warehouse) -> None:
    home.telemetry.write(readings([(1, NOON, math.nan)]), note="n", at=NOW)
    found = home.telemetry.rollup([1], None, None, 900)
    assert found.select("min", "max", "mean", "count").rows() == [(None, None, None, 0)]


def test_an_unknown_level_is_refused(home: Warehouse) -> None:
    with pytest.raises(ValueError, match="no rollups of 61 s"):
        home.telemetry.rollup([1], None, None, 61)


def test_spans_and_last_follow_every_write(home: Warehouse) -> None:
    times = minutes(10)
    home.telemetry.write(pl.concat([ramp(1, 10), ramp(2, 3)]), note="n", at=NOW)
    home.telemetry.write(
        readings([(1, times[9], 50.0), (1, NOON - timedelta(days=1), 1.0)]), note="n", at=NOW
    )
    home.telemetry.write(readings([(2, times[5], math.nan)]), note="n", at=NOW)

    assert home.telemetry.spans().rows() == [
        (1, NOON - timedelta(days=1), times[9], 11),
        (2, NOON, times[5], 4),
    ]
    assert home.telemetry.last([1, 2, 3]).rows() == [(1, times[9], 50.0), (2, times[5], None)]
    assert home.telemetry.spans([2])["sensor_id"].to_list() == [2]


@pytest.mark.parametrize("ts", [datetime(1989, 12, 31, 23, tzinfo=UTC), NOW + timedelta(days=1)])
def test_impossible_times_are_refused_before_anything_is_written(home: Warehouse, ts: datetime) -> None:
    with pytest.raises(SchemaError, match="1990"):
        home.telemetry.write(readings([(1, NOON, 1.0), (1, ts, 1.0)]), note="n", at=NOW)
    assert home.manifest.snapshot() is None
    assert not list(home.root.rglob("*.parquet"))


def test_a_frame_without_a_column_is_refused(home: Warehouse) -> None:
    with pytest.raises(SchemaError, match="missing columns quality"):
        home.telemetry.write(ramp(1, 2).drop("quality"), note="n", at=NOW)


def test_an_empty_write_changes_nothing(home: Warehouse) -> None:
    report = home.telemetry.write(READINGS.to_frame(), note="n", at=NOW)
    assert (report.added, report.snapshot, report.changed) == (0, None, False)


def test_an_ingest_that_outgrows_memory_is_the_same(home: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.staging.MEMORY_ROWS", 1000)
    monkeypatch.setattr("warehouse.staging.WINDOW_ROWS", 4000)
    chunks = [ramp(1, 3000, first=1.0), ramp(2, 3000), ramp(1, 3000)]

    report = home.telemetry.write_batches(iter(chunks), note="n", at=NOW)

    assert (report.added, report.duplicates) == (6000, 3000)
    assert home.telemetry.read([1])["value"].to_list() == [float(index) for index in range(3000)]
    assert not list((home.root / "staging").iterdir())


def test_statistics_are_of_the_day_before_each_sensors_own_end(home: Warehouse) -> None:
    later = NOON + timedelta(days=9)
    home.telemetry.write(
        pl.concat([ramp(1, 3 * 1440), ramp(2, 600), ramp(3, 1440, NOON - timedelta(days=200))]),
        note="n",
        at=NOW,
    )
    ends = {1: NOON + timedelta(days=3), 2: later, 3: NOON - timedelta(days=199)}
    found = home.telemetry.statistics(ends, timedelta(hours=24))
    assert found.drop("mean").rows() == [
        (1, 2 * 1440.0, 3 * 1440.0 - 1, 1440),
        (3, 0.0, 1439.0, 1440),
    ]
    assert found["mean"].to_list() == pytest.approx([2.5 * 1440 - 0.5, 719.5])
    assert home.telemetry.statistics({}, timedelta(hours=24)).is_empty()


def test_a_day_without_a_good_reading_is_told_from_a_day_without_any(home: Warehouse) -> None:
    home.telemetry.write(ramp(1, 1440), note="n", at=NOW)
    home.telemetry.write(readings([(1, NOON + timedelta(days=3), math.nan)]), note="n", at=NOW)
    home.telemetry.write(ramp(2, 5), note="n", at=NOW)
    found = home.telemetry.daily()
    assert [(sensor, ts.day, count) for sensor, ts, count in found.rows()] == [
        (1, 1, 720),
        (1, 2, 720),
        (1, 4, 0),
        (2, 1, 5),
    ]
    assert home.telemetry.daily([2]).height == 1


def test_late_rows_of_some_days_leave_the_others_as_they_are(
    home: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.writing.SMALL_ROWS", 0)
    home.telemetry.write(pl.concat([ramp(one, 5 * 1440) for one in range(1, 6)]), note="n", at=NOW)
    late = pl.concat(
        [ramp(3, 30, NOON + timedelta(days=2, seconds=30)), ramp(5, 1440, NOON + timedelta(days=6))]
    )
    report = home.telemetry.write(late, note="late", at=NOW)
    assert (report.added, report.replaced, report.unchanged) == (1470, 0, 0)
    daily = {(sensor, ts.day): count for sensor, ts, count in home.telemetry.daily([3, 5]).rows()}
    whole = {1: 720, 2: 1440, 3: 1440, 4: 1440, 5: 1440, 6: 720}
    expected = {(3, day): count for day, count in (whole | {3: 1470}).items()}
    expected |= {(5, day): count for day, count in (whole | {7: 720, 8: 720}).items()}
    assert daily == expected
