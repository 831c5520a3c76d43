"""Whatever is written in whatever order, storage reads like a dictionary."""

import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from warehouse.home import Warehouse
from warehouse.schema import GOOD, INFINITE, MISSING, READINGS, ROLLUP_LEVELS_S

NOW = datetime(2026, 5, 10, tzinfo=UTC)
# Close to the end of a month, so that writes touch days and months on both sides.
ORIGIN = datetime(2026, 4, 30, 12, 0, tzinfo=UTC)

Key = tuple[int, datetime]
Cell = tuple[float | None, int]
Row = tuple[int, datetime, float | None]

VALUES = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, 2.0, math.nan, math.inf, -math.inf, None]),
    st.floats(-1e6, 1e6, allow_nan=False, width=32),
)
ROWS = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.integers(0, 2 * 24 * 6).map(lambda step: ORIGIN + timedelta(minutes=10 * step)),
        VALUES,
    ),
    max_size=40,
)
WRITES = st.lists(st.lists(ROWS, min_size=1, max_size=3), min_size=1, max_size=5)


def cell(value: float | None) -> Cell:
    if value is None or math.isnan(value):
        return None, MISSING
    return (None, INFINITE) if math.isinf(value) else (value, GOOD)


class Twin:
    """A dictionary in place of storage."""

    def __init__(self) -> None:
        self.cells: dict[Key, Cell] = {}

    def write(self, batches: list[list[Row]]) -> tuple[int, int, int, int]:
        rows = [row for batch in batches for row in batch]
        given = {(sensor, ts): cell(value) for sensor, ts, value in rows}
        known = {key: self.cells[key] for key in given if key in self.cells}
        unchanged = sum(given[key] == stored for key, stored in known.items())
        self.cells.update(given)
        return len(given) - len(known), unchanged, len(known) - unchanged, len(rows) - len(given)

    def rows(self) -> list[tuple[int, datetime, float | None, int]]:
        return [(*key, *self.cells[key]) for key in sorted(self.cells)]

    def buckets(self, level_s: int) -> dict[Key, tuple[float | None, float | None, float | None, int]]:
        held: dict[Key, list[float]] = {}
        for (sensor, ts), (value, _) in self.cells.items():
            start = datetime.fromtimestamp(ts.timestamp() // level_s * level_s, UTC)
            bucket = held.setdefault((sensor, start), [])
            if value is not None:
                bucket.append(value)
        return {
            key: (min(found), max(found), math.fsum(found) / len(found), len(found))
            if found
            else (None, None, None, 0)
            for key, found in held.items()
        }


def frame(rows: list[Row]) -> pl.DataFrame:
    return pl.DataFrame([(*row, GOOD) for row in rows], schema=READINGS, orient="row")


@contextmanager
def new_home(*, bulk: bool) -> Iterator[Warehouse]:
    # Few rows and many take different ways through storage; with these limits the same rows take both.
    limits = (0, 20, 30) if bulk else (50_000, 2_000_000, 4_000_000)
    files = 25 if bulk else 4_000_000
    with (
        tempfile.TemporaryDirectory() as folder,
        patch("warehouse.writing.SMALL_ROWS", limits[0]),
        patch("warehouse.staging.MEMORY_ROWS", limits[1]),
        patch("warehouse.staging.WINDOW_ROWS", limits[2]),
        patch("warehouse.staging.CHUNK_ROWS", 15 if bulk else 1_000_000),
        patch("warehouse.merging.PIECE_ROWS", 12 if bulk else 6_000_000),
        patch("warehouse.merged_files.FILE_ROWS", files),
        patch("warehouse.compaction.FILE_ROWS", files),
        patch("warehouse.compaction._FILES", 2),
        patch("os.fsync"),  # what survives a power cut is not the question here
    ):
        home = Warehouse.open(Path(folder))
        yield home
        home.close()


def assert_equal(home: Warehouse, twin: Twin) -> None:
    sensors = [1, 2, 3, 4]
    assert home.telemetry.read(sensors).rows() == twin.rows()
    live = home.manifest.live("readings")
    assert sum(file.rows for file in live) == len(twin.cells)
    for file in live:
        held = pl.read_parquet(home.root / file.path)
        assert held.rows() == sorted(held.rows(), key=lambda row: row[:2])
        assert file.start <= held["ts"].min() <= held["ts"].max() < file.end  # type: ignore[operator]
        assert (file.sensor_min, file.sensor_max) == (held["sensor_id"].min(), held["sensor_id"].max())
    for level in ROLLUP_LEVELS_S:
        rolled = home.telemetry.rollup(sensors, None, None, level).drop("level_s")
        expected = twin.buckets(level)
        assert rolled.select("sensor_id", "ts").rows() == sorted(expected)
        for sensor, ts, low, high, mean, count in rolled.iter_rows():
            wanted = expected[sensor, ts]
            assert (low, high, count) == (wanted[0], wanted[1], wanted[3])
            assert mean == wanted[2] or math.isclose(mean, wanted[2] or 0.0, rel_tol=1e-9, abs_tol=1e-6)
    newest = {sensor: (sensor, ts, value) for sensor, ts, value, _ in twin.rows()}
    assert home.telemetry.last().rows() == sorted(newest.values())
    held_rows = [row[0] for row in twin.rows()]
    assert home.telemetry.spans().select("sensor_id", "rows").rows() == [
        (one, held_rows.count(one)) for one in sorted(newest)
    ]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(writes=WRITES, bulk=st.booleans(), tidied=st.sets(st.integers(0, 4)))
def test_storage_reads_like_a_dictionary(writes: list[list[list[Row]]], bulk: bool, tidied: set[int]) -> None:
    twin = Twin()
    with new_home(bulk=bulk) as home:
        for number, batches in enumerate(writes):
            expected = twin.write(batches)
            report = home.telemetry.write_batches([frame(batch) for batch in batches], note="write", at=NOW)
            assert (report.added, report.unchanged, report.replaced, report.duplicates) == expected
            if number in tidied:
                # In one month that ended and one that runs.
                home.tidy(now=NOW)
        assert_equal(home, twin)
        assert home.verify() == []


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(writes=WRITES, bulk=st.booleans())
def test_a_pinned_snapshot_never_changes(writes: list[list[list[Row]]], bulk: bool) -> None:
    twin = Twin()
    pinned: dict[int, list[tuple[int, datetime, float | None, int]]] = {}
    with new_home(bulk=bulk) as home:
        for batches in writes:
            twin.write(batches)
            report = home.telemetry.write_batches([frame(batch) for batch in batches], note="w", at=NOW)
            if report.snapshot is not None:
                home.manifest.pin(report.snapshot.id)
                pinned[report.snapshot.id] = twin.rows()
        home.tidy(now=NOW)
        home.collect(now=NOW + timedelta(days=1), grace_s=0)
        for snapshot_id, rows in pinned.items():
            assert home.telemetry.read([1, 2, 3, 4], snapshot_id=snapshot_id).rows() == rows
        assert home.telemetry.read([1, 2, 3, 4]).rows() == twin.rows()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    values=st.lists(VALUES, min_size=30, max_size=300),
    first=st.integers(0, 300),
    length=st.integers(1, 300),
    max_points=st.integers(1, 30),
)
def test_a_window_keeps_the_extremes(
    values: list[float | None], first: int, length: int, max_points: int
) -> None:
    step = timedelta(minutes=10)
    start, end = ORIGIN + first * step, ORIGIN + (first + length) * step
    rows = [(1, ORIGIN + index * step, value) for index, value in enumerate(values)]
    with new_home(bulk=False) as home:
        home.telemetry.write(frame(rows), note="write", at=NOW)
        found = home.telemetry.window(1, start, end, max_points)
    inside = [cell(value)[0] for value in values[first : first + length]]
    good = [value for value in inside if value is not None]
    assert found["min"].min() == min(good, default=None)
    assert found["max"].max() == max(good, default=None)
    assert found.height <= max(len(inside), 1.25 * max_points + 2)
    assert found["ts"].is_sorted()
    assert found["ts"].n_unique() == found.height
    assert found.filter((pl.col("ts") < start) | (pl.col("ts") >= end)).is_empty()
