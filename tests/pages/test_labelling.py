"""Anomalies with several people: voices, conflicts, incidents, missed anomalies, fault classes, the log."""

import csv
import io
from datetime import timedelta

import polars as pl
import pytest
from page_words import Open, text_of
from streamlit.testing.v1 import AppTest
from two_pumps import MILD, NOW, SPIKE, WORST

from app.queries import house, labelling
from core.feedback.description import POINTS
from warehouse.home import Warehouse
from warehouse.state.owner import current_owner

PEOPLE = "Ana:labeller,Ben:trainer,Vic:viewer"


@pytest.fixture
def team(pumps: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """Two pumps at which three people work."""
    monkeypatch.setenv("TELLTALE_PEOPLE", PEOPLE)
    return pumps


def _said(actor: str | None = None) -> pl.DataFrame:
    labels = current_owner().labels()
    return labels if actor is None else labels.filter(pl.col("actor") == actor)


def _judge(page: AppTest, verdict: str) -> AppTest:
    page.button(key=f"card_{verdict}").click().run()
    page.button(key="card_save").click().run()
    assert not page.exception
    return page


def test_the_person_of_the_address_is_the_actor(team: Warehouse, open_page: Open):
    page = open_page("anomalies", event=WORST, person="Ana")
    _judge(page, "true_anomaly")
    assert _said()["actor"].to_list() == ["Ana"]


def test_a_person_nobody_knows_is_refused(team: Warehouse, open_page: Open):
    page = open_page("anomalies", person="Zoe")
    assert "Zoe is not one of the people who work here: Ana, Ben, Vic" in text_of(page)


def test_a_viewer_of_the_list_may_not_judge(team: Warehouse, open_page: Open):
    page = open_page("anomalies", event=WORST, person="Vic")
    assert page.button(key="card_save").disabled
    assert page.button(key="missed").disabled
    assert "Vic is a viewer; this takes a labeller." in text_of(page)


def test_choosing_another_person_drops_what_the_one_before_had_begun(team: Warehouse, open_page: Open):
    page = open_page("anomalies", event=WORST, person="Ana")
    page.button(key="card_true_anomaly").click().run()
    page.radio(key="who_choice").set_value("Ben").run()
    assert page.query_params["person"] == "Ben"
    assert page.button(key="card_true_anomaly").proto.type == "secondary"
    page.button(key="card_save").click().run()
    assert _said().is_empty()


def test_two_people_who_differ_are_both_heard_and_named(team: Warehouse, open_page: Open):
    _judge(open_page("anomalies", event=WORST, person="Ana"), "false_positive")
    page = open_page("anomalies", event=WORST, person="Ben")
    assert "Ana: **False positive**" in text_of(page)
    # Another's verdict is no draft of one's own.
    assert page.button(key="card_false_positive").proto.type == "secondary"
    _judge(page, "true_anomaly")
    assert sorted(_said()["verdict"]) == ["false_positive", "true_anomaly"]
    page = open_page("anomalies", event=WORST, person="Ana")
    words = text_of(page)
    assert "People disagree" in words
    assert "Ben: **True anomaly**" in words
    assert "Disputed" in page.radio(key="event_list").proto.captions[0]
    spec = page.get("plotly_chart")[0].proto.spec
    assert "people disagree: false positive, Ana; true anomaly, Ben" in spec


@pytest.mark.parametrize("choice", ["theirs", "beside"])
def test_who_saves_second_is_shown_the_first_and_decides(team: Warehouse, open_page: Open, choice: str):
    ben = open_page("anomalies", event=WORST, person="Ben")
    _judge(open_page("anomalies", event=WORST, person="Ana"), "false_positive")
    _judge(ben, "true_anomaly")
    assert "Ana said False positive 14:32" in text_of(ben)
    assert _said("Ben").is_empty()
    ben.button(key=f"conflict_{choice}").click().run()
    assert not ben.exception
    assert _said("Ana")["verdict"].to_list() == ["false_positive"]
    assert _said("Ben")["verdict"].to_list() == ([] if choice == "theirs" else ["true_anomaly"])
    assert "Ana said False positive" not in text_of(ben)


def test_who_opens_an_event_after_another_judged_it_saves_without_a_question(
    team: Warehouse, open_page: Open
):
    _judge(open_page("anomalies", event=WORST, person="Ana"), "false_positive")
    _judge(open_page("anomalies", event=WORST, person="Ben"), "true_anomaly")
    assert _said("Ben").height == 1


def test_undo_takes_back_ones_own_and_never_anothers(team: Warehouse, open_page: Open):
    _judge(open_page("anomalies", event=WORST, person="Ana"), "false_positive")
    ben = open_page("anomalies", event=WORST, person="Ben")
    assert "card_undo" not in [button.key for button in ben.button]
    _judge(ben, "true_anomaly")
    open_page("anomalies", event=WORST, person="Ben").button(key="card_undo").click().run()
    assert _said()["actor"].to_list() == ["Ana"]


def test_what_a_verdict_would_change_is_said_before_it_is_given(team: Warehouse, open_page: Open):
    sensor = team.catalog.find_sensor("Pump 1/outlet temperature")
    for (version,), own in team.results.read_events(sensor.id).group_by("version_id"):
        looks = own.with_columns(
            pl.Series("traits", [[1.0] * 7] * own.height, pl.List(pl.Float32)),
            pl.Series("shape", [[0.0] * POINTS] * own.height, pl.List(pl.Float32)),
        )
        team.results.put_events(sensor.id, int(version), looks, at=NOW)
    current_owner().write("fleet.refresh", {}, actor="test", write_id="described")
    page = open_page("anomalies", event=WORST, person="Ana")
    words = text_of(page)
    assert "**False**: holds back 1 other event of this sensor once verdicts are applied." in words
    assert "**True**: no event of this sensor changes" in words
    _judge(page, "false_positive")
    words = text_of(open_page("anomalies", event=WORST, person="Ben"))
    assert "**True**: people would disagree, and what is disputed teaches nothing." in words


@pytest.fixture
def incident(pumps: Warehouse) -> Warehouse:
    """Two events of Pump 1 that meet in time, beside the one long ago."""
    sensor = pumps.catalog.find_sensor("Pump 1/outlet temperature")
    for (version,), own in pumps.results.read_events(sensor.id).group_by("version_id"):
        times = {"start": NOW - timedelta(hours=1), "peak_ts": NOW - timedelta(minutes=30), "end": NOW}
        rows = [row | (times if row["event_id"] == SPIKE else {}) for row in own.to_dicts()]
        pumps.results.put_events(sensor.id, int(version), pl.DataFrame(rows, schema=own.schema), at=NOW)
    current_owner().write("fleet.refresh", {}, actor="test", write_id="moved")
    return pumps


def test_an_incident_is_judged_at_once_and_undone_at_once(incident: Warehouse, open_page: Open):
    page = open_page("anomalies", event=WORST)
    button = page.button(key="whole_incident_button")
    assert button.label == "All 2 events of this incident"
    button.click().run()
    _judge(page, "true_anomaly")
    assert "Saved: true anomaly, 2 events of Pump 1." in text_of(page)
    stored = _said().sort("start")
    assert stored["event_id"].to_list() == [WORST, SPIKE]
    assert stored["start"].to_list() == [NOW - timedelta(hours=9), NOW - timedelta(hours=1)]
    assert page.button(key="card_undo").label == "Undo all 2"
    page.button(key="card_undo").click().run()
    assert _said().is_empty()


def test_an_event_that_stands_alone_has_no_incident(pumps: Warehouse, open_page: Open):
    page = open_page("anomalies", event=MILD)
    assert "whole_incident_button" not in [button.key for button in page.button]


def test_a_missed_anomaly_is_typed_and_stored_without_an_event(pumps: Warehouse, open_page: Open):
    page = open_page("anomalies", event=WORST)
    page.button(key="missed").click().run()
    assert "A missed anomaly" in text_of(page)
    page.button(key="card_save").click().run()
    assert _said().is_empty()
    card = next(one.key for one in page.datetime_input if str(one.key).startswith("card_from_missed"))
    sensor = card.removeprefix("card_from_")
    page.datetime_input(key=card).set_value(NOW.replace(hour=1, minute=0, tzinfo=None))
    page.datetime_input(key=f"card_to_{sensor}").set_value(NOW.replace(hour=2, minute=0, tzinfo=None))
    page.selectbox(key=f"card_class_{sensor}").set_value("seal leak").run()
    page.button(key="card_save").click().run()
    assert not page.exception
    stored = _said().row(0, named=True)
    assert (stored["verdict"], stored["event_id"], stored["version_id"]) == ("true_anomaly", None, None)
    assert (stored["start"], stored["end"]) == (NOW.replace(hour=1, minute=0), NOW.replace(hour=2, minute=0))
    assert stored["fault_class"] == "seal leak"
    words = text_of(page)
    assert "Is it real?" in words
    assert "01:00 True anomaly: seal leak, drawn" in words
    page.button(key="card_undo").click().run()
    assert _said().is_empty()


def test_a_typed_fault_class_goes_on_the_list_and_a_retired_one_leaves_it(
    pumps: Warehouse, open_page: Open, typed_options: None
):
    page = open_page("anomalies", event=WORST)
    page.selectbox(key=f"card_class_{WORST}").set_value("fouled cooler").run()
    _judge(page, "true_anomaly")
    assert "fouled cooler" in page.selectbox(key=f"card_class_{MILD}").options
    page.button(key="edit_classes").click().run()
    page.button(key="retire_fouled cooler").click().run()
    assert not page.exception
    fresh = open_page("anomalies", event=MILD)
    assert "fouled cooler" not in fresh.selectbox(key=f"card_class_{MILD}").options
    # What was said with it keeps it.
    again = open_page("anomalies", event=WORST)
    assert again.selectbox(key=f"card_class_{WORST}").value == "fouled cooler"


def test_the_history_has_what_was_taken_back_and_by_whom(team: Warehouse, open_page: Open):
    _judge(open_page("anomalies", event=WORST, person="Ana"), "false_positive")
    page = open_page("anomalies", event=WORST, person="Ben")
    page.button(key="history").click().run()
    label = _said()["label_id"][0]
    page.button(key=f"take_back_{label}").click().run()
    assert _said().is_empty()
    page.button(key="history").click().run()
    words = text_of(page)
    assert "**Ana**: False positive" in words
    assert "Taken back by Ben, 20 May 2024 14:32" in words
    assert "1 verdict, 0 in force" in words


def test_the_audit_file_has_every_act_and_no_formula(pumps: Warehouse, open_page: Open):
    page = open_page("anomalies", event=WORST)
    page.text_area(key=f"card_note_{WORST}").set_value("=cmd|' /C calc'!A0").run()
    _judge(page, "true_anomaly")
    page.button(key="card_undo").click().run()
    made = house.stamp()
    rows = list(csv.DictReader(io.StringIO(labelling.audit_csv(made, None).decode("utf-8"))))
    assert [(row["action"], row["by"]) for row in rows] == [("set", "engineer A"), ("undo", "engineer A")]
    assert rows[0]["note"] == "'=cmd|' /C calc'!A0"
    assert rows[0]["machine"] == "Pump 1"


def test_the_keys_are_listed(pumps: Warehouse, open_page: Open):
    page = open_page("anomalies", event=WORST)
    page.button(key="keys").click().run()
    assert "save and open the next event without a verdict" in text_of(page)
