"""Verdicts hold events back once a person applied them, say why, and give them back on undo."""

import polars as pl
import pytest
from page_words import Open, text_of
from streamlit.testing.v1 import AppTest
from two_pumps import MILD, NOW, SPIKE, WORST

from core.feedback.description import POINTS
from warehouse.home import Warehouse
from warehouse.state.learning import windows_follow
from warehouse.state.owner import current_owner


def _label(warehouse: Warehouse, event_id: str, verdict: str) -> None:
    row = warehouse.results.events_current().filter(pl.col("event_id") == event_id).row(0, named=True)
    payload = {name: row[name] for name in ("sensor_id", "event_id", "version_id")}
    payload |= {"start": row["start"].isoformat(), "end": row["end"].isoformat()}
    current_owner().write(
        "label.set",
        payload | {"verdict": verdict, "fault_class": "", "note": ""},
        actor="engineer B",
        write_id=f"said of {event_id}",
    )


@pytest.fixture
def alike(pumps: Warehouse) -> Warehouse:
    """The two events of Pump 1 look the same, and one of them was called a false positive."""
    sensor = pumps.catalog.find_sensor("Pump 1/outlet temperature")
    frame = pumps.results.read_events(sensor.id)
    looks = frame.with_columns(
        pl.Series("traits", [[1.0] * 7] * frame.height, pl.List(pl.Float32)),
        pl.Series("shape", [[0.0] * POINTS] * frame.height, pl.List(pl.Float32)),
    )
    for (version,), own in looks.group_by("version_id"):
        pumps.results.put_events(sensor.id, int(version), own, at=NOW)
    current_owner().write("fleet.refresh", {}, actor="test", write_id="described")
    _label(pumps, SPIKE, "false_positive")
    return pumps


def _apply() -> AppTest:
    def script() -> None:
        from app.components.learning_dialog import learning_dialog

        learning_dialog()

    return AppTest.from_function(script, default_timeout=30).run()


def _events(open_page: Open) -> list[str]:
    return open_page("anomalies").radio(key="event_list").options


def test_applied_verdicts_shorten_the_list_and_undo_brings_it_back(alike: Warehouse, open_page: Open):
    before = _events(open_page)
    dialog = _apply()
    assert "of the last 30 days' 2 alarms and missed 0 of 0 confirmed events." in text_of(dialog)
    assert "From now on 1 event without a verdict would be held back." in text_of(dialog)
    dialog.button(key="learning_apply").click().run()
    assert not dialog.exception
    assert len(_events(open_page)) == len(before) - 1
    assert open_page("overview").button(key="held").label == "1 event held back by verdicts"
    again = _apply()
    assert again.button(key="learning_apply").disabled
    again.button(key="learning_stop").click().run()
    assert _events(open_page) == before
    assert current_owner().learning_history()["action"].to_list() == ["stop", "apply"]


def test_what_is_held_back_is_listed_with_its_reason(alike: Warehouse, open_page: Open):
    _apply().button(key="learning_apply").click().run()
    page = open_page("anomalies", held="1")
    assert len(page.radio(key="event_list").options) == 1
    assert page.query_params["event"] == WORST
    assert "Held back: like a false positive on this sensor" in text_of(page)
    page.button(key="held_because").click().run()
    assert page.query_params["event"] == SPIKE


def test_a_link_to_an_event_that_is_held_back_still_opens_it(alike: Warehouse, open_page: Open):
    _apply().button(key="learning_apply").click().run()
    page = open_page("anomalies", event=WORST)
    assert page.query_params["event"] == WORST
    assert "Held back" in text_of(page)


def test_other_sensors_are_judged_as_before(alike: Warehouse, open_page: Open):
    _apply().button(key="learning_apply").click().run()
    assert "Held back" not in text_of(open_page("anomalies", event=MILD))


def test_what_teaches_most_is_listed_without_what_has_a_verdict(alike: Warehouse, open_page: Open):
    page = open_page("anomalies", telling="1")
    assert len(page.radio(key="event_list").options) == 1
    assert page.query_params["event"] == WORST


def test_each_layer_has_a_switch_of_its_own(alike: Warehouse, open_page: Open):
    before = _events(open_page)
    dialog = _apply()
    for name in ("likeness", "threshold", "windows", "telling"):
        dialog.toggle(key=f"learning_{name}").set_value(False).run()
    assert "From now on 0 events without a verdict would be held back." in text_of(dialog)
    dialog.button(key="learning_apply").click().run()
    assert not dialog.exception
    assert _events(open_page) == before
    assert not windows_follow(alike.catalog)
    newest = open_page("anomalies", telling="1").radio(key="event_list").options
    assert "Pump 2" in newest[0]
    assert "Pump 1" in before[0]
    again = _apply()
    assert "applied without likeness, thresholds, windows, order by engineer A" in text_of(again)
    again.toggle(key="learning_likeness").set_value(True).run()
    again.button(key="learning_apply").click().run()
    assert len(_events(open_page)) == len(before) - 1
    _apply().button(key="learning_stop").click().run()
    assert windows_follow(alike.catalog)
    assert _events(open_page) == before


def test_while_verdicts_are_few_no_probability_is_made_of_them(alike: Warehouse, open_page: Open):
    assert "real by" not in text_of(open_page("anomalies", event=WORST))
