"""Backups taken while verdicts are given, minutes stored and files compacted; and backups that are killed."""

import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from running import Telltale, run, times, visit, wait_for

from core.workflows.backup import back_up
from core.workflows.restore import restore
from warehouse.assets import AssetSpec, SensorSpec
from warehouse.backup.document import BackupDocument, BackupError
from warehouse.backup.pins import HOLDER
from warehouse.home import Warehouse
from warehouse.schema import GOOD, READINGS
from warehouse.state.labels import NewLabel
from warehouse.state.owner import StateOwner
from warehouse.state.post import post
from warehouse.state.published import read_labels

WRITER = Path(__file__).with_name("backup_writer.py")
STEP = Path(__file__).with_name("backup_step.py")
MONDAY = datetime(2024, 4, 29, tzinfo=UTC)
MINUTES = 12
VERDICTS = ["first", "second", "third"]


def now() -> datetime:
    return datetime.now(UTC)


class Writer:
    """The writing process, and what it has acknowledged so far."""

    def __init__(self, home: Path) -> None:
        self.verdicts: list[str] = []
        self.minutes = 0
        self._said = home.with_name("writer.log")
        with self._said.open("wb") as said:
            command = [sys.executable, "-X", "faulthandler", str(WRITER), str(home)]
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said)
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            kind, _, what = line.decode().strip().partition(" ")
            if kind == "v":
                self.verdicts.append(what)
            else:
                self.minutes = int(what) + 1

    def goes_on(self, minutes: int, verdicts: int = 0) -> None:
        """Wait until it has acknowledged so many more."""
        aim = self.minutes + minutes, len(self.verdicts) + verdicts
        assert wait_for(lambda: (self.minutes >= aim[0] and len(self.verdicts) >= aim[1]) or self.ended, 240)
        assert not self.ended, (
            f"the writer ended with {self._process.poll()}: {self._said.read_text('utf-8')}"
        )

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def stop(self) -> None:
        self._process.kill()
        self._thread.join()
        self._process.wait()
        self._process.stdout.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    root = tmp_path / "home"
    warehouse = Warehouse.open(root)
    sensors = tuple(SensorSpec(name, "°C") for name in ("inlet", "outlet", "oil"))
    warehouse.catalog.put_assets("csv", [AssetSpec("Pump 7", "pump", sensors=sensors)])
    warehouse.close()
    return root


@pytest.fixture
def writer(home: Path) -> Iterator[Writer]:
    one = Writer(home)
    yield one
    one.stop()


@pytest.fixture
def stored(home: Path) -> Path:
    """A home that nobody writes to, with `MINUTES` and `VERDICTS`, one of which waits in the inbox."""
    warehouse = Warehouse.open(home)
    for minute in range(MINUTES):
        at = MONDAY + timedelta(minutes=97 * minute)
        rows = [(sensor, at, float(minute), GOOD) for sensor in (1, 2, 3)]
        warehouse.telemetry.write(pl.DataFrame(rows, schema=READINGS, orient="row"), note="test", at=now())
    warehouse.tidy(now=now())
    with StateOwner(warehouse, clock=now) as owner:
        for note in VERDICTS[:-1]:
            owner.write("label.set", verdict(note), actor="ada", write_id=note)
    warehouse.jobs.inbox.put(VERDICTS[-1], "label.set", verdict(VERDICTS[-1]), actor="ada", at=now())
    warehouse.close()
    return home


def verdict(note: str) -> dict[str, object]:
    return NewLabel(1, MONDAY, MONDAY.replace(hour=1), "false_positive", note=note).payload()


def taken(home: Path, target: Path, writer: Writer | None = None, **options: bool) -> BackupDocument:
    """Back up; while a file is copied the writer compacts and collects at least twice."""

    def progress(_fraction: float, message: str, /) -> None:
        if writer is not None and message.startswith("Copying file 2 "):
            writer.goes_on(17)

    warehouse = Warehouse.open(home, create=False)
    try:
        report = back_up(target, warehouse=warehouse, clock=now, actor="ada", progress=progress, **options)
    finally:
        warehouse.close()
    return report.document


