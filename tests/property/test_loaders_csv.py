"""Whatever bytes a table holds: readings exactly as written, refusals by line, or one SourceError."""

import csv
import io
import math
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from warehouse.errors import SourceError
from warehouse.schema import EARLIEST, latest_allowed
from warehouse.sources import csv_table
from warehouse.sources.base import CHUNK, SourceBatch
from warehouse.sources.names import refuse_asset, refuse_sensor
from warehouse.sources.table_mapping import TableMapping

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ORIGIN = datetime(1990, 1, 1, tzinfo=UTC)
CASES = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])

Reading = tuple[str, datetime, float]

SPAN_US = int((latest_allowed(NOW) - ORIGIN) / timedelta(microseconds=1)) - 1
TIMES = st.integers(0, SPAN_US).map(lambda us: ORIGIN + timedelta(microseconds=us))
NUMBERS = st.one_of(
    st.floats(),
    st.floats(-1e4, 1e4, width=16),
    st.integers(-(10**20), 10**20).map(float),
    st.sampled_from([0.0, -0.0, 5e-324, 1.7976931348623157e308]),
)
NAMES = st.text(min_size=1, max_size=12).map(str.strip).filter(lambda name: not refuse_sensor(name))
ASSETS = NAMES.filter(lambda name: not refuse_asset(name))
WORDS = st.sampled_from(["bad", "1,5", "0x1f", "1_0", "--", "1e999", "٣", "1 2", "True", "+", "1.2.3", "e5"])
NO_TIMES = st.sampled_from(
    [
        "",
        "never",
        "1970-01-01 00:00:00",
        "1989-12-31T23:59:59.999999Z",
        "55969-01-01 00:00:00",
        "2026-03-02 12:00:00",
        "2024-02-30",
        "2024-13-01 00:00",
        "2024-01-01 24:00:00",
        "2024-01-01 23:59:60",
        "12:30",
        "1704067200",
        "2024-01-01 00:00:00 CET",
        "2024-01-01T00:00:00+25:00",
    ]
)


