import gc
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from csv_material import NOW

from warehouse import staging
from warehouse.errors import SourceError
from warehouse.home import Warehouse
from warehouse.sources import csv_lines, csv_table, kept_readings
from warehouse.sources.base import CHUNK, SourceBatch
from warehouse.sources.table_mapping import TableMapping

START = datetime(2026, 1, 1, tzinfo=UTC)
MAPPING = TableMapping("time", "UTC", "long", asset="P", sensor_column="sensor", value_column="value")


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a table of two sensors, of which hardly anything is kept in memory."""
    monkeypatch.setattr(kept_readings, "MEMORY_ROWS", 40)
    monkeypatch.setattr(kept_readings, "ROWS_A_CHUNK", 16)
    monkeypatch.setattr(csv_lines, "BLOCK", 300)
    lines = ["time,sensor,value"]
    for minute in range(100):
        stamp = f"{START + timedelta(minutes=minute):%Y-%m-%dT%H:%M:%SZ}"
        lines += [f"{stamp},a,{minute}", f"{stamp},b,{-minute}"]
    lines += [f"{START:%Y-%m-%dT%H:%M:%SZ},a,1000", f"{START:%Y-%m-%dT%H:%M:%SZ},a,2000"]
    (tmp_path / "large.csv").write_text("\n".join(lines))
    return tmp_path / "large.csv"


def read(path: Path) -> SourceBatch:
    return csv_table.read(path, MAPPING, now=NOW, spill=path.parent / "spill")


def spilled(path: Path) -> list[Path]:
    return sorted((path.parent / "spill").rglob("*.arrow"))


def test_what_outgrows_memory_comes_back_whole_and_in_order(large: Path) -> None:
    batch = read(large)
    assert len(spilled(large)) > 5
    chunks = list(batch.readings)
    assert len(chunks) > 5
    whole = pl.concat(chunks)
    assert whole.schema == CHUNK
    assert whole.filter(pl.col("key") == "P/a")["value"].to_list() == [
        *map(float, range(100)),
        1000.0,
        2000.0,
    ]
    assert batch.rows == whole.height == 202


def test_of_one_time_the_later_row_wins_across_chunks(
    large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "CHUNK_ROWS", 16)
    monkeypatch.setattr(staging, "MEMORY_ROWS", 40)
    warehouse = Warehouse.open(tmp_path / "home")
    try:
        report = warehouse.ingest(read(large), at=NOW, actor="test")
        (sensor,) = (one for one in warehouse.catalog.sensors() if one.name == "a")
        stored = warehouse.telemetry.read([sensor.id])
    finally:
        warehouse.close()
    assert report.duplicates == 2
    assert stored["value"].to_list() == [2000.0, *map(float, range(1, 100))]


def test_the_interval_of_a_large_table_is_told_by_its_first_readings(large: Path) -> None:
    batch = read(large)
    assert [one.interval_s for one in batch.assets[0].sensors] == [60.0, 60.0]


def test_nothing_is_left_of_a_batch_that_was_taken(large: Path) -> None:
    list(read(large).readings)
    assert list((large.parent / "spill").iterdir()) == []


def test_nothing_is_left_of_a_batch_that_was_thrown_away(large: Path) -> None:
    untouched, begun = read(large), read(large)
    next(begun.readings)
    assert len(list((large.parent / "spill").iterdir())) == 2
    del untouched, begun
    gc.collect()
    assert list((large.parent / "spill").iterdir()) == []


def test_nothing_is_left_where_the_table_turns_out_bad(large: Path) -> None:
    with large.open("ab") as file:
        file.write(b"\n\xff,a,1\n")
    with pytest.raises(SourceError, match=r"large\.csv: not UTF-8 at line 204"):
        read(large)
    gc.collect()
    assert list((large.parent / "spill").iterdir()) == []


def test_a_folder_that_can_not_be_written_to_is_named(large: Path) -> None:
    (large.parent / "spill").write_text("a file stands there")
    with pytest.raises(SourceError, match=r"large\.csv: its readings can't be set aside in .*spill"):
        read(large)


def test_readings_set_aside_that_are_gone_are_an_error_not_a_gap(large: Path) -> None:
    batch = read(large)
    next(batch.readings)
    shutil.rmtree(large.parent / "spill")
    with pytest.raises(SourceError, match=r"large\.csv: .* can't be read"):
        list(batch.readings)
