"""What the Training page is told of jobs, batches and sensors."""

from datetime import timedelta

import pytest
from three_pumps import LATER, NOW, claimed, flows

from app.actions import jobs as actions
from app.actions import work as asking
from app.queries import batches, house, training, work
from app.queries.house import Stamp
from app.roles import Profile
from core.workflows.estimate import Estimate
from warehouse.jobs import BACKGROUND, URGENT

ADA = Profile("ada", "trainer")
BOB = Profile("bob", "trainer")


@pytest.fixture(autouse=True)
def moment(monkeypatch):
    monkeypatch.setattr(house, "now", lambda: LATER)


def trained(pumps, sensors, who=ADA):
    return asking.start_training(who, pumps, sensors, preset="quick")


def test_nothing_is_quiet(pumps):
    assert work.live().quiet
    assert work.jobs() == work.ended_since(None).rows == batches.batches() == ()
    assert (work.job(1), batches.batch(1)) == (None, None)


def test_a_running_training_tells_how_far_it_is_and_how_long_it_takes(pumps):
    (job_id,) = trained(pumps, flows(pumps)[:1]).job_ids
    job = claimed(pumps, job_id)
    pumps.jobs.progress(job, 0.25, "Pump 1/flow: epoch 2 of at most 8")
    for step, loss in enumerate((0.5, float("nan"), 0.25)):
        pumps.jobs.log_metric(job, step, "loss", loss)
    live = work.live()
    (row,) = live.running
    assert (row.title, row.what, row.mine) == ("Training, quick", "Pump 1 · flow", True)
    # A minute for a quarter of it.
    assert (row.progress, row.left, row.took) == (0.25, "about 3 min left", "60 s")
    assert row.message == "Pump 1/flow: epoch 2 of at most 8"
    assert row.losses == (("loss", ((0, 0.5), (2, 0.25))),)
    (waiting,) = live.queued
    assert (waiting.waits_for, waiting.words) == ((job_id,), f"waits for job {job_id}")
    actions.cancel_job(BOB, pumps, job_id)
    (row,) = work.live().running
    assert (row.cancel_asked, row.words, row.state) == (True, "cancelling", "running")


def test_a_resumed_training_promises_no_time_that_its_earlier_attempt_took(pumps):
    (job_id,) = trained(pumps, flows(pumps)[:1]).job_ids
    job = claimed(pumps, job_id)
    pumps.jobs.progress(job, 0.5, "half")
    pumps.jobs.checkpointed(job, 4)
    pumps.jobs.interrupt(job, "its process died", LATER)
    row = work.live().queued[0]
    assert (row.state, row.words) == ("interrupted", "interrupted, goes on by itself")
    pumps.jobs.progress(claimed(pumps, job_id), 0.5, "half")
    (row,) = work.live().running
    assert (row.attempt, row.left) == (2, "")
    assert work.job(job_id).checkpoint == 4


def test_the_queue_stands_in_the_order_of_its_turn(pumps):
    at, by = NOW, "ada"
    last = pumps.jobs.add("compaction", {}, actor=by, at=at, priority=BACKGROUND).id
    second = pumps.jobs.add("train", {"sensor_ids": [1]}, actor=by, at=at).id
    first = pumps.jobs.add("score", {"sensor_ids": [1]}, actor=by, at=at, priority=URGENT).id
    held = pumps.jobs.add("ingest", {}, actor=by, at=at).id
    pumps.jobs.fail(claimed(pumps, held), "held", NOW, retry_at=LATER + timedelta(seconds=40))
    assert [row.job_id for row in work.live().queued] == [first, second, held, last]
    assert work.live().queued[2].words == "is tried again in 40 s"


