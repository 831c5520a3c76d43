import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from math import isnan
from pathlib import Path

import pytest

from warehouse.errors import SchemaError
from warehouse.jobs import BACKGROUND, URGENT, Jobs
from warehouse.living import birth_mark, is_alive

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    return Jobs(tmp_path / "jobs.sqlite")


def test_a_job_goes_from_queued_to_done(jobs):
    job = jobs.add("score", {"sensor_ids": [1, 2]}, actor="ada", at=NOON)
    assert (job.state, job.payload, job.actor, job.created_at) == (
        "queued",
        {"sensor_ids": [1, 2]},
        "ada",
        NOON,
    )
    claimed = jobs.claim(os.getpid(), NOON + timedelta(seconds=1))
    assert claimed.id == job.id
    assert (claimed.state, claimed.pid) == ("running", os.getpid())
    assert jobs.progress(claimed, 0.5, "halfway")
    assert (jobs.get(job.id).progress, jobs.get(job.id).message) == (0.5, "halfway")
    assert jobs.finish(claimed, {"events": 3}, NOON + timedelta(seconds=9))
    done = jobs.get(job.id)
    assert (done.state, done.result, done.progress) == ("done", {"events": 3}, 1.0)
    assert done.finished_at == NOON + timedelta(seconds=9)


def test_an_ended_job_stays_as_it_ended(jobs):
    jobs.add("score", {}, actor="ada", at=NOON)
    job = jobs.claim(os.getpid(), NOON)
    assert jobs.fail(job, "the disk is full", NOON)
    assert not jobs.finish(job, {}, NOON)
    assert not jobs.progress(job, 0.9, "too late")
    failed = jobs.get(job.id)
    assert (failed.state, failed.error, failed.progress, failed.result) == (
        "failed",
        "the disk is full",
        0.0,
        None,
    )


def test_an_equal_key_is_queued_once_but_may_wait_behind_a_running_one(jobs):
    first = jobs.add("score", {"n": 1}, actor="ada", at=NOON, key="new data")
    assert jobs.add("score", {"n": 2}, actor="ada", at=NOON, key="new data") == first
    jobs.claim(os.getpid(), NOON)
    second = jobs.add("score", {"n": 3}, actor="ada", at=NOON, key="new data")
    assert second.id != first.id
    assert second.state == "queued"


def test_the_oldest_is_claimed_first_after_the_urgent_ones_and_before_those_behind(jobs):
    behind = jobs.add("compaction", {}, actor="ada", at=NOON, priority=BACKGROUND)
    slow, later = (jobs.add("train", {}, actor="ada", at=NOON) for _ in range(2))
    urgent = jobs.add("score", {}, actor="ada", at=NOON, priority=URGENT)
    claimed = [jobs.claim(os.getpid(), NOON).id for _ in range(4)]
    assert claimed == [urgent.id, slow.id, later.id, behind.id]
    assert jobs.claim(os.getpid(), NOON) is None


def test_a_named_job_is_claimed_only_while_it_is_queued(jobs):
    jobs.add("train", {}, actor="ada", at=NOON)
    mine = jobs.add("train", {}, actor="ada", at=NOON)
    assert jobs.claim(os.getpid(), NOON, job_id=mine.id).id == mine.id
    assert jobs.claim(os.getpid(), NOON, job_id=mine.id) is None


CLAIMER = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from warehouse.jobs import Jobs
jobs = Jobs(Path(sys.argv[1]))
sys.stdin.readline()
while (job := jobs.claim(os.getpid(), datetime(2024, 5, 1, tzinfo=UTC))) is not None:
    print(job.id, flush=True)
