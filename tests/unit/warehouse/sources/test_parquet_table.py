import io
import math
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from csv_material import NOW, refused, rows

from warehouse.errors import SourceError
from warehouse.sources import parquet_file, parquet_table, table
from warehouse.sources.base import SourceBatch
from warehouse.sources.table_mapping import TableMapping

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTES = [START + timedelta(minutes=minute) for minute in range(4)]

Columns = dict[str, Any]


@pytest.fixture
def wide(tmp_path: Path) -> Callable[..., SourceBatch]:
    """Read columns as a wide table of Pump 1."""

    def read(data: Columns | pa.Table, row_group_size: int = 2, **mapping: Any) -> SourceBatch:
        path = tmp_path / "wide.parquet"
        given = data if isinstance(data, pa.Table) else pa.table(data)
        pq.write_table(given, path, row_group_size=row_group_size)
        stated: dict[str, Any] = {"time": "time", "zone": None, "asset": "Pump 1", **mapping}
        return parquet_table.read(path, TableMapping(layout="wide", **stated), now=NOW)

    return read


def read_long(path: Path, columns: Columns, **mapping: Any) -> SourceBatch:
    pq.write_table(pa.table(columns), path, row_group_size=2)
    stated: dict[str, Any] = {
        "time": "time",
        "zone": "UTC",
        "asset_column": "machine",
        "sensor_column": "sensor",
        "value_column": "value",
        **mapping,
    }
    return table.read(path, TableMapping(layout="long", **stated), now=NOW)


def times(batch: SourceBatch) -> list[datetime]:
    return [ts for chunk in batch.readings for ts in chunk["ts"].to_list()]


def test_values_of_every_numeric_type_are_read(wide: Callable[..., SourceBatch]) -> None:
    batch = wide(
        {
            "time": MINUTES,
            "decimal": [Decimal("1.25"), None, Decimal("-2.50"), Decimal("0.00")],
            "whole": pa.array([1, 2, None, 4], pa.int16()),
            "single": pa.array([0.5, math.nan, math.inf, None], pa.float32()),
            "running": [True, False, None, True],
            "text": ["1.5", "", "2e3", "word"],
        }
    )
    found: dict[str, list[float]] = {}
    for key, _, value in rows(batch):
        found.setdefault(key, []).append(value)
    nan = math.nan
    expected = {
        "Pump 1/decimal": [1.25, nan, -2.5, 0.0],
        "Pump 1/whole": [1.0, 2.0, nan, 4.0],
        "Pump 1/single": [0.5, nan, math.inf, nan],
        "Pump 1/running": [1.0, 0.0, nan, 1.0],
        "Pump 1/text": [1.5, nan, 2000.0],
    }
    assert {key: list(map(str, values)) for key, values in found.items()} == {
        key: list(map(str, values)) for key, values in expected.items()
    }
    assert refused(batch) == [(4, "column 'text' holds no number; the rest of the row is kept")]
    assert batch.refusals[0].content == "word"


@pytest.mark.parametrize(
    ("column", "mapping"),
    [
        (pa.array(MINUTES, pa.timestamp("ns", "UTC")), {}),
        (pa.array(MINUTES, pa.timestamp("ms", "Europe/Berlin")), {}),
        (pa.array([one.replace(tzinfo=None) for one in MINUTES], pa.timestamp("us")), {"zone": "UTC"}),
        (pa.array([one.isoformat() for one in MINUTES]), {}),
        (
            pa.array([f"{one:%d.%m.%Y %H:%M}" for one in MINUTES]),
            {"zone": "UTC", "time_format": "%d.%m.%Y %H:%M"},
        ),
        (pa.array([int(one.timestamp()) for one in MINUTES]), {"time_format": "epoch_s"}),
        (pa.array([one.timestamp() * 1000 for one in MINUTES]), {"time_format": "epoch_ms"}),
        (
            pa.array([int(f"{one:%Y%m%d%H%M%S}") for one in MINUTES]),
            {"zone": "UTC", "time_format": "%Y%m%d%H%M%S"},
        ),
    ],
)
def test_times_of_every_type_are_the_same_instants(
    wide: Callable[..., SourceBatch], column: pa.Array, mapping: dict[str, Any]
) -> None:
    batch = wide({"time": column, "flow": [1.0, 2.0, 3.0, 4.0]}, **mapping)
    assert times(batch) == MINUTES
    assert batch.refusals == []


