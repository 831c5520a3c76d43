"""A job that is cancelled, interrupted, taken up again or done by a process that no longer has it."""

import os
from collections.abc import Callable
from datetime import timedelta

import pytest
from material import NOW

from warehouse.errors import JobError
from warehouse.home import Warehouse
from warehouse.jobs import LEASE, Job, Jobs

ME = os.getpid()
LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def jobs(home: Warehouse) -> Jobs:
    return home.jobs


def queued(jobs: Jobs, **rest: object) -> Job:
    return jobs.add("train", {"sensor_ids": [1]}, actor="ada", at=NOW, **rest)  # type: ignore[arg-type]


def claimed(jobs: Jobs, job: Job | None = None) -> Job:
    found = jobs.claim(ME, NOW, job_id=None if job is None else job.id)
    assert found is not None
    return found


def now(jobs: Jobs, job: Job) -> Job:
    found = jobs.get(job.id)
    assert found is not None
    return found


def texts(jobs: Jobs, job: Job) -> list[str]:
    return [line.text for line in jobs.lines(job.id)]


def test_a_claim_counts_the_attempt_and_holds_for_a_lease(jobs: Jobs) -> None:
    job = queued(jobs)
    assert (job.attempt, job.lease_until, job.pid) == (0, None, None)
    running = claimed(jobs)
    assert (running.attempt, running.lease_until, running.pid) == (1, NOW + LEASE, ME)
    assert jobs.abandoned(NOW + LEASE) == ()
    assert [one.id for one in jobs.abandoned(NOW + LEASE + timedelta(seconds=1))] == [job.id]
    assert jobs.beat(running, NOW + 2 * LEASE, memory_mb=512.5, cpu_s=3.25)
    assert jobs.abandoned(NOW + LEASE + timedelta(seconds=1)) == ()
    held = now(jobs, job)
    assert (held.lease_until, held.memory_mb, held.cpu_s) == (NOW + 2 * LEASE, 512.5, 3.25)


