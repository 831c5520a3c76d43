"""The dialog of Training: prefilled by a link, checked at its fields, and told who was first."""

import pytest
from page_words import Open, text_of
from streamlit.testing.v1 import AppTest
from training_work import PUMPS, ask, sensor_id

from app.queries import training
from core.workflows.estimate import Estimate
from warehouse.home import Warehouse


def _opened(pumps: Warehouse, open_page: Open, *keys: str) -> AppTest:
    return open_page("training", train=",".join(str(sensor_id(pumps, key)) for key in keys) or "choose")


def _go(page: AppTest) -> AppTest:
    page.button(key="train_go").click().run()
    assert not page.exception
    return page


def test_a_link_opens_it_prefilled_and_one_click_queues(pumps: Warehouse, open_page: Open):
    page = _opened(pumps, open_page, PUMPS[1])
    assert page.multiselect(key="train_sensors").value == [sensor_id(pumps, PUMPS[1])]
    _go(page)
    (job,) = pumps.jobs.list(kind="train")
    assert job.payload["sensor_ids"] == [sensor_id(pumps, PUMPS[1])]
    assert (job.payload["preset"], job.payload["mode"]) == ("standard", "causal")
    assert job.actor == "engineer A"
    assert "train" not in page.query_params
    assert "Queued: 1 training." in text_of(page)
    assert "Pump 2 · outlet temperature" in text_of(page)


def test_the_button_opens_it_with_nothing_chosen(pumps: Warehouse, open_page: Open):
    page = open_page("training")
    page.button(key="train").click().run()
    assert not page.exception
    assert page.query_params["train"] == "choose"
    assert page.multiselect(key="train_sensors").value == []
    assert page.multiselect(key="train_sensors").options == [
        "Pump 1 · outlet temperature",
        "Pump 2 · outlet temperature",
        "P-1 · telemetry",
    ]


def test_several_sensors_become_a_batch(pumps: Warehouse, open_page: Open):
    page = _go(_opened(pumps, open_page, *PUMPS))
    assert len(pumps.jobs.list(kind="train")) == 3
    (batch,) = pumps.jobs.batches()
    assert f"batch {batch.id}" in text_of(page)
    assert page.button(key=f"open_batch_{batch.id}")


def test_one_sensor_is_backtested_instead_and_nothing_is_trained(pumps: Warehouse, open_page: Open):
    page = _opened(pumps, open_page, PUMPS[0])
    page.radio(key="train_preset").set_value("quick").run()
    page.button(key="train_backtest").click().run()
    assert not page.exception
    assert pumps.jobs.list(kind="train") == ()
    (job,) = pumps.jobs.list(kind="backtest")
    assert (job.payload["sensor_ids"], job.payload["preset"]) == ([sensor_id(pumps, PUMPS[0])], "quick")
    assert page.query_params["job"] == str(job.id)
    assert "nothing is registered" in text_of(page)


def test_a_backtest_is_of_one_sensor_with_the_presets_own_values(pumps: Warehouse, open_page: Open):
    page = _opened(pumps, open_page, *PUMPS[:2])
    assert page.button(key="train_backtest").disabled
    page.multiselect(key="train_sensors").set_value([sensor_id(pumps, PUMPS[0])]).run()
    assert not page.button(key="train_backtest").disabled
    page.radio(key="train_preset").set_value("telemanom").run()
    field = next(one for one in page.text_input if str(one.key).startswith("train_field_"))
    field.set_value(f"{float(field.placeholder) + 1:g}").run()
    assert page.button(key="train_backtest").disabled


def test_the_second_asker_is_shown_the_first(pumps: Warehouse, open_page: Open):
    first = ask(pumps, actor="ada")
    page = _go(_opened(pumps, open_page, PUMPS[0]))
    assert [job.id for job in pumps.jobs.list(kind="train")] == [first.id]
    assert page.query_params["job"] == str(first.id)
    words = text_of(page)
    assert f"by ada: job {first.id}" in words
    assert f"job {first.id}" in words


