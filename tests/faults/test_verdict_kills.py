"""The owner of the state is killed while verdicts are written: nothing acknowledged is lost or doubled."""

import random
import subprocess
import sys
import threading
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from running import times

from warehouse.assets import AssetSpec, SensorSpec
from warehouse.home import Warehouse
from warehouse.state.owner import StateOwner
from warehouse.state.published import read_labels

WRITER = Path(__file__).with_name("verdict_writer.py")


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    root = tmp_path / "home"
    warehouse = Warehouse.open(root)
    warehouse.catalog.put_assets(
        "csv", [AssetSpec("Pump 7", "pump", sensors=(SensorSpec("temperature", "°C"),))]
    )
    warehouse.close()
    return root


def side_of(acknowledged: str) -> str:
    return acknowledged.split("-")[1]


def killed_while_writing(
    home: Path, life: str, after: int, delay_s: float, *mode: str, heard: tuple[str, ...] = ()
) -> list[str]:
    """Start a writer, kill it `delay_s` after its `after`-th acknowledgement, return what it acknowledged.

    It is not killed before each side of `heard` has an acknowledgement too.
    """
    with subprocess.Popen(
        [sys.executable, str(WRITER), str(home), life, *mode], stdout=subprocess.PIPE
    ) as writer:
        head = [writer.stdout.readline() for _ in range(after)]
        while not set(heard) <= {side_of(line.decode()) for line in head}:
            head.append(writer.stdout.readline())
            assert head[-1], "the writer ended by itself"
        threading.Event().wait(delay_s)
        writer.kill()
        rest = writer.stdout.read().splitlines(keepends=True)
    return [line.decode().strip() for line in (*head, *rest) if line.endswith(b"\n")]


def problems(home: Path, acknowledged: list[str]) -> list[str]:
    """Return what is wrong with the stored verdicts, given those that were acknowledged."""
    warehouse = Warehouse.open(home)
    with StateOwner(warehouse, clock=now) as owner:
        owner.fold_inbox()
        log = owner.query("SELECT seq, write_id, note FROM label_log ORDER BY seq")
        audit = owner.query("SELECT write_id FROM audit")["write_id"].to_list()
        published = read_labels(warehouse)
        found = []
        stored = Counter(log["note"].to_list())
        found += [f"lost: {one}" for one in acknowledged if one not in stored]
        found += [f"doubled: {one}" for one, number in stored.items() if number > 1]
        if log["seq"].to_list() != list(range(1, log.height + 1)):
            found.append("the log has gaps")
        # Rows of an incident have its id and a number: all of them are there, or none.
        written = Counter(one.partition("/")[0] for one in log["write_id"])
        if sorted(audit) != sorted(written):
            found.append("the audit and the log differ")
        found += [
            f"in part: {one}" for one, rows in written.items() if rows != (3 if "-incident-" in one else 1)
        ]
        if published.sequence != log.height or not published.frame.equals(owner.labels()):
            found.append("what is published is not what is stored")
    warehouse.close()
    return found


@pytest.mark.timeout(1200)
def test_no_acknowledged_verdict_is_lost_or_doubled(home, record_property):
    kills = times(5, 50)
    rng = random.Random(20240501)
    acknowledged: list[str] = []
    for kill in range(kills):
        after, delay_s = rng.randint(1, 40), rng.random() * 0.02
        # The app's side alone can fill a short life, so some go on until the slower ones were heard too.
        heard = ("app", "incident", "command") if kill % 5 == 4 else ()
        acknowledged += killed_while_writing(home, f"life{kill}", after, delay_s, heard=heard)
        assert problems(home, acknowledged) == [], f"after kill {kill + 1}"
    assert set(map(side_of, acknowledged)) == {"app", "incident", "command"}
    record_property("owner killed while verdicts are written", kills)
    record_property("verdicts acknowledged before a kill, none lost, none doubled", len(acknowledged))


def test_control_a_lost_and_a_doubled_verdict_are_noticed(home):
    acknowledged = killed_while_writing(home, "life", 10, 0.0)
    assert problems(home, acknowledged) == []
    warehouse = Warehouse.open(home)
    with StateOwner(warehouse, clock=now) as owner:
        last = owner.query("SELECT max(seq) AS seq FROM label_log").item()
        lost, kept = acknowledged[-1], acknowledged[0]
        owner._store.write(lambda cursor: cursor.execute("DELETE FROM label_log WHERE note = ?", [lost]))
        owner._store.write(
            lambda cursor: cursor.execute(
                "INSERT INTO label_log SELECT ? + 1, 'again', * EXCLUDE (seq, write_id) FROM label_log"
                " WHERE note = ?",
                [last, kept],
            )
        )
    warehouse.close()
    found = problems(home, acknowledged)
    assert f"lost: {lost}" in found
    assert f"doubled: {kept}" in found


def test_control_a_part_of_an_incident_is_noticed(home):
    acknowledged = killed_while_writing(home, "life", 10, 0.0)
    part = next(one for one in acknowledged if one.endswith("/2"))
    warehouse = Warehouse.open(home)
    with StateOwner(warehouse, clock=now) as owner:
        owner._store.write(lambda cursor: cursor.execute("DELETE FROM label_log WHERE note = ?", [part]))
    warehouse.close()
    assert f"in part: {part.partition('/')[0]}" in problems(home, acknowledged)


def test_control_a_writer_that_acknowledges_before_the_commit_is_caught(home):
    acknowledged = killed_while_writing(home, "hasty", 5, 0.0, "early")
    assert problems(home, acknowledged) == [f"lost: {acknowledged[-1]}"]
