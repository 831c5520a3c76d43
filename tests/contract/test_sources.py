"""Every source keeps one contract: stated in `warehouse.sources.base`."""

import io
import itertools
import math
import typing
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from warehouse.assets import Role, sensor_key
from warehouse.errors import SourceError
from warehouse.home import Warehouse
from warehouse.schema import EARLIEST, latest_allowed
from warehouse.sources import csv_lines, csv_table, demo, kept_readings, parquet_table, smap_msl, table
from warehouse.sources.base import CHUNK, SourceBatch
from warehouse.sources.table_mapping import TableMapping

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
Reader = Callable[[], SourceBatch]


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def channel(rows: int, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(rows, 4))
    values[1, 0], values[2, 0] = np.nan, np.inf
    return values


MEMBERS = {
    "data/train/P-1.npy": npy(channel(30)),
    "data/test/P-1.npy": npy(channel(40, 1)),
    "data/train/T-12.npy": npy(channel(10, 2)),
    "data/test/T-12.npy": npy(channel(12, 3)),
    "data/train/E-8.npy": npy(np.array([["pickled", None]], dtype=object)),
    "data/test/E-8.npy": npy(channel(9, 4)),
    "data/train/../x.npy": npy(channel(9, 5)),
}
LABELS = (
    "chan_id,spacecraft,anomaly_sequences,class,num_values\n"
    'P-1,SMAP,"[[2, 5]]",[point],40\n'
    'T-12,MSL,"[[1, 2], [4, 6]]","[point, contextual]",12\n'
    'T-12,MSL,"[[3, 1]]",[point],12\n'
)


