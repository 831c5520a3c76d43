from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from csv_material import NOW

from warehouse.errors import SourceError
from warehouse.sources import csv_head, table
from warehouse.sources.preview import Preview, preview
from warehouse.sources.table_mapping import TableMapping

CLOCKS = [datetime(2024, 12, 31, 14, 5) + timedelta(minutes=step) for step in range(40)]  # noqa: DTZ001


def look(folder: Path, text: str) -> Preview:
    (folder / "table.csv").write_text(text)
    return preview(folder / "table.csv", now=NOW)


def wide(times: list[str], delimiter: str = ",") -> str:
    rows = [delimiter.join([time, str(step), "run"]) for step, time in enumerate(times)]
    return "\n".join([delimiter.join(["when", "flow", "mode"]), *rows])


@pytest.mark.parametrize(
    ("written", "time_format", "needs_zone"),
    [
        ("%Y-%m-%dT%H:%M:%SZ", None, False),
        ("%Y-%m-%d %H:%M:%S", None, True),
        ("%Y-%m-%dT%H:%M+01:00", None, False),
        ("%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M", True),
        ("%d.%m.%y %H:%M:%S", "%d.%m.%y %H:%M:%S", True),
        ("%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M", True),
        ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S", True),
        ("%m/%d/%Y %I:%M %p", "%m/%d/%Y %I:%M %p", True),
        ("%d-%b-%Y %H:%M:%S", "%d-%b-%Y %H:%M:%S", True),
        ("%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M", True),
        ("%Y%m%d%H%M%S", "%Y%m%d%H%M%S", True),
        ("%d.%m.%Y %H:%M:%S %z", "%d.%m.%Y %H:%M:%S %z", False),
    ],
)
def test_how_times_are_written_is_told(
    tmp_path: Path, written: str, time_format: str | None, needs_zone: bool
) -> None:
    times = [one.replace(tzinfo=UTC).strftime(written) for one in CLOCKS]
    guess = look(tmp_path, wide(times)).guess
    assert (guess.time, guess.time_format, guess.needs_zone) == ("when", time_format, needs_zone)
    assert guess.ambiguous == ()
    # What is guessed reads the whole table.
    mapping = TableMapping(
        "when",
        "UTC" if needs_zone else None,
        "wide",
        asset="P",
        columns=("flow",),
        time_format=guess.time_format,
    )
    batch = table.read(tmp_path / "table.csv", mapping, now=NOW)
    assert batch.refusals == []
    assert batch.rows == len(CLOCKS)


@pytest.mark.parametrize(("unit", "time_format"), [(1, "epoch_s"), (1000, "epoch_ms"), (10**6, "epoch_us")])
def test_epochs_are_told_by_their_size(tmp_path: Path, unit: int, time_format: str) -> None:
    times = [str(int(one.replace(tzinfo=UTC).timestamp()) * unit) for one in CLOCKS]
    guess = look(tmp_path, wide(times)).guess
    assert (guess.time, guess.time_format, guess.needs_zone) == ("when", time_format, False)


def test_where_day_and_month_could_be_either_a_person_must_choose(tmp_path: Path) -> None:
    times = [f"03/04/2024 14:{minute:02d}" for minute in range(30)]
    guess = look(tmp_path, wide(times)).guess
    assert guess.time == "when"
    assert guess.time_format is None
    assert guess.ambiguous == ("%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M")


def test_delimiter_decimal_mark_and_looks_are_told(tmp_path: Path) -> None:
    lines = [f"31.12.2024 14:{minute:02d};{minute},5;;{minute};on" for minute in range(30)]
    seen = look(tmp_path, "\n".join(['"Zeit";Druck;leer;Zähler;Zustand', *lines, "kaputt;x"]))
    assert (seen.kind, seen.delimiter, seen.decimal) == ("csv", ";", ",")
    assert [(one.name, one.looks) for one in seen.columns] == [
        ("Zeit", "time"),
        ("Druck", "number"),
        ("leer", "empty"),
        ("Zähler", "number"),
        ("Zustand", "text"),
    ]
    assert seen.columns[1].sample == ("0,5", "1,5", "2,5", "3,5")
    assert seen.rows[0] == ("31.12.2024 14:00", "0,5", "", "0", "on")
    assert len(seen.rows) == 8
    assert (seen.guess.layout, seen.guess.time) == ("wide", "Zeit")


