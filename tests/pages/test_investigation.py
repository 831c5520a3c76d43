"""Anomalies as an investigation: who drove an event, what came before and after, its readings, any window."""

import csv
import io
import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from page_words import Open, text_of
from two_pumps import MILD, NOW, SPIKE, WORST

from app.queries import fleet, house, raw_table, story
from app.queries.views import EventRow
from warehouse import schema
from warehouse.catalog import AssetSpec, SensorSpec
from warehouse.home import Warehouse
from warehouse.state.owner import current_owner
from warehouse.telemetry import Telemetry


def _event(event_id: str) -> EventRow:
    return next(one for one in fleet.fleet(house.stamp()).events if one.event_id == event_id)


def test_the_channels_that_drove_an_event_are_ranked_and_missing_shares_are_said(
    pumps: Warehouse, open_page: Open
) -> None:
    assert "Driven by cooling-water flow **46 %**, speed **12 %**" in text_of(
        open_page("anomalies", event=WORST)
    )
    assert "Which channels drove it: not available" in text_of(open_page("anomalies", event=MILD))


def test_the_sensors_other_events_are_one_key_away_with_their_verdicts(
    pumps: Warehouse, open_page: Open
) -> None:
    sensor = pumps.catalog.find_sensor("Pump 1/outlet temperature")
    spike = pumps.results.read_events(sensor.id).filter(pl.col("event_id") == SPIKE).row(0, named=True)
    given = {"sensor_id": sensor.id, "verdict": "false_positive", "event_id": SPIKE}
    bounds = {name: spike[name].isoformat() for name in ("start", "end")}
    current_owner().write("label.set", {**given, **bounds}, actor="Ada", write_id="one")
    page = open_page("anomalies", event=WORST)
    words = text_of(page)
    assert "20 min · False positive" in words
    assert page.button(key="sensor_next").disabled
    assert "There is none." in words
    assert "Event 2 of 2 on this sensor." in words
    page.button(key="sensor_previous").click().run()
    assert page.query_params["event"] == SPIKE
    assert page.button(key="sensor_previous").disabled
    page.button(key="sensor_next").click().run()
    assert page.query_params["event"] == WORST


def test_other_events_of_the_sensor_are_marked_on_the_chart(pumps: Warehouse, open_page: Open) -> None:
    spec = open_page("anomalies", event=WORST, window="all").get("plotly_chart")[0].proto.spec
    (marks,) = [trace for trace in json.loads(spec)["data"] if trace.get("name") == "events"]
    spike = _event(SPIKE)
    assert marks["customdata"][0] == f"◆ High, {spike.start:%-d %b %Y %H:%M}, 20 min, no verdict"


def test_the_raw_table_is_opened_by_its_button_and_by_the_address(pumps: Warehouse, open_page: Open) -> None:
    page = open_page("anomalies", event=WORST)
    assert not page.dataframe
    page.button(key="table_button").click().run()
    assert page.query_params["table"] == "1"
    table = page.dataframe[0].value
    assert list(table.columns)[:5] == [
        "time_utc",
        "outlet temperature [°C]",
        "expected [°C]",
        "score",
        "threshold",
    ]
    assert {"cooling-water flow [m³/h]", "speed [rpm]", "state"} <= set(table.columns)
    page.button(key="table_button").click().run()
    assert not page.dataframe


def test_a_long_windows_table_starts_at_the_event_and_says_of_how_many(
    pumps: Warehouse, open_page: Open
) -> None:
    page = open_page("anomalies", event=SPIKE, window="all", table="1")
    spike = _event(SPIKE)
    table = page.dataframe[0].value
    assert len(table) == raw_table.SHOWN
    assert table["time_utc"].iloc[0] == f"{spike.start - timedelta(minutes=10):%Y-%m-%d %H:%M:%S}"
    assert "of about 5\u202f760 in the window" in text_of(page)
    assert table["outlet temperature [°C]"].max() > 80  # the spike itself