def smap_zip(folder: Path) -> Reader:
    with zipfile.ZipFile(folder / "data.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in MEMBERS.items():
            archive.writestr(name, data)
    (folder / "labels.csv").write_text(LABELS)
    return lambda: smap_msl.read(folder / "data.zip", folder / "labels.csv", now=NOW)


def smap_folder(folder: Path) -> Reader:
    for name, data in MEMBERS.items():
        if ".." not in name:
            place = folder / "unpacked" / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
    (folder / "labels.csv").write_text(LABELS)
    return lambda: smap_msl.read(folder / "unpacked", folder / "labels.csv", now=NOW)


def csv_wide(folder: Path) -> Reader:
    lines = ["when;flow m³/h;pressure;running"]
    lines += [f"2026-01-10 {hour:02d}:00:00;{hour * 1.5};{hour / 7};1" for hour in range(24)]
    lines += ["1970-01-01 00:00:00;1;2;1", "2026-01-12 00:00:00;nan;-inf;off", "2026-01-12 01:00:00;3"]
    lines += ["2026-01-10 23:00:00;99;;1"]
    (folder / "wide.csv").write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    mapping = TableMapping(
        "when",
        "Europe/Berlin",
        "wide",
        asset="Pump 1",
        units={"flow m³/h": "m³/h", "pressure": "bar"},
        roles={"running": "state"},
    )
    return lambda: csv_table.read(folder / "wide.csv", mapping, now=NOW)


def csv_long(folder: Path) -> Reader:
    lines = ["machine,tag,at,reading"]
    for step in range(50):
        for machine in ("Pump 1", "Pump 2"):
            lines.append(f'"{machine}",flow,{1_760_000_000 + 30 * step},{step * 0.1}')
            lines.append(f"{machine},speed,{1_760_000_000 + 30 * step},")
    lines += ["../x,flow,1760000000,1", "Pump 1,flow,1760000000000,1", "Pump 1,flow,1760000000,word", '"']
    (folder / "long.csv").write_text("\n".join(lines))
    mapping = TableMapping(
        "at",
        None,
        "long",
        asset_column="machine",
        sensor_column="tag",
        value_column="reading",
        roles={"speed": "context"},
        time_format="epoch_s",
    )
    return lambda: csv_table.read(folder / "long.csv", mapping, now=NOW)


def csv_beyond_memory(folder: Path) -> Reader:
    """Read the long table again, of which hardly anything stays in memory."""
    inner = csv_long(folder)

    def reader() -> SourceBatch:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(kept_readings, "MEMORY_ROWS", 50)
            patched.setattr(kept_readings, "ROWS_A_CHUNK", 20)
            patched.setattr(csv_lines, "BLOCK", 500)
            return inner()

    return reader


def parquet_long(folder: Path) -> Reader:
    rows = [
        (machine, tag, step) for step in range(30) for machine in ("Pump 1", "Pump 2") for tag in ("a", "b")
    ]
    rows += [("Pump 1", "a", 0), ("../x", "a", 3), ("Pump 1", "a", 10**9)]
    table = pl.DataFrame(rows, schema=["machine", "tag", "step"], orient="row").select(
        "machine",
        "tag",
        at=1_760_000_000 + 30 * pl.col("step"),
        reading=pl.when(pl.col("step") != 7).then(pl.col("step") / 3),
    )
    table.write_parquet(folder / "long.parquet", row_group_size=40)
    mapping = TableMapping(
        "at",
        None,
        "long",
        asset_column="machine",
        sensor_column="tag",
        value_column="reading",
        time_format="epoch_s",
    )
    return lambda: parquet_table.read(folder / "long.parquet", mapping, now=NOW)


def parquet_wide(folder: Path) -> Reader:
    clocks = pl.datetime_range(datetime(2026, 1, 10), datetime(2026, 1, 11), "1h", eager=True)  # noqa: DTZ001
    pl.DataFrame(
        {
            "when": [*clocks, datetime(1970, 1, 1), clocks[3]],  # noqa: DTZ001
            "flow": [*(hour / 7 for hour in range(25)), 1.0, math.inf],
            "pressure": [*map(str, range(25)), "1", "word"],
            "running": [True, False, None] * 9,
        }
    ).write_parquet(folder / "wide.parquet")
    mapping = TableMapping("when", "Europe/Berlin", "wide", asset="Pump 1", roles={"running": "state"})
    return lambda: table.read(folder / "wide.parquet", mapping, now=NOW)


def demo_fleet(folder: Path) -> Reader:
    anchor = datetime(2026, 2, 20, 9, 17, tzinfo=UTC)
    return lambda: demo.read(5, anchor, anchor - timedelta(hours=30), anchor + timedelta(minutes=3))


TABLES = [csv_wide, csv_long, csv_beyond_memory, parquet_long, parquet_wide]
SOURCES = [smap_zip, smap_folder, *TABLES, demo_fleet]
REFUSING = [smap_zip, smap_folder, *TABLES]


@pytest.fixture(params=SOURCES, ids=lambda made: made.__name__)
def reader(request: pytest.FixtureRequest, tmp_path: Path) -> Reader:
    made: Reader = request.param(tmp_path)
    return made


def consumed(batch: SourceBatch) -> pl.DataFrame:
    return pl.concat([pl.DataFrame(schema=CHUNK), *batch.readings])


def test_every_reading_names_a_stated_sensor_and_every_stated_sensor_has_readings(reader: Reader) -> None:
    batch = reader()
    stated = {sensor_key(asset.name, sensor.name) for asset in batch.assets for sensor in asset.sensors}
    read = set(consumed(batch)["key"].unique())
    assert read <= stated
    # The demo's radio link is lost before these thirty hours end, but not before they begin.
    assert read == stated


def test_assets_and_sensors_are_fit_for_the_catalogue(reader: Reader) -> None:
    assets = reader().assets
    assert assets
    assert len({asset.name for asset in assets}) == len(assets)
    for asset in assets:
        names = [sensor.name for sensor in asset.sensors]
        assert asset.kind
        assert "/" not in asset.name
        assert len(set(names)) == len(names) > 0
        for sensor in asset.sensors:
            assert sensor.role in typing.get_args(Role)
            assert set(sensor.context) <= set(names) - {sensor.name}
            assert sensor.interval_s is None or sensor.interval_s > 0


def test_chunks_have_the_schema_and_times_that_can_be_stored(reader: Reader) -> None:
    chunks = list(reader().readings)
    assert chunks
    for chunk in chunks:
        assert chunk.schema == CHUNK
        assert chunk["key"].null_count() == chunk["ts"].null_count() == chunk["value"].null_count() == 0
        assert chunk["ts"].is_between(EARLIEST, latest_allowed(NOW), closed="left").all()


def test_of_one_sensor_and_time_what_comes_last_is_stored(reader: Reader, tmp_path: Path) -> None:
    last = consumed(reader()).unique(["key", "ts"], keep="last")
    warehouse = Warehouse.open(tmp_path / "home")
    try:
        warehouse.ingest(reader(), at=NOW, actor="test")
        keys = {one.id: one.key for one in warehouse.catalog.sensors()}
        stored = warehouse.telemetry.read(list(keys))
    finally:
        warehouse.close()
    kept = last.with_columns(value=pl.when(pl.col("value").is_finite()).then("value")).sort("key", "ts")
    found = stored.with_columns(key=pl.col("sensor_id").replace_strict(keys, return_dtype=pl.String))
    assert found.select(CHUNK.names()).sort("key", "ts").equals(kept)


def test_how_many_readings_come_and_from_which_file_is_said(reader: Reader) -> None:
    batch = reader()
    rows = consumed(batch).height
    assert batch.rows in {None, rows}
    if batch.source in {"csv", "parquet"}:
        assert batch.rows == rows
        assert batch.origin in {"wide.csv", "long.csv", "wide.parquet", "long.parquet"}


def test_parts_follow_each_other_and_hold_readings(reader: Reader) -> None:
    batch = reader()
    readings = consumed(batch)
    for asset in batch.assets:
        for part in asset.parts:
            assert part.start < part.end
            key = sensor_key(asset.name, asset.sensors[0].name)
            own = readings.filter(pl.col("key") == key)
            assert own["ts"].is_between(part.start, part.end, closed="left").any()
        declared = [part for part in asset.parts if part.name != "anomaly"]
        for before, after in itertools.pairwise(declared):
            assert before.end == after.start


def test_refusals_name_file_and_reason(reader: Reader) -> None:
    batch = reader()
    consumed(batch)
    for refusal in batch.refusals:
        assert refusal.file
        assert refusal.reason
        assert refusal.row is None or refusal.row >= 1
        assert len(refusal.content) <= 200


@pytest.mark.parametrize("made", REFUSING, ids=lambda made: made.__name__)
def test_what_is_bad_is_refused_and_what_is_good_is_kept(
    made: Callable[[Path], Reader], tmp_path: Path
) -> None:
    batch = made(tmp_path)()
    assert consumed(batch).height > 20
    assert batch.refusals


def test_readings_are_given_once(reader: Reader) -> None:
    batch = reader()
    assert consumed(batch).height > 0
    assert list(batch.readings) == []


def test_nothing_is_lost_when_a_batch_is_thrown_away(reader: Reader) -> None:
    first = reader()
    next(first.readings)
    assert consumed(reader()).height > 0


def test_reading_again_gives_the_same(reader: Reader) -> None:
    first, second = reader(), reader()
    assert consumed(first).equals(consumed(second))
    assert first.assets == second.assets
    assert first.refusals == second.refusals
    assert first.notes == second.notes


def test_storing_it_twice_changes_nothing(reader: Reader, tmp_path: Path) -> None:
    warehouse = Warehouse.open(tmp_path / "home")
    try:
        first = warehouse.ingest(reader(), at=NOW, actor="test")
        second = warehouse.ingest(reader(), at=NOW, actor="test")
    finally:
        warehouse.close()
    assert first.added > 0
    assert (second.added, second.replaced, second.unchanged) == (0, 0, first.added)
    assert not second.changed


@pytest.mark.parametrize("made", [smap_zip, *TABLES], ids=lambda made: made.__name__)
def test_a_missing_file_is_named(made: Callable[[Path], Reader], tmp_path: Path) -> None:
    read = made(tmp_path)
    for file in tmp_path.iterdir():
        if file.name != "labels.csv":
            file.unlink()
    with pytest.raises(SourceError, match=r"(data\.zip|(wide|long)\.(csv|parquet)): .*[Nn]o such file"):
        read()