WRITES: dict[str, Callable[[Jobs, Job], object]] = {
    "beat": lambda jobs, job: jobs.beat(job, LATER + LEASE, memory_mb=9.0, cpu_s=9.0),
    "progress": lambda jobs, job: jobs.progress(job, 0.9, "from the dead"),
    "log": lambda jobs, job: jobs.log(job, "from the dead", LATER),
    "log_metric": lambda jobs, job: jobs.log_metric(job, 1, "loss", 9.0),
    "checkpointed": lambda jobs, job: jobs.checkpointed(job, 9),
    "finish": lambda jobs, job: jobs.finish(job, {"by": "the dead"}, LATER),
    "fail": lambda jobs, job: jobs.fail(job, "from the dead", LATER),
    "retry": lambda jobs, job: jobs.fail(job, "from the dead", LATER, retry_at=LATER),
    "cancelled": lambda jobs, job: jobs.cancelled(job, LATER),
    "alive": lambda jobs, job: jobs.alive(job),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_process_that_was_given_up_changes_nothing(jobs: Jobs, name: str) -> None:
    queued(jobs)
    first = claimed(jobs)
    jobs.interrupt(first, "its lease ran out", NOW)
    waiting = now(jobs, first), jobs.lines(first.id), jobs.metrics(first.id)
    assert WRITES[name](jobs, first) is False
    assert (now(jobs, first), jobs.lines(first.id), jobs.metrics(first.id)) == waiting

    second = claimed(jobs)
    running = now(jobs, first), jobs.lines(first.id), jobs.metrics(first.id)
    assert WRITES[name](jobs, first) is False
    assert jobs.interrupt(first, "from the dead", LATER) == second
    assert (now(jobs, first), jobs.lines(first.id), jobs.metrics(first.id)) == running
    assert WRITES[name](jobs, second) is True


def test_an_interrupted_job_goes_on_before_those_that_came_later(jobs: Jobs) -> None:
    first, _ = queued(jobs), queued(jobs)
    running = claimed(jobs)
    jobs.progress(running, 0.4, "epoch 4 of 10", at=NOW)
    jobs.log_metric(running, 4, "loss", 0.5)
    jobs.checkpointed(running, 4)
    waiting = jobs.interrupt(running, "the worker process ended", LATER)
    assert (waiting.state, waiting.finished_at, waiting.error, waiting.lease_until) == (
        "interrupted",
        None,
        None,
        None,
    )
    again = claimed(jobs)
    assert (again.id, again.attempt, again.checkpoint, again.fresh) == (first.id, 2, 4, False)
    assert [one.step for one in jobs.metrics(first.id)] == [4]
    assert texts(jobs, first) == [
        "asked for by ada",
        "epoch 4 of 10",
        "interrupted: the worker process ended",
    ]


def attempt(jobs: Jobs, *, fraction: float | None = None, step: int | None = None) -> Job:
    running = claimed(jobs)
    if fraction is not None:
        jobs.progress(running, fraction, "", at=NOW)
    if step is not None:
        jobs.checkpointed(running, step)
    return jobs.interrupt(running, "killed by signal 9", NOW)


def test_three_attempts_that_come_no_further_end_it_with_the_reason(jobs: Jobs) -> None:
    queued(jobs)
    assert attempt(jobs).state == "interrupted"
    assert attempt(jobs, fraction=0.0).state == "interrupted"
    ended = attempt(jobs)
    assert (ended.state, ended.finished_at) == ("failed", NOW)
    assert ended.error == "killed by signal 9; 3 attempts in a row came no further, so it is not tried again"
    assert jobs.claim(ME, LATER) is None


def test_a_job_that_comes_further_each_time_is_never_given_up(jobs: Jobs) -> None:
    queued(jobs)
    for step in range(8):
        assert attempt(jobs, step=step).state == "interrupted"
    for percent in range(1, 9):
        assert attempt(jobs, fraction=percent / 100).state == "interrupted"


def test_coming_as_far_as_before_is_not_coming_further(jobs: Jobs) -> None:
    queued(jobs)
    attempt(jobs, fraction=0.5, step=5)
    assert attempt(jobs, fraction=0.4, step=4).state == "interrupted"
    assert attempt(jobs, fraction=0.5, step=5).state == "interrupted"
    assert attempt(jobs, fraction=0.45, step=4).state == "failed"


def test_a_resumed_job_has_its_three_attempts_again(jobs: Jobs) -> None:
    job = queued(jobs)
    for _ in range(3):
        attempt(jobs)
    assert jobs.resume(job.id, actor="bob", at=LATER).new
    assert attempt(jobs).state == "interrupted"
    assert attempt(jobs).state == "interrupted"
    assert attempt(jobs).state == "failed"


def test_a_waiting_job_is_cancelled_at_once(jobs: Jobs) -> None:
    job = queued(jobs)
    gone = jobs.cancel(job.id, actor="bob", at=LATER)
    assert (gone.state, gone.error, gone.finished_at) == ("cancelled", "cancelled by bob", LATER)
    assert jobs.claim(ME, LATER) is None
    assert jobs.cancel(job.id, actor="eve", at=LATER) == gone


def test_a_running_job_is_cancelled_by_its_process(jobs: Jobs) -> None:
    queued(jobs)
    running = claimed(jobs)
    asked = jobs.cancel(running.id, actor="bob", at=LATER)
    assert (asked.state, asked.cancel_asked_at, asked.cancel_asked_by) == ("running", LATER, "bob")
    assert jobs.cancel(running.id, actor="eve", at=LATER + LEASE).cancel_asked_by == "bob"
    assert jobs.cancelled(running, LATER + LEASE)
    ended = now(jobs, running)
    assert (ended.state, ended.error, ended.finished_at) == ("cancelled", "cancelled by bob", LATER + LEASE)
    assert texts(jobs, running)[1:] == ["bob asked to cancel it", "cancelled: cancelled by bob"]


@pytest.mark.parametrize("how", ["its process dies", "its process fails in a way that may pass"])
def test_what_was_to_be_cancelled_does_not_run_again(jobs: Jobs, how: str) -> None:
    queued(jobs)
    running = claimed(jobs)
    jobs.cancel(running.id, actor="bob", at=LATER)
    if how == "its process dies":
        jobs.interrupt(running, "killed", LATER)
    else:
        assert jobs.fail(running, "database is locked", LATER, retry_at=LATER)
    assert (now(jobs, running).state, now(jobs, running).error) == ("cancelled", "cancelled by bob")
    assert jobs.claim(ME, LATER) is None


def test_a_job_that_is_done_before_it_hears_of_the_cancelling_is_done(jobs: Jobs) -> None:
    queued(jobs)
    running = claimed(jobs)
    jobs.cancel(running.id, actor="bob", at=LATER)
    assert jobs.finish(running, {"summary": "registered"}, LATER)
    assert now(jobs, running).state == "done"
    assert not jobs.resume(running.id, actor="bob", at=LATER).new


def test_a_failure_that_may_pass_is_tried_again_when_its_time_has_come(jobs: Jobs) -> None:
    queued(jobs)
    running = claimed(jobs)
    assert jobs.fail(running, "the disk is full", NOW, retry_at=LATER)
    waiting = now(jobs, running)
    assert (waiting.state, waiting.not_before, waiting.retries, waiting.finished_at) == (
        "queued",
        LATER,
        1,
        None,
    )
    assert waiting.message == "the disk is full"
    assert texts(jobs, running)[-1] == "to be tried again: the disk is full"
    assert jobs.claim(ME, LATER - timedelta(microseconds=1)) is None
    again = jobs.claim(ME, LATER)
    assert again is not None
    assert (again.attempt, again.not_before) == (2, None)


def test_resuming_keeps_what_was_kept_and_retrying_drops_it(jobs: Jobs) -> None:
    job = queued(jobs)
    running = claimed(jobs)
    jobs.progress(running, 0.4, "epoch 4 of 10", at=NOW)
    jobs.log_metric(running, 4, "loss", 0.5)
    jobs.checkpointed(running, 4)
    jobs.fail(running, "the disk is full", NOW)

    resumed = jobs.resume(job.id, actor="bob", at=LATER)
    assert (resumed.new, resumed.job.id, resumed.job.state, resumed.job.error) == (
        True,
        job.id,
        "queued",
        None,
    )
    assert (resumed.job.finished_at, resumed.job.checkpoint, resumed.job.fresh) == (None, 4, False)
    assert [one.step for one in jobs.metrics(job.id)] == [4]
    jobs.cancel(job.id, actor="bob", at=LATER)

    retried = jobs.retry(job.id, actor="eve", at=LATER)
    assert (retried.new, retried.job.checkpoint, retried.job.progress) == (True, None, 0.0)
    assert jobs.metrics(job.id) == ()
    assert "started again by eve" in texts(jobs, job)
    # The promise holds until something new is kept, however often its process dies before.
    first = claimed(jobs)
    assert first.fresh
    jobs.interrupt(first, "killed", LATER)
    second = claimed(jobs)
    assert second.fresh
    jobs.checkpointed(second, 1)
    jobs.interrupt(second, "killed", LATER)
    assert not claimed(jobs).fresh


def test_an_attempt_is_never_counted_twice(jobs: Jobs) -> None:
    # The id and the attempt are all that tells a zombie from whoever runs the job now.
    job = queued(jobs)
    zombie = claimed(jobs)
    jobs.interrupt(zombie, "its lease ran out", NOW)
    jobs.cancel(job.id, actor="bob", at=NOW)
    jobs.retry(job.id, actor="bob", at=NOW)
    assert claimed(jobs).attempt == 2
    assert not jobs.finish(zombie, {}, LATER)


@pytest.mark.parametrize("name", ["cancel", "resume", "retry", "clone"])
def test_what_does_not_exist_is_said_so(jobs: Jobs, name: str) -> None:
    with pytest.raises(JobError, match="there is no job 77"):
        getattr(jobs, name)(77, actor="ada", at=NOW)


def test_a_clone_is_a_new_job_with_the_same_payload(jobs: Jobs) -> None:
    job = queued(jobs, priority=2)
    jobs.finish(claimed(jobs), {"summary": "registered"}, NOW)
    again = jobs.clone(job.id, actor="bob", at=LATER)
    assert again.new
    assert (again.job.id != job.id, again.job.cloned_from, again.job.payload) == (True, job.id, job.payload)
    assert (again.job.actor, again.job.priority, again.job.state, again.job.result) == (
        "bob",
        2,
        "queued",
        None,
    )


def test_the_second_asker_is_shown_the_first_while_that_one_waits_or_runs(jobs: Jobs) -> None:
    first = queued(jobs, key="train 1", exclusive=True)
    for state in ("queued", "running", "interrupted"):
        if state == "running":
            claimed(jobs)
        if state == "interrupted":
            jobs.interrupt(now(jobs, first), "killed", NOW)
        second = jobs.ask("train", {}, actor="bob", at=NOW, key="train 1", exclusive=True)
        assert (second.new, second.job.id, second.job.state, second.job.actor) == (
            False,
            first.id,
            state,
            "ada",
        )
    jobs.cancel(first.id, actor="ada", at=NOW)
    third = jobs.ask("train", {}, actor="bob", at=NOW, key="train 1", exclusive=True)
    assert third.new
    for name in ("resume", "retry", "clone"):
        asked = getattr(jobs, name)(first.id, actor="ada", at=NOW)
        assert (asked.new, asked.job.id) == (False, third.job.id)
    assert now(jobs, first).state == "cancelled"


def test_a_job_comes_back_to_the_queue_beside_one_with_its_key_that_came_meanwhile(jobs: Jobs) -> None:
    # Both are wanted: the second knows of data that the first may not have seen.
    first = queued(jobs, key="new data")
    running = claimed(jobs)
    second = queued(jobs, key="new data")
    assert second.id != first.id
    assert jobs.interrupt(running, "killed", NOW).state == "interrupted"
    assert jobs.fail(claimed(jobs, first), "database is locked", NOW, retry_at=NOW)
    assert now(jobs, first).state == "queued"
    assert queued(jobs, key="new data").id == first.id


def test_a_light_worker_takes_only_its_kinds(jobs: Jobs) -> None:
    queued(jobs)
    score = jobs.add("score", {}, actor="ada", at=NOW)
    light = jobs.claim(ME, NOW, kinds={"score", "ingest"})
    assert light is not None
    assert light.id == score.id
    assert jobs.claim(ME, NOW, kinds={"score", "ingest"}) is None
    assert jobs.claim(ME, NOW, kinds=()) is None
    assert claimed(jobs).kind == "train"


def test_the_log_keeps_its_newest_lines(jobs: Jobs) -> None:
    queued(jobs)
    running = claimed(jobs)
    for number in range(520):
        jobs.log(running, f"line {number}", NOW)
    assert len(jobs.lines(running.id, limit=10_000)) == 500
    tail = jobs.lines(running.id, limit=2)
    assert [line.text for line in tail] == ["line 518", "line 519"]
    assert jobs.lines(running.id, after=tail[-1].seq) == ()
    assert [one.text for one in jobs.lines(running.id, after=tail[0].seq)] == ["line 519"]
    assert {(line.attempt, line.at) for line in tail} == {(1, NOW)}


def test_a_message_is_logged_once_however_often_it_is_told(jobs: Jobs) -> None:
    queued(jobs)
    running = claimed(jobs)
    for fraction in (0.1, 0.2, 0.3):
        jobs.progress(running, fraction, "reading", at=NOW)
    jobs.progress(running, 0.4, "fitting", at=NOW)
    assert texts(jobs, running)[1:] == ["reading", "fitting"]


def test_the_number_of_a_job_that_made_a_version_is_not_given_again(jobs: Jobs) -> None:
    jobs.count_from(40)
    assert queued(jobs).id == 41
    jobs.count_from(3)
    assert queued(jobs).id == 42