def test_a_batch_counts_its_sensors_and_names_what_failed_also_afterwards(pumps):
    (early,) = trained(pumps, flows(pumps)[2:], BOB).job_ids
    started = trained(pumps, flows(pumps))
    first, second = started.job_ids
    pumps.jobs.finish(claimed(pumps, first), {"registered": True, "version_id": 5}, LATER)
    (scoring,) = [job.id for job in pumps.jobs.list(kind="score") if job.needs == (first,)]
    pumps.jobs.fail(claimed(pumps, scoring), "its files are damaged.", LATER)
    pumps.jobs.progress(claimed(pumps, second), 0.5, "half")
    view = batches.batch(started.batch_id)
    assert [row.what for row in view.rows] == ["Pump 1 · flow", "Pump 2 · flow", "Pump 3 · flow"]
    assert [row.state for row in view.rows] == ["done", "running", "queued"]
    assert (dict(view.counts), view.already, view.over) == ({"done": 1, "running": 1, "queued": 1}, 1, False)
    assert view.rows[2].job_id == early
    assert view.progress == pytest.approx(0.5)
    # Those that are done or half done took one and two minutes: one and a half of them are left.
    assert view.left == "about 2 min left"
    (failure,) = view.failures
    assert (failure.job_id, failure.name, failure.reason) == (
        scoring,
        "Pump 1 · flow",
        "its files are damaged",
    )
    live = work.live()
    assert [batch.batch_id for batch in live.batches] == [started.batch_id]
    # What stands in the batch stands nowhere else, also where another one asked for it.
    shown = {row.job_id for row in (*live.running, *live.queued)}
    assert not shown & {first, second, early}


def test_a_cancelled_batch_says_so_while_its_last_job_ends(pumps):
    started = trained(pumps, flows(pumps))
    running = claimed(pumps, started.job_ids[0])
    assert not batches.batch(started.batch_id).cancel_asked
    actions.cancel_batch(ADA, pumps, started.batch_id)
    assert batches.batch(started.batch_id).cancel_asked
    pumps.jobs.cancelled(running, LATER)
    view = batches.batch(started.batch_id)
    assert (view.over, view.cancel_asked, view.progress) == (True, False, 1.0)
    assert work.live().quiet


def test_a_job_offers_what_can_be_done_with_it(pumps):
    (job_id,) = trained(pumps, flows(pumps)[:1]).job_ids
    assert work.job(job_id).actions == ("cancel",)
    job = claimed(pumps, job_id)
    pumps.jobs.beat(job, LATER, memory_mb=412.0, cpu_s=3.5)
    view = work.job(job_id)
    assert (view.actions, view.memory_mb, view.cpu_s) == (("cancel", "clone"), 412.0, 3.5)
    actions.cancel_job(ADA, pumps, job_id)
    assert work.job(job_id).actions == ("clone",)
    pumps.jobs.cancelled(job, LATER)
    view = work.job(job_id)
    assert view.actions == ("retry", "clone")
    assert (view.row.outcome, view.row.took) == ("cancelled by ada", "60 s")
    assert [line.text for line in view.lines][-1] == "cancelled: cancelled by ada"
    actions.retry_jobs(ADA, pumps, [job_id])
    again = claimed(pumps, job_id)
    pumps.jobs.checkpointed(again, 3)
    pumps.jobs.fail(again, "the disk is full.", LATER)
    view = work.job(job_id)
    assert (view.actions, view.checkpoint) == (("resume", "retry", "clone"), 3)
    assert view.row.outcome == "Failed: the disk is full"


def test_a_backtest_goes_on_from_the_folds_that_it_has_done(pumps):
    job_id = asking.start_backtest(ADA, pumps, flows(pumps)[0], preset="quick").job.id
    pumps.jobs.fail(claimed(pumps, job_id), "the disk is full", LATER)
    assert work.job(job_id).actions == ("resume", "retry", "clone")


def test_a_training_tells_its_run_its_figures_and_what_was_asked(pumps):
    asked = asking.start_training(ADA, pumps, flows(pumps)[:1], preset="quick", parameters={"gap": 7})
    result = {
        "registered": True,
        "summary": "registered as version 1.",
        "version_id": 3,
        "run_id": "a" * 32,
        "remarks": ["it stood still"],
        "figures": {"normalised_error": 0.125, "alarms_per_week": 2.0},
    }
    pumps.jobs.finish(claimed(pumps, asked.job_ids[0]), result, LATER)
    view = work.job(asked.job_ids[0])
    assert (view.run_id, view.row.version_id) == ("a" * 32, 3)
    assert (view.row.outcome, view.row.remarks) == ("registered as version 1", ("it stood still",))
    assert view.results == (
        "Held-out error 0.125 standard deviations",
        "2 alarms a week on the held-out part",
    )
    assert dict(view.parameters)["Gap"] == "7"
    assert dict(view.parameters)["Sensor"] == "Pump 1 · flow"


