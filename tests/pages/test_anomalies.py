"""Anomalies shows one event and takes a verdict on it."""

from datetime import datetime, timedelta

import polars as pl
import pytest
from page_words import Open, text_of
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Radio
from two_pumps import MILD, NOW, SPIKE, WORST

from warehouse.home import Warehouse
from warehouse.state.owner import current_owner


def _listed(page: AppTest) -> Radio:
    """Return the list of events, whichever has opened the one that is chosen."""
    (found,) = (one for one in page.radio if str(one.key).startswith("event_list"))
    return found


def _labels():
    return current_owner().labels()


def _typed(hour: int, minute: int) -> datetime:
    return NOW.replace(hour=hour, minute=minute, tzinfo=None)


def _judge(page: AppTest, verdict: str) -> AppTest:
    page.button(key=f"card_{verdict}").click().run()
    page.button(key="card_save").click().run()
    assert not page.exception
    return page


def test_the_worst_event_opens_first_and_the_address_names_it(pumps: Warehouse, open_page: Open):
    page = open_page("anomalies")
    assert page.query_params["event"] == WORST
    words = text_of(page)
    assert ":red-badge[▲ Critical] **Pump 1 · outlet temperature**" in words
    assert "14.1 °C above expected for 9 h; cooling-water flow fell first" in words
    for chip in (
        "Probability 98 %",
        "9 h 1 min, still running",
        "Peak 0.98, threshold 0.62",
        "Judged from the past alone",
    ):
        assert f":gray-badge[{chip}]" in words
    assert "LSTM (Telemanom) v1" in words


def test_an_event_that_later_steps_helped_to_find_says_so(pumps: Warehouse, open_page: Open):
    target = pumps.catalog.find_sensor("Pump 2/outlet temperature")
    events = pumps.results.read_events(target.id)
    reviewed = events.with_columns(pl.lit("review").alias("mode"))
    pumps.results.put_events(target.id, events["version_id"][0], reviewed, at=NOW)
    current_owner().write("fleet.refresh", {}, actor="test", write_id="reviewed")
    words = text_of(open_page("anomalies", event=MILD))
    assert ":gray-badge[Judged in review: later steps were seen too]" in words
    assert "Judged from the past alone" not in words


def test_a_statistical_detector_is_named_as_such(pumps: Warehouse, open_page: Open):
    assert "Robust statistical detector v1, no trained model" in text_of(open_page("anomalies", event=MILD))


def test_the_list_is_worst_first_and_moves_by_keys(pumps: Warehouse, open_page: Open):
    page = open_page("anomalies")
    order = list(page.radio(key="event_list").options)
    assert [label.split("**")[1] for label in order] == ["Pump 1", "Pump 2", "P-1"]
    assert page.button(key="list_back").disabled
    page.button(key="list_next").click().run()
    assert page.query_params["event"] == MILD
    page.button(key="list_back").click().run()
    assert page.query_params["event"] == WORST


def test_choosing_in_the_list_opens_the_event(pumps: Warehouse, open_page: Open):
    page = open_page("anomalies")
    page.radio(key="event_list").set_value(MILD).run()
    assert page.query_params["event"] == MILD
    assert "**Pump 2 · outlet temperature**" in text_of(page)


def test_a_list_that_a_key_moved_is_another_one_than_the_browser_still_shows(
    pumps: Warehouse, open_page: Open
):
    """Else the choice that a slow browser has not drawn yet would come back with the next key."""
    page = open_page("anomalies")
    page.button(key="list_next").click().run()
    moved = _listed(page)
    assert moved.key != "event_list"
    assert moved.value == MILD
    # What is chosen in the list keeps it, and with it the focus of who moves by arrows.
    moved.set_value(WORST).run()
    assert page.radio(key=moved.key).value == WORST
    assert page.query_params["event"] == WORST


def test_a_link_opens_an_event_that_the_window_leaves_out(pumps: Warehouse, open_page: Open):
    page = open_page("anomalies", event=SPIKE)
    assert "A spike of 22 °C" in text_of(page)
    assert page.radio(key="event_list").value == SPIKE


def test_a_link_to_an_event_that_is_gone_says_so(pumps: Warehouse, open_page: Open):
    page = open_page("anomalies", event="4-gone")
    assert "no longer exists" in page.warning[0].value
    assert page.query_params["event"] == WORST


def test_severity_filters_and_stays_in_the_address(pumps: Warehouse, open_page: Open):
    page = open_page("anomalies")
    page.pills(key="severity").set_value(["low"]).run()
    assert page.query_params["severity"] == "low"
    assert len(page.radio(key="event_list").options) == 2  # the open event stays
    fresh = open_page("anomalies", severity="low")
    assert len(fresh.radio(key="event_list").options) == 1


def test_the_chart_shows_spike_score_and_driving_channels(pumps: Warehouse, open_page: Open):
    page = open_page("anomalies", event=SPIKE)
    spec = page.get("plotly_chart")[0].proto.spec
    assert "Outlet temperature" in spec
    assert "Cooling-water flow" in spec
    assert "drives 46 %" in spec
    assert "Operating state" in spec


