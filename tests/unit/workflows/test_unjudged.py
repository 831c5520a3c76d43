import os
from datetime import timedelta

from one_pump import NOW, STEP, T0, batch, clock, pump

from core.workflows.reporting import Task
from core.workflows.score import score_job
from core.workflows.unjudged import unjudged
from warehouse.assets import PartSpec


def ingest(home, first: int, end: int, **rest) -> None:
    flow, load = pump(3000)
    home.ingest(batch(flow[:end], load[:end], first=first, **rest), at=clock(), actor="ada")


def score(home) -> None:
    ids = [one.id for one in home.catalog.sensors(role="target")]
    score_job({"sensor_ids": ids}, Task(warehouse=home, clock=clock))


def test_an_empty_home_has_nothing_to_judge(home):
    assert unjudged(home) == ()


def test_readings_are_unjudged_from_their_ingest_to_their_scoring(home):
    ingest(home, 0, 2000)
    (pump_id,) = unjudged(home)
    assert home.catalog.sensor(pump_id).role == "target"
    score(home)
    assert unjudged(home) == ()
    ingest(home, 2000, 2100)
    assert unjudged(home) == (pump_id,)
    score(home)
    assert unjudged(home) == ()


def test_what_follows_a_declared_test_part_is_not_meant_to_be_judged(home):
    parts = (PartSpec("train", T0, T0 + 1000 * STEP), PartSpec("test", T0 + 1000 * STEP, T0 + 2000 * STEP))
    ingest(home, 0, 2500, parts=parts)
    assert len(unjudged(home)) == 1
    score(home)
    assert unjudged(home) == ()


def test_a_sensor_whose_scoring_waits_or_failed_since_is_left_alone(home):
    ingest(home, 0, 2000)
    (sensor_id,) = unjudged(home)
    payload = {"sensor_ids": [sensor_id]}
    job = home.jobs.add("score", payload, actor="ada", at=NOW)
    assert unjudged(home) == ()
    home.jobs.fail(home.jobs.claim(os.getpid(), NOW, job_id=job.id), "too short", NOW)
    assert unjudged(home) == ()
    # An older failure says nothing of what came since.
    home.jobs.forget("score", NOW + timedelta(days=1))
    old = home.jobs.add("score", payload, actor="ada", at=T0)
    home.jobs.fail(home.jobs.claim(os.getpid(), NOW, job_id=old.id), "too short", NOW)
    assert unjudged(home) == (sensor_id,)


def test_a_sensor_that_a_scoring_left_out_is_left_alone(home):
    ingest(home, 0, 2000)
    (sensor_id,) = unjudged(home)
    key = home.catalog.sensor(sensor_id).key
    job = home.jobs.add("score", {"sensor_ids": [sensor_id]}, actor="ada", at=NOW)
    held = home.jobs.claim(os.getpid(), NOW, job_id=job.id)
    home.jobs.finish(held, {"failed": {key: "too short"}}, NOW)
    assert unjudged(home) == ()
