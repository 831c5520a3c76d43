"""The supervisor looks at watched folders and queues one job for what arrived."""

import os
import sys
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from core.jobs import chores
from core.jobs.chores import folder_watch
from core.jobs.supervisor import Supervisor
from warehouse import watched
from warehouse.sources.table_mapping import TableMapping

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


class Looks:
    """Counts the looks and always finds something."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, _warehouse, _clock) -> bool:
        self.count += 1
        if self.count == 2:
            raise OSError("the share is away")
        return True


class Time:
    """A clock that is set by hand and counts how often it was asked."""

    def __init__(self) -> None:
        self.now = NOON
        self.asked = 0

    def __call__(self) -> datetime:
        self.asked += 1
        return self.now


@contextmanager
def supervised(warehouse, clock):
    """Run a supervisor that looks all the time and whose worker does nothing; yield its looks."""
    looks, stop = Looks(), threading.Event()
    idle = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    running = Supervisor(warehouse, clock=clock, worker=idle, feed=None, watch=looks)
    thread = threading.Thread(target=running.run, args=(stop,))
    thread.start()
    try:
        yield looks
    finally:
        stop.set()
        thread.join()


@pytest.fixture(autouse=True)
def _always_looking(monkeypatch):
    monkeypatch.setattr(chores, "WATCH_EVERY", timedelta(0))


def test_one_job_is_queued_however_often_something_waits(warehouse, wait_for):
    with supervised(warehouse, lambda: datetime.now(UTC)) as looks:
        assert wait_for(lambda: len(warehouse.jobs.list(kind="ingest")) == 1)
        (job,) = warehouse.jobs.list(kind="ingest")
        assert (job.state, job.actor, looks.count) == ("queued", "supervisor", 1)
        claimed = warehouse.jobs.claim(os.getpid(), NOON)
        assert claimed is not None
        assert claimed.id == job.id
        warehouse.jobs.finish(claimed, {}, datetime.now(UTC))
        # Its second look fails, and it goes on.
        assert wait_for(lambda: len(warehouse.jobs.list(kind="ingest")) == 2)
        assert looks.count == 3


def test_after_a_failed_job_it_waits_a_minute(warehouse, wait_for):
    failed = warehouse.jobs.add("ingest", {}, actor="supervisor", at=NOON)
    warehouse.jobs.fail(warehouse.jobs.claim(os.getpid(), NOON, job_id=failed.id), "a defect", NOON)
    clock = Time()
    clock.now = NOON + timedelta(seconds=50)
    with supervised(warehouse, clock):
        assert wait_for(lambda: clock.asked > 40)
        assert len(warehouse.jobs.list(kind="ingest")) == 1
        clock.now += timedelta(seconds=20)
        assert wait_for(lambda: len(warehouse.jobs.list(kind="ingest")) == 2)


def test_a_job_is_due_only_where_a_file_is(warehouse, tmp_path):
    def clock() -> datetime:
        return datetime.now(UTC) + timedelta(minutes=1)

    assert not folder_watch(warehouse, clock)
    (tmp_path / "arrivals").mkdir()
    mapping = TableMapping("time", "UTC", "wide", asset="P")
    watched.add(
        warehouse.database, tmp_path / "arrivals", "*", mapping, home=warehouse.root, actor="ada", at=NOON
    )
    assert not folder_watch(warehouse, clock)
    (tmp_path / "arrivals" / "a.csv").write_text("time,flow\n")
    assert folder_watch(warehouse, clock)
