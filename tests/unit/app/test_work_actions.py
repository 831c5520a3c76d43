"""What people ask of work: who may, what is queued, and that nothing is queued twice or by halves."""

from collections.abc import Callable

import pytest
from three_pumps import LATER, claimed, flows

from app.actions import jobs, schedules, screen, work
from app.roles import NotAllowed, Profile
from core.errors import JobError, ParameterError
from warehouse.errors import CatalogError
from warehouse.home import Warehouse

ADA = Profile("ada", "trainer")
BOB = Profile("bob", "trainer")
VIEWER = Profile("eve", "labeller")


def states(pumps: Warehouse) -> list[tuple[str, str]]:
    return [(job.kind, job.state) for job in reversed(pumps.jobs.list(limit=-1))]


def test_each_training_is_followed_by_its_scoring_and_several_are_one_batch(pumps):
    started = work.start_training(ADA, pumps, flows(pumps), preset="quick", parameters={"gap": 7})
    assert len(started.job_ids) == 3
    assert started.already_ids == started.told == ()
    assert states(pumps) == [("train", "queued"), ("score", "queued")] * 3
    for one in started.job_ids:
        job = pumps.jobs.get(one)
        (scoring,) = [job for job in pumps.jobs.list(kind="score") if job.needs == (one,)]
        assert job.payload["sensor_ids"] == scoring.payload["sensor_ids"]
        assert (job.actor, job.batch_id, job.payload["parameters"]) == ("ada", started.batch_id, {"gap": 7})
    assert pumps.jobs.batch(started.batch_id).title == "Quick training of 3 sensors"


def test_a_single_training_is_no_batch(pumps):
    started = work.start_training(ADA, pumps, flows(pumps)[:1] * 2, preset="quick")
    assert started.batch_id is None
    assert states(pumps) == [("train", "queued"), ("score", "queued")]
    assert pumps.jobs.batches() == ()


