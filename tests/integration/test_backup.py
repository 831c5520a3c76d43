"""Backup and restore by command: a home elsewhere that is the same, or nothing and one clear line."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
import stored_home
from command_line import one_line, telltale

from core.workflows.backup import back_up
from core.workflows.methods import load_version
from core.workflows.restore import restore
from warehouse.backup.document import BackupError, read
from warehouse.home import Warehouse
from warehouse.manifest import Snapshot
from warehouse.state.owner import StateOwner
from warehouse.state.published import read_labels


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("built") / "home"
    stored_home.build(root)
    return root


@pytest.fixture
def home(built: Path, tmp_path: Path) -> Path:
    return shutil.copytree(built, tmp_path / "home")


@pytest.fixture(scope="module")
def made(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of `built`, to be copied."""
    folder = tmp_path_factory.mktemp("made")
    taken(shutil.copytree(built, folder / "home"), folder / "backup")
    return folder / "backup"


@pytest.fixture
def backup(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "backup")


def taken(home: Path, target: Path, **options: bool):
    warehouse = Warehouse.open(home, create=False)
    try:
        return back_up(target, warehouse=warehouse, clock=stored_home.clock, actor="ada", **options)
    finally:
        warehouse.close()


def snapshots(warehouse: Warehouse) -> dict[int, Snapshot | None]:
    versions = [one.snapshot_id for one in warehouse.catalog.versions()]
    return {one: warehouse.manifest.snapshot(one) for one in versions}


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_home_comes_back_elsewhere_as_it_was(home: Path, tmp_path: Path) -> None:
    before = Warehouse.open(home)
    readings, events = before.telemetry.read([1, 2]), before.results.events_current()
    pinned, versions = snapshots(before), before.catalog.versions()
    then = {one: before.telemetry.read([1], snapshot_id=one) for one in pinned}
    before.close()
    target, elsewhere = tmp_path / "kept on a disk", tmp_path / "100% é" / "home"
    done = telltale(home, "backup", str(target))
    assert done.returncode == 0, done.stderr
    assert "1 machine, 2 sensors, 2,600 readings, 1 version, 2 verdicts" in done.stdout
    shutil.rmtree(home)
    elsewhere.parent.mkdir()
    done = telltale(elsewhere, "restore", str(target))
    assert done.returncode == 0, done.stderr
    assert "2,600 readings" in done.stdout
    assert "Jobs that ran during the backup and go on when the app runs: 1." in done.stdout

    after = Warehouse.open(elsewhere, create=False)
    assert after.telemetry.read([1, 2]).equals(readings)
    assert not readings.is_empty()
    assert after.results.events_current().equals(events)
    assert not events.is_empty()
    assert after.catalog.versions() == versions
    assert snapshots(after) == pinned
    assert all(after.telemetry.read([1], snapshot_id=one).equals(then[one]) for one in pinned)
    assert load_version(versions[0], after).name == versions[0].method
    assert after.verify() == []
    (job,) = after.jobs.list(kind="train")
    assert (job.state, job.message, job.error) == ("interrupted", "training Pump/flow", None)
    assert [line.text for line in after.jobs.lines(job.id)] == [
        "asked for by ada",
        "training Pump/flow",
        "interrupted: it ran in another place when the backup was made",
    ]
    (score,) = [one for one in after.jobs.list(kind="score") if one.needs]
    assert (score.state, score.needs) == ("queued", (job.id,))
    assert after.jobs.batches()[0].job_ids == (job.id, score.id)
    assert [one.title for one in after.jobs.schedules.list()] == ["Sundays"]
    assert after.jobs.inbox.pending() == ()
    assert read_labels(after).frame["note"].to_list() == ["seen at the mill", "waits"]
    with StateOwner(after, clock=stored_home.clock) as owner:
        assert owner.query("SELECT note FROM label_log ORDER BY seq")["note"].to_list() == [
            "seen at the mill",
            "waits",
        ]
        assert owner.fleet()["sensor"].sort().to_list() == ["flow", "load"]
    after.close()
    assert (elsewhere / "telltale.toml").read_text() == 'profile = "ada"\n'


