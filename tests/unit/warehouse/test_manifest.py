"""One way to change what is stored, and nobody gets half of it."""

import os
from datetime import timedelta

import pytest
from material import NOON, NOW, ramp, readings

from warehouse.errors import CatalogError, ManifestConflict
from warehouse.home import Warehouse
from warehouse.manifest import NewFile, Span


def new_file(name: str, *, sensor: int = 1, hours: int = 0) -> NewFile:
    start = NOON + timedelta(hours=hours)
    return NewFile("readings", name, "a" * 64, 1, 1, start, start + timedelta(hours=1), sensor, sensor)


def span(*, sensor: int = 1, hours: int = 0) -> Span:
    start = NOON + timedelta(hours=hours)
    return Span("readings", start, start + timedelta(hours=1), sensor, sensor)


def commit(home: Warehouse, *names: str, base: int = 0, end: tuple[int, ...] = (), **where: int) -> int:
    return home.manifest.commit(
        add=[new_file(name, **where) for name in names],
        end=end,
        base=base,
        touching=[span(**where)],
        note="test",
        at=NOW,
    ).id


def test_a_commit_computed_from_an_older_state_of_the_same_readings_is_refused(home: Warehouse) -> None:
    commit(home, "a")
    with pytest.raises(ManifestConflict, match="a was changed"):
        commit(home, "b", base=0)
    assert [file.path for file in home.manifest.live("readings")] == ["a"]


def test_commits_to_other_sensors_or_times_do_not_disturb_each_other(home: Warehouse) -> None:
    commit(home, "a")
    commit(home, "b", base=0, sensor=2)
    commit(home, "c", base=0, hours=5)
    assert {file.path for file in home.manifest.live("readings")} == {"a", "b", "c"}


def test_a_file_can_be_replaced_once(home: Warehouse) -> None:
    base = commit(home, "a")
    [file] = home.manifest.live("readings")
    commit(home, "b", base=base, end=(file.id,))
    with pytest.raises(ManifestConflict):
        commit(home, "c", base=base, end=(file.id,), hours=9)
    assert [one.path for one in home.manifest.live("readings")] == ["b"]
    newest = home.manifest.snapshot()
    assert newest is not None
    assert newest.id == base + 1


def test_what_fails_within_a_commit_undoes_it(home: Warehouse) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        home.manifest.commit(add=[new_file("a")], end=[], base=0, touching=[], note="n", at=NOW, within=fail)
    assert home.manifest.snapshot() is None
    assert home.manifest.live("readings") == ()


def test_live_files_are_chosen_by_time_and_sensor(home: Warehouse) -> None:
    commit(home, "a", sensor=1)
    commit(home, "b", sensor=5, hours=2)
    live = home.manifest.live
    assert [one.path for one in live("readings", end=NOON + timedelta(hours=1))] == ["a"]
    assert [one.path for one in live("readings", start=NOON + timedelta(hours=1))] == ["b"]
    assert [one.path for one in live("readings", sensor_ids=[5])] == ["b"]
    assert live("readings", sensor_ids=[2, 9]) == ()
    assert live("scores") == ()


def test_a_snapshot_reads_the_state_it_names(home: Warehouse) -> None:
    first = home.telemetry.write(ramp(1, 3), note="n", at=NOW).snapshot
    home.telemetry.write(ramp(1, 3, first=10.0), note="n", at=NOW)
    assert first is not None
    assert home.telemetry.read([1], snapshot_id=first.id)["value"].to_list() == [0.0, 1.0, 2.0]
    with pytest.raises(CatalogError, match="no snapshot 99"):
        home.telemetry.read([1], snapshot_id=99)