def test_dates_are_midnights_of_the_stated_zone(wide: Callable[..., SourceBatch]) -> None:
    batch = wide({"time": [date(2026, 1, 1), date(2026, 1, 2)], "flow": [1, 2]}, zone="Europe/Berlin")
    assert times(batch) == [datetime(2025, 12, 31, 23, tzinfo=UTC), datetime(2026, 1, 1, 23, tzinfo=UTC)]


def test_clock_changes_refuse_what_is_ambiguous_or_never_was(wide: Callable[..., SourceBatch]) -> None:
    clocks = [
        datetime(2025, 10, 26, 1, 30),  # noqa: DTZ001 -- the clocks of a plant
        datetime(2025, 10, 26, 2, 30),  # noqa: DTZ001
        datetime(2025, 3, 30, 2, 30),  # noqa: DTZ001
        datetime(2025, 3, 30, 3, 30),  # noqa: DTZ001
    ]
    batch = wide({"time": clocks, "flow": [1, 2, 3, 4]}, zone="Europe/Berlin")
    assert len(times(batch)) == 2
    assert [(row, "twice" in why, "never" in why) for row, why in refused(batch)] == [
        (2, True, False),
        (3, False, True),
    ]


def test_rows_that_can_not_be_are_refused_by_their_number(wide: Callable[..., SourceBatch]) -> None:
    far = pa.array([0, 1_767_225_600_000, None, 2**62, 1_767_225_660_000], pa.int64())
    batch = wide({"time": far.cast(pa.timestamp("ms", "UTC")), "flow": [1, 2, 3, 4, 5]})
    assert times(batch) == MINUTES[:2]
    assert [row for row, _ in refused(batch)] == [1, 3, 4]
    reasons = [why for _, why in refused(batch)]
    assert "is outside 1990-01-01" in reasons[0]
    assert reasons[1] == "time is empty"
    assert "is outside 1990-01-01" in reasons[2]
    assert "1970-01-01" in batch.refusals[0].content


def test_milliseconds_taken_for_seconds_are_refused_not_wrapped(wide: Callable[..., SourceBatch]) -> None:
    epochs = [int(MINUTES[0].timestamp()), int(MINUTES[1].timestamp()), int(MINUTES[2].timestamp() * 1000)]
    for column in (epochs, list(map(float, epochs))):
        batch = wide({"time": column, "flow": [1, 2, 3]}, time_format="epoch_s")
        assert times(batch) == MINUTES[:2]
        assert [row for row, _ in refused(batch)] == [3]


def test_a_long_table_is_read_by_content_whatever_its_name(tmp_path: Path) -> None:
    batch = read_long(
        tmp_path / "export.csv",
        {
            "value": [1.0, 2.0, 3.0, None],
            "machine": pa.array(["P 2", "P 1", "P 2", "../x"]).dictionary_encode(),
            "time": [MINUTES[0], MINUTES[0], MINUTES[1], MINUTES[1]],
            "sensor": [" flow", "flow", "flow", "flow"],
        },
    )
    assert rows(batch)[:3] == [
        ("P 2/flow", "01 00:00", 1.0),
        ("P 2/flow", "01 00:01", 3.0),
        ("P 1/flow", "01 00:00", 2.0),
    ]
    assert batch.source == "parquet"
    assert batch.origin == "export.csv"
    assert batch.rows == 3
    assert [row for row, _ in refused(batch)] == [4]


def test_numbered_sensors_are_named_by_their_number(tmp_path: Path) -> None:
    batch = read_long(
        tmp_path / "a.parquet",
        {"time": MINUTES, "sensor": [7, 8, 7, 8], "value": [1.0, 2.0, 3.0, 4.0]},
        asset_column=None,
        asset="Plant",
    )
    assert [one.name for one in batch.assets[0].sensors] == ["7", "8"]


