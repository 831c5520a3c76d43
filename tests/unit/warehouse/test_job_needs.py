"""Jobs that wait for others, and batches of them."""

import os
from datetime import timedelta

import pytest
from material import NOW

from warehouse.errors import JobError
from warehouse.home import Warehouse
from warehouse.jobs import Job, Jobs, NewJob

ME = os.getpid()
LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def jobs(home: Warehouse) -> Jobs:
    return home.jobs


def queued(jobs: Jobs, kind: str = "train", *needs: Job, key: str | None = None) -> Job:
    return jobs.add(
        kind, {}, actor="ada", at=NOW, needs=[one.id for one in needs], key=key, exclusive=key is not None
    )


def end(jobs: Jobs, job: Job, how: str) -> None:
    if how == "cancelled":
        jobs.cancel(job.id, actor="bob", at=NOW)
        return
    running = jobs.claim(ME, NOW, job_id=job.id)
    assert running is not None
    if how == "done":
        jobs.finish(running, {}, NOW)
    else:
        jobs.fail(running, "its training part is constant", NOW)


def states(jobs: Jobs, *them: Job) -> list[str]:
    return [one.state for job in them if (one := jobs.get(job.id)) is not None]


def test_a_job_is_not_claimed_before_all_it_needs_is_done(jobs: Jobs) -> None:
    first, second = queued(jobs), queued(jobs)
    after = queued(jobs, "score", first, second)
    assert after.needs == (first.id, second.id)
    assert jobs.claim(ME, NOW, job_id=after.id) is None
    end(jobs, first, "done")
    assert jobs.claim(ME, NOW, job_id=after.id) is None
    end(jobs, second, "done")
    assert jobs.claim(ME, NOW) is not None


def test_what_waits_steps_aside_for_what_can_run(jobs: Jobs) -> None:
    first = queued(jobs)
    jobs.add("score", {}, actor="ada", at=NOW, needs=[first.id], priority=0)
    assert [one.kind for _ in range(2) if (one := jobs.claim(ME, NOW)) is not None] == ["train"]


@pytest.mark.parametrize(("how", "word"), [("failed", "failed"), ("cancelled", "was cancelled")])
def test_what_waits_for_a_job_that_ends_otherwise_is_cancelled_with_the_reason(
    jobs: Jobs, how: str, word: str
) -> None:
    first = queued(jobs)
    score = queued(jobs, "score", first)
    report = queued(jobs, "report", score)
    beside = queued(jobs, "score")
    end(jobs, first, how)
    found = [jobs.get(one.id) for one in (score, report)]
    assert [one.error for one in found if one is not None] == [
        f"job {first.id}, which it waits for, {word}",
        f"job {score.id}, which it waits for, was cancelled",
    ]
    assert states(jobs, first, score, report, beside) == [how, "cancelled", "cancelled", "queued"]


@pytest.mark.parametrize("name", ["resume", "retry"])
def test_they_come_back_with_the_job_they_wait_for(jobs: Jobs, name: str) -> None:
    first = queued(jobs)
    score = queued(jobs, "score", first)
    report = queued(jobs, "report", score)
    given_up = queued(jobs, "score", first)
    jobs.cancel(given_up.id, actor="eve", at=NOW)
    end(jobs, first, "failed")
    assert getattr(jobs, name)(first.id, actor="bob", at=LATER).new
    # What a person gave up stays given up.
    assert states(jobs, first, score, report, given_up) == ["queued", "queued", "queued", "cancelled"]
    for one in (first, score, report):
        end(jobs, one, "done")


def test_a_job_with_two_needs_comes_back_when_both_do(jobs: Jobs) -> None:
    first, second = queued(jobs), queued(jobs)
    both = queued(jobs, "score", first, second)
    end(jobs, first, "failed")
    end(jobs, second, "failed")
    jobs.resume(first.id, actor="bob", at=LATER)
    found = jobs.get(both.id)
    assert found is not None
    assert (found.state, found.error) == ("cancelled", f"job {second.id}, which it waits for, failed")
    jobs.resume(second.id, actor="bob", at=LATER)
    assert states(jobs, both) == ["queued"]


def test_resuming_what_waits_brings_back_what_it_waits_for(jobs: Jobs) -> None:
    first = queued(jobs)
    score = queued(jobs, "score", first)
    end(jobs, first, "failed")
    assert jobs.resume(score.id, actor="bob", at=LATER).new
    assert states(jobs, first, score) == ["queued", "queued"]
    assert f"queued again, for job {score.id} waits for it" in [one.text for one in jobs.lines(first.id)]


def test_resuming_what_waits_waits_for_whoever_does_that_work_now(jobs: Jobs) -> None:
    first = queued(jobs, key="train 1")
    score = queued(jobs, "score", first)
    end(jobs, first, "failed")
    other = queued(jobs, key="train 1")
    asked = jobs.resume(score.id, actor="bob", at=LATER)
    assert (asked.new, asked.job.needs) == (True, (other.id,))
    assert states(jobs, first, other, score) == ["failed", "queued", "queued"]


