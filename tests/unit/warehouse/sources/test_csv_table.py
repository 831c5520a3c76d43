import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from csv_material import GOOD, NOW, Read, refused, rows

from warehouse.errors import SourceError
from warehouse.sources import csv_lines, csv_table, refused_rows, sensor_names
from warehouse.sources.table_mapping import TableMapping


def test_a_wide_table_is_a_column_a_sensor(wide: Read) -> None:
    batch = wide("time,flow,speed\n2026-01-01 00:00,1.5,10\n2026-01-01 00:01,2.5,20\n")
    assert rows(batch) == [
        ("Pump 1/flow", "01 00:00", 1.5),
        ("Pump 1/flow", "01 00:01", 2.5),
        ("Pump 1/speed", "01 00:00", 10.0),
        ("Pump 1/speed", "01 00:01", 20.0),
    ]
    assert batch.refusals == []


def test_a_long_table_is_a_row_a_reading(long: Read) -> None:
    batch = long(
        "machine,sensor,time,value\nPump 2,flow,2026-01-01 00:00,1\nPump 1,flow,2026-01-01 00:00,2\n"
        "Pump 2,flow,2026-01-01 00:05,3\n"
    )
    assert rows(batch) == [
        ("Pump 2/flow", "01 00:00", 1.0),
        ("Pump 2/flow", "01 00:05", 3.0),
        ("Pump 1/flow", "01 00:00", 2.0),
    ]
    assert [asset.name for asset in batch.assets] == ["Pump 2", "Pump 1"]
    assert [asset.sensors[0].interval_s for asset in batch.assets] == [300.0, None]


def test_units_roles_and_contexts_are_as_stated(wide: Read) -> None:
    batch = wide(
        "time,flow,speed,on\n2026-01-01 00:00,1,2,1\n2026-01-01 00:01,1,2,1\n",
        units={"flow": "m³/h", "Pump 1/speed": "rpm"},
        roles={"speed": "context", "on": "state"},
        kind="pump",
    )
    (asset,) = batch.assets
    flow, speed, on = asset.sensors
    assert (flow.unit, flow.role, flow.context, flow.interval_s) == ("m³/h", "target", ("speed", "on"), 60.0)
    assert (speed.unit, speed.role, speed.context) == ("rpm", "context", ())
    assert (on.unit, on.role) == ("", "state")
    assert (asset.kind, asset.historical) == ("pump", True)


def test_only_the_chosen_columns_are_read(wide: Read) -> None:
    batch = wide("time,a,b\n2026-01-01 00:00,1,text\n2026-01-01 00:01,2,text\n", columns=("a",))
    assert {key for key, _, _ in rows(batch)} == {"Pump 1/a"}
    assert batch.refusals == []


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(wide: Read, delimiter: str) -> None:
    assert len(rows(wide(GOOD.replace(",", delimiter)))) == 2


def test_a_decimal_comma_is_read_when_stated(wide: Read) -> None:
    batch = wide(
        "time;flow\n2026-01-01 00:00;1,5\n2026-01-01 00:01;-2,25\n2026-01-01 00:02;1.5\n", decimal=","
    )
    assert [value for _, _, value in rows(batch)] == [1.5, -2.25]
    assert refused(batch) == [(4, "column 'flow' holds no number; the rest of the row is kept")]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_system_are_read(wide: Read, ending: str) -> None:
    batch = wide(GOOD.replace("\n", ending) + f"bad,1{ending}")
    assert len(rows(batch)) == 2
    assert [row for row, _ in refused(batch)] == [4]


def test_a_byte_order_mark_and_a_missing_last_line_end_do_not_matter(wide: Read) -> None:
    assert len(rows(wide(b"\xef\xbb\xbf" + GOOD.strip().encode()))) == 2


def test_quoted_cells_are_read(wide: Read) -> None:
    batch = wide('"time","flow, total"\n"2026-01-01 00:00","1.5"\n2026-01-01 00:01,"2.5"\n')
    assert rows(batch) == [("Pump 1/flow, total", "01 00:00", 1.5), ("Pump 1/flow, total", "01 00:01", 2.5)]


def test_a_quote_left_open_costs_its_line_alone(wide: Read) -> None:
    batch = wide('time,flow\n2026-01-01 00:00,1\n2026-01-01 00:01,"2\n2026-01-01 00:02,3\n')
    assert [value for _, _, value in rows(batch)] == [1.0, 3.0]
    assert [row for row, _ in refused(batch)] == [3]


def test_line_numbers_count_blank_lines(wide: Read) -> None:
    batch = wide("\n\ntime,flow\n2026-01-01 00:00,1\n\n   \nnever,2\n2026-01-01 00:01,3\n")
    assert [row for row, _ in refused(batch)] == [7]
    assert len(rows(batch)) == 2


