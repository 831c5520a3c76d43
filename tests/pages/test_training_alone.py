"""One job and one batch by themselves, schedules, and the notice of an end."""

from datetime import timedelta

import pytest
from page_words import Open, text_of
from streamlit.testing.v1 import AppTest
from training_work import CONSTANT, PUMPS, ask, batch, done, failed, run, sensor_id
from two_pumps import NOW

from core.jobs.run import execute
from warehouse.home import Warehouse


def _buttons(page: AppTest) -> dict[str, AppTest]:
    return {str(button.key): button for button in page.button}


def _tables(page: AppTest) -> str:
    return "\n".join(str(table.value) for table in page.table)


def test_a_running_job_shows_curves_log_resources_and_what_was_asked(pumps: Warehouse, open_page: Open):
    job = run(pumps, ask(pumps))
    pumps.jobs.progress(job, 0.4, "epoch 4 of 10")
    pumps.jobs.log(job, "loading TensorFlow", NOW)
    pumps.jobs.beat(job, NOW + timedelta(hours=1), memory_mb=812.0, cpu_s=33.0)
    for epoch in range(1, 5):
        pumps.jobs.log_metric(job, epoch, "train loss", 1.0 / epoch)
    page = open_page("training", job=str(job.id))
    assert page.get("progress")[0].proto.text.startswith("40 %")
    assert "loading TensorFlow" in page.code[0].value
    assert '"name":"train loss"' in page.get("plotly_chart")[0].proto.spec
    facts = _tables(page)
    assert "812 MB of memory, 33 s of CPU" in facts
    assert "quick" in facts
    assert {"job_cancel", "back"} <= set(_buttons(page))
    assert not {"job_resume", "job_retry"} & set(_buttons(page))


def test_a_failed_job_says_why_and_goes_on_from_its_epoch(pumps: Warehouse, open_page: Open):
    job = run(pumps, ask(pumps))
    pumps.jobs.checkpointed(job, 7)
    pumps.jobs.fail(job, "the disk is full: make room", NOW)
    page = open_page("training", job=str(job.id))
    assert "the disk is full" in page.error[0].value
    assert _buttons(page)["job_resume"].label == "Resume after epoch 7"
    _buttons(page)["job_resume"].click().run()
    assert not page.exception
    assert pumps.jobs.get(job.id).state == "queued"
    assert not pumps.jobs.get(job.id).fresh
    assert "goes on" in text_of(page)


def test_a_failed_job_begins_anew(pumps: Warehouse, open_page: Open):
    job = failed(pumps)
    page = open_page("training", job=str(job.id))
    _buttons(page)["job_retry"].click().run()
    assert pumps.jobs.get(job.id).state == "queued"
    assert pumps.jobs.get(job.id).fresh


def test_a_clone_is_another_job_and_is_shown(pumps: Warehouse, open_page: Open):
    job = done(pumps)
    page = open_page("training", job=str(job.id))
    _buttons(page)["job_clone"].click().run()
    assert not page.exception
    newest = pumps.jobs.list(kind="train", limit=1)[0]
    assert newest.id != job.id
    assert page.query_params["job"] == str(newest.id)


def test_cancel_is_said_at_once_on_the_job_itself(pumps: Warehouse, open_page: Open):
    job = run(pumps, ask(pumps))
    page = open_page("training", job=str(job.id))
    _buttons(page)["job_cancel"].click().run()
    assert _buttons(page)["job_cancel"].label == "Cancelling…"
    assert _buttons(page)["job_cancel"].disabled


def test_a_finished_job_says_what_came_of_it_and_leads_to_its_version(pumps: Warehouse, open_page: Open):
    version = pumps.catalog.versions()[-1]
    job = done(pumps, version_id=version.id)
    page = open_page("training", job=str(job.id))
    assert "Registered as version 3." in text_of(page)
    assert f"version_{version.id}" in _buttons(page)
    links = [one.proto.url for one in page.get("link_button")]
    assert links == ([f"/mlflow/run/{version.run_id}"] if version.run_id else [])


def test_a_backtest_shows_each_fold_with_its_stretch_and_no_curve_of_losses(
    pumps: Warehouse, open_page: Open
):
    sensor = sensor_id(pumps)
    payload = {"sensor_ids": [sensor], "preset": "quick", "mode": "causal", "seed": 0, "folds": 3}
    added = pumps.jobs.add("backtest", payload, actor="engineer A", at=NOW)
    told = execute(run(pumps, added), warehouse=pumps, clock=lambda: NOW)
    assert (told.state, told.error) == ("done", None)
    assert told.result is not None
    page = open_page("training", job=str(added.id))
    table = page.table[0].value
    assert list(table["Fold"]) == ["1", "2", "3"]
    # Each judged the stretch that follows what it learned from.
    assert list(table["Judged until"])[:2] == list(table["Judged from"])[1:]
    errors = [float(one) for one in table["Error"]]
    figures = [one["figures"]["normalised_error"] for one in told.result["folds"]]
    assert errors == pytest.approx(figures, rel=1e-2)
    assert not page.get("plotly_chart")
    assert "Fold 1:" not in text_of(page)