def test_what_lost_its_key_meanwhile_does_not_come_back(jobs: Jobs) -> None:
    first = queued(jobs)
    score = queued(jobs, "score", first, key="score 1")
    end(jobs, first, "failed")
    queued(jobs, "score", key="score 1")
    jobs.resume(first.id, actor="bob", at=LATER)
    assert states(jobs, first, score) == ["queued", "cancelled"]


def test_asking_for_what_can_not_be_is_answered_at_once(jobs: Jobs) -> None:
    first = queued(jobs)
    end(jobs, first, "failed")
    late = queued(jobs, "score", first)
    assert (late.state, late.error) == ("cancelled", f"job {first.id}, which it waits for, failed")
    with pytest.raises(JobError, match="there is no job 77"):
        jobs.add("score", {}, actor="ada", at=NOW, needs=[77])
    assert len(jobs.list()) == 2


def trainings(*sensors: int) -> list[NewJob]:
    return [
        NewJob(
            "train",
            {"sensor_ids": [sensor]},
            key=f"train {sensor}",
            exclusive=True,
            then=NewJob("score", {"sensor_ids": [sensor]}),
        )
        for sensor in sensors
    ]


def test_a_batch_is_queued_with_what_follows_each(jobs: Jobs) -> None:
    batch = jobs.ask_batch("All pumps", trainings(1, 2), actor="ada", at=NOW)
    found = {one.id: one for one in jobs.list(batch_id=batch.id)}
    assert (batch.title, batch.actor, batch.created_at, batch.already) == ("All pumps", "ada", NOW, ())
    assert list(batch.job_ids) == sorted(found)
    assert [(one.kind, one.payload["sensor_ids"]) for one in found.values()] == [
        ("score", [2]),
        ("train", [2]),
        ("score", [1]),
        ("train", [1]),
    ]
    for one in found.values():
        needed = [found[need] for need in one.needs]
        assert [need.kind for need in needed] == ([] if one.kind == "train" else ["train"])
        assert [need.payload for need in needed] == ([] if one.kind == "train" else [one.payload])
    assert jobs.batch(batch.id) == batch
    assert jobs.batch(77) is None


def test_a_batch_says_which_jobs_were_there_first(jobs: Jobs) -> None:
    first = jobs.ask_batch("One pump", trainings(1), actor="ada", at=NOW)
    alone = jobs.add("train", {"sensor_ids": [2]}, actor="eve", at=NOW, key="train 2", exclusive=True)
    second = jobs.ask_batch("All pumps", trainings(1, 2, 3), actor="bob", at=LATER)
    assert second.already == (first.job_ids[0], alone.id)
    assert jobs.batches() == (second, first)
    assert jobs.batches(limit=1) == (second,)
    # Sensor 1 will be scored after its training as it is; sensor 2 is now scored after it too.
    added = sorted((one.kind, one.payload["sensor_ids"]) for one in jobs.list(batch_id=second.id))
    assert added == [("score", [2]), ("score", [3]), ("train", [3])]


def test_a_sensor_that_is_named_twice_is_trained_once(jobs: Jobs) -> None:
    batch = jobs.ask_batch("Twice", trainings(1, 1), actor="ada", at=NOW)
    assert len(batch.job_ids) == 2
    assert batch.already == ()


def test_a_batch_is_queued_whole_or_not_at_all(jobs: Jobs) -> None:
    unsound = NewJob("train", {"share": float("nan")})
    with pytest.raises(ValueError, match="not JSON compliant"):
        jobs.ask_batch("Half", [*trainings(1), unsound], actor="ada", at=NOW)
    assert jobs.list() == ()
    assert jobs.batches() == ()


def test_a_page_of_the_history_is_read_by_what_a_person_asks_for(jobs: Jobs) -> None:
    batch = jobs.ask_batch("All pumps", trainings(1, 2, 3), actor="ada", at=NOW)
    trains = [one for one in jobs.list(kind="train") if one.batch_id == batch.id]
    end(jobs, trains[0], "failed")
    assert [one.id for one in jobs.list(("failed", "running"))] == [trains[0].id]
    assert [one.id for one in jobs.list(sensor_id=2, kind="train")] == [trains[1].id]
    assert jobs.list(sensor_id=9) == ()
    assert jobs.list(()) == ()
    newest = jobs.list(limit=2)
    rest = jobs.list(limit=100, before=newest[-1].id)
    assert [one.id for one in (*newest, *rest)] == sorted(batch.job_ids, reverse=True)
    assert jobs.list(limit=-1) == (*newest, *rest)


def test_forgetting_a_job_leaves_no_trace_of_it(jobs: Jobs) -> None:
    first = queued(jobs)
    score = queued(jobs, "score", first)
    end(jobs, first, "done")
    end(jobs, score, "failed")
    assert jobs.forget("train", LATER) == 1
    assert jobs.get(first.id) is None
    assert jobs.lines(first.id) == ()
    # What needed it may run again: it was done.
    again = jobs.resume(score.id, actor="bob", at=LATER)
    assert (again.new, again.job.needs) == (True, ())
