import inspect
import os
import time
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from core.errors import Cancelled, CoreError, JobError
from core.jobs.holding import Hold
from core.jobs.run import FIRST_PAUSE, KINDS, Kind, checkpoints_of, execute, run_job
from core.workflows.reporting import Task
from warehouse.errors import ManifestConflict, WarehouseError
from warehouse.room import disk_full

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def claimed(warehouse):
    warehouse.jobs.add("test", {"say": "hello"}, actor="ada", at=NOON)
    return warehouse.jobs.claim(os.getpid(), NOON)


def run(warehouse, job, work, clock=lambda: NOON, **rest):
    kinds = {"test": Kind(work, heavy=False, title="Test")}
    return execute(job, warehouse=warehouse, clock=clock, kinds=kinds, **rest)


def said(warehouse, job) -> list[str]:
    return [line.text for line in warehouse.jobs.lines(job.id)]


def test_every_kind_of_the_plan_is_there_and_only_what_may_last_is_heavy():
    heavy = {name for name, kind in KINDS.items() if kind.heavy}
    assert heavy == {"train", "validate", "backtest"}
    assert set(KINDS) - heavy == {"train-all", "score", "ingest", "demo", "compaction"}
    for kind in KINDS.values():
        assert list(inspect.signature(kind.run).parameters) == ["payload", "task"]


def test_the_result_of_a_job_is_stored_and_its_log_tells_where_each_attempt_began_and_ended(
    warehouse, claimed
):
    seen = []

    def work(payload, task):
        task.progress(0.25, "reading")
        task.metric(0, "loss", 0.5)
        task.metric(1, "loss", 0.25)
        task.log("a note:\n  of two lines")
        return {"heard": payload["say"], "by": task.made_by, "for": task.actor}

    done = run(
        warehouse,
        claimed,
        work,
        progress=lambda fraction, message: seen.append((fraction, message)),
        runner="worker 2",
    )
    assert (done.state, done.finished_at) == ("done", NOON)
    assert done.result == {"heard": "hello", "by": f"job {claimed.id}", "for": "ada"}
    assert seen == [(0.25, "reading")]
    assert [(one.step, one.value) for one in warehouse.jobs.metrics(done.id)] == [(0, 0.5), (1, 0.25)]
    assert said(warehouse, done)[1:] == [
        f"attempt 1 begins in worker 2, process {os.getpid()}",
        "reading",
        "a note: of two lines",
        "attempt 1 is done after 0.0 s",
    ]


@pytest.mark.parametrize("kind", [CoreError, WarehouseError])
def test_an_expected_failure_is_stored_as_one_line(warehouse, claimed, kind):
    def work(payload, task):
        raise kind("sensor Pump 7:\n   400 steps needed, 12 found")

    failed = run(warehouse, claimed, work)
    assert (failed.state, failed.error) == ("failed", "sensor Pump 7: 400 steps needed, 12 found")


@pytest.mark.parametrize("end", [Cancelled("told to"), CoreError("too short"), None])
def test_what_was_done_last_is_told_however_soon_the_end_comes(warehouse, claimed, end):
    """Reports are written a few times a second; the clock of this test stands still."""

    def work(payload, task):
        task.progress(0.1, "epoch 1")
        task.progress(0.2, "epoch 2")
        assert "epoch 2" not in said(warehouse, claimed)
        if end is not None:
            raise end
        return {}

    run(warehouse, claimed, work)
    assert "epoch 2" in said(warehouse, claimed)


def test_what_is_kept_was_told_of_before(warehouse, claimed):
    def work(payload, task):
        task.progress(0.1, "epoch 1")
        task.progress(0.2, "epoch 2")
        task.checkpointed(1)
        # A kill that comes now finds both.
        assert said(warehouse, claimed)[-2:] == ["epoch 1", "epoch 2"]
        assert warehouse.jobs.get(claimed.id).checkpoint == 1
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(warehouse, claimed, work)


def test_an_unexpected_failure_is_the_callers_to_handle(warehouse, claimed):
    def work(payload, task):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(warehouse, claimed, work)
    assert warehouse.jobs.get(claimed.id).state == "running"


def test_an_unknown_kind_is_named(warehouse, claimed):
    task = Task(warehouse=warehouse, clock=lambda: NOON)
    with pytest.raises(JobError, match="no work of kind 'test'"):
        run_job(claimed, task, kinds={})


@pytest.mark.parametrize("error", [ManifestConflict("others wrote"), disk_full])
def test_what_may_pass_is_tried_three_times_with_growing_pauses_and_the_reason_in_the_log(
    warehouse, claimed, error
):
    error = error if isinstance(error, Exception) else error(warehouse.root)

    def work(payload, task):
        raise error

    clock, job = NOON, claimed
    for pause in (FIRST_PAUSE, 3 * FIRST_PAUSE):
        left = run(warehouse, job, work, clock=lambda at=clock: at)
        assert (left.state, left.not_before) == ("queued", clock + pause)
        assert f"to be tried again: {error}" in said(warehouse, job)
        assert warehouse.jobs.claim(os.getpid(), clock + pause / 2) is None
        clock += pause
        job = warehouse.jobs.claim(os.getpid(), clock)
    failed = run(warehouse, job, work, clock=lambda: clock)
    assert (failed.state, failed.attempt, failed.error) == ("failed", 3, str(error))


def ask_on(task, seconds: float = 5.0) -> None:
    """Ask whether to go on, as work does all the time."""
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        task.check()