def test_of_a_selection_only_what_nobody_asked_for_is_queued(pumps: Warehouse, open_page: Open):
    first = ask(pumps, PUMPS[0], actor="ada")
    page = _go(_opened(pumps, open_page, *PUMPS[:2]))
    words = text_of(page)
    assert "Queued: 1 training." in words
    assert f"by ada: job {first.id}" in words


def test_it_says_at_the_field_that_a_sensor_is_missing(pumps: Warehouse, open_page: Open):
    page = _go(_opened(pumps, open_page))
    assert "Choose at least one sensor." in text_of(page)
    assert pumps.jobs.list(kind="train") == ()


def test_a_sensor_that_is_no_target_is_not_prefilled(pumps: Warehouse, open_page: Open):
    page = _opened(pumps, open_page, "Pump 1/speed")
    assert page.multiselect(key="train_sensors").value == []


@pytest.mark.parametrize("preset", ["quick", "standard", "thorough", "telemanom"])
def test_parameters_of_every_preset_are_checked_at_their_field(
    pumps: Warehouse, open_page: Open, preset: str
):
    page = _opened(pumps, open_page, PUMPS[0])
    page.radio(key="train_preset").set_value(preset).run()
    fields = [one for one in page.text_input if str(one.key).startswith("train_field_")]
    assert fields
    fields[0].set_value("many").run()
    assert "Write a number from" in text_of(page)
    _go(page)
    assert pumps.jobs.list(kind="train") == ()
    fields = [one for one in page.text_input if str(one.key).startswith("train_field_")]
    fields[0].set_value("").run()
    _go(page)
    assert len(pumps.jobs.list(kind="train")) == 1


def test_a_parameter_that_was_set_is_asked_for(pumps: Warehouse, open_page: Open):
    page = _opened(pumps, open_page, PUMPS[0])
    page.radio(key="train_preset").set_value("telemanom").run()
    field = next(one for one in page.text_input if str(one.key).startswith("train_field_"))
    changed = float(field.placeholder) + 1
    field.set_value(f"{changed:g}").run()
    _go(page)
    (job,) = pumps.jobs.list(kind="train")
    assert job.payload["parameters"] == {str(field.key).removeprefix("train_field_"): changed}


def test_each_preset_says_what_it_trains_and_the_published_one_knows_no_review(
    pumps: Warehouse, open_page: Open
):
    page = _opened(pumps, open_page, PUMPS[1])
    preset = page.radio(key="train_preset")
    assert [one.split("**")[1] for one in preset.options] == ["Quick", "Standard", "Thorough", "Telemanom"]
    assert preset.value == "standard"
    assert len(page.radio(key="train_mode_2").options) == 2
    preset.set_value("telemanom").run()
    assert page.radio(key="train_mode_1").disabled
    _go(page)
    (job,) = pumps.jobs.list(kind="train")
    assert (job.payload["preset"], job.payload["mode"]) == ("telemanom", "causal")


def test_a_labeller_gets_no_dialog_by_a_link(pumps: Warehouse, open_page: Open, monkeypatch):
    monkeypatch.setenv("TELLTALE_ROLE", "labeller")
    page = _opened(pumps, open_page, PUMPS[0])
    assert not list(page.multiselect)
    assert page.button(key="train").disabled


def test_choosing_more_sensors_keeps_the_preset_and_tells_the_longer_time(
    pumps: Warehouse, open_page: Open, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(training, "estimate", lambda _name, ids, _home: Estimate(600.0 * len(ids), 0))
    monkeypatch.setenv("TELLTALE_WORKERS", "1")
    page = _opened(pumps, open_page, PUMPS[0])
    page.radio(key="train_preset").set_value("telemanom").run()
    assert page.button(key="train_go").label.endswith("· about 10 min")
    page.multiselect(key="train_sensors").set_value([sensor_id(pumps, key) for key in PUMPS]).run()
    page.text_input(key="train_field_epochs").set_value("12").run()
    assert not page.exception
    assert "could not be shown" not in text_of(page)
    assert page.button(key="train_go").label == "Train 3 sensors · about 30 min"
    _go(page)
    trainings = pumps.jobs.list(kind="train")
    assert len(trainings) == 3
    assert {(job.payload["preset"], job.payload["parameters"]["epochs"]) for job in trainings} == {
        ("telemanom", 12)
    }