def test_line_numbers_are_exact_across_blocks(wide: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_lines, "BLOCK", 37)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    lines = ["time,flow"]
    bad = {5, 17, 18, 40}
    for row in range(2, 60):
        stamp = f"{start + timedelta(minutes=row):%Y-%m-%dT%H:%M:%S}"
        lines.append(f"{'x' * (row % 7)}{stamp if row not in bad else ''},{row}{'é' * (row in bad)}")
        lines[-1] = lines[-1].lstrip("x") if row not in bad else lines[-1]
    for ending in ("\n", "\r\n"):
        batch = wide(ending.join(lines))
        assert {row for row, _ in refused(batch)} == bad
        assert [value for _, _, value in rows(batch)] == [
            float(row) for row in range(2, 60) if row not in bad
        ]


def test_missing_and_infinite_values_pass(wide: Read) -> None:
    batch = wide(
        "time,flow\n"
        + "".join(
            f"2026-01-01 00:0{index},{cell}\n"
            for index, cell in enumerate(["", "NaN", "null", "inf", "-Infinity"])
        )
    )
    values = [value for _, _, value in rows(batch)]
    assert all(math.isnan(value) for value in values[:3])
    assert values[3:] == [math.inf, -math.inf]
    assert batch.refusals == []


def test_a_word_in_a_wide_row_costs_its_cell_alone(wide: Read) -> None:
    batch = wide("time,flow,speed\n2026-01-01 00:00,off,10\n2026-01-01 00:01,2,20\n")
    assert rows(batch) == [
        ("Pump 1/flow", "01 00:01", 2.0),
        ("Pump 1/speed", "01 00:00", 10.0),
        ("Pump 1/speed", "01 00:01", 20.0),
    ]
    (refusal,) = batch.refusals
    assert (refusal.row, refusal.content) == (2, "off")
    assert "'flow'" in refusal.reason


def test_a_word_in_a_long_row_costs_the_row(long: Read) -> None:
    batch = long(
        "machine,sensor,time,value\nP,a,2026-01-01 00:00,1\nP,a,2026-01-01 00:01,x\nP,a,2026-01-01 00:02,3\n"
    )
    assert len(rows(batch)) == 2
    assert refused(batch) == [(3, "value x is no number")]


def test_a_number_beyond_floats_is_refused_not_rounded_to_infinity(wide: Read) -> None:
    batch = wide(GOOD + "2026-01-01 00:02,1e999\n")
    assert [value for _, _, value in rows(batch)] == [1.5, 2.5]
    assert [row for row, _ in refused(batch)] == [4]


def test_rows_of_another_width_are_refused(wide: Read) -> None:
    batch = wide(GOOD + "2026-01-01 00:02\n2026-01-01 00:03,1,2\n")
    assert refused(batch) == [(4, "1 fields, the header has 2"), (5, "3 fields, the header has 2")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("time,flow\n", "has a header and no rows"),
        ("time,flow\n2026-01-01 00:00,1\n", "1 rows with readings at one time only"),
        ("time,flow,flow\n2026-01-01 00:00,1,2\n", "names 'flow' more than once"),
        ("when,flow\n2026-01-01 00:00,1\n", "no column 'time'; the header has 'when', 'flow'"),
        ("time\n2026-01-01 00:00\n", "no column besides 'time'"),
        ("time,\n2026-01-01 00:00,1\n", "no column besides 'time'"),
        (b"time,flow\n2026-01-01 00:00,1\n2026-01-01 00:00,\xff\n", r"not UTF-8 at line 3 \(byte 46\)"),
        ("time,flow\n".encode("utf-16"), "not UTF-8 at line 1"),
        (b"time,flow\n\x00,1\n", "zero bytes"),
        ("time,flow\nx,1\ny,2\n", "none of its 2 rows can be used; line 2: time 'x' is not"),
    ],
)
def test_a_file_that_can_not_be_read_is_refused_whole(wide: Read, content: str | bytes, message: str) -> None:
    with pytest.raises(SourceError, match=rf"^wide\.csv: .*{message}"):
        wide(content)


def test_a_sensor_name_like_a_path_costs_its_column_alone(wide: Read) -> None:
    batch = wide("time,../x,flow\n2026-01-01 00:00,1,2\n2026-01-01 00:01,1,2\n")
    assert {key for key, _, _ in rows(batch)} == {"Pump 1/flow"}
    assert [(one.row, one.content) for one in batch.refusals] == [(1, "../x")]


@pytest.mark.parametrize("name", ["../x", "a/b", "a\\b", "..", "x" * 121, "a\tb", "a\u200bb", ""])
def test_an_asset_name_that_can_not_be_costs_its_rows(long: Read, name: str) -> None:
    batch = long(
        "machine;sensor;time;value\n"
        f"P;a;2026-01-01 00:00;1\n{name};a;2026-01-01 00:00;2\nP;a;2026-01-01 00:01;3\n"
    )
    assert [asset.name for asset in batch.assets] == ["P"]
    assert [row for row, _ in refused(batch)] == [3]


