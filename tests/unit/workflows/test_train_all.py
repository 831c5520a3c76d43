"""Training many: a batch of one job a sensor, each with its scoring, and nobody twice."""

import pytest
from one_pump import NOW, batch, clock, pump

from core.errors import CoreError, ParameterError
from core.workflows.ingest import ingest
from core.workflows.reporting import Task
from core.workflows.train_all import train_all_job
from warehouse.home import Warehouse

NAMES = ("Pump 1", "Pump 2", "Pump 3")


@pytest.fixture
def pumps(home: Warehouse) -> Warehouse:
    for name in NAMES:
        ingest(batch(*pump(60), name=name), warehouse=home, clock=clock, actor="ada", queue=False)
    return home


def asked(home: Warehouse, **payload: object) -> dict:
    task = Task(warehouse=home, clock=clock, actor="ada")
    return train_all_job({"preset": "quick", **payload}, task)


def flows(home: Warehouse) -> list[int]:
    return [home.catalog.find_sensor(f"{name}/flow").id for name in NAMES]


def trainings(home: Warehouse) -> list[int]:
    return sorted(job.payload["sensor_ids"][0] for job in home.jobs.list(kind="train"))


def test_every_target_is_trained_and_scored_after_its_training(pumps: Warehouse) -> None:
    result = asked(pumps, mode="review", seed=4, parameters={"gap": 9})
    assert trainings(pumps) == flows(pumps)
    batch = pumps.jobs.batch(result["batch_id"])
    assert batch is not None
    assert "3 sensors" in batch.title
    for job in pumps.jobs.list(kind="train"):
        assert job.batch_id == batch.id
        asked_for = {name: job.payload[name] for name in ("preset", "mode", "seed", "actor", "parameters")}
        assert asked_for == {
            "preset": "quick",
            "mode": "review",
            "seed": 4,
            "actor": "ada",
            "parameters": {"gap": 9},
        }
        [after] = [one for one in pumps.jobs.list(kind="score") if one.needs == (job.id,)]
        assert after.payload == {"sensor_ids": job.payload["sensor_ids"]}


def test_one_that_is_being_trained_is_named_and_not_trained_twice(pumps: Warehouse) -> None:
    one = flows(pumps)[1]
    first = pumps.jobs.add(
        "train", {"sensor_ids": [one]}, actor="bob", at=NOW, key=f"train {one}", exclusive=True
    )
    pumps.jobs.claim(1, NOW)
    result = asked(pumps)
    assert result["trainings"] == 2
    assert result["already"] == [f"Pump 2/flow is being trained already by bob: job {first.id}"]
    assert trainings(pumps) == flows(pumps)
    # A second ask while all of them wait adds nothing, neither trainings nor scorings.
    waiting = pumps.jobs.list(limit=-1)
    again = asked(pumps)
    assert (again["trainings"], len(again["already"])) == (0, 3)
    assert {job.id for job in pumps.jobs.list(("queued", "running"), limit=-1) if job.kind == "train"} == {
        job.id for job in waiting if job.kind == "train"
    }


def test_a_status_selects_who_is_trained(pumps: Warehouse) -> None:
    one, *others = flows(pumps)
    failed = pumps.jobs.add("train", {"sensor_ids": [one]}, actor="bob", at=NOW)
    claimed = pumps.jobs.claim(1, NOW, job_id=failed.id)
    assert claimed is not None
    pumps.jobs.fail(claimed, "the disk was full", NOW)
    assert asked(pumps, only="failing")["trainings"] == 1
    assert asked(pumps, only="stale")["summary"] == "There is nothing to train."
    assert asked(pumps, only="never", sensor_ids=[one, others[0]])["trainings"] == 1
    assert trainings(pumps) == sorted([one, one, others[0]])


def test_those_that_can_not_be_trained_are_named_and_hide_no_other(pumps: Warehouse) -> None:
    load = pumps.catalog.find_sensor("Pump 1/load").id
    result = asked(pumps, sensor_ids=[load, 999, flows(pumps)[0]])
    assert result["failed"] == {
        "Pump 1/load": "it is a context sensor: it explains others and is not trained",
        "#999": "there is no such sensor",
    }
    assert trainings(pumps) == flows(pumps)[:1]


@pytest.mark.parametrize(
    "payload",
    [
        {"only": "some"},
        {"preset": "best"},
        {"mode": "later"},
        {"parameters": {"gap": -1}},
        {"parameters": {"speed": 1}},
        {"sensor_ids": []},
        {"sensor_ids": ["1"]},
        {"sensor_ids": "12"},
        {"sensor_ids": [True]},
    ],
)
def test_nothing_is_queued_of_what_is_wrong(pumps: Warehouse, payload) -> None:
    with pytest.raises(CoreError):
        asked(pumps, **payload)
    assert pumps.jobs.list() == ()


def test_a_wrong_choice_names_its_field(pumps: Warehouse) -> None:
    with pytest.raises(ParameterError) as caught:
        asked(pumps, only="some")
    assert caught.value.field == "only"
