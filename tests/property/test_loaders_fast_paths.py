"""The short ways of plain text must never differ from the careful ones: values, refusals, lines and notes."""

import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from warehouse.errors import SourceError
from warehouse.sources import cells, csv_lines, csv_table, numbers, stamps, times
from warehouse.sources.table_mapping import TableMapping

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CASES = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
MANY = settings(CASES, max_examples=250)

NUMBERISH = st.one_of(
    st.text("0123456789+-.,eE ", max_size=9),
    st.text("01+-.eE_ xXinfaNdDfF,\t\u00a0\u0663\u2212", max_size=7),
    st.floats().map(repr),
    st.sampled_from(
        ["", " ", "nan", "NaN", "-inf", "Infinity", "n/a", "NULL", "1e999", "1e-999", "0x1p3", "1_0"]
    ),
)
FORMATS = st.sampled_from(
    [
        *(
            None,
            "epoch_s",
            "epoch_ms",
            "epoch_us",
            "%d.%m.%Y %H:%M",
            "%d/%m/%Y %H:%M:%S",
            "%Y-%m-%dT%H:%M:%S.%f",
        ),
        *(
            "%Y%m%d%H%M%S",
            "%m-%d-%Y",
            "%H:%M %d.%m.%Y",
            "%d %b %Y",
            "%Y/%m/%d %I:%M %p",
            "%d.%m.%y %H:%M",
            "%Y-%m-%d",
        ),
    ]
)
ZONES = st.sampled_from([None, "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
MOMENTS = st.datetimes(datetime(1989, 12, 30), datetime(2026, 3, 4))  # noqa: DTZ001 -- clocks
# Around the changes of clocks, too.
NEAR = st.sampled_from([datetime(2025, 10, 26, 2), datetime(2025, 3, 30, 2), datetime(2025, 11, 2, 1)])  # noqa: DTZ001
CLOCKS = st.one_of(
    MOMENTS, st.builds(lambda base, minutes: base + timedelta(minutes=minutes), NEAR, st.integers(-90, 150))
)


@st.composite
def stamped(draw: Any, time_format: str | None) -> str:
    """Write a time of a format, mostly as it should be, else with a character changed, dropped or added."""
    clock = draw(CLOCKS)
    if time_format is None:
        sep = draw(st.sampled_from("TT "))
        text = clock.isoformat(sep, draw(st.sampled_from(["auto", "seconds", "minutes", "milliseconds"])))
        text = draw(st.sampled_from([text, text, text, text[:10]]))
        text += draw(st.sampled_from(["", "", "Z", "+01:00", "-09:30", "+0100", " UTC", "+24:00"]))
    elif time_format.startswith("epoch"):
        unit = {"epoch_s": 1, "epoch_ms": 1000, "epoch_us": 1_000_000}[time_format]
        text = str(int(clock.replace(tzinfo=UTC).timestamp() * unit))
        text += draw(st.sampled_from(["", "", "", ".5", ".", "e0"]))
    else:
        text = clock.strftime(time_format)
    if draw(st.integers(0, 5)) == 0 and text:
        at = draw(st.integers(0, len(text) - 1))
        piece = draw(st.sampled_from(["", " ", "0", "9", "-", "+", ":", "T", ".", "\u0663", "60", "é"]))
        text = text[:at] + piece + text[at + draw(st.integers(0, 1)) :]
    return text


def equal(found: pl.DataFrame, expected: pl.DataFrame) -> bool:
    """Compare bit by bit, so that 0.0 is not -0.0 and NaN is NaN."""
    return found.equals(expected) and all(
        list(map(str, found[name])) == list(map(str, expected[name])) for name in found.columns
    )


@MANY
@given(st.lists(NUMBERISH, min_size=1, max_size=40), st.sampled_from([".", ","]))
@example(["1", "-0", "0", "-0.0", "", "1e5"], ".")
def test_numbers_are_read_as_if_each_were_looked_at(texts: list[str], decimal: Any) -> None:
    column = pl.Series(texts, dtype=pl.String)
    found, expected = numbers.parse_numbers(column, decimal), numbers.parse_carefully(column, decimal)
    assert equal(found, expected)


@MANY
@given(st.data())
def test_times_are_read_as_if_each_were_looked_at(monkeypatch: pytest.MonkeyPatch, data: Any) -> None:
    monkeypatch.setattr(stamps, "_FEW", 1)
    time_format, zone = data.draw(FORMATS), data.draw(ZONES)
    some = data.draw(st.lists(stamped(time_format), min_size=1, max_size=12))
    texts = data.draw(st.lists(st.sampled_from(some), min_size=1, max_size=30))
    column = pl.Series(texts, dtype=pl.String)
    stated: dict[str, Any] = {"zone": zone, "time_format": time_format, "now": NOW}
    found, expected = times.parse_times(column, **stated), times.parse_carefully(column, **stated)
    assert found.equals(expected), (texts, found, expected)


@st.composite
def alike(draw: Any, text: str) -> str:
    """Change characters of a text without changing its length."""
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(text) - 1))
        text = text[:at] + draw(st.sampled_from("0123456789-+:TZ ., /")) + text[at + 1 :]
    return text