@pytest.mark.parametrize("window", ["day", "week", "all", "2024-05-20T01:00:00Z~2024-05-20T03:00:00Z"])
def test_every_window_is_drawn_from_the_address(pumps: Warehouse, open_page: Open, window: str):
    page = open_page("anomalies", event=WORST, window=window)
    assert len(page.get("plotly_chart")) == 1


def test_a_window_chosen_by_button_goes_into_the_address_and_reset_takes_it_out(
    pumps: Warehouse, open_page: Open
):
    page = open_page("anomalies")
    page.segmented_control(key="window_choice").set_value("week").run()
    assert page.query_params["window"] == "week"
    page.button(key="window_reset").click().run()
    assert "window" not in page.query_params


def test_a_window_nobody_knows_falls_back_to_the_event(pumps: Warehouse, open_page: Open):
    page = open_page("anomalies", event=WORST, window="fortnight~x")
    assert page.segmented_control(key="window_choice").value == "event"


def test_a_verdict_is_stored_with_the_detectors_bounds_and_the_next_event_opens(
    pumps: Warehouse, open_page: Open
):
    page = _judge(open_page("anomalies"), "true_anomaly")
    stored = _labels().row(0, named=True)
    assert stored["verdict"] == "true_anomaly"
    assert stored["actor"] == "engineer A"
    assert (stored["start"], stored["end"]) == (NOW - timedelta(hours=9), NOW + timedelta(minutes=1))
    assert (stored["event_id"], stored["version_id"]) == (WORST, 4)
    assert page.query_params["event"] == MILD
    assert "Saved: true anomaly, Pump 1 · outlet temperature." in text_of(page)
    assert len(_listed(page).options) == 3


def test_changed_bounds_class_and_note_are_stored(pumps: Warehouse, open_page: Open):
    page = open_page("anomalies")
    page.datetime_input(key=f"card_from_{WORST}").set_value(_typed(4, 38))
    page.datetime_input(key=f"card_to_{WORST}").set_value(_typed(14, 17))
    page.selectbox(key=f"card_class_{WORST}").set_value("blockage")
    page.text_area(key=f"card_note_{WORST}").set_value("cooler fouled").run()
    _judge(page, "false_positive")
    stored = _labels().row(0, named=True)
    assert f"{stored['start']:%H:%M}" == "04:38"
    assert f"{stored['end']:%H:%M}" == "14:17"
    assert (stored["fault_class"], stored["note"]) == ("blockage", "cooler fouled")


def test_a_stored_verdict_comes_back_with_the_link_and_can_be_undone(pumps: Warehouse, open_page: Open):
    _judge(open_page("anomalies"), "false_positive")
    again = open_page("anomalies", event=WORST)
    words = text_of(again)
    assert "False positive :gray[· engineer A]" in words
    again.button(key="card_undo").click().run()
    assert _labels().is_empty()
    assert "Taken back." in text_of(again)
    assert "False positive :gray[· engineer A]" not in text_of(again)
    assert again.button(key="card_false_positive").proto.type != "primary"


def test_the_last_verdict_can_be_undone_from_the_next_event(pumps: Warehouse, open_page: Open):
    page = _judge(open_page("anomalies"), "unsure")
    assert page.button(key="card_undo").label == "Undo last"
    page.button(key="card_undo").click().run()
    assert _labels().is_empty()


def test_unlabelled_keeps_what_was_just_judged_until_the_filter_changes(pumps: Warehouse, open_page: Open):
    page = open_page("anomalies", unlabelled="1")
    _judge(page, "false_positive")
    assert len(_listed(page).options) == 3
    fresh = open_page("anomalies", unlabelled="1")
    assert len(fresh.radio(key="event_list").options) == 2


def test_saving_without_a_choice_says_what_is_missing_and_stores_nothing(pumps: Warehouse, open_page: Open):
    page = open_page("anomalies")
    page.button(key="card_save").click().run()
    assert "Choose True, False or Unsure first." in page.error[0].value
    assert _labels().is_empty()


def test_bounds_the_wrong_way_round_are_refused_at_the_field(pumps: Warehouse, open_page: Open):
    page = open_page("anomalies")
    page.datetime_input(key=f"card_from_{WORST}").set_value(_typed(15, 0)).run()
    assert ":red[:material/error: From must lie before To.]" in text_of(page)
    _judge(page, "true_anomaly")
    assert _labels().is_empty()


def test_a_viewer_is_told_why_the_card_is_off(pumps: Warehouse, open_page: Open, monkeypatch):
    monkeypatch.setenv("TELLTALE_ROLE", "viewer")
    page = open_page("anomalies")
    assert page.button(key="card_save").disabled
    assert "engineer A is a viewer; this takes a labeller." in text_of(page)


def test_words_from_data_are_shown_and_not_obeyed(pumps: Warehouse, open_page: Open):
    page = open_page("anomalies")
    page.text_area(key=f"card_note_{WORST}").set_value("**loud** :red[x] [a](http://b)").run()
    _judge(page, "true_anomaly")
    page = open_page("anomalies", event=WORST)
    raw = "\n".join(element.value for element in page.markdown)
    assert "**loud**" not in raw
    assert "[a](http" not in raw


def test_without_events_the_page_says_so(empty: Warehouse, open_page: Open):
    assert "No event was detected yet." in text_of(open_page("anomalies"))
