"""Maintenance and fault classes by command: stored under the profile's name, refused with a reason."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.commands.entry import app
from warehouse.assets import AssetSpec, SensorSpec
from warehouse.home import Warehouse
from warehouse.state.owner import StateOwner

NIGHT = ("--from", "2026-05-01T22:00", "--to", "2026-05-02T04:00")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Warehouse]:
    monkeypatch.setenv("TELLTALE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TELLTALE_PROFILE", "Ana")
    warehouse = Warehouse.open(tmp_path / "home")
    sensors = (SensorSpec("flow", "m³/h"),)
    warehouse.catalog.put_assets("csv", [AssetSpec("Pump 1", "pump", sensors=sensors)])
    yield warehouse
    warehouse.close()


def said(*arguments: str) -> str:
    done = CliRunner().invoke(app, arguments)
    return str(done.exception) if done.exception else done.output


def test_a_window_is_set_and_taken_back(home: Warehouse) -> None:
    assert "Stored as window 1" in said("maintenance", "set", "Pump 1", *NIGHT, "--reason", "bearing swapped")
    with StateOwner(home, clock=lambda: datetime(2026, 5, 1, tzinfo=UTC)) as owner:
        window = owner.maintenance().row(0, named=True)
    assert (window["actor"], window["reason"]) == ("Ana", "bearing swapped")
    assert window["start"] == datetime(2026, 5, 1, 22, tzinfo=UTC)
    assert "no machine 'Pump 2'" in said("maintenance", "set", "Pump 2", *NIGHT, "--reason", "x")
    assert "reason must be 1 to 500" in said("maintenance", "set", "Pump 1", *NIGHT, "--reason", " ")
    assert "Window 1 is taken back" in said("maintenance", "end", "1")
    assert "taken back already, by Ana" in said("maintenance", "end", "1")


def test_the_list_of_faults_is_edited(home: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "coupling is on the list" in said("fault-classes", "add", "coupling")
    assert "on the list already" in said("fault-classes", "add", "Coupling")
    assert "blockage is off the list" in said("fault-classes", "retire", "blockage")
    with StateOwner(home, clock=lambda: datetime(2026, 5, 1, tzinfo=UTC)) as owner:
        names = owner.fault_classes()["name"].to_list()
    assert "coupling" in names
    assert "blockage" not in names
    monkeypatch.setenv("TELLTALE_ROLE", "viewer")
    assert "may not add a fault class" in said("fault-classes", "add", "gremlins")
