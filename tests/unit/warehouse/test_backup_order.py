"""What is written between the copies of a backup: all of one moment, and nothing without its basis."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from material import new_version

from warehouse.assets import AssetSpec, SensorSpec
from warehouse.backup.document import BackupDocument, BackupError
from warehouse.backup.owner_copy import from_owner
from warehouse.backup.restoring import restore
from warehouse.backup.taking import back_up
from warehouse.errors import StateUnavailable
from warehouse.home import Warehouse
from warehouse.schema import GOOD, READINGS
from warehouse.state.labels import NewLabel
from warehouse.state.owner import StateOwner
from warehouse.state.post import post
from warehouse.state.published import read_labels

NOW = datetime(2026, 5, 1, tzinfo=UTC)
START = datetime(2026, 1, 1, tzinfo=UTC)


def clock() -> datetime:
    return NOW


@pytest.fixture
def place(tmp_path: Path):
    warehouse = Warehouse.open(tmp_path / "home")
    warehouse.catalog.put_assets("csv", [AssetSpec("Pump", "pump", sensors=(SensorSpec("flow", "m3/h"),))])
    yield warehouse
    warehouse.close()


def store(place: Warehouse, step: int, value: float = 0.0) -> None:
    rows = [(1, START + timedelta(hours=step), value, GOOD)]
    place.telemetry.write(pl.DataFrame(rows, schema=READINGS, orient="row"), note="test", at=NOW)


def give(place: Warehouse, note: str) -> None:
    start = START + timedelta(hours=place.manifest.snapshot().id)
    label = NewLabel(1, start, start + timedelta(minutes=30), "unsure", note=note)
    post(place, "label.set", label.payload(), actor="ada", clock=clock, write_id=note)


def taken(place: Warehouse, target: Path, meanwhile: Callable[[str], None] | None = None) -> BackupDocument:
    return back_up(
        place,
        target,
        at=NOW,
        state=lambda: from_owner(place, actor="ada", clock=clock),
        progress=lambda _, message: meanwhile(message) if meanwhile is not None else None,
    ).document


def restored(backup: Path, home: Path) -> Warehouse:
    restore(backup, home, clock=clock, adapt=lambda *_: 0)
    return Warehouse.open(home, create=False)


def test_writes_between_the_copies_come_as_far_as_one_moment(place: Warehouse, tmp_path: Path) -> None:
    """A verdict and a reading before each step: what came before the state is in it, nothing later."""
    store(place, 0)
    steps: list[str] = []

    def meanwhile(message: str) -> None:
        if message:
            steps.append(message)
            give(place, message)
            store(place, len(steps))

    taken(place, tmp_path / "backup", meanwhile)
    assert [one.split()[1] for one in steps[:4]] == ["jobs", "verdicts", "the", "file"]
    after = restored(tmp_path / "backup", tmp_path / "new")
    with StateOwner(after, clock=clock) as owner:
        assert owner.query("SELECT note FROM label_log ORDER BY seq")["note"].to_list() == steps[:2]
        assert read_labels(after).frame.equals(owner.labels())
    assert after.jobs.inbox.pending() == ()
    # Before the first step, and one before each of the three up to the catalogue.
    assert after.telemetry.read([1]).height == 4
    assert after.telemetry.spans()["rows"].to_list() == [4]
    assert after.verify() == []
    after.close()


def test_what_someone_lets_go_while_it_is_copied_is_still_in_the_backup(
    place: Warehouse, tmp_path: Path
) -> None:
    store(place, 0, 1.0)
    pinned = place.manifest.snapshot()
    place.manifest.pin(pinned.id, holder="person ada")
    store(place, 0, 2.0)

    def meanwhile(message: str) -> None:
        if message.startswith("Copying file 1 "):
            store(place, 0, 3.0)
            place.manifest.unpin(pinned.id, holder="person ada")
            place.tidy(now=NOW + timedelta(days=1))

    assert taken(place, tmp_path / "backup", meanwhile).damaged == ()
    place.collect(now=NOW + timedelta(days=1))
    assert len(list(place.layout.telemetry.rglob("*.parquet"))) == 1
    after = restored(tmp_path / "backup", tmp_path / "new")
    assert after.telemetry.read([1])["value"].to_list() == [2.0]
    assert after.telemetry.read([1], snapshot_id=pinned.id)["value"].to_list() == [1.0]
    after.close()


def test_a_snapshot_that_the_backup_lacks_is_said_to_be_gone(place: Warehouse, tmp_path: Path) -> None:
    store(place, 0, 1.0)
    first = place.manifest.snapshot()
    store(place, 0, 2.0)
    taken(place, tmp_path / "backup")
    assert place.telemetry.read([1], snapshot_id=first.id).height == 1  # kept a while in the home
    after = restored(tmp_path / "backup", tmp_path / "new")
    with pytest.raises(Exception, match="was not pinned and its files were removed"):
        after.telemetry.read([1], snapshot_id=first.id)
    after.close()


def test_an_owner_that_does_not_answer_is_told_and_not_asked_twice(place: Warehouse, tmp_path: Path) -> None:
    with StateOwner(place, clock=clock):  # owns it and folds nothing
        with pytest.raises(StateUnavailable, match="not acknowledged within"):
            back_up(
                place,
                tmp_path / "backup",
                at=NOW,
                state=lambda: from_owner(place, actor="ada", clock=clock, timeout=0.1),
            )
        assert place.jobs.inbox.pending() == ()
    assert not list(tmp_path.glob("backup*"))
    taken(place, tmp_path / "backup")


def test_an_owner_that_can_not_copy_is_told(place: Warehouse, tmp_path: Path) -> None:
    place.layout.staging.rmdir() if place.layout.staging.exists() else None
    place.layout.staging.write_text("in the way of the folder")
    with pytest.raises(BackupError, match=r"state\.duckdb was not copied: the state can't be copied"):
        taken(place, tmp_path / "backup")
    assert not list(tmp_path.glob("backup*"))


def test_a_job_after_a_restore_is_not_taken_for_one_that_made_a_version(
    place: Warehouse, tmp_path: Path
) -> None:
    store(place, 0)
    snapshot = place.manifest.snapshot()
    assert snapshot is not None

    def meanwhile(message: str) -> None:
        if message != "Copying the catalogue":
            return
        # The jobs are copied already: this one is not among them, and the version it makes is.
        job = place.jobs.add("train", {"sensor_ids": [1]}, actor="ada", at=NOW)
        new = new_version(1, snapshot.id, artifacts={}, made_by=f"job {job.id}")
        place.catalog.add_version(new)

    place.jobs.add("train", {"sensor_ids": [1]}, actor="ada", at=NOW)
    taken(place, tmp_path / "backup", meanwhile)
    after = restored(tmp_path / "backup", tmp_path / "again")
    assert [one.made_by for one in after.catalog.versions()] == ["job 2"]
    assert [one.id for one in after.jobs.list()] == [1]
    assert after.jobs.add("train", {}, actor="ada", at=NOW).id == 3
    after.close()