def test_the_home_says_when_it_was_last_backed_up_and_keeps_nothing_of_it(home: Path, tmp_path: Path) -> None:
    report = taken(home, tmp_path / "backup")
    warehouse = Warehouse.open(home)
    assert warehouse.catalog.source_settings("backup") == {
        "at": stored_home.NOW.isoformat(),
        "target": str(tmp_path / "backup"),
        "damaged": 0,
    }
    with warehouse.database.reading() as connection:
        holders = [holder for (holder,) in connection.execute("SELECT holder FROM pins")]
    assert not [one for one in holders if one.startswith("backup")]
    assert list((home / "staging").iterdir()) == []
    assert not list(tmp_path.glob("*.partial"))
    assert {one.path for one in report.document.files} == {
        path.relative_to(tmp_path / "backup" / "home").as_posix()
        for path in (tmp_path / "backup" / "home").rglob("*")
        if path.is_file()
    }
    warehouse.close()


def test_an_empty_home_comes_back_empty(tmp_path: Path) -> None:
    Warehouse.open(tmp_path / "home").close()
    report = taken(tmp_path / "home", tmp_path / "backup")
    assert str(report.document.counts) == (
        "0 machines, 0 sensors, 0 readings, 0 versions, 0 verdicts, 0 events"
    )
    restore(tmp_path / "backup", tmp_path / "new", clock=stored_home.clock)
    warehouse = Warehouse.open(tmp_path / "new", create=False)
    assert warehouse.catalog.assets() == ()
    warehouse.close()


def test_places_that_can_not_be_are_refused(home: Path, backup: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(home)
    for target, complaint in (
        (home / "backup", "lies inside the home"),
        (link / "backup", "lies inside the home"),
        (home, "lies inside the home"),
        (tmp_path, "lies inside"),
        (backup, "is not empty"),
        (tmp_path / "no" / "such", "does not exist"),
        (home / "telltale.toml" / ".." / ".." / "home" / "x", "lies inside the home"),
    ):
        with pytest.raises(BackupError, match=complaint):
            taken(home, target)
    for folder, place, complaint in (
        (backup, home, "home is not empty"),
        (backup, backup / "home" / "new", "lies inside the backup"),
        (backup, tmp_path, "lies inside"),
        (home, tmp_path / "new", "is no backup"),
        (tmp_path / "nowhere", tmp_path / "new", "is no backup"),
    ):
        with pytest.raises(BackupError, match=complaint):
            restore(folder, place, clock=stored_home.clock)
    assert not (tmp_path / "new").exists()
    assert not list(tmp_path.glob("*.partial"))


def test_refusals_are_one_line(home: Path, backup: Path, tmp_path: Path) -> None:
    assert "is not empty" in one_line(telltale(home, "restore", str(backup)))
    assert "holds no Telltale data" in one_line(
        telltale(tmp_path / "home", "backup", str(tmp_path / "b"), TELLTALE_HOME=str(backup))
    )
    viewer = telltale(home, "backup", str(tmp_path / "b"), TELLTALE_ROLE="viewer")
    assert "may not back up the home" in one_line(viewer)
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("victim", ["telemetry/", "models/", "catalog.sqlite", "state.duckdb", "backup.json"])
@pytest.mark.parametrize("harm", [flip, Path.unlink])
def test_a_damaged_backup_is_refused_by_name(backup: Path, tmp_path: Path, victim: str, harm) -> None:
    named = [one.path for one in read(backup).files if one.path.startswith(victim)]
    path = backup / "home" / named[0] if named else backup / victim
    harm(path)
    with pytest.raises(BackupError, match=path.name):
        restore(backup, tmp_path / "new", clock=stored_home.clock)
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "new.partial").exists()


def test_a_backup_that_reaches_outside_of_itself_is_refused(backup: Path, tmp_path: Path) -> None:
    document = read(backup)
    stolen = document.files[0].__class__("../../stolen", document.files[0].sha256, 1)
    (backup / "backup.json").write_text(
        document.__class__(**{**vars(document), "files": (stolen,)}).text(), encoding="utf-8"
    )
    with pytest.raises(BackupError, match="outside of it"):
        restore(backup, tmp_path / "new", clock=stored_home.clock)


def test_a_backup_of_a_newer_release_is_refused_with_its_name(backup: Path, tmp_path: Path) -> None:
    content = json.loads((backup / "backup.json").read_text("utf-8"))
    (backup / "backup.json").write_text(json.dumps(content | {"format": 99, "release": "9.1.0"}))
    with pytest.raises(BackupError, match=r"release 9\.1\.0"):
        restore(backup, tmp_path / "new", clock=stored_home.clock)


