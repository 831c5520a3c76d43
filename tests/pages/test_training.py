"""Training shows what runs, waits and is over, how each sensor is, and starts a training in two clicks."""

import pytest
from page_words import Open, text_of
from streamlit.testing.v1 import AppTest
from training_work import CONSTANT, PUMPS, ask, batch, done, failed, run, sensor_id
from two_pumps import NOW

from warehouse.home import Warehouse


def _rows(page: AppTest, alt: str) -> list[dict[str, object]]:
    for table in page.dataframe:
        if alt in table.proto.alt:
            return list(table.value.to_dict("records"))
    return []


def _history(page: AppTest) -> list[dict[str, object]]:
    return _rows(page, "Jobs that are over")


def test_a_running_job_shows_bar_last_line_and_loss(pumps: Warehouse, open_page: Open):
    job = run(pumps, ask(pumps))
    pumps.jobs.progress(job, 0.4, "epoch 4 of 10")
    for epoch in range(4):
        pumps.jobs.log_metric(job, epoch, "loss", 1.0 / (epoch + 1))
    page = open_page("training")
    words = text_of(page)
    assert "**Now** :gray[· 1 running, 0 waiting]" in words
    assert "**Pump 1 · outlet temperature**" in words
    assert "epoch 4 of 10" in words
    assert page.get("progress")[0].proto.text.startswith("40 %")
    assert '"loss"' in page.get("plotly_chart")[0].proto.spec


def test_of_two_networks_the_curves_of_the_one_that_learns_now_are_drawn(pumps: Warehouse, open_page: Open):
    job = run(pumps, ask(pumps))
    for name, value in (("train loss", 0.5), ("train loss of network 2", 0.25)):
        pumps.jobs.log_metric(job, 1, name, value)
    spec = open_page("training").get("plotly_chart")[0].proto.spec
    assert '"name":"train loss"' in spec
    assert "0.25" in spec
    assert "network 2" not in spec


def test_cancel_is_said_at_once(pumps: Warehouse, open_page: Open):
    job = run(pumps, ask(pumps))
    page = open_page("training")
    page.button(key=f"cancel_{job.id}").click().run()
    assert not page.exception
    assert page.button(key=f"cancel_{job.id}").label == "Cancelling…"
    assert page.button(key=f"cancel_{job.id}").disabled
    assert pumps.jobs.get(job.id).cancel_asked_at is not None


def test_what_waits_says_for_what_and_can_be_cancelled(pumps: Warehouse, open_page: Open):
    first = run(pumps, ask(pumps))
    second = pumps.jobs.add(
        "score", {"sensor_ids": [sensor_id(pumps)]}, actor="engineer A", at=NOW, needs=(first.id,)
    )
    page = open_page("training")
    assert f"waits for job {first.id}" in text_of(page)
    page.button(key=f"cancel_{second.id}").click().run()
    assert pumps.jobs.get(second.id).state == "cancelled"
    assert f"waits for job {first.id}" not in text_of(page)


def test_what_is_over_is_listed_with_what_came_of_it(pumps: Warehouse, open_page: Open):
    remark = "one tier judges it alone"
    first = done(pumps, remarks=[remark])
    second = failed(pumps)
    rows = _history(open_page("training"))
    assert [row["Job"] for row in rows] == [second.id, first.id]
    assert rows[0]["State"] == "✖ Failed"
    assert rows[0]["Result"] == f"Failed: {CONSTANT}."
    assert rows[1]["Result"] == f"Registered as version 3. Note: {remark}."
    assert rows[1]["Ended"] == "20 May 2024 14:36"


def test_what_runs_by_itself_is_shown_only_where_it_failed_or_is_asked_for(pumps: Warehouse, open_page: Open):
    good, bad = (pumps.jobs.add("score", {"sensor_ids": [n]}, actor="supervisor", at=NOW) for n in (1, 2))
    pumps.jobs.finish(run(pumps, good), {"summary": "judged 25 new steps"}, NOW)
    pumps.jobs.fail(run(pumps, bad), "a file is damaged", NOW)
    trained = done(pumps)
    assert [row["Job"] for row in _history(open_page("training"))] == [trained.id, bad.id]
    scoring = open_page("training", kind="score")
    assert [row["Job"] for row in _history(scoring)] == [bad.id, good.id]


def test_the_history_is_filtered_by_the_address_and_filters_go_into_it(pumps: Warehouse, open_page: Open):
    good, bad = done(pumps), failed(pumps)
    page = open_page("training", state="failed")
    assert [row["Job"] for row in _history(page)] == [bad.id]
    assert page.pills(key="state").value == ["failed"]
    page.pills(key="state").set_value(["done"]).run()
    assert page.query_params["state"] == "done"
    assert [row["Job"] for row in _history(page)] == [good.id]
    by_sensor = open_page("training", sensor=str(sensor_id(pumps, PUMPS[1])), kind="train")
    assert [row["Job"] for row in _history(by_sensor)] == [bad.id]
    none = open_page("training", sensor=str(sensor_id(pumps, PUMPS[2])))
    assert "No job that is over matches the filters." in text_of(none)


