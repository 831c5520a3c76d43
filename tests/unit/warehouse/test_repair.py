"""Damaged files are brought back, computed again or given up, and the books agree with what is left."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from material import (
    NOON,
    NOW,
    events,
    flip_a_bit,
    new_version,
    pump_batch,
    pump_rows,
    ramp,
    scores,
    values_of,
)

from warehouse.errors import CatalogError, HomeError, IntegrityError, ManifestConflict
from warehouse.files import File
from warehouse.home import Warehouse
from warehouse.manifest import Manifest
from warehouse.repair import Repaired

ROWS = 3000


@pytest.fixture
def pump(home: Warehouse) -> Warehouse:
    home.ingest(pump_batch(pump_rows(ROWS)), at=NOW, actor="ada")
    return home


def damage(home: Warehouse, kind: str) -> File:
    [file] = home.manifest.live(kind)  # type: ignore[arg-type]
    flip_a_bit(home.root / file.path)
    assert len(home.verify(at=NOW)) == 1
    return file


def copy_of(home: Warehouse, folder: Path) -> Path:
    """Copy what is stored as a backup has it, deep below some folder."""
    for path in home.root.rglob("*.parquet"):
        target = folder / "2026-05-10" / "files" / path.relative_to(home.root)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    return folder


def mend(home: Warehouse, backup: Path | None = None) -> Repaired:
    [repaired] = home.repair(at=NOW, actor="ada", backup=backup)
    return repaired


def assert_books_agree(home: Warehouse) -> None:
    """Rollups, spans and newest values are those of the readings that are left; none is there twice."""
    left = home.telemetry.read([1, 2])
    assert not left.select(pl.struct("sensor_id", "ts").is_duplicated().any()).item()
    of_sensor = left.group_by("sensor_id").agg(
        pl.col("ts").min().alias("first"),
        pl.col("ts").max().alias("last"),
        pl.len().cast(pl.Int64),
        pl.col("value").sort_by("ts").last(),
    )
    spans = home.telemetry.spans().join(home.telemetry.last().select("sensor_id", "value"), on="sensor_id")
    assert sorted(spans.rows()) == sorted(of_sensor.rows())
    for level in (900, 86_400):
        rolled = home.telemetry.rollup([1, 2], None, None, level)
        assert not rolled.select(pl.struct("sensor_id", "ts").is_duplicated().any()).item()
        assert rolled["count"].sum() == left["value"].count()
        assert rolled["max"].max() == left["value"].max()
    assert home.verify() == []
    assert home.damage() == ()


def test_readings_come_back_from_a_backup_bit_by_bit(pump: Warehouse, tmp_path: Path) -> None:
    before = values_of(pump.telemetry.read([1, 2]))
    snapshot = pump.manifest.snapshot()
    assert snapshot is not None
    pump.manifest.pin(snapshot.id)
    backup = copy_of(pump, tmp_path / "backups")
    file = damage(pump, "readings")
    assert pump.telemetry.read([1, 2]).is_empty()
    with pytest.raises(IntegrityError, match="telltale repair"):
        pump.telemetry.read([1], snapshot_id=snapshot.id)

    repaired = mend(pump, backup)

    assert (repaired.outcome, repaired.lost, repaired.sensors) == ("restored", 0, (1, 2))
    assert repaired.judge_since == file.start
    assert values_of(pump.telemetry.read([1, 2])) == before
    assert values_of(pump.telemetry.read([1, 2], snapshot_id=snapshot.id)) == before
    assert_books_agree(pump)
    assert pump.repair(at=NOW, actor="ada") == ()


def test_what_was_stored_meanwhile_wins_over_what_comes_back(pump: Warehouse, tmp_path: Path) -> None:
    backup = copy_of(pump, tmp_path / "backups")
    damage(pump, "readings")
    corrected = ramp(1, 50, NOON + timedelta(minutes=10), first=9000.0)
    late = ramp(2, 5, NOON - timedelta(minutes=5), first=-5.0)
    report = pump.telemetry.write(pl.concat([corrected, late]), note="meanwhile", at=NOW)
    assert (report.added, report.replaced) == (55, 0)

    assert mend(pump, backup).outcome == "restored"

    one = pump.telemetry.read([1])["value"].to_list()
    assert one[:10] == [float(n) for n in range(10)]
    assert one[10:60] == [9000.0 + n for n in range(50)]
    assert one[60:] == [float(n) for n in range(60, ROWS)]
    assert pump.telemetry.read([2]).height == ROWS + 5
    assert_books_agree(pump)


def test_a_file_whose_bytes_are_right_again_comes_back(pump: Warehouse) -> None:
    file = damage(pump, "readings")
    flip_a_bit(pump.root / file.path)
    assert pump.telemetry.read([1]).is_empty()
    assert mend(pump).outcome == "restored"
    assert pump.telemetry.read([1]).height == ROWS
    assert_books_agree(pump)


def test_a_copy_beside_the_file_is_used_and_a_wrong_one_is_not(pump: Warehouse, tmp_path: Path) -> None:
    [file] = pump.manifest.live("readings")
    beside = pump.root / f"{file.path}.bak"
    beside.write_bytes((pump.root / file.path).read_bytes())
    backup = copy_of(pump, tmp_path / "backups")
    flip_a_bit(next(backup.rglob(Path(file.path).name)))
    damage(pump, "readings")
    assert mend(pump, backup).outcome == "restored"
    assert pump.telemetry.read([1]).height == ROWS


def test_lost_readings_are_counted_and_stored_again_by_the_same_ingest(pump: Warehouse) -> None:
    before = values_of(pump.telemetry.read([1, 2]))
    pump.ingest(pump_batch([("Pump 7/load", NOON + timedelta(days=9), 1.0)]), at=NOW, actor="bob")
    file = next(one for one in pump.manifest.live("readings") if one.rows == 2 * ROWS)
    flip_a_bit(pump.root / file.path)
    pump.verify(at=NOW)

    repaired = mend(pump)

    assert (repaired.outcome, repaired.lost, repaired.sensors) == ("lost", 2 * ROWS, (1, 2))
    assert [one.actor for one in repaired.ingests] == ["ada"]
    assert pump.telemetry.spans()["rows"].to_list() == [1]
    assert_books_agree(pump)
    with pump.database.reading() as connection:
        entries = connection.execute("SELECT kind, rows, actor, outcome FROM repairs").fetchall()
    assert entries == [("readings", 2 * ROWS, "ada", f"{2 * ROWS:,} readings are lost and taken out")]

    again = pump.ingest(pump_batch(pump_rows(ROWS)), at=NOW, actor="ada")
    assert (again.added, again.unchanged) == (2 * ROWS, 0)
    assert values_of(pump.telemetry.read([1, 2]))[: len(before)] == before
    assert_books_agree(pump)


def test_a_compacted_file_comes_back_from_what_was_merged_into_it(home: Warehouse) -> None:
    for day in range(8):
        home.telemetry.write(ramp(1, 40, NOON + timedelta(days=day)), note="day", at=NOW)
    before = values_of(home.telemetry.read([1]))
    home.tidy(now=NOW)
    file = damage(home, "readings")
    assert file.rows == 320
    home.collect(now=NOW + timedelta(days=1))

    assert mend(home).outcome == "restored"

    assert values_of(home.telemetry.read([1])) == before
    assert_books_agree(home)


def test_a_corrected_file_does_not_come_back_from_what_it_corrected(pump: Warehouse) -> None:
    # The ended file has as many rows over the same span, and other values.
    pump.telemetry.write(ramp(1, ROWS, first=0.5), note="correction", at=NOW)
    file = next(one for one in pump.manifest.live("readings") if (one.sensor_min, one.sensor_max) == (1, 1))
    flip_a_bit(pump.root / file.path)
    pump.verify(at=NOW)
    assert mend(pump).outcome == "lost"
    assert pump.telemetry.read([1]).is_empty()
    assert pump.telemetry.read([2]).height == ROWS
    assert_books_agree(pump)


def test_rollups_are_computed_again(pump: Warehouse) -> None:
    before = pump.telemetry.rollup([1, 2], None, None, 900)
    damage(pump, "rollups")
    assert pump.telemetry.rollup([1, 2], None, None, 900).is_empty()
    assert mend(pump).outcome == "rebuilt"
    assert pump.telemetry.rollup([1, 2], None, None, 900).equals(before)
    assert_books_agree(pump)


def test_rollups_of_days_that_were_written_meanwhile_are_not_doubled(pump: Warehouse) -> None:
    damage(pump, "rollups")
    pump.telemetry.write(ramp(1, 10, NOON - timedelta(minutes=10)), note="meanwhile", at=NOW)
    assert mend(pump).outcome == "rebuilt"
    assert_books_agree(pump)


def test_readings_and_their_rollups_damaged_together(pump: Warehouse, tmp_path: Path) -> None:
    backup = copy_of(pump, tmp_path / "backups")
    for kind in ("readings", "rollups"):
        [file] = pump.manifest.live(kind)  # type: ignore[arg-type]
        flip_a_bit(pump.root / file.path)
    assert len(pump.verify(at=NOW)) == 2
    assert [one.outcome for one in pump.repair(at=NOW, actor="ada", backup=backup)] == ["restored", "rebuilt"]
    assert pump.telemetry.read([1]).height == ROWS
    assert_books_agree(pump)


@pytest.fixture
def judged(pump: Warehouse) -> Warehouse:
    snapshot = pump.manifest.snapshot()
    assert snapshot is not None
    version = pump.catalog.add_version(new_version(1, snapshot.id))
    pump.results.write_scores(scores(1, version.id, 100), at=NOW)
    pump.results.put_events(1, version.id, events(1, version.id, NOON), at=NOW)
    return pump


@pytest.mark.parametrize("kind", ["scores", "events"])
def test_scores_and_events_are_taken_out_and_are_to_be_judged_again(judged: Warehouse, kind: str) -> None:
    file = damage(judged, kind)
    repaired = mend(judged)
    assert (repaired.outcome, repaired.sensors, repaired.judge_since) == ("lost", (1,), file.start)
    assert judged.manifest.live(kind, damaged=True) == ()  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["scores", "events"])
def test_scores_and_events_come_back_unless_they_were_judged_meanwhile(
    judged: Warehouse, tmp_path: Path, kind: str
) -> None:
    read: dict[str, Callable[[], pl.DataFrame]] = {
        "scores": lambda: judged.results.read_scores(1, 1),
        "events": lambda: judged.results.read_events(1, 1),
    }
    before = read[kind]()
    backup = copy_of(judged, tmp_path / "backups")
    damage(judged, kind)
    assert mend(judged, backup).outcome == "restored"
    assert read[kind]().equals(before)

    damage(judged, kind)
    if kind == "scores":
        judged.results.write_scores(scores(1, 1, 100, score=7.0), at=NOW)
    else:
        judged.results.put_events(1, 1, events(1, 1, NOON + timedelta(hours=1)), at=NOW)
    now_stored = read[kind]()
    assert mend(judged, copy_of(judged, tmp_path / "later")).outcome == "lost"
    assert read[kind]().equals(now_stored)


@pytest.mark.parametrize("kind", ["scores", "score_rollups"])
def test_scores_and_what_sums_them_up_are_repaired_together(
    judged: Warehouse, tmp_path: Path, kind: str
) -> None:
    many = scores(1, 1, 30_000)
    judged.results.write_scores(many, at=NOW)
    asked = (1, 1, NOON, NOON + timedelta(days=30), 100)
    before = judged.results.window(*asked)
    backup = copy_of(judged, tmp_path / "backups")
    damage(judged, kind)
    if kind == "score_rollups":
        assert judged.results.window(*asked)["score_max"].max() == before["score_max"].max()
    else:
        assert judged.results.window(*asked).is_empty()
    assert mend(judged, backup).outcome == ("restored" if kind == "scores" else "rebuilt")
    assert judged.results.window(*asked).equals(before)
    assert judged.results.read_scores(1, 1).height == 30_000
    assert len(judged.manifest.live("scores")) == len(judged.manifest.live("score_rollups")) == 1

    damage(judged, "scores")
    assert mend(judged).outcome == "lost"
    assert judged.results.window(*asked).is_empty()
    assert judged.manifest.live("score_rollups") == ()


def test_a_damaged_file_that_only_a_pinned_snapshot_needs(pump: Warehouse, tmp_path: Path) -> None:
    first = pump.manifest.snapshot()
    assert first is not None
    pump.manifest.pin(first.id)
    backup = copy_of(pump, tmp_path / "backups")
    [file] = pump.manifest.live("readings")
    pump.telemetry.write(pl.concat([ramp(1, ROWS, first=1.0), ramp(2, ROWS, first=1.0)]), note="n", at=NOW)
    flip_a_bit(pump.root / file.path)
    assert len(pump.verify(at=NOW)) == 1
    now_stored = values_of(pump.telemetry.read([1, 2]))
    with pytest.raises(IntegrityError):
        pump.telemetry.read([1], snapshot_id=first.id)

    assert mend(pump, backup).outcome == "restored"

    assert pump.telemetry.read([1], snapshot_id=first.id)["value"].to_list() == [
        float(n) for n in range(ROWS)
    ]
    flip_a_bit(pump.root / file.path)
    pump.verify(at=NOW)
    assert mend(pump).outcome == "superseded"
    assert values_of(pump.telemetry.read([1, 2])) == now_stored
    with pytest.raises(IntegrityError):
        pump.telemetry.read([1], snapshot_id=first.id)
    assert_books_agree(pump)


def test_a_damaged_file_is_not_collected_before_a_repair_has_decided(pump: Warehouse) -> None:
    later = NOW + timedelta(days=1)
    [file] = pump.manifest.live("readings")
    pump.telemetry.write(pl.concat([ramp(1, ROWS, first=1.0), ramp(2, ROWS, first=1.0)]), note="n", at=NOW)
    first = pump.manifest.snapshot(1)
    assert first is not None
    pump.manifest.pin(first.id)
    flip_a_bit(pump.root / file.path)
    pump.verify(at=NOW)
    pump.manifest.unpin(first.id)
    pump.collect(now=later)
    assert (pump.root / file.path).exists()
    mend(pump)
    pump.collect(now=later)
    assert not (pump.root / file.path).exists()
    with pytest.raises(CatalogError, match="removed"):
        pump.telemetry.read([1], snapshot_id=first.id)


def test_a_repair_that_is_overtaken_counts_what_the_other_stored(
    pump: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = copy_of(pump, tmp_path / "backups")
    damage(pump, "readings")
    real, overtaken = Manifest.commit, []

    def commit(self: Manifest, **given: object) -> object:
        if given.get("repairing") and not overtaken:
            overtaken.append(True)
            pump.telemetry.write(ramp(1, 20, first=5000.0), note="meanwhile", at=NOW)
        return real(self, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(Manifest, "commit", commit)
    assert mend(pump, backup).outcome == "restored"
    assert overtaken
    assert pump.telemetry.read([1])["value"].to_list()[:21] == [5000.0 + n for n in range(20)] + [20.0]
    assert_books_agree(pump)


def test_a_write_that_read_a_file_before_it_was_found_damaged_is_computed_again(
    pump: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = copy_of(pump, tmp_path / "backups")
    [file] = pump.manifest.live("readings")
    real, found = Manifest.commit, []

    def commit(self: Manifest, **given: object) -> object:
        if not found:
            found.append(True)
            flip_a_bit(pump.root / file.path)
            pump.verify(at=NOW)
        return real(self, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(Manifest, "commit", commit)
    report = pump.telemetry.write(ramp(1, 20, first=5000.0), note="correction", at=NOW)
    # Nothing is known of what the damaged file held, so that all of it is new.
    assert (report.added, report.replaced) == (20, 0)
    assert pump.telemetry.read([1]).height == 20
    mend(pump, backup)
    assert pump.telemetry.read([1])["value"].to_list()[:21] == [5000.0 + n for n in range(20)] + [20.0]
    assert pump.telemetry.read([2]).height == ROWS
    assert_books_agree(pump)


def test_a_folder_that_is_no_backup(pump: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(HomeError, match="name the folder of a backup"):
        pump.repair(at=NOW, actor="ada", backup=tmp_path / "nowhere")


def test_a_repair_that_stays_overtaken_leaves_everything_as_it_was(
    pump: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = copy_of(pump, tmp_path / "backups")
    damage(pump, "readings")
    stored = sorted(pump.root.rglob("*.parquet"))

    def overtaken(*_: object, **__: object) -> None:
        raise ManifestConflict("another was first")

    with monkeypatch.context() as patched:
        patched.setattr(Manifest, "commit", overtaken)
        with pytest.raises(ManifestConflict):
            pump.repair(at=NOW, actor="ada", backup=backup)
    assert sorted(pump.root.rglob("*.parquet")) == stored
    assert len(pump.damage()) == 1
    assert mend(pump, backup).outcome == "restored"
