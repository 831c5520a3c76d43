"""Overview says what needs a person now."""

from page_words import Open, popover_labels, text_of
from two_pumps import NOW, WORST

from warehouse.home import Warehouse
from warehouse.state.owner import current_owner


def _queue(page) -> list[str]:
    return list(page.dataframe[0].value["Machine · sensor"])


def test_the_worst_machine_is_told_first(pumps: Warehouse, open_page: Open):
    page = open_page("overview")
    words = text_of(page)
    assert "**1 of 2 machines needs attention; :red[▲ 1 critical].**" in words
    assert "2 alarms in the last 24 h, 0.01 per 10 min" in words
    table = page.dataframe[0].value
    assert list(table["Severity"]) == ["▲ Critical", "● Low"]
    assert _queue(page)[0] == "Pump 1 · outlet temperature"
    assert table["Prob."][0] == "98 %"
    assert table["Since"][0] == "05:32 today"
    assert table["24 h"][0].startswith("data:image/svg+xml")


def test_old_data_is_called_stale_with_its_time(pumps: Warehouse, open_page: Open):
    assert ":orange[:material/warning: Data as of **20 May 2024 14:32 UTC**" in text_of(open_page("overview"))


def test_the_profile_is_named(pumps: Warehouse, open_page: Open):
    assert "engineer A · admin" in text_of(open_page("overview"))


def test_tiles_count_silent_sensors_of_live_machines_only(pumps: Warehouse, open_page: Open):
    page = open_page("overview")
    assert "Pump 2 · speed" in text_of(page)
    assert "**1** :gray[of 8]" in popover_labels(page)


def test_historical_machines_have_a_queue_of_their_own(pumps: Warehouse, open_page: Open):
    page = open_page("overview")
    assert "P-1 · telemetry" not in _queue(page)
    page.segmented_control(key="queue_kind").set_value("Historical").run()
    assert _queue(page) == ["P-1 · telemetry"]


def test_a_picked_historical_machine_shows_its_events_without_asking(pumps: Warehouse, open_page: Open):
    page = open_page("main", asset="P-1", span="All time")
    assert _queue(page) == ["P-1 · telemetry"]
    assert not [one for one in page.segmented_control if one.key == "queue_kind"]


def test_a_picked_machine_without_events_shows_what_it_read_last(pumps: Warehouse, open_page: Open):
    found = pumps.results.events_current([pumps.catalog.find_sensor("Pump 2/outlet temperature").id])
    for sensor_id, version_id in found.select("sensor_id", "version_id").unique().iter_rows():
        pumps.results.put_events(
            sensor_id, version_id, found.clear(), at=current_owner().fleet()["as_of"].max()
        )
    current_owner().write("fleet.refresh", {}, actor="tests", write_id="none left")
    page = open_page("main", asset="Pump 2")
    assert "No events: Pump 2" in text_of(page)
    rows = page.dataframe[0].value
    assert "Newest" in rows.columns
    fleet = current_owner().fleet().filter(asset="Pump 2")
    assert rows["Sensor"].to_list() == fleet["sensor"].to_list()
    newest = dict(zip(rows["Sensor"], rows["Newest"], strict=True))
    for name, value, unit in fleet.select("sensor", "value", "unit").iter_rows():
        assert newest[name] == f"{value:.3g} {unit}".strip()


def test_acknowledging_is_stored_and_named(pumps: Warehouse, open_page: Open):
    page = open_page("overview")
    page.button(key="acknowledge").click().run()
    assert page.dataframe[0].value["State"][0] == "Ack. by engineer A"
    assert "Acknowledged: Pump 1 · outlet temperature." in text_of(page)
    assert "acknowledge" not in {button.key for button in page.button}
    stored = current_owner().events_with_state(event_id=WORST)
    assert stored["acknowledged_by"].to_list() == ["engineer A"]