def test_a_damaged_file_of_the_home_is_named_and_the_rest_backed_up(home: Path, tmp_path: Path) -> None:
    warehouse = Warehouse.open(home)
    victim = warehouse.manifest.live("readings")[-1]
    kept = [one for one in warehouse.manifest.live("readings") if one.id != victim.id]
    warehouse.close()
    flip(home / victim.path)
    with pytest.raises(BackupError, match=victim.path):
        taken(home, tmp_path / "strict", strict=True)
    assert not (tmp_path / "strict").exists()
    done = telltale(home, "backup", str(tmp_path / "backup"))
    assert done.returncode == 1
    assert f"not in the backup: {victim.path}" in done.stderr
    assert not (tmp_path / "backup" / "home" / victim.path).exists()
    report = restore(tmp_path / "backup", tmp_path / "new", clock=stored_home.clock)
    assert [one.path for one in report.document.damaged] == [victim.path]
    warehouse = Warehouse.open(tmp_path / "new", create=False)
    assert {one.path for one in warehouse.manifest.live("readings")} == {one.path for one in kept}
    warehouse.close()


def test_what_an_interrupted_backup_left_is_named_and_replaced_when_asked(home: Path, tmp_path: Path) -> None:
    left = tmp_path / "backup.partial"
    (left / "home").mkdir(parents=True)
    (left / ".unfinished").touch()
    with pytest.raises(BackupError, match=r"backup\.partial is what an interrupted attempt left"):
        taken(home, tmp_path / "backup")
    with pytest.raises(BackupError, match="an interrupted backup"):
        restore(left, tmp_path / "new", clock=stored_home.clock)
    assert taken(home, tmp_path / "backup", force=True).document.counts.readings == 2600
    assert not left.exists()


def test_a_folder_of_someone_else_is_not_replaced(home: Path, tmp_path: Path) -> None:
    left = tmp_path / "backup.partial"
    left.mkdir()
    (left / "thesis.tex").touch()
    with pytest.raises(BackupError, match="left by something else"):
        taken(home, tmp_path / "backup", force=True)
    assert (left / "thesis.tex").exists()


def test_links_share_what_never_changes_and_restore_as_copies(home: Path, tmp_path: Path) -> None:
    report = taken(home, tmp_path / "backup", link=True)
    inodes = {path.stat().st_ino: path for path in home.rglob("*") if path.is_file()}
    shared = {
        one.path
        for one in report.document.files
        if (tmp_path / "backup" / "home" / one.path).stat().st_ino in inodes
    }
    assert len(shared) == report.linked
    assert shared == {one.path for one in report.document.files if one.path.endswith(".parquet")}
    restore(tmp_path / "backup", tmp_path / "new", clock=stored_home.clock)
    assert not [path for path in (tmp_path / "new").rglob("*") if path.stat().st_ino in inodes]


def test_a_full_disk_is_one_clear_line_and_leaves_nothing(home: Path, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting takes root")
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("mounting is not allowed here")
    try:
        line = one_line(telltale(home, "backup", str(small / "backup")))
        assert str(small) in line
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", small], check=True)
    # Writes go on, and another place takes it.
    assert telltale(home, "backup", "--into", str(tmp_path)).returncode == 0


def test_too_small_a_disk_is_refused_before_anything_is_copied(
    home: Path, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=2_000_000))
    with pytest.raises(BackupError, match="has 2 MB free and the backup takes"):
        taken(home, tmp_path / "other")
    with pytest.raises(BackupError, match="has 2 MB free and the home takes"):
        restore(backup, tmp_path / "new", clock=stored_home.clock)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup", "home"]


def test_a_disk_that_fills_while_files_are_copied_leaves_nothing(
    home: Path, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("warehouse.backup.transfer.os", SimpleNamespace(**{**vars(os), "fsync": full}))
    with pytest.raises(BackupError, match="No space left on device; nothing was left there"):
        taken(home, tmp_path / "other")
    with pytest.raises(BackupError, match="No space left on device; nothing was left there"):
        restore(backup, tmp_path / "new", clock=stored_home.clock)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup", "home"]
