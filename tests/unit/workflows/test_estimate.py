"""How long a training will take, from what past ones took."""

import pytest
from one_pump import NOW, batch, clock, pump

from core.errors import ParameterError
from core.workflows.estimate import LEAST_S, TYPICAL, estimate
from core.workflows.ingest import ingest
from core.workflows.requests import PRESET_NAMES
from warehouse.documents import JSON
from warehouse.home import Warehouse

STEPS = 20_000


@pytest.fixture
def flow(home: Warehouse) -> int:
    ingest(batch(*pump(STEPS)), warehouse=home, clock=clock, actor="ada", queue=False)
    return home.catalog.find_sensor("Pump/flow").id


def done(home: Warehouse, result: dict[str, JSON], preset: str = "standard", **payload: JSON) -> None:
    home.jobs.add("train", {"sensor_ids": [1], "preset": preset, **payload}, actor="ada", at=NOW)
    job = home.jobs.claim(1, NOW)
    assert job is not None
    home.jobs.finish(job, result, NOW)


def test_without_history_it_is_the_typical_time_of_each_preset(home: Warehouse, flow: int) -> None:
    assert set(TYPICAL) == set(PRESET_NAMES)
    for preset in PRESET_NAMES:
        found = estimate(preset, [flow], home)
        assert found.seen == 0
        assert found.seconds == pytest.approx(max(LEAST_S, TYPICAL[preset] * STEPS / 1000))


def test_past_trainings_of_the_preset_are_scaled_by_the_steps(home: Warehouse, flow: int) -> None:
    for seconds in (10.0, 30.0, 500.0):
        done(home, {"seconds": seconds, "steps": 10_000})
    done(home, {"seconds": 7.0, "steps": 100}, "quick")
    found = estimate("standard", [flow], home)
    assert (found.seconds, found.seen) == (60.0, 3)
    assert estimate("standard", [], home).seconds == 0


@pytest.mark.parametrize(
    "result",
    [{}, {"seconds": 900.0}, {"seconds": "x", "steps": 1}, {"seconds": 900.0, "steps": 0}, {"steps": 1}],
)
def test_trainings_that_did_not_record_it_do_not_count(home: Warehouse, flow: int, result) -> None:
    done(home, result)
    done(home, {"seconds": 900.0, "steps": 10}, parameters={"gap": 9})  # of its own parameters
    assert estimate("standard", [flow], home).seen == 0


def test_no_training_takes_no_time_at_all(home: Warehouse, flow: int) -> None:
    done(home, {"seconds": 0.001, "steps": 10_000})
    assert estimate("standard", [flow], home).seconds == LEAST_S


def test_a_preset_that_does_not_exist_is_refused(home: Warehouse) -> None:
    with pytest.raises(ParameterError):
        estimate("best", [], home)