def test_columns_of_other_types_are_left_out_and_said(wide: Callable[..., SourceBatch]) -> None:
    batch = wide({"time": MINUTES, "flow": [1, 2, 3, 4], "spectrum": [[1.0]] * 4, "seen": MINUTES})
    assert {key for key, _, _ in rows(batch)} == {"Pump 1/flow"}
    assert [(one.row, one.content) for one in batch.refusals] == [(None, "spectrum"), (None, "seen")]
    with pytest.raises(
        SourceError, match=r"wide\.parquet: column 'spectrum' can't be read: its type is list"
    ):
        wide({"time": MINUTES, "spectrum": [[1.0]] * 4}, columns=("spectrum",))


@pytest.mark.parametrize(
    ("columns", "mapping", "message"),
    [
        ({"at": MINUTES, "flow": [1, 2, 3, 4]}, {}, "no column 'time'; the header has 'at', 'flow'"),
        ({"time": [], "flow": []}, {}, "has a header and no rows"),
        ({"time": [1, 2], "flow": [1, 2]}, {}, "its times are numbers; state what they count"),
        (
            {"time": [one.replace(tzinfo=None) for one in MINUTES], "flow": [1] * 4},
            {},
            "no zone is stated and line 1",
        ),
        ({"time": MINUTES[:1], "flow": [1]}, {}, "readings at one time only"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_whole(
    wide: Callable[..., SourceBatch], columns: Columns, mapping: dict[str, Any], message: str
) -> None:
    with pytest.raises(SourceError, match=rf"^wide\.parquet: .*{message}"):
        wide(columns, **mapping)


def whole() -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"time": MINUTES, "flow": [1.0, 2.0, 3.0, 4.0]}), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (whole()[:-1], "is cut off: its footer is missing"),
        (whole()[:20] + b"PAR1", "is damaged or no Parquet file"),
        (b"PAR1", "is cut off"),
        (whole()[:-4] + b"PARE", "is encrypted; write it without encryption"),
        (b"time,flow\n", "is no Parquet file"),
        (b"", "is no Parquet file"),
    ],
)
def test_a_file_that_is_not_whole_is_refused_by_name(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "broken.parquet").write_bytes(content)
    mapping = TableMapping("time", None, "wide", asset="P")
    with pytest.raises(SourceError, match=rf"^broken\.parquet: {message}"):
        parquet_table.read(tmp_path / "broken.parquet", mapping, now=NOW)


def test_a_flipped_bit_in_a_page_is_found_where_pages_have_checksums(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    values = pa.table({"time": MINUTES, "flow": [1.0, 2.0, 3.0, 4.0]})
    pq.write_table(values, path, write_page_checksum=True, compression="none", use_dictionary=False)
    data = bytearray(path.read_bytes())
    at = bytes(data).index(b"\x00\x00\x00\x00\x00\x00\x08\x40")  # 3.0, neither least nor most
    data[at] ^= 1
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"^a\.parquet: is damaged"):
        parquet_table.read(path, TableMapping("time", None, "wide", asset="P"), now=NOW)


def test_size_and_width_are_capped(
    wide: Callable[..., SourceBatch], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = {"time": MINUTES, "flow": [1, 2, 3, 4]}
    wide(columns)
    mapping = TableMapping("time", None, "wide", asset="P")
    with pytest.raises(SourceError, match=r"^upload: 0 MiB, at most 0 are read; split it"):
        table.read(tmp_path / "wide.parquet", mapping, now=NOW, name="upload", max_bytes=10)
    monkeypatch.setattr(parquet_file, "MAX_COLUMNS", 1)
    with pytest.raises(SourceError, match="2 columns, at most 1 are read"):
        wide(columns)


def test_rows_are_numbered_across_pieces(
    wide: Callable[..., SourceBatch], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_table, "_CELLS_AT_ONCE", 6)
    count = 50
    at = pl.datetime_range(START, START + timedelta(minutes=count - 1), "1m", eager=True)
    texts = [str(row) if row % 7 else "bad" for row in range(1, count + 1)]
    batch = wide(pa.table({"time": at.to_arrow(), "flow": texts}), row_group_size=11)
    assert [row for row, _ in refused(batch)] == [row for row in range(1, count + 1) if row % 7 == 0]
    assert [value for _, _, value in rows(batch)] == [float(row) for row in range(1, count + 1) if row % 7]
