"""A home that an earlier release left behind opens, with everything that was in it."""

import os
import sqlite3
import tarfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from warehouse.home import Warehouse
from warehouse.state.owner import StateOwner

HOMES = sorted((Path(__file__).parent / "homes").glob("*.tar.xz"))
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture(params=HOMES, ids=lambda path: path.name.removesuffix(".tar.xz"))
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    with tarfile.open(request.param) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / "home"


def test_there_is_a_home_to_open() -> None:
    assert HOMES


def test_an_old_home_opens_with_all_that_was_in_it(home: Path) -> None:
    # Figures as `telltale status` and `telltale export events` of release 0.1.0 printed them.
    warehouse = Warehouse.open(home, create=False)
    readings = warehouse.telemetry.read([sensor.id for sensor in warehouse.catalog.sensors()])
    assert readings.height == 6911
    assert readings["ts"].max() == datetime(2024, 3, 12, 23, 55, tzinfo=UTC)
    events = warehouse.results.events_current()
    assert events["event_id"].to_list() == ["1-20240310T0040"]
    assert events["end"].to_list() == [datetime(2024, 3, 10, 10, 35, tzinfo=UTC)]
    assert [one.refusal.row for one in warehouse.quarantine.list()] == [102]
    assert warehouse.verify() == []
    with StateOwner(warehouse, clock=lambda: NOW) as owner:
        labels = owner.labels()
        assert labels.select("verdict", "fault_class", "note").rows() == [
            ("true_anomaly", "surge", "seen at the mill")
        ]
        owner.write("fleet.refresh", {}, actor="tests", write_id="after the move")
        assert owner.fleet()["sensor"].sort().to_list() == ["flow", "pressure"]
    warehouse.close()


def test_an_old_home_was_backed_up_before_it_was_migrated(home: Path) -> None:
    warehouse = Warehouse.open(home, create=False)
    with StateOwner(warehouse, clock=lambda: NOW):
        pass
    warehouse.close()
    with closing(sqlite3.connect(home / "catalog.sqlite.v1.bak")) as backup:
        assert backup.execute("PRAGMA user_version").fetchone() == (1,)
        assert backup.execute("SELECT count(*) FROM files WHERE kind = 'readings'").fetchone() == (1,)
    with closing(sqlite3.connect(home / "jobs.sqlite.v1.bak")) as backup:
        assert backup.execute("PRAGMA user_version").fetchone() == (1,)
        assert backup.execute("SELECT kind, urgent FROM job").fetchall() == [("score", 1)]
    with closing(duckdb.connect(home / "state.duckdb.v1.bak", read_only=True)) as backup:
        assert backup.execute("SELECT max(version) FROM schema_version").fetchone() == (1,)
        assert backup.execute("SELECT note FROM label_log").fetchone() == ("seen at the mill",)


def test_an_old_home_takes_new_readings(home: Path) -> None:
    warehouse = Warehouse.open(home, create=False)
    old = warehouse.telemetry.read([1])
    report = warehouse.telemetry.write(old.with_columns(value=old["value"] + 1.0), note="again", at=NOW)
    assert (report.added, report.replaced) == (0, old.height)
    assert warehouse.telemetry.read([1]).height == old.height
    warehouse.close()


def test_an_old_home_tells_of_its_jobs_and_takes_new_ones(home: Path) -> None:
    warehouse = Warehouse.open(home, create=False)
    (scored,) = warehouse.jobs.list()
    assert (scored.kind, scored.state, scored.actor, scored.attempt) == ("score", "done", "golden", 1)
    assert scored.result is not None
    assert scored.result["summary"] == "Judged 2,073 new steps of 1 sensors: 1 events, 0 still running."
    asked = warehouse.jobs.clone(scored.id, actor="ada", at=NOW)
    claimed = warehouse.jobs.claim(os.getpid(), NOW)
    assert claimed is not None
    assert (claimed.id, claimed.payload, asked.job.cloned_from) == (2, scored.payload, scored.id)
    assert {one.made_by for one in warehouse.catalog.versions()} == {None}
    warehouse.close()