def long(**columns: Any) -> str:
    rows = zip(*columns.values(), strict=True)
    return "\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)])


STAMPS = [f"2024-01-01T00:{minute:02d}:00Z" for minute in range(30) for _ in range(4)]


@pytest.mark.parametrize(
    ("columns", "sensor", "value", "asset"),
    [
        ({"ts": STAMPS, "tag": ["a", "b", "c", "d"] * 30, "reading": range(120)}, "tag", "reading", None),
        (
            {"machine": ["P1", "P2"] * 60, "x": ["a", "a", "b", "b"] * 30, "y": range(120), "t": STAMPS},
            "x",
            "y",
            "machine",
        ),
        ({"t": STAMPS, "n": ["a", "b", "c", "d"] * 30, "m": [0.5] * 120}, "n", "m", None),
        ({"t": STAMPS, "sensor_id": [1, 2, 3, 4] * 30, "value": range(120)}, "sensor_id", "value", None),
    ],
)
def test_a_long_table_is_told_by_its_columns(
    tmp_path: Path, columns: dict[str, Any], sensor: str, value: str, asset: str | None
) -> None:
    guess = look(tmp_path, long(**columns)).guess
    assert guess.layout == "long"
    assert (guess.sensor_column, guess.value_column, guess.asset_column) == (sensor, value, asset)


def test_a_state_beside_readings_makes_no_long_table(tmp_path: Path) -> None:
    times = [f"{one:%Y-%m-%d %H:%M}" for one in CLOCKS]
    assert look(tmp_path, wide(times)).guess.layout == "wide"


def test_a_number_that_could_be_an_epoch_is_a_number_beside_a_time(tmp_path: Path) -> None:
    text = long(time=STAMPS, total=[1_700_000_000 + step for step in range(120)])
    seen = look(tmp_path, text)
    assert [(one.name, one.looks) for one in seen.columns] == [("time", "time"), ("total", "number")]


def test_only_the_beginning_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_head, "HEAD", 400)
    path = tmp_path / "table.csv"
    path.write_bytes(wide([f"{one:%Y-%m-%d %H:%M}" for one in CLOCKS]).encode() + b"\n\xff\xfe\0")
    assert preview(path, "my table", now=NOW).guess.time == "when"
    assert preview(path, "my table", now=NOW).name == "my table"


def test_parquet_is_looked_at_by_its_types(tmp_path: Path) -> None:
    columns = {
        "at": pa.array(CLOCKS, pa.timestamp("ms")),
        "flow": pa.array([0.5] * 40),
        "on": pa.array([True] * 40),
        "nothing": pa.nulls(40),
        "spectrum": pa.array([[1.0]] * 40),
    }
    pq.write_table(pa.table(columns), tmp_path / "misnamed.csv")
    seen = preview(tmp_path / "misnamed.csv", now=NOW)
    assert (seen.kind, seen.delimiter) == ("parquet", "")
    assert [(one.name, one.looks) for one in seen.columns] == [
        ("at", "time"),
        ("flow", "number"),
        ("on", "number"),
        ("nothing", "empty"),
    ]
    assert (seen.guess.time, seen.guess.time_format, seen.guess.needs_zone) == ("at", None, True)
    assert seen.rows[0][0].startswith("2024-12-31 14:05:00")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"a,b\n\xff,1\n", "not UTF-8 at line 2"),
        (b"\x00\x01", "zero bytes"),
        (b"PAR1 and more PAR1", "is damaged or no Parquet file"),
        (b"x" * 300_000, "a line longer than 256 KiB"),
    ],
)
def test_what_is_no_table_is_refused_by_name(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "junk").write_bytes(content)
    with pytest.raises(SourceError, match=rf"^upload\.csv: .*{message}"):
        preview(tmp_path / "junk", "upload.csv", now=NOW)


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^gone\.csv: can't be read"):
        preview(tmp_path / "gone.csv", now=NOW)
