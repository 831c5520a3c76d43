"""A rehearsal says what an ingest would do, and does nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from core.workflows.rehearse import rehearse
from warehouse.assets import AssetSpec, SensorSpec
from warehouse.errors import CatalogError
from warehouse.home import Warehouse
from warehouse.quarantine import Refusal
from warehouse.sources.base import CHUNK, SourceBatch

START = datetime(2024, 5, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Warehouse]:
    warehouse = Warehouse.open(tmp_path / "home")
    yield warehouse
    warehouse.close()


def _batch(rows: list[tuple[int, float]], *, unit: str = "°C", source: str = "csv") -> SourceBatch:
    chunk = pl.DataFrame(
        [("Pump 9/outlet", START + MINUTE * minute, value) for minute, value in rows],
        schema=CHUNK,
        orient="row",
    )
    spec = AssetSpec("Pump 9", "pump", sensors=(SensorSpec("outlet", unit, interval_s=60.0),))
    return SourceBatch(source, (spec,), iter([chunk]), [Refusal("a.csv", 7, "no time", "x")])


def test_it_counts_new_equal_and_other_readings_and_stores_nothing(home: Warehouse):
    home.ingest(_batch([(0, 1.0), (1, float("nan")), (2, 3.0)]), at=START, actor="ada")
    before = home.manifest.snapshot()
    found = rehearse(_batch([(0, 1.0), (1, float("nan")), (2, 9.0), (3, 4.0), (3, 5.0)]), warehouse=home)
    (sensor,) = found.sensors
    assert (sensor.new, sensor.same, sensor.replaced) == (1, 2, 1)
    assert (sensor.readings, sensor.empty, sensor.doubled) == (4, 1, 1)
    assert sensor.known
    assert [one.row for one in found.refusals] == [7]
    assert home.manifest.snapshot() == before
    assert len(home.batches()) == 1


def test_it_says_the_same_as_the_ingest_that_follows(home: Warehouse):
    rows = [(minute, float(minute)) for minute in range(50)]
    (sensor,) = rehearse(_batch(rows), warehouse=home).sensors
    assert not sensor.known
    assert home.catalog.assets() == ()
    report = home.ingest(_batch(rows), at=START, actor="ada")
    assert report.added == sensor.new == 50


def test_it_finds_gaps_and_the_longest_of_them(home: Warehouse):
    (sensor,) = rehearse(_batch([(0, 1.0), (1, 1.0), (5, 1.0), (6, 1.0), (36, 1.0)]), warehouse=home).sensors
    assert sensor.gaps == 2
    assert sensor.longest_gap == timedelta(minutes=30)
    assert (sensor.start, sensor.end) == (START, START + 36 * MINUTE)


@pytest.mark.parametrize("other", [{"unit": "K"}, {"source": "demo"}])
def test_it_refuses_what_the_ingest_would_refuse(home: Warehouse, other: dict[str, str]):
    home.ingest(_batch([(0, 1.0)]), at=START, actor="ada")
    with pytest.raises(CatalogError):
        rehearse(_batch([(1, 1.0)], **other), warehouse=home)