@pytest.mark.parametrize("runs", [False, True])
def test_who_asks_second_is_shown_the_first(pumps, runs):
    first = flows(pumps)[0]
    (job_id,) = work.start_training(ADA, pumps, [first], preset="quick").job_ids
    if runs:
        pumps.jobs.progress(claimed(pumps, job_id), 0.4, "epoch 4")
    alone = work.start_training(BOB, pumps, [first], preset="thorough")
    assert (alone.job_ids, alone.already_ids) == ((), (job_id,))
    how = "running, 40 %" if runs else "waiting"
    assert alone.told == (f"Pump 1/flow is being trained already by ada: job {job_id} ({how})",)
    many = work.start_training(BOB, pumps, flows(pumps), preset="quick")
    assert len(many.job_ids) == 2
    assert many.already_ids == (job_id,)
    assert len(pumps.jobs.list(kind="train")) == len(pumps.jobs.list(kind="score")) == 3


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"preset": "best"}, "preset"),
        ({"preset": "quick", "mode": "both"}, "mode"),
        ({"preset": "telemanom", "mode": "review"}, "mode"),
        ({"preset": "quick", "seed": -1}, "seed"),
        ({"preset": "quick", "parameters": {"gap": -1}}, "gap"),
        ({"preset": "quick", "parameters": {"gap": 1.5}}, "gap"),
        ({"preset": "quick", "parameters": {"epochs": 5}}, "epochs"),
        ({"preset": "telemanom", "parameters": {"epochs": True}}, "epochs"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_before_anything_is_queued(pumps, wrong, field):
    with pytest.raises(ParameterError) as refused:
        work.start_training(ADA, pumps, flows(pumps), **wrong)
    assert refused.value.field == field
    with pytest.raises(screen.ActionFailed) as shown:
        screen.train(
            flows(pumps),
            wrong["preset"],
            wrong.get("mode", "causal"),
            wrong.get("parameters"),
            seed=wrong.get("seed", 0),
        )
    assert (shown.value.field, str(shown.value)) == (field, str(refused.value))
    assert states(pumps) == []


def test_one_sensor_that_can_not_be_trained_queues_none(pumps):
    context = pumps.catalog.find_sensor("Pump 3/load").id
    with pytest.raises(ParameterError, match="context sensor") as refused:
        work.start_training(ADA, pumps, [*flows(pumps), context], preset="quick")
    assert refused.value.field == "sensors"
    with pytest.raises(CatalogError):
        work.start_training(ADA, pumps, [*flows(pumps), 999], preset="quick")
    with pytest.raises(ParameterError, match="at least one"):
        work.start_training(ADA, pumps, [], preset="quick")
    assert states(pumps) == []


ACTS: dict[str, Callable[[Profile, Warehouse], object]] = {
    "train": lambda who, pumps: work.start_training(who, pumps, flows(pumps), preset="quick"),
    "validate": lambda who, pumps: work.start_validation(who, pumps, [1]),
    "backtest": lambda who, pumps: work.start_backtest(who, pumps, flows(pumps)[0], preset="quick"),
    "cancel": lambda who, pumps: jobs.cancel_job(who, pumps, 1),
    "resume": lambda who, pumps: jobs.resume_jobs(who, pumps, [1]),
    "retry": lambda who, pumps: jobs.retry_jobs(who, pumps, [1]),
    "clone": lambda who, pumps: jobs.clone_job(who, pumps, 1),
    "cancel batch": lambda who, pumps: jobs.cancel_batch(who, pumps, 1),
    "resume batch": lambda who, pumps: jobs.resume_batch(who, pumps, 1),
    "retry batch": lambda who, pumps: jobs.retry_batch(who, pumps, 1),
    "schedule": lambda who, pumps: schedules.add_training_schedule(
        who, pumps, title="t", cron="0 2 * * *", zone="UTC", preset="quick"
    ),
    "pause": lambda who, pumps: schedules.pause_schedule(who, pumps, 1, paused=True),
    "remove": lambda who, pumps: schedules.remove_schedule(who, pumps, 1),
}


@pytest.mark.parametrize("act", ACTS)
def test_only_a_trainer_changes_what_is_trained(pumps, act):
    work.start_training(ADA, pumps, flows(pumps)[:2], preset="quick")
    ACTS["schedule"](ADA, pumps)
    before = pumps.jobs.list(), pumps.jobs.schedules.list()
    with pytest.raises(NotAllowed, match="that takes trainer"):
        ACTS[act](VIEWER, pumps)
    assert (pumps.jobs.list(), pumps.jobs.schedules.list()) == before


def test_cancelling_a_batch_leaves_no_job_for_a_worker_that_gets_free(pumps, monkeypatch):
    started = work.start_training(ADA, pumps, flows(pumps), preset="quick")
    running = claimed(pumps, started.job_ids[0])
    order: list[int] = []
    cancel = pumps.jobs.cancel
    monkeypatch.setattr(pumps.jobs, "cancel", lambda one, **by: (order.append(one), cancel(one, **by))[1])
    jobs.cancel_batch(BOB, pumps, started.batch_id)
    assert order[-1] == running.id
    left = {job.id: job for job in pumps.jobs.list()}
    assert left[running.id].cancel_asked_by == "bob"
    assert {job.state for one, job in left.items() if one != running.id and job.needs != (running.id,)} == {
        "cancelled"
    }
    with pytest.raises(JobError, match="no batch 9"):
        jobs.cancel_batch(ADA, pumps, 9)


def test_a_batch_resumes_what_was_cancelled_and_retries_what_failed(pumps):
    started = work.start_training(ADA, pumps, flows(pumps), preset="quick")
    bad, dropped, done = started.job_ids
    pumps.jobs.fail(claimed(pumps, bad), "no data", LATER)
    jobs.cancel_job(ADA, pumps, dropped)
    pumps.jobs.finish(claimed(pumps, done), {"registered": True}, LATER)
    assert jobs.resume_batch(ADA, pumps, started.batch_id).job_ids == (dropped,)
    assert pumps.jobs.get(bad).state == "failed"
    again = jobs.retry_batch(ADA, pumps, started.batch_id)
    assert again.job_ids == (bad,)
    assert pumps.jobs.get(bad).fresh
    # The scorings that were cancelled with them wait again as well.
    assert {job.state for job in pumps.jobs.list(kind="score")} == {"queued"}
    assert pumps.jobs.get(done).state == "done"


def test_what_can_not_be_resumed_is_told_with_the_job_that_does_its_work(pumps):
    first = flows(pumps)[0]
    (old,) = work.start_training(ADA, pumps, [first], preset="quick").job_ids
    jobs.cancel_job(ADA, pumps, old)
    (new,) = work.start_training(BOB, pumps, [first], preset="quick").job_ids
    told = jobs.resume_jobs(ADA, pumps, [old, new]).told
    assert told == (
        f"job {old} stays as it is: job {new} of bob does the same (waiting)",
        f"job {new} stays as it is: waiting",
    )
    assert jobs.clone_job(ADA, pumps, old).new is False


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"title": "  "}, "title"),
        ({"cron": "0 2 * *"}, "cron"),
        ({"cron": "0 99 * * *"}, "cron"),
        ({"zone": "Mars/Base"}, "zone"),
        ({"preset": "best"}, "preset"),
        ({"only": "some"}, "only"),
    ],
)
def test_a_schedule_is_refused_at_its_field(pumps, wrong, field):
    good = {"title": "Sundays", "cron": "0 2 * * SUN", "zone": "Europe/Zurich", "preset": "quick"} | wrong
    with pytest.raises(screen.ActionFailed) as refused:
        screen.add_schedule(
            good["title"], good["cron"], good["zone"], preset=good["preset"], only=good.get("only", "all")
        )
    assert refused.value.field == field
    assert pumps.jobs.schedules.list() == ()


def test_a_schedule_trains_what_it_says_when_it_is_due(pumps):
    screen.add_schedule(
        "Nights", "0 2 * * *", "UTC", preset="quick", only="stale", sensor_ids=flows(pumps)[:1]
    )
    (kept,) = pumps.jobs.schedules.list()
    (asked,) = pumps.jobs.schedules.due(kept.next_at)
    assert (asked.job.kind, asked.job.actor) == ("train-all", "ada")
    assert asked.job.payload == {
        "only": "stale",
        "preset": "quick",
        "mode": "causal",
        "seed": 0,
        "actor": "ada",
        "sensor_ids": flows(pumps)[:1],
    }


def test_validating_and_backtesting_are_checked_first(pumps):
    with pytest.raises(CatalogError):
        work.start_validation(ADA, pumps, [7])
    with pytest.raises(ParameterError) as refused:
        work.start_validation(ADA, pumps, [])
    assert refused.value.field == "versions"
    for folds in (1, 21):
        with pytest.raises(ParameterError) as refused:
            work.start_backtest(ADA, pumps, flows(pumps)[0], preset="quick", folds=folds)
        assert refused.value.field == "folds"
    first = work.start_backtest(ADA, pumps, flows(pumps)[0], preset="quick", folds=3)
    second = work.start_backtest(BOB, pumps, flows(pumps)[0], preset="quick", folds=3)
    assert (first.new, second.new, second.job.id) == (True, False, first.job.id)