def test_the_csv_holds_every_reading_of_the_window_with_what_was_expected(
    pumps: Warehouse, open_page: Open
) -> None:
    event = _event(WORST)
    start, end = event.start, event.start + timedelta(minutes=30)
    text = raw_table.raw_csv(house.stamp(), event, start, end).decode("utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 30
    assert rows[0]["time_utc"] == f"{start:%Y-%m-%dT%H:%M:%S}Z"
    stored = pumps.telemetry.read([event.sensor_id], start, end)["value"].to_list()
    assert [float(row["outlet temperature [°C]"]) for row in rows] == stored
    assert float(rows[0]["threshold"]) == pytest.approx(0.62)
    assert float(rows[-1]["expected [°C]"]) < stored[-1]
    assert float(rows[0]["speed [rpm]"]) > 2900


def test_names_in_the_csv_are_no_formulas_and_numbers_stay_numbers(pumps: Warehouse) -> None:
    spec = AssetSpec(
        "Cold store",
        "store",
        sensors=(
            SensorSpec("=cmd|' /C calc'!A0", "°C", "target", 60.0, ("@SUM(A1)",)),
            SensorSpec("@SUM(A1)", "", "context", 60.0),
        ),
    )
    ids = list(pumps.catalog.put_assets("test", [spec]).values())
    times = [NOW - timedelta(minutes=n) for n in range(5)]
    for sensor in ids:
        frame = pl.DataFrame({"sensor_id": sensor, "ts": times, "value": -18.5, "quality": 0})
        pumps.telemetry.write(schema.conform(frame, schema.READINGS, "test"), note="test", at=NOW)
    target = pumps.catalog.find_sensor("Cold store/=cmd|' /C calc'!A0")
    event = _event(WORST)
    text = raw_table.raw_csv(
        house.stamp(), replace(event, sensor_id=target.id, drivers=()), times[-1], NOW + timedelta(minutes=1)
    ).decode()
    header, first = list(csv.reader(io.StringIO(text)))[:2]
    assert header[1] == "'=cmd|' /C calc'!A0 [°C]"
    assert header[-1] == "'@SUM(A1)"
    assert (first[1], first[-1]) == ("-18.5", "-18.5")


def test_a_window_without_a_reading_says_so(pumps: Warehouse, open_page: Open) -> None:
    page = open_page("anomalies", event=WORST, window="2023-01-01T00:00:00Z~2023-01-02T00:00:00Z")
    assert "No reading of this sensor lies in this window" in text_of(page)
    assert page.get("download_button")[0].proto.disabled


@pytest.fixture
def years(pumps: Warehouse) -> EventRow:
    """Three years of Pump 2's readings before what it has, an hour apart, with one extreme and one stop."""
    random = np.random.default_rng(1)
    n = 3 * 365 * 24
    times = [NOW - timedelta(days=5, hours=k) for k in range(n)]
    outlet, state = 60 + random.normal(0, 0.2, n), np.ones(n)
    outlet[n // 2] = 130.0
    state[n // 3] = 0.0
    found = {"outlet temperature": outlet, "state": state, "speed": 2950 + random.normal(0, 1.5, n)}
    for name, values in found.items():
        sensor = pumps.catalog.find_sensor(f"Pump 2/{name}").id
        frame = pl.DataFrame({"sensor_id": sensor, "ts": times, "value": values, "quality": 0})
        pumps.telemetry.write(schema.conform(frame, schema.READINGS, "test"), note="years", at=NOW)
    current_owner().write("fleet.refresh", {}, actor="test", write_id="years")
    return _event(MILD)


def test_years_are_drawn_with_every_extreme_and_every_stop(years: EventRow) -> None:
    made = house.stamp()
    first, last = story.window(made, years, "all")
    assert last - first > timedelta(days=1000)
    shown = story.story(made, years, first, last)
    assert shown.signal.measured.times_ms.size <= story.MAX_POINTS
    assert shown.signal.measured.high is not None
    assert shown.signal.measured.high.max() == 130.0
    assert 1 < len(shown.states) <= 80
    assert shown.states[0].start <= first + timedelta(days=40)
    assert shown.states[-1].end == last
    told = {band.text for band in shown.states}
    assert told == {"running", "stopped and running"}
    assert [panel.name for panel in shown.context] == ["cooling-water flow", "speed"]
    assert all(panel.measured.times_ms.size <= story.MAX_POINTS for panel in shown.context)


def test_no_read_of_a_long_window_grows_with_it(years: EventRow, monkeypatch: pytest.MonkeyPatch) -> None:
    """Channels and states come from windows and rollups, as the lines do."""
    spans = []
    real = Telemetry.read

    def noted(self, sensor_ids, start=None, end=None, **more):
        spans.append(end - start)
        return real(self, sensor_ids, start, end, **more)

    monkeypatch.setattr(Telemetry, "read", noted)
    made = house.stamp()
    story.story(made, years, *story.window(made, years, "all"))
    # Raw edges of buckets alone.
    assert max(spans, default=timedelta()) < timedelta(days=10)
