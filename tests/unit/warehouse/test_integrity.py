"""What happens to stored files behind the app's back is noticed, never believed."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from material import NOON, NOW, events, flip_a_bit, new_version, pump_batch, pump_rows, ramp, scores

from warehouse.damage import sound
from warehouse.errors import DiskFull, HomeError, IntegrityError
from warehouse.home import Warehouse
from warehouse.manifest import Kind
from warehouse.parquet import write_parquet
from warehouse.schema import READINGS
from warehouse.state.labels import NewLabel
from warehouse.state.owner import StateOwner
from warehouse.state.published import read_labels


@pytest.fixture
def pump(home: Warehouse) -> Warehouse:
    report = home.ingest(pump_batch(pump_rows(3000)), at=NOW, actor="ada")
    assert report.snapshot is not None
    version = home.catalog.add_version(new_version(1, report.snapshot.id))
    home.results.write_scores(scores(1, version.id, 100), at=NOW)
    home.results.put_events(1, version.id, events(1, version.id, NOON), at=NOW)
    return home


@pytest.mark.parametrize("at", [0.0, 0.1, 0.35, 0.6, 0.9, 0.999])
def test_a_flipped_bit_is_found_wherever_it_lies(pump: Warehouse, at: float) -> None:
    pump.telemetry.write(ramp(3, 40, NOON + timedelta(days=3)), note="n", at=NOW)
    file = next(one for one in pump.manifest.live("readings") if one.sensor_min == 1)
    flip_a_bit(pump.root / file.path, at=at)

    assert pump.telemetry.read([1]).is_empty()
    assert pump.telemetry.read([3]).height == 40

    [damaged] = pump.damage()
    assert damaged.file.path == file.path
    assert "is not the file that was written" in damaged.reason
    assert damaged.sensors == (1, 2)


def test_a_bit_that_flips_while_the_app_runs_is_noticed_too(pump: Warehouse) -> None:
    assert pump.telemetry.read([1]).height == 3000
    [file] = pump.manifest.live("readings")
    flip_a_bit(pump.root / file.path)
    assert pump.telemetry.read([1]).is_empty()
    assert [one.file.path for one in pump.damage()] == [file.path]


def test_every_kind_of_file_is_verified_when_it_is_read(pump: Warehouse) -> None:
    assert pump.verify() == []
    version = pump.catalog.versions()[0].id
    reads: dict[Kind, Callable[[], pl.DataFrame]] = {
        "readings": lambda: pump.telemetry.read([1]),
        "rollups": lambda: pump.telemetry.rollup([1], None, None, 900),
        "scores": lambda: pump.results.read_scores(1, version),
        "events": lambda: pump.results.read_events(1, version),
    }
    for number, (kind, read) in enumerate(reads.items(), start=1):
        assert not read().is_empty()
        for file in pump.manifest.live(kind):
            flip_a_bit(pump.root / file.path)
        assert read().is_empty()
        assert len(pump.damage()) == number
    assert len(pump.verify()) == 4


def test_a_missing_file_is_named(pump: Warehouse) -> None:
    [file] = pump.manifest.live("readings")
    (pump.root / file.path).unlink()
    assert pump.telemetry.read([1]).is_empty()
    assert pump.verify() == [f"{file.path} can't be read (No such file or directory)"]
    assert pump.damage()[0].reason == "can't be read (No such file or directory)"


def test_a_snapshot_that_is_asked_for_is_whole_or_refused(pump: Warehouse) -> None:
    snapshot = pump.manifest.snapshot()
    assert snapshot is not None
    [file] = pump.manifest.live("readings")
    flip_a_bit(pump.root / file.path)
    for _ in range(2):  # found by this read, and known before the next
        with pytest.raises(IntegrityError, match=r"telltale repair") as caught:
            pump.telemetry.read([1], snapshot_id=snapshot.id)
        assert caught.value.file is not None
        assert caught.value.file.path == file.path
        assert file.path in str(caught.value)
    assert len(pump.damage()) == 1


def test_too_many_open_files_are_no_damage(pump: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    [file] = pump.manifest.live("readings")
    flip_a_bit(pump.root / file.path)  # so that it is opened again

    def no_more(*_: object, **__: object) -> None:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", no_more)
        with pytest.raises(HomeError, match="Too many open files"):
            pump.telemetry.read([1])
    assert pump.damage() == ()


def test_a_write_goes_on_without_a_damaged_file_and_leaves_it_alone(pump: Warehouse) -> None:
    [file] = pump.manifest.live("readings")
    flip_a_bit(pump.root / file.path)
    content = (pump.root / file.path).read_bytes()
    report = pump.ingest(pump_batch(pump_rows(3000, first=5.0)), at=NOW, actor="ada")
    assert (report.added, report.replaced, report.unchanged) == (6000, 0, 0)
    assert pump.telemetry.read([1])["value"].to_list()[0] == 5.0
    assert pump.telemetry.read([1]).height == 3000
    assert (pump.root / file.path).read_bytes() == content
    assert [one.file.path for one in pump.damage()] == [file.path]


def test_a_reader_of_a_file_that_was_replaced_and_is_damaged_does_not_go_on_without_it(
    pump: Warehouse,
) -> None:
    listed = pump.manifest.live("readings")
    pump.telemetry.write(
        pl.concat([ramp(1, 3000, first=9.0), ramp(2, 3000, first=9.0)]), note="correction", at=NOW
    )
    flip_a_bit(pump.root / listed[0].path)
    with pytest.raises(IntegrityError, match="was replaced while it was read; read again"):
        sound(pump.root, pump.manifest, listed)


def test_a_damaged_file_is_known_to_every_process_from_then_on(pump: Warehouse) -> None:
    [file] = pump.manifest.live("readings")
    flip_a_bit(pump.root / file.path)
    pump.telemetry.read([1])
    another = Warehouse.open(pump.root)
    assert another.manifest.live("readings") == ()
    assert another.manifest.live("readings", damaged=True) == (file,)
    assert another.damage() == pump.damage()
    another.close()


def test_published_labels_that_are_damaged_are_refused_and_published_again(pump: Warehouse) -> None:
    def publish(note: str | None = None) -> bytes:
        with StateOwner(pump, clock=lambda: NOW) as owner:
            if note is not None:
                label = NewLabel(1, NOON, NOON + timedelta(hours=1), "unsure", note=note)
                owner.write("label.set", label.payload(), actor="ada", write_id=note)
            owner.fold_inbox()
        [file] = pump.manifest.live("labels")
        return (pump.root / file.path).read_bytes()

    whole = publish("seen")
    [file] = pump.manifest.live("labels")
    flip_a_bit(pump.root / file.path)
    with pytest.raises(IntegrityError, match="telltale repair"):
        read_labels(pump)
    with pytest.raises(IntegrityError, match="telltale repair"):
        read_labels(pump)

    assert publish() == whole

    assert read_labels(pump).frame["note"].to_list() == ["seen"]
    assert pump.damage() == ()
    assert pump.verify() == []


def test_a_running_owner_publishes_damaged_labels_again(pump: Warehouse) -> None:
    with StateOwner(pump, clock=lambda: NOW) as owner:
        label = NewLabel(1, NOON, NOON + timedelta(hours=1), "unsure", note="seen")
        owner.write("label.set", label.payload(), actor="ada", write_id="one")
        owner.fold_inbox()
        [file] = pump.manifest.live("labels")
        flip_a_bit(pump.root / file.path)
        assert len(pump.verify()) == 1
        pump.jobs.inbox.put("two", "fleet.refresh", {"sensor_ids": []}, actor="ada", at=NOW)
        owner.fold_inbox()
        assert read_labels(pump).frame["note"].to_list() == ["seen"]
        assert pump.damage() == ()


def test_a_write_that_fails_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DiskFull, match=r"the disk of .* is full: nothing of this was stored"):
        write_parquet(READINGS.to_frame(), tmp_path, "stem")
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_durable_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    names: list[list[str]] = []
    real = os.fsync

    def noting(descriptor: int) -> None:
        names.append(sorted(path.name for path in tmp_path.iterdir()))
        real(descriptor)

    monkeypatch.setattr("os.fsync", noting)
    write_parquet(READINGS.to_frame(), tmp_path, "stem")
    assert names == [[".stem.partial"], ["stem.parquet"]]