@contextmanager
def table(content: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_bytes(content)
        yield path


def consumed(batch: SourceBatch) -> list[Reading]:
    frame = pl.concat([pl.DataFrame(schema=CHUNK), *batch.readings])
    assert frame.schema == CHUNK
    return list(frame.iter_rows())


def same(found: list[Reading], expected: list[Reading]) -> bool:
    """Compare as multisets, bit by bit: NaN equals NaN, and 0.0 is not -0.0."""

    def key(reading: Reading) -> tuple[str, datetime, str]:
        return reading[0], reading[1], "nan" if math.isnan(reading[2]) else reading[2].hex()

    return sorted(map(key, found)) == sorted(map(key, expected))


def written(cells: list[list[str]], delimiter: str, ending: str, quote: bool) -> bytes:
    buffer = io.StringIO()
    quoting = csv.QUOTE_ALL if quote else csv.QUOTE_MINIMAL
    csv.writer(buffer, delimiter=delimiter, lineterminator=ending, quoting=quoting).writerows(cells)
    return buffer.getvalue().encode()


def stamp(draw: Any, moment: datetime) -> str:
    """Write a moment in one of the ways ISO 8601 has, with or without an offset."""
    shape = draw(st.sampled_from(["plain", "T", "zulu", "offset"]))
    if shape == "offset":
        shift = timedelta(minutes=draw(st.sampled_from([-570, -60, 60, 330, 765])))
        sign = "-" if shift < timedelta(0) else "+"
        minutes = abs(int(shift.total_seconds())) // 60
        local = (moment + shift).replace(tzinfo=None)
        return f"{local.isoformat()}{sign}{minutes // 60:02d}:{minutes % 60:02d}"
    text = moment.replace(tzinfo=None).isoformat(sep=" " if shape == "plain" else "T")
    return text + ("Z" if shape == "zulu" else "")


def spelled(draw: Any, value: float) -> str:
    if math.isnan(value):
        return str(draw(st.sampled_from(["", "nan", "NaN", "NA", "n/a", "null", "None", "-nan"])))
    if math.isinf(value):
        return str(draw(st.sampled_from(["inf", "Infinity", "+inf"] if value > 0 else ["-inf", "-Infinity"])))
    return str(draw(st.sampled_from([repr(value), f" {value!r} ", f"{value:.17e}"])))


@st.composite
def wide_tables(draw: Any) -> tuple[bytes, dict[str, Any], list[Reading], set[int]]:
    """Return bytes, mapping, the readings they hold, and the lines on which something is bad."""
    sensors = draw(st.lists(NAMES.filter(lambda name: name != "time"), min_size=1, max_size=4, unique=True))
    delimiter = draw(st.sampled_from([",", ";", "\t", "|"]))
    cells, readings, bad = [["time", *sensors]], [], set()
    for line in range(2, 2 + draw(st.integers(2, 12))):
        defect = draw(st.sampled_from(["none", "none", "none", "time", "cell", "width"]))
        moment = draw(TIMES)
        values = [draw(NUMBERS) for _ in sensors]
        row = [stamp(draw, moment), *(spelled(draw, value) for value in values)]
        kept = dict(zip(sensors, values, strict=True))
        if defect == "time":
            row[0], kept = draw(NO_TIMES), {}
        elif defect == "width":
            row, kept = draw(st.sampled_from([row[:-1] if len(row) > 2 else [*row, ""], [*row, "1"]])), {}
        elif defect == "cell":
            spot = draw(st.integers(0, len(sensors) - 1))
            row[1 + spot] = draw(WORDS)
            del kept[sensors[spot]]
        if defect != "none":
            bad.add(line)
        cells.append(row)
        readings += [(f"P/{sensor}", moment, value) for sensor, value in kept.items()]
    content = written(cells, delimiter, draw(st.sampled_from(["\n", "\r\n"])), draw(st.booleans()))
    mapping = {"time": "time", "zone": "UTC", "layout": "wide", "asset": "P", "delimiter": delimiter}
    return draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + content, mapping, readings, bad


@st.composite
def long_tables(draw: Any) -> tuple[bytes, dict[str, Any], list[Reading], set[int]]:
    assets = draw(st.lists(ASSETS, min_size=1, max_size=2, unique=True))
    sensors = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    delimiter = draw(st.sampled_from([",", ";", "\t", "|"]))
    cells, readings, bad = [["value", "machine", "time", "sensor", "remark"]], [], set()
    for line in range(2, 2 + draw(st.integers(2, 15))):
        defect = draw(st.sampled_from(["none", "none", "none", "time", "value", "asset", "sensor", "width"]))
        moment, value = draw(TIMES), draw(NUMBERS)
        asset, sensor = draw(st.sampled_from(assets)), draw(st.sampled_from(sensors))
        row = [
            spelled(draw, value),
            asset,
            stamp(draw, moment),
            sensor,
            draw(st.sampled_from(["", "ok", '"'])),
        ]
        if defect == "time":
            row[2] = draw(NO_TIMES)
        elif defect == "value":
            row[0] = draw(WORDS)
        elif defect == "asset":
            row[1] = draw(st.sampled_from(["", "../x", "a/b", "x" * 121, "a\x07"]))
        elif defect == "sensor":
            row[3] = draw(st.sampled_from(["", "../x", "..", "x" * 121, "a\x1bb"]))
        elif defect == "width":
            row = draw(st.sampled_from([row[:-1], [*row, ""]]))
        if defect == "none":
            readings.append((f"{asset}/{sensor}", moment, value))
        else:
            bad.add(line)
        cells.append(row)
    content = written(cells, delimiter, draw(st.sampled_from(["\n", "\r\n"])), draw(st.booleans()))
    mapping = {
        "time": "time",
        "zone": "UTC",
        "layout": "long",
        "asset_column": "machine",
        "sensor_column": "sensor",
        "value_column": "value",
        "delimiter": delimiter,
    }
    return content, mapping, readings, bad


def check_round_trip(made: tuple[bytes, dict[str, Any], list[Reading], set[int]]) -> None:
    content, mapping, readings, bad = made
    with table(content) as path:
        if len({moment for _, moment, _ in readings}) < 2:
            with pytest.raises(SourceError, match=r"^table\.csv: "):
                csv_table.read(path, TableMapping(**mapping), now=NOW)
            return
        batch = csv_table.read(path, TableMapping(**mapping), now=NOW)
        assert same(consumed(batch), readings)
        assert {refusal.row for refusal in batch.refusals} == bad


@CASES
@given(wide_tables())
def test_wide_rows_come_back_exactly_and_bad_ones_by_line(made: Any) -> None:
    check_round_trip(made)


@CASES
@given(long_tables())
def test_long_rows_come_back_exactly_and_bad_ones_by_line(made: Any) -> None:
    check_round_trip(made)


def check_fuzz(content: bytes, mapping: TableMapping) -> None:
    with table(content) as path:
        try:
            batch = csv_table.read(path, mapping, now=NOW)
        except SourceError as error:
            refused: str | None = str(error)
        else:
            refused = None
        if refused is not None:
            assert re.fullmatch(r"table\.csv: [^\n]+", refused)
            return
        stated = {f"{asset.name}/{sensor.name}" for asset in batch.assets for sensor in asset.sensors}
        for key, ts, _ in consumed(batch):
            assert key in stated
            assert EARLIEST <= ts < latest_allowed(NOW)
        lines = content.count(b"\n") + content.count(b"\r") + 1
        assert all(one.row is None or 1 <= one.row <= lines for one in batch.refusals)


WIDE = TableMapping("time", "Europe/Berlin", "wide", asset="P")
LONG = TableMapping(
    "time", None, "long", asset_column="machine", sensor_column="sensor", value_column="value"
)
EPOCH = TableMapping("time", None, "wide", asset="P", time_format="epoch_ms")
STRPTIME = TableMapping("time", "UTC", "wide", asset="P", time_format="%d/%m/%y %H:%M:%S")
VALID_WIDE = (
    b'time,flow,"speed"\n2025-10-26 02:30:00,1.5,2\n2025-01-01T00:00:00Z,"3",nan\n1735689600000,4,5\n'
)
VALID_LONG = b"machine;sensor;time;value\nP;a;2025-01-01T00:00:00Z;1\nP;b;2025-01-01T00:01:00+01:00;2\n"
PIECES = st.sampled_from(
    [
        *(b"\n", b"\r", b"\r\n", b",", b";", b'"', b"\0", b"\xff", b"\xef\xbb\xbf", b"\xe2\x80\xa8"),
        *(b"2025-01-01", b" 00:00", b"Z", b"+01:00", b"-", b"1e5", b"nan", b"time", b"1735689600000", b".."),
        *(
            b"/",
            b"P",
            b"\x1c",
            b"31/12/25 10:00:00",
            b"99999999999999999999",
            b"-1",
            b"T",
            b"\xf0\x9f\x98\x80",
        ),
    ]
)


@st.composite
def mutated(draw: Any, valid: bytes) -> bytes:
    content = bytearray(valid)
    for _ in range(draw(st.integers(0, 8))):
        place = draw(st.integers(0, len(content)))
        length = draw(st.integers(0, 6))
        content[place : place + length] = draw(st.one_of(PIECES, st.binary(max_size=4)))
    return bytes(content)


@CASES
@given(st.one_of(mutated(VALID_WIDE), st.lists(PIECES, max_size=30).map(b"".join), st.binary(max_size=200)))
def test_any_bytes_are_a_wide_batch_or_a_source_error(content: bytes) -> None:
    for mapping in (WIDE, EPOCH, STRPTIME):
        check_fuzz(content, mapping)


@CASES
@given(st.one_of(mutated(VALID_LONG), st.lists(PIECES, max_size=30).map(b"".join)))
def test_any_bytes_are_a_long_batch_or_a_source_error(content: bytes) -> None:
    check_fuzz(content, LONG)


@CASES
@given(st.text(max_size=20), st.one_of(st.none(), st.text(max_size=12)))
def test_any_zone_and_time_format_are_taken_or_refused(zone: str, time_format: str | None) -> None:
    try:
        mapping = TableMapping("time", zone, "wide", asset="P", time_format=time_format)
    except SourceError:
        return
    check_fuzz(VALID_WIDE, mapping)


DIRECTIVES = st.lists(
    st.sampled_from(
        [
            *(
                "%Y",
                "%m",
                "%d",
                "%H",
                "%M",
                "%S",
                ".%f",
                "%f",
                "%y",
                "%b",
                "%B",
                "%j",
                "%I",
                "%p",
                "%z",
                "%:z",
            ),
            *("%T", "%F", "%e", "%D", "%%", "%.f", "%3f", "%.6f", " ", "-", ":", "T", "é"),
        ]
    ),
    min_size=1,
    max_size=8,
).map("".join)


@CASES
@given(DIRECTIVES, st.lists(st.text("0123456789-:/ TZ+APMJan.", max_size=20), min_size=2, max_size=5))
def test_any_known_directives_meet_any_text(time_format: str, texts: list[str]) -> None:
    try:
        mapping = TableMapping("time", "Europe/Berlin", "wide", asset="P", time_format=time_format)
    except SourceError:
        return
    check_fuzz(("time,flow\n" + "".join(f"{text},1\n" for text in texts)).encode(), mapping)
