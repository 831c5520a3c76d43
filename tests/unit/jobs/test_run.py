import os
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from core.errors import CoreError, JobError
from core.jobs.run import KINDS, execute, run_job
from warehouse.errors import WarehouseError

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def claimed(warehouse):
    warehouse.jobs.add("test", {"say": "hello"}, actor="ada", at=NOON)
    return warehouse.jobs.claim(os.getpid(), NOON)


def run(warehouse, job, work, clock=lambda: NOON, **rest):
    return execute(job, warehouse=warehouse, clock=clock, kinds={"test": work}, **rest)


def test_every_kind_that_commands_queue_is_known():
    assert set(KINDS) == {"train", "score", "demo", "ingest"}


def test_the_result_of_a_job_is_stored(warehouse, claimed):
    seen = []

    def work(payload, *, warehouse, clock, progress, metric):
        progress(0.25, "reading")
        metric(0, "loss", 0.5)
        metric(1, "loss", 0.25)
        return {"heard": payload["say"]}

    done = run(warehouse, claimed, work, progress=lambda fraction, message: seen.append((fraction, message)))
    assert (done.state, done.result, done.finished_at) == ("done", {"heard": "hello"}, NOON)
    assert seen == [(0.25, "reading")]
    assert [(one.step, one.value) for one in warehouse.jobs.metrics(done.id)] == [(0, 0.5), (1, 0.25)]


@pytest.mark.parametrize("kind", [CoreError, WarehouseError])
def test_an_expected_failure_is_stored_as_one_line(warehouse, claimed, kind):
    def work(payload, **_):
        raise kind("sensor Pump 7:\n   400 steps needed, 12 found")

    failed = run(warehouse, claimed, work)
    assert (failed.state, failed.error) == ("failed", "sensor Pump 7: 400 steps needed, 12 found")


def test_an_unexpected_failure_is_the_callers_to_handle(warehouse, claimed):
    def work(payload, **_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(warehouse, claimed, work)
    assert warehouse.jobs.get(claimed.id).state == "running"


def test_an_unknown_kind_is_named(warehouse, claimed):
    with pytest.raises(JobError, match="no work of kind 'test'"):
        run_job(claimed, warehouse=warehouse, clock=lambda: NOON, progress=lambda *_: None, kinds={})


def test_progress_is_written_a_few_times_a_second_and_at_the_end(warehouse, claimed, monkeypatch):
    written = []
    write = type(warehouse.jobs).progress

    def noted(jobs, job_id, fraction, message):
        written.append(fraction)
        write(jobs, job_id, fraction, message)

    monkeypatch.setattr(type(warehouse.jobs), "progress", noted)
    ticks = count()

    def clock():
        return NOON + timedelta(milliseconds=100 * next(ticks))

    def work(payload, *, progress, **_):
        for step in range(10):
            progress(step / 10, "working")
        progress(1.0, "done")
        return {}

    run(warehouse, claimed, work, clock=clock)
    assert written == [0.0, 0.3, 0.6, 0.9, 1.0]