def test_replaced_files_go_after_the_grace_period_and_never_while_pinned(home: Warehouse) -> None:
    first = home.telemetry.write(ramp(1, 3), note="n", at=NOW).snapshot
    assert first is not None
    home.telemetry.write(ramp(1, 3, first=10.0), note="n", at=NOW)
    soon, later = NOW + timedelta(minutes=5), NOW + timedelta(days=1)

    assert home.collect(now=soon).ended == 0
    home.manifest.pin(first.id, holder="a test")
    home.manifest.pin(first.id, holder="another")
    home.manifest.unpin(first.id, holder="a test")
    assert home.collect(now=later).ended == 0
    assert home.telemetry.read([1], snapshot_id=first.id)["value"].to_list() == [0.0, 1.0, 2.0]

    home.manifest.unpin(first.id, holder="another")
    assert home.collect(now=later).ended == 2
    assert len(list(home.root.rglob("*.parquet"))) == 2
    with pytest.raises(CatalogError, match="was not pinned and its files were removed"):
        home.telemetry.read([1], snapshot_id=first.id)
    with pytest.raises(CatalogError, match="was not pinned"):
        home.manifest.pin(first.id)
    assert home.telemetry.read([1])["value"].to_list() == [10.0, 11.0, 12.0]


def test_files_that_no_snapshot_names_go_after_the_grace_period(home: Warehouse) -> None:
    home.telemetry.write(ramp(1, 3), note="n", at=NOW)
    [file] = home.manifest.live("readings")
    folder = (home.root / file.path).parent
    old, fresh, partial = folder / "old.parquet", folder / "fresh.parquet", folder / ".old.partial"
    staged = home.layout.staging / "abc" / "0.arrow"
    staged.parent.mkdir(parents=True)
    for path in (old, fresh, partial, staged):
        path.write_bytes(b"left by a crash")
    for path in (old, partial, staged):
        os.utime(path, (1e9, 1e9))

    collected = home.collect(now=NOW)

    assert (collected.unknown, collected.ended) == (3, 0)
    assert [path.exists() for path in (old, fresh, partial, staged)] == [False, True, False, False]
    assert home.verify() == []


def test_snapshots_that_nothing_needs_are_forgotten(home: Warehouse) -> None:
    for index in range(5):
        home.telemetry.write(readings([(1, NOON, float(index))]), note="n", at=NOW)
    home.collect(now=NOW + timedelta(days=1))
    newest = home.manifest.snapshot()
    assert newest is not None
    assert newest.id == 5
    assert home.telemetry.read([1], snapshot_id=5)["value"].to_list() == [4.0]
    with pytest.raises(CatalogError, match="snapshot 2 was not pinned"):
        home.manifest.snapshot(2)


def test_snapshots_are_listed_newest_first_without_those_that_lost_files(home: Warehouse) -> None:
    for index in range(4):
        home.telemetry.write(readings([(1, NOON, float(index))]), note=f"write {index}", at=NOW)
    home.manifest.pin(3, holder="ada")
    home.manifest.pin(3, holder="bob")
    assert [(one.id, one.pinned) for one in home.manifest.snapshots()] == [
        (4, False),
        (3, True),
        (2, False),
        (1, False),
    ]
    assert [one.note for one in home.manifest.snapshots(limit=2)] == ["write 3", "write 2"]
    assert home.manifest.holders([2, 3]) == {3: ("ada", "bob")}
    home.collect(now=NOW + timedelta(days=1))
    assert [one.id for one in home.manifest.snapshots()] == [4, 3]


def test_two_snapshots_are_compared_by_the_files_that_they_do_not_share(home: Warehouse) -> None:
    first = home.telemetry.write(ramp(1, 10), note="n", at=NOW).snapshot
    [old] = home.manifest.live("readings")
    home.telemetry.write(ramp(2, 5, NOON + timedelta(days=3)), note="n", at=NOW)
    last = home.telemetry.write(ramp(1, 4, first=9.0), note="n", at=NOW).snapshot
    assert first is not None
    assert last is not None

    found = home.manifest.compare(first.id, last.id)

    assert [file.path for file in found.ended] == [old.path]
    assert set(found.added) == set(home.manifest.live("readings"))
    assert (found.rows_before, found.rows_after) == (10, 15)
    back = home.manifest.compare(last.id, first.id)
    assert (back.added, back.ended) == (found.ended, found.added)
    same = home.manifest.compare(last.id, last.id)
    assert (same.added, same.ended, same.rows_before) == ((), (), 15)
    with pytest.raises(CatalogError, match="no snapshot 99"):
        home.manifest.compare(first.id, 99)