"""


def test_two_processes_never_claim_the_same_job(jobs, tmp_path):
    wanted = {jobs.add("score", {}, actor="ada", at=NOON).id for _ in range(120)}
    claimers = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIMER, str(tmp_path / "jobs.sqlite")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for claimer in claimers:  # all are up before any begins
        claimer.stdin.write("go\n")
        claimer.stdin.flush()
    with ThreadPoolExecutor() as pool:
        outputs = list(pool.map(lambda one: one.communicate(timeout=60)[0], claimers))
    claimed = [int(line) for output in outputs for line in output.split()]
    assert sorted(claimed) == sorted(wanted)
    by_process = {one.pid for one in jobs.list(("running",), limit=200)}
    assert len(by_process) == sum(1 for output in outputs if output)


def test_the_jobs_of_a_dead_process_are_abandoned_and_those_of_a_living_one_are_not(jobs):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    dead = jobs.add("train", {}, actor="ada", at=NOON)
    alive = jobs.add("train", {}, actor="ada", at=NOON)
    assert jobs.claim(gone.pid, NOON).id == dead.id
    assert jobs.claim(os.getpid(), NOON).id == alive.id
    assert [one.id for one in jobs.abandoned(NOON)] == [dead.id]
    assert [one.id for one in jobs.abandoned(NOON, pid=os.getpid())] == []
    assert [one.id for one in jobs.abandoned(NOON, pid=os.getpid(), dead=[os.getpid()])] == [alive.id]
    assert [one.state for one in jobs.running()] == ["running", "running"]
    assert [one.id for one in jobs.running(os.getpid())] == [alive.id]


def test_a_process_is_not_taken_for_an_earlier_one_with_its_number():
    mark = birth_mark(os.getpid())
    assert is_alive(os.getpid(), mark)
    if mark is not None:  # elsewhere than on Linux the number alone must do
        assert not is_alive(os.getpid(), "1")


def test_metrics_come_back_by_name_and_step(jobs):
    jobs.add("train", {}, actor="ada", at=NOON)
    job = jobs.claim(os.getpid(), NOON)
    for step, value in ((1, 0.25), (0, 0.5), (2, float("nan"))):
        jobs.log_metric(job, step, "loss", value)
    jobs.log_metric(job, 0, "loss", 0.75)  # a repeated step replaces
    found = jobs.metrics(job.id)
    assert [(one.step, one.name) for one in found] == [(0, "loss"), (1, "loss"), (2, "loss")]
    assert [one.value for one in found[:2]] == [0.75, 0.25]
    assert isnan(found[2].value)


def test_old_scoring_is_forgotten_and_the_rest_is_kept(jobs):
    for kind in ("score", "train"):
        jobs.add(kind, {}, actor="ada", at=NOON)
        jobs.finish(jobs.claim(os.getpid(), NOON), {}, NOON)
    assert jobs.forget("score", NOON + timedelta(days=1)) == 1
    assert [one.kind for one in jobs.list()] == ["train"]


def test_a_file_of_a_newer_release_is_refused(jobs, tmp_path):
    jobs.close()
    connection = sqlite3.connect(tmp_path / "jobs.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(SchemaError, match="newer release"):
        Jobs(tmp_path / "jobs.sqlite")


def test_the_inbox_keeps_a_write_once_and_tells_its_outcome(jobs):
    for _ in range(2):
        jobs.inbox.put("w-1", "label.set", {"note": "é"}, actor="ada", at=NOON)
    jobs.inbox.put("w-2", "label.undo", {}, actor="bob", at=NOON)
    assert [(one.write_id, one.kind, one.payload) for one in jobs.inbox.pending()] == [
        ("w-1", "label.set", {"note": "é"}),
        ("w-2", "label.undo", {}),
    ]
    assert jobs.inbox.outcome("w-1") is None
    jobs.inbox.settle("w-1", NOON, outcome={"label_id": 7})
    jobs.inbox.settle("w-1", NOON, error="a later word changes nothing")
    jobs.inbox.settle("w-2", NOON, error="there is no label 9")
    assert jobs.inbox.outcome("w-1").outcome == {"label_id": 7}
    assert jobs.inbox.outcome("w-1").error is None
    assert jobs.inbox.outcome("w-2").error == "there is no label 9"
    assert jobs.inbox.pending() == ()
    assert jobs.inbox.forget(NOON + timedelta(days=1)) == 2


def test_a_watch_notices_the_commits_of_others_only(jobs):
    watch = jobs.inbox.watch()
    try:
        assert watch.changed()
        assert not watch.changed()
        jobs.inbox.put("w-1", "label.set", {}, actor="ada", at=NOON)
        assert watch.changed()
        assert not watch.changed()
    finally:
        watch.close()
