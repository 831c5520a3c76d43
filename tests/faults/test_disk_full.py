"""The disk fills up: every write says so in one line, reads go on, and writes resume once there is room."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from running import ROOT

SCENE = Path(__file__).with_name("full_disk_scene.py")
UNSHARE = ("unshare", "--map-root-user", "--mount")
WRITES = (
    "ingest",
    "ingest that spills",
    "scoring",
    "verdict",
    "job",
    "catalogue",
    "migration of the catalogue",
    "migration of the state",
)


def why_not(folder: Path) -> str | None:
    """Return why this system gives no small disk to tests, None if it does."""
    if shutil.which("unshare") is None:
        return "a small disk takes the command unshare"
    tried = subprocess.run(
        [*UNSHARE, "mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    return None if tried.returncode == 0 else f"a small disk can't be mounted here: {tried.stderr.strip()}"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    disk = tmp_path_factory.mktemp("disk")
    reason = why_not(disk)
    if reason is not None:
        pytest.skip(reason)
    done = subprocess.run(
        [*UNSHARE, sys.executable, str(SCENE), str(disk), "12m"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_write_says_in_one_line_that_the_disk_is_full(told, record_property):
    met = [told[name] for name in WRITES] + told["ingest that finds some room"]
    for error in met:
        assert error.startswith("DiskFull: the disk of "), error
        assert "make room and do it again" in error
        assert "\n" not in error
    record_property("writes that met a full disk, each with a clear error", len(met))


def test_reads_go_on_and_nothing_half_written_is_seen(told):
    assert told["before"][:4] == [2000, 1_999_000.0, 2000, [2000]]
    assert told["meanwhile"] == told["before"]
    assert told["labels meanwhile"] == ["a"]
    assert told["leftovers"] == []
    assert told["left beside old databases"] == []


def test_writes_resume_once_there_is_room(told):
    for name in ("ingest again", "scoring again", "verdict again"):
        assert told[name] == "nothing"
    assert told["migration again"] == ["nothing", "nothing"]
    assert told["backups"] == ["catalog.sqlite.v1.bak", "state.duckdb.v1.bak"]
    assert told["after"][:4] == [5000, 5000 * 4999 / 2 + 2500, 5000, [5000]]
    assert told["after"][4] == 2 * told["before"][4]
    assert told["jobs after"] == 1
    assert told["damaged"] == []


def test_the_owner_of_the_state_survives_and_publishes_what_it_could_not(told):
    assert told["labels after"] == ["a", "b"]
