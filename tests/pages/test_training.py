"""Training starts a job, shows it running, and says what came of it."""

from datetime import timedelta

from page_words import Open, text_of
from streamlit.testing.v1 import AppTest
from two_pumps import NOW

from warehouse.home import Warehouse


def _job(warehouse: Warehouse, at=NOW):
    sensor = warehouse.catalog.find_sensor("Pump 1/outlet temperature")
    return warehouse.jobs.add(
        "train",
        {"sensor_ids": [sensor.id], "preset": "quick", "mode": "causal", "seed": 0},
        actor="engineer A",
        at=at,
    )


def test_a_running_job_shows_bar_last_line_and_loss(pumps: Warehouse, open_page: Open):
    job = _job(pumps)
    pumps.jobs.claim(1, NOW)
    pumps.jobs.progress(job.id, 0.4, "epoch 4 of 10")
    for epoch in range(4):
        pumps.jobs.log_metric(job.id, epoch, "loss", 1.0 / (epoch + 1))
    page = open_page("training")
    words = text_of(page)
    assert "**Pump 1 · outlet temperature**" in words
    assert "epoch 4 of 10" in words
    assert '"loss"' in page.get("plotly_chart")[0].proto.spec


def test_of_two_networks_the_curves_of_the_one_that_learns_now_are_drawn(pumps: Warehouse, open_page: Open):
    job = _job(pumps)
    pumps.jobs.claim(1, NOW)
    for name, value in (("train loss", 0.5), ("train loss of network 2", 0.25)):
        pumps.jobs.log_metric(job.id, 1, name, value)
    spec = open_page("training").get("plotly_chart")[0].proto.spec
    assert '"name":"train loss"' in spec
    assert "0.25" in spec
    assert "network 2" not in spec


def test_what_waits_and_what_is_over_are_listed(pumps: Warehouse, open_page: Open):
    first, second, waiting = _job(pumps), _job(pumps), _job(pumps)
    pumps.jobs.claim(1, NOW)
    pumps.jobs.claim(1, NOW)
    pumps.jobs.finish(first.id, {"summary": "registered as version 3"}, NOW + timedelta(minutes=4))
    pumps.jobs.fail(second.id, "its training part is constant", NOW + timedelta(minutes=5))
    page = open_page("training")
    assert f"job {waiting.id}, queued" in text_of(page)
    table = page.dataframe[0].value
    assert list(table["Job"]) == [second.id, first.id]
    assert list(table["Result"]) == ["Failed: its training part is constant.", "Registered as version 3."]
    assert table["Took"][1] == "4 min"


def _form() -> AppTest:
    def script() -> None:
        import streamlit as st

        from app.components.train_form import train_form

        if train_form():
            st.write("queued")

    return AppTest.from_function(script, default_timeout=30).run()


def test_the_button_opens_the_form(pumps: Warehouse, open_page: Open):
    page = open_page("training")
    page.button(key="train").click().run()
    assert not page.exception
    assert page.multiselect(key="train_sensors").options == [
        "Pump 1 · outlet temperature",
        "Pump 2 · outlet temperature",
        "P-1 · telemetry",
    ]


def test_the_form_queues_a_training(pumps: Warehouse):
    form = _form()
    form.multiselect(key="train_sensors").select("Pump 2 · outlet temperature")
    form.radio(key="train_preset").set_value("quick").run()
    form.radio(key="train_mode_2").set_value("review").run()
    form.button(key="train_go").click().run()
    assert not form.exception
    assert "queued" in text_of(form)
    (job,) = pumps.jobs.list(kind="train")
    assert job.state == "queued"
    assert job.payload["sensor_ids"] == [pumps.catalog.find_sensor("Pump 2/outlet temperature").id]
    assert (job.payload["preset"], job.payload["mode"]) == ("quick", "review")
    assert job.actor == "engineer A"


def test_the_form_says_at_the_field_that_a_sensor_is_missing(pumps: Warehouse):
    form = _form()
    form.button(key="train_go").click().run()
    assert "Choose at least one sensor." in text_of(form)
    assert pumps.jobs.list(kind="train") == ()


def _takes(preset: str) -> str:
    options = _form().radio(key="train_preset").options
    return next(one for one in options if preset in one).rpartition("· ")[2].rstrip("]")


def test_past_trainings_tell_how_long_a_preset_takes(pumps: Warehouse):
    job = _job(pumps)
    pumps.jobs.claim(1, NOW)
    before = [_takes(name) for name in ("Quick", "Telemanom")]
    pumps.jobs.finish(job.id, {}, NOW + timedelta(minutes=6))
    assert before[0] == "about 10 s"
    assert [_takes(name) for name in ("Quick", "Telemanom")] == ["about 6 min", before[1]]


def test_presets_of_an_older_release_say_nothing_of_todays(pumps: Warehouse):
    sensor = pumps.catalog.find_sensor("Pump 1/outlet temperature")
    job = pumps.jobs.add(
        "train", {"sensor_ids": [sensor.id], "preset": "quick", "seed": 0}, actor="ada", at=NOW
    )
    pumps.jobs.claim(1, NOW)
    pumps.jobs.finish(job.id, {}, NOW + timedelta(minutes=6))
    assert _takes("Quick") == "about 10 s"


def test_each_preset_says_what_it_trains_and_the_published_one_knows_no_review(pumps: Warehouse):
    form = _form()
    preset = form.radio(key="train_preset")
    assert [one.split("**")[1] for one in preset.options] == ["Quick", "Standard", "Thorough", "Telemanom"]
    assert preset.value == "standard"
    assert len(form.radio(key="train_mode_2").options) == 2
    preset.set_value("telemanom").run()
    assert form.radio(key="train_mode_1").disabled
    form.multiselect(key="train_sensors").select("Pump 2 · outlet temperature")
    form.button(key="train_go").click().run()
    (job,) = pumps.jobs.list(kind="train")
    assert (job.payload["preset"], job.payload["mode"]) == ("telemanom", "causal")


def test_what_a_person_must_know_of_a_model_stands_in_the_history(pumps: Warehouse, open_page: Open):
    job = _job(pumps)
    pumps.jobs.claim(1, NOW)
    remark = "its training part never changes: the instant tier judges it alone"
    result = {"summary": "registered as version 3", "remarks": [remark]}
    pumps.jobs.finish(job.id, result, NOW + timedelta(minutes=1))
    (told,) = open_page("training").dataframe[0].value["Result"]
    assert told == f"Registered as version 3. Note: {remark}."


def test_a_labeller_is_told_why_the_button_is_off(pumps: Warehouse, open_page: Open, monkeypatch):
    monkeypatch.setenv("TELLTALE_ROLE", "labeller")
    assert open_page("training").button(key="train").disabled


def test_an_empty_home_has_nothing_to_train(empty: Warehouse, open_page: Open):
    page = open_page("training")
    assert page.button(key="train").disabled
    assert "No training is over yet." in text_of(page)
