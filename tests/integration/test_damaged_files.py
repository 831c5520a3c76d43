"""Damage as a person meets it: doctor names what is missing, repair brings it back or says what to repeat."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from command_line import one_line, telltale, write_pump

from warehouse.files import File, Kind
from warehouse.home import Warehouse

CSV = ("--time", "time", "--zone", "Europe/Berlin", "--asset", "Pump 9", "--unit", "flow=m3/h")
INGEST = ("ingest", "csv", "pump.csv", *CSV, "--role", "load=context")


def flip_a_bit(home: Path, kind: Kind) -> File:
    """Flip a bit in the middle of the live file of a kind that reaches furthest."""
    warehouse = Warehouse.open(home)
    file = max(warehouse.manifest.live(kind), key=lambda one: one.end)
    warehouse.close()
    content = bytearray((home / file.path).read_bytes())
    content[len(content) // 2] ^= 0b0001_0000
    (home / file.path).write_bytes(bytes(content))
    return file


def readings(home: Path) -> list[tuple[int, datetime, float | None]]:
    warehouse = Warehouse.open(home)
    rows = warehouse.telemetry.read([1, 2]).select("sensor_id", "ts", "value").rows()
    counted = warehouse.telemetry.spans()["rows"].sum()
    summed = warehouse.telemetry.rollup([1, 2], None, None, 86_400)["count"].sum()
    assert (counted, summed) == (len(rows), len([row for row in rows if row[2] is not None]))
    warehouse.close()
    return rows


def assert_nothing_is_wrong(home: Path) -> None:
    warehouse = Warehouse.open(home)
    assert warehouse.verify() == []
    assert warehouse.damage() == ()
    warehouse.close()


def test_lost_readings_are_named_and_the_same_ingest_stores_them_again(tmp_path: Path) -> None:
    home = tmp_path / "home"
    write_pump(tmp_path)
    assert telltale(home, *INGEST).returncode == 0
    whole = readings(home)
    file = flip_a_bit(home, "readings")

    sick = telltale(home, "doctor", "--verify")
    assert sick.returncode == 1
    assert "WRONG files: 1 damaged, set aside until `telltale repair`" in sick.stdout
    [line] = [line for line in sick.stdout.splitlines() if file.path in line]
    assert "readings of Pump 9/flow, Pump 9/load, 2026-01-01 … 2026-01-05" in line
    assert f"{file.rows:,} rows" in line
    assert "is not the file that was written" in line

    refused = telltale(home, "repair")
    assert refused.returncode == 1
    assert "readings are lost and taken out" in refused.stdout
    assert "give its folder with --backup" in refused.stdout

    done = telltale(home, "repair", "--yes")
    assert done.returncode == 0, done.stderr
    assert f"1 of 1 files are settled; {file.rows:,} readings are lost." in done.stdout
    assert "repeat the ingest of pump.csv (csv)" in done.stdout
    left = readings(home)
    assert left == [row for row in whole if row[1] < datetime(2026, 1, 1, tzinfo=UTC)]
    assert len(left) + file.rows == len(whole)

    again = telltale(home, *INGEST)
    assert f"Stored {file.rows:,} new readings" in again.stdout
    assert readings(home) == whole
    assert_nothing_is_wrong(home)


def test_what_a_backup_has_comes_back_and_the_rest_is_made_again(tmp_path: Path) -> None:
    home = tmp_path / "home"
    write_pump(tmp_path)
    assert telltale(home, *INGEST).returncode == 0
    whole = readings(home)
    shutil.copytree(home, tmp_path / "backups" / "monday" / "files")
    for kind in ("readings", "rollups", "scores", "labels"):
        flip_a_bit(home, kind)  # type: ignore[arg-type]
    assert telltale(home, "doctor", "--verify").returncode == 1
    assert "no folder" in one_line(telltale(home, "repair", "--yes", "--backup", str(tmp_path / "nowhere")))

    done = telltale(home, "repair", "--yes", "--backup", str(tmp_path / "backups"))

    assert done.returncode == 0, done.stderr
    assert "3 of 3 files are settled; 0 readings are lost." in done.stdout
    assert "come back from" in done.stdout
    assert "the labels are published again" in done.stdout
    assert readings(home) == whole
    assert_nothing_is_wrong(home)
    warehouse = Warehouse.open(home)
    with warehouse.database.reading() as connection:
        entries = connection.execute("SELECT kind, actor, at_us FROM repairs ORDER BY kind").fetchall()
    assert [kind for kind, *_ in entries] == ["labels", "readings", "rollups", "scores"]
    assert all(at_us <= datetime.now(UTC).timestamp() * 1e6 for *_, at_us in entries)
    version = warehouse.catalog.versions()[0]
    scored = warehouse.results.read_scores(version.sensor_id, version.id)
    assert scored.height > 100
    assert not scored.select(pl.col("ts").is_duplicated().any()).item()
    warehouse.close()
