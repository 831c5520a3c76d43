"""Exports: what a spreadsheet or a referee gets."""

import csv
from pathlib import Path

import pytest
from one_pump import STEP, T0, batch, clock, pump

from core.errors import CoreError, ParameterError
from core.workflows.export import export_events, export_smap_msl
from core.workflows.ingest import ingest
from core.workflows.score import score_sensor
from warehouse.assets import PartSpec
from warehouse.home import Warehouse

FAULT = (2600, 2700)


@pytest.fixture
def judged(home: Warehouse) -> Warehouse:
    middle, end = T0 + 1200 * STEP, T0 + 3000 * STEP
    parts = (PartSpec("train", T0, middle), PartSpec("test", middle, end))
    flow, load = pump(3000, fault=FAULT)
    ingest(batch(flow, load, parts=parts, name="=P-1"), warehouse=home, clock=clock, actor="ada")
    score_sensor(home.catalog.find_sensor("=P-1/flow"), warehouse=home, clock=clock)
    return home


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_indices_are_inclusive_and_count_from_the_test_part(judged: Warehouse, tmp_path: Path) -> None:
    out = tmp_path / "events.csv"
    target = judged.catalog.find_sensor("=P-1/flow")
    export_smap_msl(out, warehouse=judged, sensor_ids=[target.id])
    (row,) = rows(out)
    event = judged.results.events_current([target.id]).row(0, named=True)
    assert row["channel"] == "=P-1"
    assert T0 + (1200 + int(row["start"])) * STEP == event["start"]
    assert T0 + (1200 + int(row["end"]) + 1) * STEP == event["end"]


def test_without_a_trained_model_nothing_is_written_unasked(judged: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="trained model"):
        export_smap_msl(tmp_path / "events.csv", warehouse=judged, sensor_ids=None)
    assert not list(tmp_path.glob("*events.csv*"))


def test_a_cell_is_never_a_formula(judged: Warehouse, tmp_path: Path) -> None:
    out = tmp_path / "events.csv"
    export_events(out, warehouse=judged, sensor_ids=None)
    (row,) = rows(out)
    assert row["machine"] == "'=P-1"
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row.values())


def test_a_folder_that_is_not_there_is_named(judged: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(CoreError, match="nowhere"):
        export_events(tmp_path / "nowhere" / "events.csv", warehouse=judged, sensor_ids=None)
