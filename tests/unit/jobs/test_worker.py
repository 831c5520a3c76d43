import logging
import threading
from contextlib import contextmanager
from datetime import UTC, datetime

import programs
import pytest

from core.jobs.worker import work

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


def test_a_defect_fails_its_job_and_leaves_a_trace_and_the_worker_goes_on(warehouse, wait_for, caplog):
    broken = warehouse.jobs.add("stumble", {}, actor="ada", at=NOON)
    refused = warehouse.jobs.add("refuse", {}, actor="ada", at=NOON)
    good = warehouse.jobs.add("echo", {"say": "a"}, actor="ada", at=NOON)
    with caplog.at_level(logging.ERROR), working(warehouse, log=warehouse.layout.logs / "worker.log"):
        assert wait_for(lambda: warehouse.jobs.get(good.id).state == "done")
    assert warehouse.jobs.get(broken.id).error.startswith("unexpected ZeroDivisionError in the stumble job")
    assert "worker.log" in warehouse.jobs.get(broken.id).error
    assert "a defect" in caplog.text
    assert warehouse.jobs.get(refused.id).error == "sensor Pump 7: too short"


def test_a_worker_ends_after_its_share_of_models(warehouse, wait_for):
    for sensors in ([1, 2], [3], [4]):
        warehouse.jobs.add("train", {"say": "x", "sensor_ids": sensors}, actor="ada", at=NOON)
    with working(warehouse, models=3) as worker:
        assert wait_for(lambda: not worker.is_alive())
    assert [job.state for job in warehouse.jobs.list()] == ["queued", "done", "done"]