def test_what_an_earlier_attempt_wrote_stands_apart(pumps: Warehouse, open_page: Open):
    job = run(pumps, ask(pumps))
    pumps.jobs.log(job, "epoch 1", NOW)
    pumps.jobs.interrupt(job, "its process died", NOW)
    again = run(pumps, job)
    pumps.jobs.log(again, "epoch 2", NOW)
    lines = open_page("training", job=str(job.id)).code[0].value.splitlines()
    places = {
        text: n
        for n, line in enumerate(lines)
        for text in ("epoch 1", "attempt 2", "epoch 2")
        if text in line
    }
    assert places["epoch 2"] < places["attempt 2"] < places["epoch 1"]


def test_a_job_that_does_not_exist_is_told_quietly(pumps: Warehouse, open_page: Open):
    assert "There is no job 999." in text_of(open_page("training", job="999"))
    assert "There is no batch 999." in text_of(open_page("training", batch="999"))


def test_back_leads_to_everything(pumps: Warehouse, open_page: Open):
    page = open_page("training", job=str(done(pumps).id))
    _buttons(page)["back"].click().run()
    assert "job" not in page.query_params
    assert "train" in _buttons(page)


def test_a_batch_names_what_failed_under_its_reason_and_retries_it(pumps: Warehouse, open_page: Open):
    made = batch(pumps)
    for job_id in made.job_ids[:2]:
        pumps.jobs.fail(run(pumps, pumps.jobs.get(job_id)), CONSTANT, NOW)
    pumps.jobs.finish(run(pumps, pumps.jobs.get(made.job_ids[2])), {"summary": "registered"}, NOW)
    page = open_page("training", batch=str(made.id))
    words = text_of(page)
    assert "✖ 2 failed" in words
    assert words.count(CONSTANT[1:]) == 1
    assert _buttons(page)[f"failed_{made.job_ids[0]}"].label
    _buttons(page)["batch_retry"].click().run()
    assert not page.exception
    states = [pumps.jobs.get(one).state for one in made.job_ids]
    assert states == ["queued", "queued", "done"]


def test_the_rest_of_a_batch_is_cancelled_and_goes_on(pumps: Warehouse, open_page: Open):
    made = batch(pumps)
    page = open_page("training", batch=str(made.id))
    _buttons(page)["batch_cancel"].click().run()
    assert [pumps.jobs.get(one).state for one in made.job_ids] == ["cancelled"] * 3
    _buttons(page)["batch_resume"].click().run()
    assert [pumps.jobs.get(one).state for one in made.job_ids] == ["queued"] * 3


def test_a_viewer_can_press_nothing_on_a_job_or_a_batch(pumps: Warehouse, open_page: Open, monkeypatch):
    lost, made = failed(pumps, PUMPS[0]), batch(pumps)
    monkeypatch.setenv("TELLTALE_ROLE", "viewer")
    jobs = _buttons(open_page("training", job=str(lost.id)))
    assert all(jobs[key].disabled for key in ("job_retry", "job_clone"))
    assert _buttons(open_page("training", batch=str(made.id)))["batch_cancel"].disabled


def test_a_schedule_is_added_in_words_paused_and_removed(pumps: Warehouse, open_page: Open):
    page = open_page("training")
    page.selectbox(key="schedule_every").set_value("Every week").run()
    page.button(key="schedule_add").click().run()
    assert not page.exception
    (made,) = pumps.jobs.schedules.list()
    assert (made.cron, made.payload["only"]) == ("0 2 * * 7", "stale")
    assert "At 02:00" in text_of(page)
    page.button(key=f"schedule_pause_{made.id}").click().run()
    assert not pumps.jobs.schedules.list()[0].enabled
    assert "paused" in text_of(page)
    page.button(key=f"schedule_remove_{made.id}").click().run()
    assert pumps.jobs.schedules.list() == ()


def test_an_expression_that_means_nothing_is_refused_at_its_field(pumps: Warehouse, open_page: Open):
    page = open_page("training")
    page.selectbox(key="schedule_every").set_value("Cron expression").run()
    page.text_input(key="schedule_cron").set_value("99 * * * *").run()
    page.button(key="schedule_add").click().run()
    assert not page.exception
    assert "is no cron expression" in text_of(page)
    assert pumps.jobs.schedules.list() == ()


def test_an_end_is_told_on_any_page_to_the_person_who_asked_alone(pumps: Warehouse, open_page: Open):
    mine, other = ask(pumps, PUMPS[0]), ask(pumps, PUMPS[1], actor="ada")
    page = open_page("main")
    assert not page.toast
    for job in (mine, other):
        pumps.jobs.finish(run(pumps, job), {"summary": "registered as version 3"}, NOW)
    page.run()
    assert [toast.value for toast in page.toast] == [
        "**Pump 1 · outlet temperature**  \n✓ Done. Registered as version 3."
    ]
    links = [link.proto.label for link in page.sidebar.get("page_link")]
    assert any("Pump 1" in label for label in links)
    page.run()
    assert not page.toast
    page.button(key="notices_clear").click().run()
    assert not [link for link in page.sidebar.get("page_link") if "Pump 1" in link.proto.label]
