"""Watched folders and Parquet from the command line."""

import os
from pathlib import Path

import polars as pl
from command_line import one_line, telltale, write_pump

MAPPING = ("--time", "time", "--zone", "Europe/Berlin", "--asset", "Pump 9", "--unit", "flow=m3/h")


def test_a_folder_is_watched_from_the_command_line(tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "arrivals"
    folder.mkdir()
    write_pump(folder)
    (folder / "bad.csv").write_text("no,table\n")
    for path in folder.iterdir():
        os.utime(path, (1_760_000_000, 1_760_000_000))
    added = telltale(home, "watch", "add", str(folder), *MAPPING)
    assert added.returncode == 0, added.stderr
    assert f"Watching {folder} for *.csv" in added.stdout.replace("\n", "")
    assert "is watched already" in one_line(telltale(home, "watch", "add", str(folder), *MAPPING))
    taken = telltale(home, "watch", "now")
    assert taken.returncode == 0, taken.stderr
    assert "pump.csv: 1,157 new readings" in taken.stdout
    assert "bad.csv: no column 'time'" in taken.stdout
    assert "Judged" in taken.stdout
    listed = telltale(home, "watch", "list").stdout
    assert "watched  1 files taken" in listed
    assert "bad.csv: no column 'time'" in listed
    assert telltale(home, "watch", "remove", str(folder)).returncode == 0
    assert "is not watched" in one_line(telltale(home, "watch", "pause", str(folder)))


def test_parquet_is_stored_like_the_table_it_was(tmp_path: Path) -> None:
    home = tmp_path / "home"
    path = tmp_path / "pump.parquet"
    pl.read_csv(write_pump(tmp_path), infer_schema=False).write_parquet(path)
    done = telltale(home, "ingest", "parquet", str(path), *MAPPING)
    assert done.returncode == 0, done.stderr
    assert "Stored 1,157 new readings of 1 machines, 2 sensors" in done.stdout
    assert "pump.parquet:101" in telltale(home, "status", "--quarantine").stdout
    again = telltale(home, "ingest", "csv", str(tmp_path / "pump.csv"), *MAPPING)
    assert again.returncode == 0, again.stderr
    assert "Nothing changed: all 1,157 readings" in again.stdout