def problems(root: Path, verdicts: list[str], minutes: int) -> list[str]:
    """Return what is wrong with a restored home, given what was acknowledged before its backup began."""
    found = []
    warehouse = Warehouse.open(root, create=False)
    with StateOwner(warehouse, clock=now) as owner:
        log = owner.query("SELECT seq, write_id, note FROM label_log ORDER BY seq")
        audit = owner.query("SELECT write_id FROM audit")["write_id"].to_list()
        stored = Counter(log["note"].to_list())
        found += [f"lost: {one}" for one in verdicts if one not in stored]
        found += [f"doubled: {one}" for one, number in stored.items() if number > 1]
        if log["seq"].to_list() != list(range(1, log.height + 1)):
            found.append("the log has gaps")
        if sorted(audit) != sorted(log["write_id"].to_list()):
            found.append("the audit and the log differ")
        if not read_labels(warehouse).frame.equals(owner.labels()):
            found.append("what is published is not what is stored")
    if warehouse.jobs.inbox.pending():
        found.append("writes wait for ever")
    found += [f"damaged: {one}" for one in warehouse.verify()]
    for sensor in (1, 2, 3):
        values = warehouse.telemetry.read([sensor])["value"].to_list()
        # One commit a minute, for all three: a snapshot is a number of minutes.
        if values != [float(one) for one in range(len(values))] or len(values) < minutes:
            found.append(f"sensor {sensor} holds {len(values)} minutes of {minutes}, or not in one row")
    if len(set(warehouse.telemetry.spans()["rows"].to_list())) > 1:
        found.append("the readings are of several snapshots")
    warehouse.close()
    return found


def pins(home: Path) -> list[str]:
    warehouse = Warehouse.open(home)
    with warehouse.database.reading() as connection:
        holders = [one for (one,) in connection.execute("SELECT holder FROM pins")]
    warehouse.close()
    return [one for one in holders if one.startswith(HOLDER)]


@pytest.mark.timeout(1800)
def test_each_backup_under_writes_restores_to_one_moment(home, writer, tmp_path, record_property):
    rounds = times(4, 40)
    for number in range(rounds):
        writer.goes_on(9, 5)
        verdicts, minutes = list(writer.verdicts), writer.minutes
        document = taken(home, tmp_path / "backup", writer, link=number % 2 == 1)
        assert document.damaged == ()
        assert document.counts.readings >= 3 * minutes
        restore(tmp_path / "backup", tmp_path / "new", clock=now)
        assert problems(tmp_path / "new", verdicts, minutes) == [], f"round {number + 1}"
        shutil.rmtree(tmp_path / "backup")
        shutil.rmtree(tmp_path / "new")
    assert pins(home) == []
    record_property("backups taken under writes and compaction, restored to one moment", rounds)
    record_property("verdicts acknowledged before those backups, none lost, none doubled", len(verdicts))


def test_control_without_its_pins_a_backup_loses_files(home, writer, tmp_path, monkeypatch):
    monkeypatch.setattr("warehouse.backup.pins.hold", lambda *_: True)
    writer.goes_on(9, 5)
    assert taken(home, tmp_path / "backup", writer).damaged != ()


def test_control_a_lost_and_a_doubled_verdict_and_a_missing_minute_are_noticed(stored, tmp_path):
    taken(stored, tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "new", clock=now)
    warehouse = Warehouse.open(tmp_path / "new")
    with StateOwner(warehouse, clock=now) as owner:
        owner._store.write(
            lambda cursor: cursor.execute("UPDATE label_log SET note = 'first' WHERE note = 'second'")
        )
    warehouse.close()
    found = problems(tmp_path / "new", VERDICTS, MINUTES + 1)
    assert {"lost: second", "doubled: first"} <= set(found)
    assert any(one.startswith("sensor 1 holds") for one in found)


def at_report(report: int, what: str, source: Path, target: Path) -> subprocess.Popen[bytes]:
    """Start a backup or a restore that will wait at a report of its progress."""
    arguments = [sys.executable, str(STEP), what, str(source), str(target), str(report)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE)


def killed_at(report: int, what: str, source: Path, target: Path) -> bool:
    """Return whether it was killed in the middle: False where it ended before that report."""
    with at_report(report, what, source, target) as step:
        assert step.stdout is not None
        reached = step.stdout.readline() != b"it ended\n"
        if reached:
            step.kill()
    return reached