@pytest.mark.parametrize(
    "address",
    [
        {"state": "nonsense"},
        {"sensor": "x"},
        {"job": "x"},
        {"batch": "9" * 30},
        {"train": "x,-1,4.5"},
        {"kind": "<b>"},
    ],
)
def test_an_address_that_says_nothing_is_no_error(pumps: Warehouse, open_page: Open, address: dict[str, str]):
    done(pumps)
    assert not open_page("training", **address).error


def test_a_batch_is_one_card_with_a_bar_a_sensor(pumps: Warehouse, open_page: Open):
    made = batch(pumps)
    job = run(pumps, pumps.jobs.get(made.job_ids[1]))
    pumps.jobs.fail(job, CONSTANT, NOW)
    run(pumps, pumps.jobs.get(made.job_ids[0]))
    page = open_page("training")
    assert f"batch {made.id}" in text_of(page)
    told = page.get("progress")[0].proto.text
    assert told.startswith("0 of 3 done · :red[✖ 1 failed] · 1 running · 1 waiting")
    spec = page.get("plotly_chart")[0].proto.spec
    assert all(name in spec for name in ("Pump 1", "Pump 2", "P-1"))
    assert not [button for button in page.button if button.key == f"cancel_{made.job_ids[0]}"]
    page.button(key=f"cancel_batch_{made.id}").click().run()
    assert pumps.jobs.get(made.job_ids[2]).state == "cancelled"


def test_sensors_that_fail_come_first_with_the_reason(pumps: Warehouse, open_page: Open):
    failed(pumps)
    rows = _rows(open_page("training"), "Sensors that can be trained")
    assert len(rows) == 3
    assert rows[0]["Status"] == "✖ Failing"
    assert rows[0]["Sensor"] == "Pump 2 · outlet temperature"
    assert CONSTANT[1:] in str(rows[0]["Why"])


def test_sensors_are_narrowed_by_status_and_the_address_says_so(pumps: Warehouse, open_page: Open):
    failed(pumps)
    page = open_page("training")
    page.pills(key="status").set_value("failing").run()
    assert page.query_params["status"] == "failing"
    assert len(_rows(page, "Sensors that can be trained")) == 1


def test_the_machine_of_the_rail_narrows_the_sensors_and_is_what_train_means(
    pumps: Warehouse, open_page: Open
):
    page = open_page("training")
    page.session_state["asset"] = "Pump 2"
    page.run()
    rows = _rows(page, "Sensors that can be trained")
    assert [row["Sensor"] for row in rows] == ["Pump 2 · outlet temperature"]
    page.button(key="train").click().run()
    assert page.multiselect(key="train_sensors").value == [sensor_id(pumps, PUMPS[1])]


def test_a_viewer_sees_everything_and_can_press_nothing(pumps: Warehouse, open_page: Open, monkeypatch):
    job = run(pumps, ask(pumps))
    waits = ask(pumps, PUMPS[2])
    monkeypatch.setenv("TELLTALE_ROLE", "viewer")
    page = open_page("training", train=str(sensor_id(pumps)))
    for key in ("train", f"cancel_{job.id}", f"cancel_{waits.id}", "schedule_add"):
        assert page.button(key=key).disabled, key
    assert not [box for box in page.multiselect if box.key == "train_sensors"]


def test_an_empty_home_says_what_would_fill_the_page(empty: Warehouse, open_page: Open):
    page = open_page("training")
    assert page.button(key="train").disabled
    words = text_of(page)
    assert "There is no sensor to train yet" in words
    assert "Nothing is over yet." in words
    assert "nothing runs and nothing waits" in words


def test_the_versions_of_what_is_picked_are_validated_side_by_side(pumps: Warehouse, open_page: Open):
    # `asset` is bound by the rail, which `main` draws.
    page = open_page("training")
    assert "validate" not in [button.key for button in page.button]
    page.session_state["asset"] = "Pump 1"
    page.run()
    page.button(key="validate").click().run()
    assert not page.exception
    (job,) = pumps.jobs.list(kind="validate")
    (version,) = [one.id for one in pumps.catalog.versions() if one.kind == "trained"]
    assert job.payload["version_ids"] == [version]
    assert job.actor == "engineer A"
    assert page.query_params["job"] == str(job.id)
    assert "Validation" in text_of(page)