def test_a_training_of_an_earlier_release_whose_version_is_gone_is_shown(pumps):
    old = pumps.jobs.add("train", {"sensor_ids": [99], "preset": "quick"}, actor="ada", at=NOW)
    pumps.jobs.finish(claimed(pumps, old.id), {"summary": "Done", "version_id": 77}, LATER)
    view = work.job(old.id)
    assert (view.run_id, view.row.what, view.results) == (None, "sensor #99", ())


def test_a_validation_lists_each_version_and_what_failed(pumps):
    job = pumps.jobs.add("validate", {"version_ids": [1, 2], "sensor_ids": [1]}, actor="ada", at=NOW)
    verdicts = {
        "confirmed": 4,
        "found": 3,
        "right": 3,
        "wrong": 1,
        "unjudged": 0,
        "precision": 0.75,
        "recall": 1,
    }
    one = {
        "name": "Pump 1/flow version 1 (panel)",
        "champion": True,
        "figures": {"normalised_error": 0.5, "alarms_per_week": 3.0},
        "verdicts": verdicts,
    }
    result = {
        "summary": "s",
        "versions": {"1": one},
        "failed": {"Pump 1/flow version 2 (panel)": "too short."},
    }
    pumps.jobs.finish(claimed(pumps, job.id), result, LATER)
    assert work.job(job.id).results == (
        (
            "Pump 1/flow version 1 (panel), in production: error 0.5, 3 alarms a week; "
            "found 3 of 4 confirmed events, and 1 that people called false"
        ),
        "Pump 1/flow version 2 (panel) failed: too short",
    )


def test_history_is_filtered(pumps):
    first, second, third = trained(pumps, flows(pumps)).job_ids
    pumps.jobs.fail(claimed(pumps, first), "no", LATER)
    pumps.jobs.finish(claimed(pumps, second), {}, LATER)
    assert [row.job_id for row in work.jobs(("failed", "done"))] == [second, first]
    assert [row.job_id for row in work.jobs(("failed",), "train")] == [first]
    assert {row.kind for row in work.jobs(kind="score")} == {"score"}
    assert [row.job_id for row in work.jobs(kind="train", sensor_id=flows(pumps)[2])] == [third]
    assert [row.job_id for row in work.jobs(kind="train", before=third, limit=1)] == [second]
    assert set(work.kinds()) >= {"train", "score", "validate", "backtest", "ingest", "compaction"}


def test_what_ended_is_told_once_to_who_asked_for_it(pumps):
    one, two, three = flows(pumps)
    watch = work.ended_since(None).watch
    (mine,) = trained(pumps, [one]).job_ids
    (other,) = trained(pumps, [two], BOB).job_ids
    found = work.ended_since(watch)
    assert (found.rows, found.batches) == ((), ())
    for job_id in (mine, other):
        pumps.jobs.finish(claimed(pumps, job_id), {"registered": True, "summary": "well"}, LATER)
    found = work.ended_since(found.watch)
    assert [row.job_id for row in found.rows] == [mine]
    assert work.ended_since(found.watch).rows == ()
    # Scoring runs by itself: only its failure is worth a word.
    follower = {job.needs: job.id for job in pumps.jobs.list(kind="score")}
    pumps.jobs.finish(claimed(pumps, follower[other,]), {}, LATER)
    pumps.jobs.fail(claimed(pumps, follower[mine,]), "no files", LATER)
    found = work.ended_since(found.watch)
    assert [row.job_id for row in found.rows] == [follower[mine,]]
    # One that came and went between two looks.
    (quick,) = trained(pumps, [three]).job_ids
    pumps.jobs.fail(claimed(pumps, quick), "no data", LATER)
    found = work.ended_since(found.watch)
    assert [row.outcome for row in found.rows] == ["Failed: no data"]
    assert work.ended_since(found.watch).rows == ()


