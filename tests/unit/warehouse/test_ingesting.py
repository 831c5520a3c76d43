"""One ingest is all or nothing, and doing it twice is doing it once."""

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from material import NOON, NOW, PUMP, chunk, minutes, pump_batch, pump_rows

from warehouse.catalog import AssetSpec, PartSpec, SensorSpec
from warehouse.errors import CatalogError, SchemaError, SourceError
from warehouse.home import Warehouse
from warehouse.quarantine import Refusal
from warehouse.sources.base import SourceBatch

REFUSED = Refusal("pump.csv", 7, "the value is no number", "n/a")


def stored(home: Warehouse) -> tuple[object, ...]:
    """Everything a person could see."""
    return (
        home.catalog.assets(),
        home.catalog.sensors(),
        home.manifest.live("readings"),
        home.manifest.live("rollups"),
        home.manifest.snapshot(),
        home.quarantine.list(),
        home.telemetry.spans().rows(),
        sorted(home.root.rglob("*.parquet")),
    )


def test_assets_readings_and_refusals_arrive_together(home: Warehouse) -> None:
    report = home.ingest(pump_batch(pump_rows(100), refusals=[REFUSED]), at=NOW, actor="ada")

    assert (report.assets, report.sensors, report.new_sensors) == (1, 2, 2)
    assert (report.added, report.refused, report.new_refusals) == (200, 1, 1)
    sensor = home.catalog.find_sensor("Pump 7")
    assert home.telemetry.read([sensor.id]).height == 100
    [kept] = home.quarantine.list()
    assert (kept.refusal, kept.batch_id, kept.at) == (REFUSED, report.batch_id, NOW)
    assert home.quarantine.counts() == {"the value is no number": 1}


def test_ingesting_again_changes_nothing_and_says_so(home: Warehouse) -> None:
    home.ingest(pump_batch(pump_rows(100), refusals=[REFUSED]), at=NOW, actor="ada")
    before = stored(home)

    again = home.ingest(
        pump_batch(pump_rows(100), refusals=[REFUSED]), at=NOW + timedelta(hours=1), actor="bob"
    )

    assert (again.added, again.replaced, again.unchanged, again.changed) == (0, 0, 200, False)
    assert (again.refused, again.new_refusals, again.new_sensors) == (1, 0, 0)
    assert stored(home) == before


def test_an_ingest_that_breaks_off_leaves_nothing_behind(home: Warehouse) -> None:
    def broken() -> Iterator[pl.DataFrame]:
        yield chunk(pump_rows(100))
        raise SourceError("pump.csv: ends inside a row")

    before = stored(home)
    with pytest.raises(SourceError, match="ends inside a row"):
        home.ingest(SourceBatch("csv", (PUMP,), broken(), [REFUSED]), at=NOW, actor="ada")
    assert stored(home) == before


