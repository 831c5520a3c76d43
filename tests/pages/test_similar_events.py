"""Anomalies shows past events that look like the opened one, with what people said of them."""

import polars as pl
from page_words import Open, text_of
from two_pumps import MILD, NOW, WORST

from core.feedback.description import POINTS
from warehouse.home import Warehouse
from warehouse.state.owner import current_owner


def _describe(warehouse: Warehouse) -> None:
    for row in warehouse.catalog.sensors(role="target"):
        frame = warehouse.results.read_events(row.id)
        if frame.is_empty():
            continue
        looks = frame.with_columns(
            pl.Series("traits", [[1.0] * 7] * frame.height, pl.List(pl.Float32)),
            pl.Series("shape", [[0.0] * POINTS] * frame.height, pl.List(pl.Float32)),
        )
        for (version,), own in looks.group_by("version_id"):
            warehouse.results.put_events(row.id, int(version), own, at=NOW)
    current_owner().write("fleet.refresh", {}, actor="test", write_id="described")


def test_similar_past_events_are_shown_and_opened(pumps: Warehouse, open_page: Open):
    _describe(pumps)
    described = pumps.results.events_current(looks=True).sort("start")
    first, last = described["event_id"][0], described["event_id"][-1]
    event = described.row(0, named=True)
    current_owner().write(
        "label.set",
        {
            "sensor_id": event["sensor_id"],
            "start": event["start"].isoformat(),
            "end": event["end"].isoformat(),
            "verdict": "false_positive",
            "fault_class": "cleaning",
            "note": "",
            "event_id": first,
            "version_id": event["version_id"],
        },
        actor="engineer B",
        write_id="said",
    )
    page = open_page("anomalies", event=last)
    words = text_of(page)
    assert "**Similar past events**" in words
    assert "**False positive, cleaning**" in words
    assert "very alike" in words
    page.button(key=f"similar_{first}").click().run()
    assert not page.exception
    assert page.query_params["event"] == first


def test_where_nothing_is_known_the_page_says_so(pumps: Warehouse, open_page: Open):
    for event in (WORST, MILD):
        assert "none is known yet" in text_of(open_page("anomalies", event=event))