def test_a_false_positive_asks_for_nothing_any_more(pumps: Warehouse, open_page: Open):
    sensor_id = pumps.catalog.find_sensor("Pump 1/outlet temperature").id
    event = current_owner().events_with_state(event_id=WORST).row(0, named=True)
    said = {
        "sensor_id": sensor_id,
        "start": event["start"].isoformat(),
        "end": event["end"].isoformat(),
        "event_id": WORST,
    }
    wrong, right = {**said, "verdict": "false_positive"}, {**said, "verdict": "true_anomaly"}
    current_owner().write("label.set", wrong, actor="engineer B", write_id="one")
    page = open_page("overview")
    assert "**None of 2 machines needs attention.**" in text_of(page)
    assert _queue(page)[-1] == "Pump 1 · outlet temperature"
    assert list(page.dataframe[0].value["State"])[-1] == "False positive, engineer B"
    # One voice against it, and it asks again, even though the last word was the same.
    current_owner().write("label.set", right, actor="engineer C", write_id="two")
    current_owner().write("label.set", wrong, actor="engineer D", write_id="three")
    page.run()
    assert "1 of 2 machines needs attention" in text_of(page)
    assert "Pump 1 · outlet temperature" in _queue(page)


def test_a_wider_window_shows_older_events(pumps: Warehouse, open_page: Open):
    page = open_page("main")
    assert len(_queue(page)) == 2
    page.selectbox(key="span").set_value("Last 7 days").run()
    assert not page.exception
    assert len(_queue(page)) == 3


def test_a_picked_machine_leaves_the_others_out(pumps: Warehouse, open_page: Open):
    page = open_page("main")
    page.selectbox(key="asset").set_value("Pump 2").run()
    assert _queue(page) == ["Pump 2 · outlet temperature"]
    # The sentence is about the whole fleet, whatever is picked.
    assert "1 of 2 machines needs attention" in text_of(page)


def test_an_empty_home_says_what_fills_it_and_offers_the_button(empty: Warehouse, open_page: Open):
    page = open_page("overview")
    words = text_of(page)
    assert "No machines yet" in words
    assert "telltale ingest csv" in words
    page.button(key="demo").click().run()
    assert [job.kind for job in empty.jobs.list()] == ["demo"]
    assert "The demo fleet is being built" in text_of(page)
    assert "demo" not in {button.key for button in page.button}


def test_a_fleet_that_could_not_be_built_says_why_and_offers_it_again(empty: Warehouse, open_page: Open):
    job = empty.jobs.add("demo", {"seed": 7}, actor="x", at=NOW)
    claimed = empty.jobs.claim(1, NOW, job_id=job.id)
    assert claimed is not None
    empty.jobs.fail(claimed, "the disk is full", NOW)
    page = open_page("overview")
    assert "the disk is full" in text_of(page)
    assert "demo" in {button.key for button in page.button}


def test_a_damaged_file_is_told_and_the_rest_is_shown(pumps: Warehouse, open_page: Open):
    for file in pumps.manifest.live("rollups"):
        (pumps.root / file.path).write_bytes(b"not parquet")
    page = open_page("overview")
    assert "damaged" in page.warning[0].value
    assert "telltale repair" in page.warning[0].value
    assert "Pump 1 · outlet temperature" in _queue(page)


def test_a_read_that_fails_is_told_with_an_error_id(pumps: Warehouse, open_page: Open, monkeypatch):
    def fail(*_args: object, **_more: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(type(pumps.telemetry), "rollup", fail)
    page = open_page("overview")
    assert len(page.error) == 1
    assert "Error " in page.error[0].value
    assert "telltale doctor" in page.error[0].value


def test_a_viewer_may_look_but_not_acknowledge(pumps: Warehouse, open_page: Open, monkeypatch):
    monkeypatch.setenv("TELLTALE_ROLE", "viewer")
    assert open_page("overview").button(key="acknowledge").disabled


def test_the_queue_names_what_is_over(pumps: Warehouse, open_page: Open):
    states = dict(zip(_queue(page := open_page("overview")), page.dataframe[0].value["State"], strict=True))
    assert states == {"Pump 1 · outlet temperature": "New", "Pump 2 · outlet temperature": "New, over 12:32"}
