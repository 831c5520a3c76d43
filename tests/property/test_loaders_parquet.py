"""Whatever a Parquet file holds: readings exactly as written, or one SourceError; never anything else."""

import io
import math
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from warehouse.errors import SourceError
from warehouse.schema import EARLIEST, latest_allowed
from warehouse.sources import table
from warehouse.sources.preview import preview
from warehouse.sources.table_mapping import TableMapping

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ORIGIN = datetime(1990, 1, 1, tzinfo=UTC)
CASES = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
LONG = TableMapping("time", "Europe/Berlin", "long", asset="P", sensor_column="sensor", value_column="value")

Reading = tuple[str, datetime, float]


@contextmanager
def stored(content: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.parquet"
        path.write_bytes(content)
        yield path


def written(columns: dict[str, Any], **how: Any) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, **how)
    return buffer.getvalue()


def comparable(readings: list[Reading]) -> list[tuple[str, datetime, str]]:
    """Sort readings for a comparison bit by bit: NaN equals NaN, and 0.0 is not -0.0."""
    return sorted((key, ts, "nan" if math.isnan(value) else value.hex()) for key, ts, value in readings)


TIMES = st.datetimes(datetime(1990, 1, 2), datetime(2026, 2, 27)).map(lambda one: one.replace(tzinfo=UTC))  # noqa: DTZ001


@CASES
@given(
    st.lists(
        st.tuples(TIMES, st.sampled_from(["a", "b", "ü/h"]), st.none() | st.floats()), min_size=2, max_size=20
    ),
    st.sampled_from(["us", "ns"]),
    st.sampled_from(["UTC", "Asia/Tokyo", None]),
    st.sampled_from([{}, {"row_group_size": 3}, {"use_dictionary": False, "compression": "none"}]),
)
def test_rows_come_back_exactly(rows: Any, unit: str, zone: str | None, how: dict[str, Any]) -> None:
    assume(len({ts for ts, _, _ in rows}) > 1)
    moments = [ts if zone else ts.replace(tzinfo=None) for ts, _, _ in rows]
    columns = {
        "time": pa.array(moments, pa.timestamp(unit, zone)),
        "sensor": [sensor for _, sensor, _ in rows],
        "value": pa.array([value for _, _, value in rows], pa.float64()),
    }
    mapping = TableMapping("time", "UTC", "long", asset="P", sensor_column="sensor", value_column="value")
    with stored(written(columns, **how)) as path:
        batch = table.read(path, mapping, now=NOW)
        found = [row for chunk in batch.readings for row in chunk.iter_rows()]
    expected = [(f"P/{sensor}", ts, math.nan if value is None else value) for ts, sensor, value in rows]
    assert comparable(found) == comparable(expected)
    assert batch.refusals == []


START = datetime(2025, 1, 1, tzinfo=UTC)
ROWS = {
    "time": [START + timedelta(minutes=step // 2) for step in range(40)],
    "sensor": ["a", "b"] * 20,
    "value": [step / 7 for step in range(40)],
}
VALID = [
    written(ROWS, compression=packed, row_group_size=15, write_page_checksum=True, data_page_version=version)
    for packed, version in (("zstd", "2.0"), ("snappy", "1.0"), ("none", "1.0"))
]
UNCHECKED = [written(ROWS, compression=packed) for packed in ("zstd", "none")]


@st.composite
def damaged(draw: Any, valid: bytes) -> bytes:
    data = bytearray(valid)
    for _ in range(draw(st.integers(1, 4))):
        way = draw(st.sampled_from(["flip", "cut", "insert", "remove", "overwrite"]))
        # The footer is what a reader trusts first.
        low = draw(st.sampled_from([0, max(0, len(data) - 900)]))
        place = draw(st.integers(low, max(low, len(data) - 1)))
        if way == "flip" and place < len(data):
            data[place] ^= 1 << draw(st.integers(0, 7))
        elif way == "cut":
            del data[place:]
        elif way == "insert":
            data[place:place] = draw(st.binary(min_size=1, max_size=8))
        elif way == "remove":
            del data[place : place + draw(st.integers(1, 64))]
        else:
            piece = draw(st.binary(min_size=1, max_size=8))
            data[place : place + len(piece)] = piece
    if draw(st.booleans()):
        data[:4] = data[-4:] = b"PAR1"
    return bytes(data)


def check(content: bytes, mapping: TableMapping = LONG) -> list[Reading]:
    """Return what can be read of any bytes, having checked that all else is one clear error."""
    with stored(content) as path:
        try:
            batch = table.read(path, mapping, now=NOW)
        except SourceError as error:
            refused: str | None = str(error)
        else:
            refused = None
        if refused is not None:
            assert re.fullmatch(r"table\.parquet: [^\n]+", refused)
            return []
        stated = {f"{asset.name}/{sensor.name}" for asset in batch.assets for sensor in asset.sensors}
        found = [row for chunk in batch.readings for row in chunk.iter_rows()]
        for key, ts, _ in found:
            assert key in stated
            assert EARLIEST <= ts < latest_allowed(NOW)
        return found


@CASES
@given(st.sampled_from(VALID).flatmap(damaged))
def test_a_damaged_page_with_a_checksum_never_gives_a_wrong_value(content: bytes) -> None:
    # A damaged footer may leave out rows or rename columns; a value that is given was written.
    given_values = {value for _, _, value in check(content) if not math.isnan(value)}
    assert given_values <= set(ROWS["value"])  # type: ignore[arg-type]


@CASES
@given(st.sampled_from(UNCHECKED).flatmap(damaged))
def test_any_damage_is_a_batch_or_a_source_error(content: bytes) -> None:
    check(content)


@CASES
@given(st.one_of(st.binary(max_size=200), st.binary(max_size=60).map(lambda data: b"PAR1" + data + b"PAR1")))
def test_any_bytes_are_a_batch_or_a_source_error(content: bytes) -> None:
    assert check(content) == []


PIECES = st.sampled_from(
    [
        *(
            b"\n",
            b"\r",
            b",",
            b";",
            b"\t",
            b'"',
            b"\0",
            b"\xff",
            b"\xef\xbb\xbf",
            b"time",
            b"value",
            b"1,5",
            b"2.5",
        ),
        *(
            b"2025-01-01",
            b" 00:00",
            b"Z",
            b"31.12.2024 10:00",
            b"12/31/2024 1:05 PM",
            b"1735689600000",
            b"nan",
        ),
        *(b"PAR1", b"99999999999999999999", b"01/02/2024", b"\xf0\x9f\x98\x80", b"a", b"-", b":"),
    ]
)


@CASES
@given(
    st.one_of(
        st.lists(PIECES, max_size=40).map(b"".join),
        st.binary(max_size=200),
        st.sampled_from([*VALID, *UNCHECKED]).flatmap(damaged),
    )
)
def test_a_preview_of_any_bytes_is_one_or_a_source_error(content: bytes) -> None:
    with stored(content) as path:
        try:
            seen = preview(path, "table.parquet", now=NOW)
        except SourceError as error:
            assert re.fullmatch(r"table\.parquet: [^\n]+", str(error))  # noqa: PT017
            return
    names = [one.name for one in seen.columns]
    assert all(len(row) == len(names) for row in seen.rows)
    assert len(set(names)) == len(names)
    assert seen.guess.time is None or seen.guess.time in names
