"""A copy of the state by its owner: whole, of one moment, and asked for from any process."""

import hashlib
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from warehouse.assets import AssetSpec, SensorSpec
from warehouse.errors import LabelError
from warehouse.home import Warehouse
from warehouse.state.copying import COPY, StateCopy
from warehouse.state.labels import NewLabel
from warehouse.state.owner import StateOwner
from warehouse.state.store import StateStore

NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def place(tmp_path: Path):
    warehouse = Warehouse.open(tmp_path / "home")
    warehouse.catalog.put_assets("csv", [AssetSpec("Pump", "pump", sensors=(SensorSpec("flow", "m3/h"),))])
    yield warehouse
    warehouse.close()


def give(owner: StateOwner, number: int) -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=number)
    label = NewLabel(1, start, start + timedelta(minutes=30), "unsure", note=f"{number}")
    owner.write("label.set", label.payload(), actor="ada", write_id=f"w{number}")


def asked(owner: StateOwner, place: Warehouse, write_id: str) -> Path:
    """Ask as another process does, and return the copy that the owner made."""
    place.jobs.inbox.put(write_id, COPY, {"name": "../../elsewhere.duckdb"}, actor="backup", at=NOW)
    owner.fold_inbox()
    settled = place.jobs.inbox.outcome(write_id)
    assert settled is not None
    assert settled.outcome is not None, settled.error
    copy = StateCopy.of(settled.outcome)
    path = place.layout.staging / copy.name
    assert hashlib.sha256(path.read_bytes()).hexdigest() == copy.sha256
    assert path.stat().st_size == copy.size
    return path


def rows(store: StateOwner | StateStore, table: str):
    return store.query(f"SELECT * FROM {table} ORDER BY ALL")  # noqa: S608 -- our own tables


def test_a_copy_holds_every_table_and_no_audit_of_itself(place: Warehouse) -> None:
    with StateOwner(place, clock=lambda: NOW) as owner:
        give(owner, 1)
        owner.write("fleet.refresh", {}, actor="ada", write_id="refresh")
        owner.write("asset.criticality", {"asset_id": 1, "level": "vital"}, actor="ada", write_id="c")
        owner.write("fault_class.retire", {"name": "blockage"}, actor="ada", write_id="f")
        copy = StateStore(asked(owner, place, "copy"))
        tables = owner.query("SELECT table_name FROM duckdb_tables() WHERE table_name <> 'schema_version'")
        assert {"label_log", "audit", "snooze_log", "view_log"} <= set(tables["table_name"])
        for table in tables["table_name"]:
            assert rows(copy, table).equals(rows(owner, table))
        assert rows(copy, "audit").height == 3
        assert rows(copy, "fault_class_log")["name"].to_list() == ["blockage"]
        assert rows(copy, "fleet").height == 1
        copy.close()


def test_writes_go_on_while_it_is_copied_and_none_is_in_halves(place: Warehouse) -> None:
    with StateOwner(place, clock=lambda: NOW) as owner:
        done = threading.Event()
        given = 0

        def write() -> None:
            nonlocal given
            while not done.is_set():
                give(owner, given)
                given += 1

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for round_ in range(5):
                before = given
                copy = StateStore(asked(owner, place, f"copy {round_}"))
                log, audit = rows(copy, "label_log"), rows(copy, "audit")
                copy.close()
                assert log.height >= before
                assert log["seq"].to_list() == list(range(1, log.height + 1))
                assert sorted(log["write_id"]) == sorted(audit["write_id"])
        finally:
            done.set()
            writer.join()


def test_a_copy_that_can_not_be_made_is_told_and_holds_up_no_verdict(place: Warehouse) -> None:
    place.layout.staging.write_text("in the way of the folder")
    with StateOwner(place, clock=lambda: NOW) as owner:
        place.jobs.inbox.put("copy", COPY, {}, actor="backup", at=NOW)
        start = datetime(2024, 1, 1, tzinfo=UTC)
        label = NewLabel(1, start, start + timedelta(hours=1), "unsure").payload()
        place.jobs.inbox.put("verdict", "label.set", label, actor="ada", at=NOW)
        owner.fold_inbox()
    refused, stored = place.jobs.inbox.outcome("copy"), place.jobs.inbox.outcome("verdict")
    assert refused is not None
    assert "the state can't be copied" in (refused.error or "")
    assert stored is not None
    assert stored.outcome == {"label_id": 1, "sensor_id": 1}


@pytest.mark.parametrize(
    "name", ["../state.duckdb", "/etc/passwd", "state-x.duckdb", "state-00.duckdb", 7, None]
)
def test_a_name_that_no_owner_gives_is_refused(name: object) -> None:
    with pytest.raises(LabelError):
        StateCopy.of({"name": name, "sha256": "00", "size": 1})
