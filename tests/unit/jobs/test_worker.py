import logging
import os
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import programs
import pytest

from core.jobs.run import Kind
from core.jobs.worker import Post, work
from warehouse.errors import ManifestConflict

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def pinned(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")


@contextmanager
def working(warehouse, **rest):
    stop = threading.Event()
    options = {"clock": lambda: NOON, "stop": stop, "kinds": programs.KINDS, **rest}
    worker = threading.Thread(target=work, args=(warehouse,), kwargs=options)
    worker.start()
    try:
        yield worker
    finally:
        stop.set()
        worker.join()


def test_a_worker_takes_what_waits_and_what_comes(warehouse, wait_for):
    first = warehouse.jobs.add("echo", {"say": "a"}, actor="ada", at=NOON)
    with working(warehouse):
        assert wait_for(lambda: warehouse.jobs.get(first.id).state == "done")
        second = warehouse.jobs.add("echo", {"say": "b"}, actor="ada", at=NOON)
        assert wait_for(lambda: warehouse.jobs.get(second.id).state == "done")
        assert warehouse.jobs.get(second.id).result["heard"] == "b"


def test_progress_is_seen_within_two_seconds_of_asking_an_idle_worker(warehouse, wait_for, tmp_path):
    with working(warehouse, clock=lambda: datetime.now(UTC)):
        threading.Event().wait(0.5)
        job = warehouse.jobs.add("toil", {"sign": str(tmp_path / "sign")}, actor="ada", at=NOON)
        assert wait_for(lambda: warehouse.jobs.get(job.id).message == "epoch 4 of 10", 2)
        warehouse.jobs.cancel(job.id, actor="ada", at=NOON)
        assert wait_for(lambda: warehouse.jobs.get(job.id).state == "cancelled", 2)


def test_a_job_whose_time_comes_is_taken_though_nothing_else_happens(warehouse, wait_for):
    tries, clock = [], [NOON]

    def busy_at_first(payload, task):
        tries.append(1)
        if len(tries) == 1:
            raise ManifestConflict("others wrote meanwhile")
        return {}

    kinds = {"busy": Kind(busy_at_first, heavy=False, title="Busy")}
    job = warehouse.jobs.add("busy", {}, actor="ada", at=NOON)
    with working(warehouse, kinds=kinds, clock=lambda: clock[0]):
        assert wait_for(lambda: warehouse.jobs.get(job.id).not_before is not None)
        clock[0] = NOON + timedelta(seconds=11)
        assert wait_for(lambda: warehouse.jobs.get(job.id).state == "done")


def test_a_light_worker_leaves_what_lasts_to_others(warehouse, wait_for):
    long = warehouse.jobs.add("count", {"to": 1, "pause_s": 0}, actor="ada", at=NOON)
    short = warehouse.jobs.add("echo", {"say": "a"}, actor="ada", at=NOON)
    with working(warehouse, post=Post(takes=["echo"])):
        assert wait_for(lambda: warehouse.jobs.get(short.id).state == "done")
    assert warehouse.jobs.get(long.id).state == "queued"


def test_a_defect_fails_its_job_and_leaves_a_trace_and_the_worker_goes_on(warehouse, wait_for, caplog):
    broken = warehouse.jobs.add("stumble", {}, actor="ada", at=NOON)
    refused = warehouse.jobs.add("refuse", {}, actor="ada", at=NOON)
    good = warehouse.jobs.add("echo", {"say": "a"}, actor="ada", at=NOON)
    post = Post(log=warehouse.layout.logs / "worker-1.log")
    with caplog.at_level(logging.ERROR), working(warehouse, post=post):
        assert wait_for(lambda: warehouse.jobs.get(good.id).state == "done")
    assert warehouse.jobs.get(broken.id).error.startswith("unexpected ZeroDivisionError in the stumble job")
    assert "worker-1.log" in warehouse.jobs.get(broken.id).error
    assert "a defect" in caplog.text
    assert warehouse.jobs.get(refused.id).error == "sensor Pump 7: too short"


def test_a_worker_ends_after_its_share_of_models(warehouse, wait_for):
    for sensors in ([1, 2], [3], [4]):
        warehouse.jobs.add("train", {"say": "x", "sensor_ids": sensors}, actor="ada", at=NOON)
    with working(warehouse, post=Post(models=3)) as worker:
        assert wait_for(lambda: not worker.is_alive())
    assert [job.state for job in warehouse.jobs.list()] == ["queued", "done", "done"]


def test_a_scoring_waits_for_its_training(warehouse, wait_for):
    claimed = warehouse.jobs.add("train", {"say": "x"}, actor="ada", at=NOON)
    after = warehouse.jobs.add("echo", {"say": "a"}, actor="ada", at=NOON, needs=(claimed.id,))
    other = warehouse.jobs.add("echo", {"say": "b"}, actor="ada", at=NOON)
    held = warehouse.jobs.claim(os.getpid(), NOON, job_id=claimed.id)
    with working(warehouse):
        assert wait_for(lambda: warehouse.jobs.get(other.id).state == "done")
        assert warehouse.jobs.get(after.id).state == "queued"
        warehouse.jobs.finish(held, {}, NOON)
        assert wait_for(lambda: warehouse.jobs.get(after.id).state == "done")