def test_a_batch_is_told_of_once_when_all_of_it_is_over_with_what_failed_in_scoring(pumps):
    started = trained(pumps, flows(pumps))
    follower = {job.needs[0]: job.id for job in pumps.jobs.list(kind="score")}
    one, two, three = started.job_ids
    watch = work.ended_since(None).watch

    def quiet(watch):
        found = work.ended_since(watch)
        assert (found.rows, found.batches) == ((), ())
        return found.watch

    for job_id in (one, two):
        pumps.jobs.finish(claimed(pumps, job_id), {"registered": True}, LATER)
        watch = quiet(watch)
    pumps.jobs.fail(claimed(pumps, follower[one]), "no files", LATER)
    watch = quiet(watch)
    # The scoring that waits for it is cancelled with it.
    pumps.jobs.fail(claimed(pumps, three), "no data", LATER)
    watch = quiet(watch)
    pumps.jobs.finish(claimed(pumps, follower[two]), {}, LATER)
    found = work.ended_since(watch)
    assert found.rows == ()
    (batch,) = found.batches
    assert batch.batch_id == started.batch_id
    assert dict(batch.counts) == {"done": 2, "failed": 1}
    assert [failure.reason for failure in batch.failures] == ["no files", "no data"]
    assert quiet(found.watch).open_ids == frozenset()


def test_a_sensor_s_status_is_new_as_soon_as_its_training_ends(pumps):
    stamp = Stamp(str(pumps.root), 0, 0)
    first = training.sensor_statuses(stamp)
    assert [(row.name, row.status, row.busy) for row in first[:1]] == [("Pump 1 · flow", "never", None)]
    (job_id,) = trained(pumps, flows(pumps)[:1]).job_ids
    assert training.sensor_statuses(stamp)[0].busy == job_id
    pumps.jobs.fail(claimed(pumps, job_id), "no data", LATER)
    row = training.sensor_statuses(stamp)[0]
    assert (row.status, row.busy, row.job_id) == ("failing", None, job_id)
    assert "no data" in row.why
    actions.retry_jobs(ADA, pumps, [job_id])
    pumps.jobs.fail(claimed(pumps, job_id), "still none", LATER + timedelta(seconds=1))
    assert "still none" in training.sensor_statuses(stamp)[0].why


def test_presets_say_how_long_they_take_for_what_is_chosen(pumps, monkeypatch):
    monkeypatch.setattr(training, "estimate", lambda _name, ids, _home: Estimate(100.0 * len(ids), 0))
    monkeypatch.setenv("TELLTALE_WORKERS", "2")
    one, many = training.presets(flows(pumps)[:1])[0], training.presets(flows(pumps))[0]
    assert (one.seconds, one.takes) == (100.0, "about 2 min")
    # Two workers share three of them.
    assert (many.seconds, many.takes) == (150.0, "about 2 min")
    assert training.presets()[0].seconds == 100.0
    assert [one.name for one in training.presets()] == ["quick", "standard", "thorough", "telemanom"]


def test_the_parameters_of_a_preset_are_described(pumps):
    fields = {one.name: one for one in training.fields("telemanom")}
    assert (fields["epochs"].kind, fields["learning_rate"].kind) == ("integer", "number")
    assert fields["epochs"].low <= fields["epochs"].default <= fields["epochs"].high


def test_schedules_are_told_in_words(pumps):
    payload = {"only": "stale", "preset": "quick", "sensor_ids": flows(pumps)[:2]}
    schedule = pumps.jobs.schedules.add(
        "Sundays", "0 2 * * SUN", "train-all", payload, actor="ada", at=NOW, zone="UTC"
    )
    (row,) = training.schedules()
    assert row.words == "At 02:00 on Sunday"
    assert row.what == "Training of many sensors, quick: Pump 1 · flow and 1 more, those with a stale model"
    assert row.next_at == schedule.next_at
    pumps.jobs.schedules.set_enabled(schedule.id, False, at=NOW)
    assert (training.schedules()[0].enabled, training.schedules()[0].next_at) == (False, None)