def test_a_cancelled_job_ends_within_moments_and_says_by_whom(warehouse, claimed):
    def work(payload, task):
        warehouse.jobs.cancel(claimed.id, actor="bob", at=NOON)
        asked = time.monotonic()
        with pytest.raises(Cancelled):
            ask_on(task)
        assert time.monotonic() - asked < 1
        task.check()  # again, wherever it asks next
        return {}

    ended = run(warehouse, claimed, work)
    assert (ended.state, ended.error) == ("cancelled", "cancelled by bob")


def test_asking_whether_to_go_on_costs_next_to_nothing(warehouse, claimed, monkeypatch):
    looks = []
    get = type(warehouse.jobs).get

    def counted(jobs, job_id):
        looks.append(job_id)
        return get(jobs, job_id)

    hold = Hold(claimed, warehouse.jobs, lambda: NOON)
    monkeypatch.setattr(type(warehouse.jobs), "get", counted)
    begun = time.monotonic()
    for _ in range(10_000):
        assert hold.check() is False
    assert len(looks) <= 1 + (time.monotonic() - begun) / 0.2


def test_who_was_fenced_off_changes_nothing_and_ends(warehouse, claimed):
    """The job is taken over while its work goes on in ignorance, as after a paused process."""
    kept = checkpoints_of(warehouse.layout, claimed.id)

    def work(payload, task):
        kept.mkdir(parents=True)
        warehouse.jobs.interrupt(claimed, "no sign of life", NOON)
        other = warehouse.jobs.claim(os.getpid(), NOON)
        assert other.attempt == 2
        task.progress(0.9, "too late")
        task.metric(7, "loss", 0.1)
        task.log("too late")
        assert not task.alive()
        with pytest.raises(Cancelled, match="no longer run by this process"):
            ask_on(task)
        return {"too": "late"}

    seen = run(warehouse, claimed, work)
    assert (seen.state, seen.attempt, seen.result, seen.message) == ("running", 2, None, "")
    assert warehouse.jobs.metrics(claimed.id) == ()
    assert not [line for line in said(warehouse, claimed) if "late" in line or "done" in line]
    assert kept.exists()


def test_checkpoints_stay_until_the_job_is_done_and_are_dropped_for_a_new_start(warehouse, claimed):
    kept = checkpoints_of(warehouse.layout, claimed.id)
    found = []

    def work(payload, task):
        assert task.checkpoints == kept
        found.append((kept / "epoch").exists())
        kept.mkdir(parents=True, exist_ok=True)
        (kept / "epoch").touch()
        task.checkpointed(1)
        if len(found) < 4:
            raise CoreError("not yet")
        return {}

    job = claimed
    for again in (warehouse.jobs.resume, warehouse.jobs.retry, warehouse.jobs.resume):
        assert run(warehouse, job, work).state == "failed"
        again(job.id, actor="ada", at=NOON)
        job = warehouse.jobs.claim(os.getpid(), NOON)
    assert run(warehouse, job, work).state == "done"
    assert found == [False, True, False, True]
    assert not kept.exists()


def test_a_running_job_tells_memory_and_cpu_and_holds_its_lease(warehouse, claimed, wait_for):
    def beaten():
        job = warehouse.jobs.get(claimed.id)
        return job if job.memory_mb is not None else None

    clock = [NOON + timedelta(seconds=10)]
    with Hold(claimed, warehouse.jobs, lambda: clock[0], every_s=0.05):
        assert wait_for(beaten)
        job = beaten()
        assert 20 < job.memory_mb < 20_000
        assert 0 <= job.cpu_s < 60
        assert job.lease_until - claimed.lease_until == timedelta(seconds=10)
        clock[0] += timedelta(seconds=30)
        assert wait_for(lambda: warehouse.jobs.get(claimed.id).lease_until > job.lease_until)


def test_beats_go_on_after_a_full_disk(warehouse, claimed, wait_for, monkeypatch, caplog):
    tries = count()
    beat = type(warehouse.jobs).beat

    def full_at_first(jobs, *values, **rest):
        if next(tries) < 3:
            raise disk_full(warehouse.root)
        return beat(jobs, *values, **rest)

    monkeypatch.setattr(type(warehouse.jobs), "beat", full_at_first)
    with Hold(claimed, warehouse.jobs, lambda: NOON, every_s=0.02) as hold:
        assert wait_for(lambda: warehouse.jobs.get(claimed.id).memory_mb is not None)
        assert hold.check() is False
    assert len([one for one in caplog.records if "no sign of life" in one.getMessage()]) == 1


def test_progress_is_written_a_few_times_a_second_and_at_the_end(warehouse, claimed, monkeypatch):
    written = []
    write = type(warehouse.jobs).progress

    def noted(jobs, job, fraction, message, **rest):
        written.append(fraction)
        return write(jobs, job, fraction, message, **rest)

    monkeypatch.setattr(type(warehouse.jobs), "progress", noted)
    ticks = count()

    def clock():
        return NOON + timedelta(milliseconds=100 * next(ticks))

    def work(payload, task):
        for step in range(10):
            task.progress(step / 10, "working")
        task.progress(1.0, "done")
        return {}

    run(warehouse, claimed, work, clock=clock)
    assert written == [0.0, 0.3, 0.6, 0.9, 1.0]


def test_what_a_job_does_for_long_is_told_even_where_it_came_soon_after_something_else(
    warehouse, claimed, wait_for
):
    def work(payload, task):
        task.progress(0.01, "reading")
        task.progress(0.03, "loading TensorFlow")
        assert wait_for(lambda: warehouse.jobs.get(claimed.id).message == "loading TensorFlow", 3)
        return {}

    assert run(warehouse, claimed, work).state == "done"