@pytest.mark.timeout(1800)
def test_a_killed_backup_leaves_no_target_and_no_pin(stored, tmp_path, record_property):
    # Jobs, state, catalogue, then the files, counting and the end.
    reports = [1, 4, 6] if times(0, 1) == 0 else [one % 9 + 1 for one in range(20)]
    target, kills = tmp_path / "backup", 0
    for report in reports:
        if not killed_at(report, "backup", stored, target):
            shutil.rmtree(target)
            continue
        kills += 1
        assert not target.exists()
        with pytest.raises(BackupError, match="is what an interrupted attempt left"):
            taken(stored, target)
        warehouse = Warehouse.open(stored)
        warehouse.tidy(now=now())
        warehouse.close()
        assert pins(stored) == []
        assert not list((stored / "staging").glob("state-*"))
        shutil.rmtree(tmp_path / "backup.partial")
    assert kills >= 3
    assert killed_at(5, "backup", stored, target)
    taken(stored, target, force=True)
    restore(target, tmp_path / "new", clock=now)
    assert problems(tmp_path / "new", VERDICTS, MINUTES) == []
    record_property("backups killed in the middle, nothing left at their target, no pin after a tidy", kills)


def test_a_living_backup_keeps_its_pin_and_is_the_only_one(stored, tmp_path):
    with at_report(5, "backup", stored, tmp_path / "backup") as living:
        try:
            assert living.stdout.readline().startswith(b"Copying file")
            warehouse = Warehouse.open(stored)
            warehouse.tidy(now=now())
            warehouse.close()
            assert len(pins(stored)) >= 1
            with pytest.raises(BackupError, match=f"is being backed up by process {living.pid}"):
                taken(stored, tmp_path / "other")
            assert len(pins(stored)) >= 1
        finally:
            living.kill()


@pytest.mark.timeout(1800)
def test_a_killed_restore_leaves_no_half_home(stored, tmp_path, record_property):
    taken(stored, tmp_path / "backup")
    reports = [1, 8, 14] if times(0, 1) == 0 else [one % 14 + 1 for one in range(20)]
    new, kills = tmp_path / "new", 0
    for report in reports:
        if not killed_at(report, "restore", tmp_path / "backup", new):
            shutil.rmtree(new)
            continue
        kills += 1
        assert not new.exists()
        with pytest.raises(BackupError, match="is what an interrupted attempt left"):
            restore(tmp_path / "backup", new, clock=now)
        shutil.rmtree(tmp_path / "new.partial")
    assert kills >= 3
    assert killed_at(8, "restore", tmp_path / "backup", new)
    restore(tmp_path / "backup", new, clock=now, force=True)
    assert problems(new, VERDICTS, MINUTES) == []
    record_property("restores killed in the middle, no half home left", kills)


def test_the_app_is_backed_up_while_it_runs_and_runs_elsewhere(home, tmp_path):
    def give(warehouse: Warehouse, note: str) -> None:
        post(warehouse, "label.set", verdict(note), actor="ada", clock=now)

    warehouse = Warehouse.open(home)
    with Telltale(home) as telltale:
        telltale.up()
        give(warehouse, "before")
        done = telltale.command("backup", str(tmp_path / "backup"))
        assert done.returncode == 0, done.stderr
        assert "3 sensors" in done.stdout
        give(warehouse, "after")
    warehouse.close()
    shutil.rmtree(home)
    elsewhere = tmp_path / "elsewhere"
    done = run(telltale.environment, "restore", str(tmp_path / "backup"), "--home", str(elsewhere))
    assert done.returncode == 0, done.stderr
    with Telltale(elsewhere) as telltale:
        telltale.up()
        for page in ("", "anomalies", "models", "training"):
            messages = visit(telltale.port, page)
            assert messages[-1].WhichOneof("type") == "script_finished"
            assert "could not be shown" not in str(messages)
        assert "Pump 7" in str(visit(telltale.port))
        warehouse = Warehouse.open(elsewhere, create=False)
        assert read_labels(warehouse).frame["note"].to_list() == ["before"]
        give(warehouse, "in the new place")
        assert read_labels(warehouse).frame["note"].to_list() == ["in the new place"]
        warehouse.close()
