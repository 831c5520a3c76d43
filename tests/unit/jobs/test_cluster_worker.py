"""Orders carried out where a worker would: what it answers, and what it leaves."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import CoreError
from core.jobs import cluster_worker
from core.jobs.cluster_post import Post
from core.jobs.cluster_worker import Answer, Order, learn_there, release
from core.workflows.ingest import ingest
from core.workflows.learn import whole_outcome
from core.workflows.requests import TrainRequest
from core.workflows.training_plan import TrainingPlan, plan
from warehouse.errors import DiskFull, IntegrityError
from warehouse.home import Warehouse

sys.path.append(str(Path(__file__).parents[1] / "workflows"))

from one_pump import batch, clock, pump


@pytest.fixture
def planned(warehouse: Warehouse) -> TrainingPlan:
    ingest(batch(*pump(500)), warehouse=warehouse, clock=clock, actor="ada")
    return plan(TrainRequest(warehouse.catalog.find_sensor("Pump/flow").id, "quick"), warehouse)


@pytest.fixture
def order(warehouse: Warehouse, planned: TrainingPlan) -> Order:
    kept = warehouse.root / "checkpoints" / "job-1"
    post = Post(kept / "cluster" / "attempt-1")
    post.open()
    return Order(
        release=release(),
        root=str(warehouse.root),
        plan=planned.to_json(),
        folder=str(kept / "learned"),
        checkpoints=str(kept / "networks"),
        post=str(post.folder),
    )


def carried_out(order: Order) -> Answer:
    return Answer.of(learn_there(order.text()))


def test_what_was_learned_lies_in_the_folder_and_nothing_is_registered(
    warehouse: Warehouse, planned: TrainingPlan, order: Order
) -> None:
    assert carried_out(order) == Answer("learned")
    learned = whole_outcome(Path(order.folder), planned)
    assert learned is not None
    assert learned.figures.steps > 0
    assert warehouse.catalog.versions() == ()
    told = Post(Path(order.post)).news()
    assert any(what == "progress" and "Reading Pump/flow" in values[1] for what, *values in told)


def test_an_order_is_carried_out_once(order: Order) -> None:
    carried_out(order)
    assert carried_out(order).ending == "lost"


def test_a_worker_that_sees_no_such_home_says_so(order: Order, tmp_path: Path) -> None:
    answer = carried_out(replace(order, root="/nowhere", post=str(tmp_path / "nowhere")))
    assert answer.ending == "unable"
    assert "/nowhere" in answer.message
    assert "shared" in answer.message


def test_another_release_is_refused(order: Order) -> None:
    answer = carried_out(replace(order, release="0.0.1"))
    assert answer.ending == "unable"
    assert "0.0.1" in answer.message
    assert release() in answer.message


def test_a_cancelled_order_ends(order: Order) -> None:
    Post(Path(order.post)).cancel()
    assert carried_out(order).ending == "cancelled"
    assert not Path(order.folder).exists()


def test_why_a_sensor_cant_be_trained_comes_back(order: Order, warehouse: Warehouse) -> None:
    damaged = next(warehouse.layout.telemetry.rglob("*.parquet"))
    damaged.write_bytes(damaged.read_bytes()[:-9] + b"telltale!")
    answer = carried_out(order)
    assert (answer.ending, answer.error) == ("refused", "IntegrityError")
    refusal = answer.refusal()
    assert isinstance(refusal, IntegrityError)
    assert damaged.name in str(refusal)


def test_a_refusal_keeps_its_class_where_that_decides_what_happens_next() -> None:
    assert isinstance(Answer("refused", "DiskFull", "no room").refusal(), DiskFull)
    plain = Answer("refused", "InsufficientData", "Pump 7/flow: needs 200 steps, found 12").refusal()
    assert type(plain) is CoreError
    assert "200" in str(plain)
    # Only errors of ours are made of what comes back.
    assert type(Answer("refused", "dumps", "x").refusal()) is CoreError
    assert type(Answer("refused", "__builtins__", "x").refusal()) is CoreError


def test_nothing_but_text_travels(order: Order) -> None:
    assert json.loads(order.text())["plan"]["files"]
    assert learn_there.__module__ == cluster_worker.__name__ != "__main__"
