"""Parameters of a training of one's own: checked before anything is queued, and what they change."""

import pytest
from one_pump import batch, clock, pump

from core.errors import JobError, ParameterError
from core.workflows.advanced import fractions_of, raiser_of
from core.workflows.ingest import ingest
from core.workflows.records import facts_of
from core.workflows.reporting import Task
from core.workflows.requests import (
    PRESET_NAMES,
    TrainRequest,
    advanced_of,
    modes_of,
    payload_of,
    request_of,
)
from core.workflows.train import train_job
from warehouse.home import Warehouse

EVERY = [(preset, mode) for preset in PRESET_NAMES for mode in modes_of(preset)]


@pytest.mark.parametrize(("preset", "mode"), EVERY)
def test_each_preset_has_a_few_and_their_defaults_change_nothing(preset: str, mode) -> None:
    fields = advanced_of(preset, mode=mode)
    assert 3 <= len(fields) <= 6
    assert len({one.name for one in fields}) == len(fields)
    assert all(one.title and one.help.endswith(".") for one in fields)
    defaults = {one.name: one.default for one in fields}
    request = TrainRequest(1, preset, mode=mode, parameters=defaults)
    assert request == TrainRequest(1, preset, mode=mode)
    assert raiser_of(request).parameters() == raiser_of(TrainRequest(1, preset, mode=mode)).parameters()
    assert fractions_of(request) == (0.6, 0.2, 0.2)


@pytest.mark.parametrize(("preset", "mode"), EVERY)
def test_each_takes_its_bounds_and_nothing_beyond(preset: str, mode) -> None:
    for one in advanced_of(preset, mode=mode):
        for value in (one.low, one.high):
            request = TrainRequest(1, preset, mode=mode, parameters={one.name: value})
            raiser_of(request)
            assert sum(fractions_of(request)) == pytest.approx(1)
        step = 1 if one.kind == "whole" else 1e-6
        wrong = [one.low - step, one.high + step, float("nan"), float("inf"), "3", True, None, [1]]
        for value in [*wrong, *([one.low + 0.5] if one.kind == "whole" else [])]:
            with pytest.raises(ParameterError, match=one.title) as caught:
                TrainRequest(1, preset, mode=mode, parameters={one.name: value})
            assert caught.value.field == one.name


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("preset", {"preset": "best"}),
        ("mode", {"mode": "later"}),
        ("mode", {"preset": "telemanom", "mode": "review"}),
        ("seed", {"seed": -1}),
        ("epochs", {"preset": "quick", "parameters": {"epochs": 3}}),
        ("speed", {"preset": "telemanom", "parameters": {"speed": 3}}),
    ],
)
def test_what_is_wrong_is_named_by_its_field(field: str, options) -> None:
    with pytest.raises(ParameterError) as caught:
        TrainRequest(1, **options)
    assert caught.value.field == field


def test_a_request_is_the_same_after_it_was_a_payload() -> None:
    request = TrainRequest(7, "telemanom", 3, "ada", parameters={"epochs": 5, "dropout": 0.1})
    assert request_of(payload_of(request)) == request
    plain = TrainRequest(7, "quick", 3, "ada", mode="review")
    assert "parameters" not in payload_of(plain)
    assert request_of(payload_of(plain)) == plain


@pytest.mark.parametrize("parameters", [3, "epochs=3", [1], [["epochs", 3]]])
def test_parameters_that_are_no_mapping_are_refused(parameters) -> None:
    with pytest.raises(JobError, match="parameters by name"):
        request_of({"sensor_ids": [1], "preset": "quick", "parameters": parameters})


def test_what_was_chosen_shapes_the_version_and_is_recorded_with_it(home: Warehouse) -> None:
    ingest(batch(*pump(600)), warehouse=home, clock=clock, actor="ada")
    chosen = {"share": 0.9, "gap": 7, "lead": 20, "held_out": 0.4}
    target = home.catalog.find_sensor("Pump/flow")
    payload = {"sensor_ids": [target.id], "preset": "quick", "parameters": chosen}
    train_job(payload, Task(warehouse=home, clock=clock))
    version = home.catalog.champion(target.id)
    assert version is not None
    said = dict(facts_of(version).parameters)
    assert {
        name.removeprefix("chosen."): value for name, value in said.items() if "chosen." in name
    } == chosen
    assert (said["panel.share"], said["panel.gap"], said["panel.lead"]) == (0.9, 7, 20)
    test = version.spans["test"]
    whole = version.spans["test"][1] - version.spans["train"][0]
    assert (test[1] - test[0]) / whole == pytest.approx(0.4, abs=0.01)


@pytest.mark.learned
@pytest.mark.parametrize(
    ("preset", "chosen"),
    [("telemanom", {"epochs": 2, "window": 60}), ("thorough", {"epochs": 3, "learning_rate": 0.02})],
)
def test_the_network_of_a_preset_trains_as_was_chosen(home: Warehouse, preset: str, chosen) -> None:
    ingest(batch(*pump(1500)), warehouse=home, clock=clock, actor="ada")
    target = home.catalog.find_sensor("Pump/flow")
    epochs: list[int] = []
    task = Task(warehouse=home, clock=clock, metric=lambda step, _name, _value: epochs.append(step))
    result = train_job({"sensor_ids": [target.id], "preset": preset, "parameters": chosen}, task)
    assert result["registered"] is True
    assert max(epochs) == chosen["epochs"]
    version = home.catalog.champion(target.id)
    assert version is not None
    assert all(version.parameters[f"chosen.{name}"] == value for name, value in chosen.items())
    assert [one for one in facts_of(version).remarks if "network" in one] == []