def test_a_commit_that_breaks_off_leaves_nothing_behind(
    home: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> int:
        raise RuntimeError("power cut")

    before = stored(home)
    monkeypatch.setattr(type(home.quarantine), "add", broken)
    with pytest.raises(RuntimeError, match="power cut"):
        home.ingest(pump_batch(pump_rows(100), refusals=[REFUSED]), at=NOW, actor="ada")
    monkeypatch.undo()
    assert stored(home) == before
    assert home.ingest(pump_batch(pump_rows(100)), at=NOW, actor="ada").added == 200


def test_times_outside_1990_and_tomorrow_go_to_quarantine_and_the_rest_is_kept(home: Warehouse) -> None:
    key = "Pump 7/load"
    bad = [datetime(1970, 1, 1, tzinfo=UTC), NOW + timedelta(days=1), None]
    rows = [*pump_rows(10), *((key, ts, 3.0) for ts in bad)]

    report = home.ingest(pump_batch(rows), at=NOW, actor="ada")

    assert (report.added, report.refused) == (20, 3)
    refused = [kept.refusal for kept in home.quarantine.list()]
    assert all("outside 1990-01-01" in one.reason for one in refused)
    assert {one.content.split(", ")[1][:4] for one in refused} == {"1970", "2026", "no t"}


def test_a_source_whose_rows_were_all_refused_leaves_only_its_refusals(home: Warehouse) -> None:
    report = home.ingest(
        pump_batch([("Pump 7/load", datetime(1970, 1, 1, tzinfo=UTC), 1.0)]), at=NOW, actor="ada"
    )
    assert (report.added, report.refused, home.catalog.assets()) == (0, 1, ())
    assert len(home.quarantine.list()) == 1


def test_nan_and_infinities_are_kept_as_missing(home: Warehouse) -> None:
    rows = [
        ("Pump 7/load", ts, value) for ts, value in zip(minutes(3), (1.0, math.nan, math.inf), strict=True)
    ]
    home.ingest(pump_batch(rows), at=NOW, actor="ada")
    load = home.catalog.find_sensor("Pump 7/load")
    assert home.telemetry.read([load.id]).select("value", "quality").rows() == [
        (1.0, 0),
        (None, 1),
        (None, 2),
    ]


def test_a_reading_of_a_sensor_that_was_not_stated_is_refused_whole(home: Warehouse) -> None:
    with pytest.raises(SchemaError, match="names 'Pump 8/load', no sensor that it stated"):
        home.ingest(pump_batch([("Pump 8/load", NOON, 1.0)]), at=NOW, actor="ada")
    assert home.catalog.assets() == ()


def test_data_of_two_sources_is_never_mixed_in_one_asset(home: Warehouse) -> None:
    home.ingest(pump_batch(pump_rows(10)), at=NOW, actor="ada")
    before = stored(home)
    with pytest.raises(CatalogError, match="holds data of source csv; data of source demo can't be mixed"):
        home.ingest(pump_batch(pump_rows(20), source="demo"), at=NOW, actor="ada")
    assert stored(home) == before


def test_another_unit_is_refused_before_the_source_is_read(home: Warehouse) -> None:
    home.ingest(pump_batch(pump_rows(10)), at=NOW, actor="ada")
    kelvin = replace(PUMP, sensors=(replace(PUMP.sensors[0], unit="K"), PUMP.sensors[1]))

    def unread() -> Iterator[pl.DataFrame]:
        raise AssertionError("read although the assets contradict what is stored")
        yield

    with pytest.raises(CatalogError, match=r"stored in '°C', now stated in 'K'"):
        home.ingest(SourceBatch("csv", (kelvin,), unread(), []), at=NOW, actor="ada")


def test_roles_context_and_parts_follow_the_source(home: Warehouse) -> None:
    home.ingest(pump_batch(pump_rows(10)), at=NOW, actor="ada")
    pump = home.catalog.assets()[0]
    changed = AssetSpec(
        "Pump 7",
        "feed pump",
        historical=True,
        sensors=(SensorSpec("outlet temperature", "°C", "target"), SensorSpec("load", "%", "state", 30.0)),
        parts=(PartSpec("test", NOON, NOW), PartSpec("train", NOON - timedelta(days=1), NOON)),
    )

    report = home.ingest(pump_batch(pump_rows(10), assets=(changed,)), at=NOW, actor="ada")

    assert (report.added, report.unchanged, report.changed, report.new_sensors) == (0, 20, True, 0)
    assert home.catalog.assets()[0] == replace(pump, kind="feed pump", historical=True)
    temperature, load = home.catalog.sensors()
    assert (temperature.context, load.role, load.interval_s) == ((), "state", 30.0)
    assert [part.name for part in home.catalog.parts(pump.id)] == ["train", "test"]


def test_many_chunks_of_many_assets_make_one_snapshot(home: Warehouse) -> None:
    assets = tuple(AssetSpec(f"P-{n}", "SMAP channel", True, (SensorSpec("telemetry"),)) for n in range(20))

    def chunks() -> Iterator[pl.DataFrame]:
        for asset in assets:
            yield chunk([(f"{asset.name}/telemetry", ts, 1.0) for ts in minutes(50)])

    report = home.ingest(SourceBatch("smap-msl", assets, chunks(), []), at=NOW, actor="ada")

    assert report.snapshot is not None
    assert (report.added, report.snapshot.id, report.sensors) == (1000, 1, 20)
    assert home.catalog.find_sensor("P-7").asset_name == "P-7"