@CASES
@given(
    st.sampled_from(
        [
            *(
                (None, f"2025-10-26T02:30:15{end}")
                for end in ("", "Z", ".25", ".123456789", "+01:00", ",5-09:30")
            ),
            *((None, "2024-02-29"), ("%d.%m.%Y %H:%M", "30.03.2025 02:15"), ("%Y/%m/%d", "2024/12/31")),
        ]
    ),
    ZONES,
    st.data(),
)
def test_times_of_one_shape_are_not_taken_for_one_another(stated: Any, zone: str | None, data: Any) -> None:
    time_format, text = stated
    texts = [text, *data.draw(st.lists(alike(text), min_size=1, max_size=10))]
    column = pl.Series(texts)
    found = times.parse_times(column, zone=zone, time_format=time_format, now=NOW)
    expected = times.parse_carefully(column, zone=zone, time_format=time_format, now=NOW)
    assert found.equals(expected), (texts, found, expected)


def test_plain_times_are_taken_the_short_way() -> None:
    for time_format in (None, "%d.%m.%Y %H:%M:%S", "%Y/%m/%d %H:%M"):
        clocks = [datetime(2025, 2, 28) + timedelta(minutes=17 * step) for step in range(500)]  # noqa: DTZ001
        texts = pl.Series([one.strftime(time_format or "%Y-%m-%d %H:%M:%S") for one in clocks])
        read = stamps.read_stamps(texts, time_format)
        assert read.local.cast(pl.Datetime("us")).to_list() == clocks
        assert read.own.null_count() == 500


@contextmanager
def careful_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Read without any short way."""

    def none_plain(bytes_: Any, _delimiter: int, _width: int) -> Any:
        ends = np.flatnonzero(bytes_ == 10)
        return np.zeros(len(ends), bool), ends

    with monkeypatch.context() as patched:
        patched.setattr(csv_lines, "_plain_lines", none_plain)
        patched.setattr(cells, "parse_numbers", numbers.parse_carefully)
        patched.setattr(cells, "parse_times", times.parse_carefully)
        yield


CELLS = st.one_of(
    st.sampled_from(
        ["a", "b", "1", "2.5", "", " a ", '"a"', '"1"', '"a,b"', '"a""b"', '"', 'a"b', '""', "é", "x/y"]
    ),
    st.text(' ab12.,;"-\tü', max_size=5),
)
LINES = st.one_of(
    st.builds(
        "{},{},{}".format,
        st.one_of(stamped(None), st.just("2025-01-01T00:00:00Z"), st.just('"2025-01-01 00:01"')),
        CELLS,
        st.one_of(NUMBERISH.map(lambda text: text.replace("\t", "")), CELLS),
    ),
    st.sampled_from(["", "  ", ",,", "\t\t", ",", '"', '","', "\ufeff2025-01-01,a,1", "2025-01-01,a"]),
)
LONG = TableMapping("time", "Europe/Berlin", "long", asset="P", sensor_column="sensor", value_column="value")
WIDE = TableMapping("time", "UTC", "wide", asset="P", delimiter=",")
COMMAS = TableMapping("time", "UTC", "wide", asset="P", decimal=",", delimiter=";")
TABS = TableMapping("time", "UTC", "wide", asset="P", delimiter="\t")


def outcome(content: bytes, mapping: TableMapping) -> object:
    """Return all that a table gives, or what its error says."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_bytes(content)
        try:
            batch = csv_table.read(path, mapping, now=NOW)
        except SourceError as error:
            return str(error)
        readings = [
            (key, ts, "nan" if math.isnan(value) else value.hex())
            for chunk in batch.readings
            for key, ts, value in chunk.iter_rows()
        ]
        return readings, batch.refusals, batch.assets, batch.notes


@CASES
@given(
    lines=st.lists(LINES, min_size=2, max_size=25),
    ends=st.tuples(st.sampled_from(["\n", "\n", "\r\n", "\r"]), st.booleans()),
    block=st.sampled_from([64, 200, 10_000]),
    mapping=st.sampled_from([LONG, WIDE, COMMAS, TABS]),
)
def test_a_table_is_read_as_if_each_line_were_looked_at(
    monkeypatch: pytest.MonkeyPatch,
    lines: list[str],
    ends: tuple[str, bool],
    block: int,
    mapping: TableMapping,
) -> None:
    ending, last = ends
    monkeypatch.setattr(csv_lines, "BLOCK", block)
    monkeypatch.setattr(stamps, "_FEW", 1)
    text = ending.join(["time,sensor,value", *lines]) + (ending if last else "")
    delimiter = mapping.delimiter or ","
    content = (text if delimiter == "," else text.replace(",", delimiter)).encode()
    found = outcome(content, mapping)
    with careful_only(monkeypatch):
        expected = outcome(content, mapping)
    assert found == expected


def test_the_short_way_is_taken_for_plain_and_for_wholly_quoted_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = "".join(f"2025-01-01 00:{minute:02d},a,{minute}\n" for minute in range(60))
    quoted = "".join(f'"2025-01-01 00:{minute:02d}","a","{minute}"\n' for minute in range(60))
    expected = outcome(("time,sensor,value\n" + plain).encode(), LONG)
    monkeypatch.setattr(csv_lines, "split_carefully", None)
    for lines in (plain, quoted):
        assert outcome(("time,sensor,value\n" + lines).encode(), LONG) == expected