def test_an_unnamed_column_is_left_out_and_said(wide: Read) -> None:
    batch = wide(",time,flow\n0,2026-01-01 00:00,1\n1,2026-01-01 00:01,2\n")
    assert {key for key, _, _ in rows(batch)} == {"Pump 1/flow"}
    assert batch.notes == ("wide.csv: column 1 has no name and was left out",)


def test_constant_columns_are_fine(wide: Read) -> None:
    assert [value for _, _, value in rows(wide(GOOD.replace("2.5", "1.5")))] == [1.5, 1.5]


@pytest.mark.parametrize(
    ("limit", "value", "message"),
    [
        ("table_readings.MAX_CELLS", 3, "more than 3 cells"),
        ("csv_lines.MAX_BYTES", 10, "at most 0 are read; split it"),
        ("headers.MAX_COLUMNS", 1, "2 columns, at most 1"),
    ],
)
def test_size_is_capped(
    wide: Read, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, message: str
) -> None:
    monkeypatch.setattr(f"warehouse.sources.{limit}", value)
    with pytest.raises(SourceError, match=message):
        wide(GOOD)


def test_a_line_without_end_is_no_table(wide: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_lines, "MAX_LINE", 1000)
    with pytest.raises(SourceError, match=r"a line longer than .* this is not a table of text"):
        wide(GOOD + "x" * 1001)


def test_too_many_sensors_hint_at_the_wrong_column(long: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sensor_names, "MAX_SENSORS", 2)
    content = "".join(f"P,{name},2026-01-01 00:00,1\n" for name in "abc")
    with pytest.raises(SourceError, match="is that the sensor column"):
        long("machine,sensor,time,value\n" + content)


def test_the_list_of_refusals_ends_with_how_many_more(wide: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refused_rows, "MAX_REFUSALS", 3)
    batch = wide(GOOD + "x,1\n" * 10)
    assert [row for row, _ in refused(batch)] == [4, 5, 6, None]
    assert batch.refusals[-1].reason.startswith("7 further rows")


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"zone": "Europe/Atlantis"}, "time zone 'Europe/Atlantis' is not known"),
        ({"zone": ""}, "time zone '' is not known"),
        ({"zone": "Europe"}, "time zone 'Europe' is not known"),
        ({"zone": "../UTC"}, "is not known"),
        ({"zone": "+02:00"}, "is not known"),
        ({"time_format": "%Q"}, "time format '%Q' is not understood"),
        ({"time_format": "hh:mm"}, "is not understood"),
        ({"time_format": "%d/%m/%Y %H"}, "is not understood.*both hour and minute"),
        ({"time_format": "%d/%m/%Y %H:%M:%S,%f"}, "is not understood"),
        ({"asset": None}, "needs the name of its machine"),
        ({"asset": "../x"}, "contains a slash"),
        ({"roles": {"flow": "boss"}}, "role 'boss' of 'flow'"),
        ({"roles": {"folw": "target"}}, "stated for 'folw', which no reading names; sensors are 'flow'"),
        ({"units": {"Pump 2/flow": "m³/h"}}, "which no reading names"),
        ({"delimiter": ",,"}, "not one plain character"),
        ({"columns": ("time",)}, "can't mean two things"),
        ({"columns": ("pressure",)}, "no column 'pressure'"),
        ({"sensor_column": "flow"}, "belong to a long table"),
        ({"decimal": "x"}, "decimal mark"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(wide: Read, stated: dict[str, Any], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        wide(GOOD, **stated)


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"sensor_column": None}, "needs a sensor column and a value column"),
        ({"asset_column": None}, "either the name of its machine or an asset column"),
        ({"asset": "P"}, "either the name of its machine or an asset column"),
        ({"columns": ("a",)}, "belongs to a wide table"),
        ({"layout": "tall"}, "neither 'long' nor 'wide'"),
    ],
)
def test_a_long_mapping_that_contradicts_itself_is_refused(stated: dict[str, Any], message: str) -> None:
    base: dict[str, Any] = {
        "time": "time",
        "zone": "UTC",
        "layout": "long",
        "asset_column": "machine",
        "sensor_column": "sensor",
        "value_column": "value",
    }
    with pytest.raises(SourceError, match=message):
        TableMapping(**{**base, **stated})


def test_a_naive_now_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(GOOD)
    with pytest.raises(SourceError, match=r"now .* has no zone"):
        csv_table.read(
            tmp_path / "a.csv",
            TableMapping("time", "UTC", "wide", asset="P"),
            now=datetime(2026, 1, 1),  # noqa: DTZ001 -- that is what is refused
        )


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="can't be read"):
        csv_table.read(tmp_path, TableMapping("time", "UTC", "wide", asset="P"), now=NOW)
