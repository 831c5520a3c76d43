"""Data shows what is stored, lets limits and units be edited, and takes a table by upload."""

import json
from datetime import datetime, timedelta

import pytest
from page_words import Open, text_of
from streamlit.testing.v1 import AppTest
from two_pumps import NOW

from warehouse.home import Warehouse
from warehouse.quarantine import Refusal
from warehouse.sources.base import SourceBatch
from warehouse.state.owner import current_owner

pytestmark = pytest.mark.usefixtures("typed_options")

TABLE = (
    "Zeit;outlet temperature [°C];flow (m³/h);remark\n"
    + "".join(
        f"2024-03-31 {hour:02d}:{minute:02d};60,{minute:02d};201,5;ok\n"
        for hour in (0, 1, 3, 4, 7, 8)  # the clocks of Berlin skip the third hour; 5 and 6 are a gap
        for minute in (0, 30)
    )
    + "2024-03-31 02:30;61,0;200,0;ok\n"
    + "soon;61,0;200,0;ok\n"
)


def _rows(page: AppTest, column: str = "Machine, sensor") -> list[dict[str, str]]:
    """Return the rows of the table that has a column of that name."""
    tables = [table.value for table in page.dataframe if column in table.value.columns]
    return tables[0].to_dict("records")


def _sensor(pumps: Warehouse, key: str = "Pump 1/outlet temperature") -> int:
    return pumps.catalog.find_sensor(key).id


def _picked(open_page: Open, sensor_id: int, **address: str) -> AppTest:
    return open_page("data", pick=f"sensor-{sensor_id}", **address)


# -- what is stored -----------------------------------------------------------------------------------


def test_every_machine_is_a_section_with_its_sensors_below(pumps: Warehouse, open_page: Open):
    rows = _rows(open_page("data"))
    names = [row["Machine, sensor"].strip() for row in rows]
    assert names[:5] == ["Pump 1", "state", "cooling-water flow", "speed", "outlet temperature"]
    assert "P-1" in names
    pump = rows[0]
    outlet = rows[4]
    assert (outlet["Unit"], outlet["Readings"], outlet["Every"], outlet["Span"]) == (
        "°C",
        "5\u202f760",
        "1 min",
        "4 d",
    )
    assert outlet["Missing"] == "0"
    assert pump["Readings"] == "23 k"
    assert outlet["By day"].startswith("data:image/svg+xml")


def test_a_gap_shows_as_missing_readings_and_with_its_bounds(pumps: Warehouse, open_page: Open):
    sensor_id = _sensor(pumps, "Pump 2/speed")
    page = _picked(open_page, sensor_id)
    assert "No gap above 30 min." in text_of(page)
    assert "Silent" in text_of(page)  # it fell behind its machine an hour ago
    late = NOW + timedelta(hours=9)
    _append(pumps, sensor_id, late)
    page = _picked(open_page, sensor_id)
    row = next(
        row
        for row in _rows(page)
        if row["Missing"] not in {"0", "", "2.4 %"} and "speed" in row["Machine, sensor"]
    )
    assert row["Missing"].endswith("%")
    assert "10 h :gray[from] 20 May 2024 13:32 :gray[to] 23:32" in text_of(page)


def _append(pumps: Warehouse, sensor_id: int, at: datetime) -> None:
    import polars as pl

    from warehouse.schema import READINGS

    row = pl.DataFrame([(sensor_id, at, 2950.0, 0)], schema=READINGS, orient="row")
    pumps.telemetry.write(row, note="late", at=at)


def test_the_rail_and_the_search_narrow_the_tree(pumps: Warehouse, open_page: Open):
    page = open_page("data")
    page.text_input(key="find").set_value("outlet").run()
    assert [row["Machine, sensor"].strip() for row in _rows(page)] == [
        "Pump 1",
        "outlet temperature",
        "Pump 2",
        "outlet temperature",
    ]
    page.text_input(key="find").set_value("nothing like it").run()
    assert "Nothing matches" in text_of(page)


def test_a_link_picks_a_machine(pumps: Warehouse, open_page: Open):
    page = open_page("data", pick="machine-3")
    words = text_of(page)
    assert "**P\\-1**" in words or "**P-1**" in words
    assert "historical: its data has ended" in words
    assert "smap-msl" in words


def _chart_words(page: AppTest) -> set[str]:
    """Return what stands on the page's first chart."""
    chart = json.loads(page.get("plotly_chart")[0].proto.spec)
    return {note["text"] for note in chart["layout"]["annotations"]}


# -- limits and units ---------------------------------------------------------------------------------


def test_limits_are_saved_shown_in_the_chart_and_undone(pumps: Warehouse, open_page: Open):
    sensor_id = _sensor(pumps)
    page = _picked(open_page, sensor_id)
    page.number_input(key=f"data_high_{sensor_id}").set_value(72.0).run()
    page.button(key="data_save").click().run()
    assert not page.exception
    assert current_owner().limits(sensor_id)["high"].to_list() == [72.0]
    words = text_of(page)
    assert "Saved: limits of Pump 1 · outlet temperature." in words
    assert "High none → 72" in words
    assert "engineer A" in words
    assert "high limit 72 °C" in _chart_words(open_page("anomalies"))
    page.button(key="undo_1").click().run()
    assert not page.exception
    assert current_owner().limits(sensor_id).is_empty()
    assert page.number_input(key=f"data_high_{sensor_id}").value is None
    assert "high limit 72 °C" not in _chart_words(open_page("anomalies"))


def test_limits_in_the_wrong_order_are_refused_at_the_field(pumps: Warehouse, open_page: Open):
    sensor_id = _sensor(pumps)
    page = _picked(open_page, sensor_id)
    page.number_input(key=f"data_low_{sensor_id}").set_value(80.0)
    page.number_input(key=f"data_high_{sensor_id}").set_value(70.0).run()
    assert "High must lie above the low limit 80, and 70 does not." in text_of(page)
    page.button(key="data_save").click().run()
    assert current_owner().limits().is_empty()


def test_a_unit_is_shown_everywhere_at_once_and_the_former_one_comes_back(pumps: Warehouse, open_page: Open):
    sensor_id = _sensor(pumps)
    page = _picked(open_page, sensor_id)
    page.text_input(key=f"data_unit_{sensor_id}").set_value("K").run()
    page.button(key="data_save").click().run()
    assert next(row for row in _rows(page) if "outlet" in row["Machine, sensor"])["Unit"] == "K"
    assert "<b>Outlet temperature</b>, K" in _chart_words(open_page("anomalies"))
    page.button(key="undo_1").click().run()
    assert pumps.catalog.sensor(sensor_id).unit == "°C"


def test_a_labeller_may_look_but_not_edit(pumps: Warehouse, open_page: Open, monkeypatch):
    monkeypatch.setenv("TELLTALE_ROLE", "labeller")
    page = _picked(open_page, _sensor(pumps))
    assert page.button(key="data_save").disabled
    assert "this takes a trainer" in text_of(page)


# -- upload -------------------------------------------------------------------------------------------


def _uploaded(page: AppTest, content: str = TABLE, name: str = "../../October.csv") -> AppTest:
    page.file_uploader(key="upload_0").upload(name, content.encode(), "text/csv").run()
    assert not page.exception, page.exception
    return page


def _field(page: AppTest, name: str):
    for kind in ("selectbox", "segmented_control", "toggle"):
        for element in getattr(page, kind):
            if (element.key or "").startswith(f"upload_{name}_"):
                return element
    raise AssertionError(f"no field {name}")


def _name(page: AppTest, machine: str) -> None:
    _field(page, "machine").set_value(machine).run()


def _mapped(page: AppTest) -> AppTest:
    _field(page, "zone").set_value("Europe/Berlin")
    _name(page, "Pump 9")
    page.button(key="upload_check").click().run()
    assert not page.exception, page.exception
    return page


def test_nothing_is_stored_before_zone_and_machine_are_said(pumps: Warehouse, open_page: Open):
    page = _uploaded(open_page("data", section="Upload"))
    assert "October.csv" in text_of(page)
    assert "../" not in text_of(page)
    assert page.button(key="upload_store").disabled
    assert "Choose the zone" not in text_of(page)
    page.button(key="upload_check").click().run()
    words = text_of(page)
    assert "Choose the zone in which these clocks ran." in words
    assert "Name the machine that these readings belong to." in words


def test_a_check_says_what_would_be_stored_and_refused_and_stores_nothing(pumps: Warehouse, open_page: Open):
    page = _mapped(_uploaded(open_page("data", section="Upload")))
    words = text_of(page)
    assert "**24 new readings** of 2 sensors on Pump 9" in words
    assert "30 Mar 2024 23:00 to 31 Mar 2024 06:30 UTC" in words
    sensors = _rows(page, "Gaps")
    assert {row["Gaps"] for row in sensors} == {"1, up to 2 h 30 min"}
    refused = {row["Line"]: row["Reason"] for row in _rows(page, "Reason")}
    assert "never showed on the clocks" in refused["14"]
    assert "'soon' is not an ISO 8601 time" in refused["15"]
    assert len(pumps.catalog.assets()) == 3
    assert pumps.quarantine.list() == ()


def test_storing_queues_the_scoring_shows_the_machine_and_leaves_no_file(pumps: Warehouse, open_page: Open):
    page = _mapped(_uploaded(open_page("data", section="Upload")))
    assert len(list(pumps.layout.uploads.iterdir())) == 1
    page.button(key="upload_store").click().run()
    assert not page.exception, page.exception
    words = text_of(page)
    assert "**24 new readings** of Pump 9" in words
    assert "2 rows refused" in words
    assert list(pumps.layout.uploads.iterdir()) == []
    sensor = pumps.catalog.find_sensor("Pump 9/outlet temperature [°C]")
    assert (sensor.unit, sensor.role) == ("°C", "target")
    (job,) = pumps.jobs.list(kind="score")
    assert sensor.id in job.payload["sensor_ids"]
    (batch,) = pumps.batches()
    assert (batch.origin, batch.actor, batch.refused) == ("October.csv", "engineer A", 2)
    assert "Pump 9" in current_owner().fleet()["asset"].to_list()
    page.button(key="to_refused").click().run()
    assert not page.exception, page.exception
    rows = _rows(page, "Reason")
    assert {row["Line"] for row in rows} == {"14", "15"}
    assert {row["By"] for row in rows} == {"engineer A"}


def test_the_same_table_again_would_change_nothing(pumps: Warehouse, open_page: Open):
    page = _mapped(_uploaded(open_page("data", section="Upload")))
    page.button(key="upload_store").click().run()
    again = _mapped(_uploaded(open_page("data", section="Upload")))
    assert "**0 new readings**" in text_of(again)
    assert "24 stored already" in text_of(again)
    assert {row["Stored"] for row in _rows(again, "Gaps")} == {"known"}


def test_a_file_that_is_taken_away_leaves_nothing(pumps: Warehouse, open_page: Open):
    page = _uploaded(open_page("data", section="Upload"))
    (kept,) = pumps.layout.uploads.iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    page.file_uploader(key="upload_0").set_value(None).run()
    assert not page.exception
    assert list(pumps.layout.uploads.iterdir()) == []


@pytest.mark.parametrize(("content", "said"), [("", "is empty"), ("a\x00b\nc", "October.csv")])
def test_what_is_no_table_is_refused_and_leaves_nothing(pumps: Warehouse, open_page: Open, content, said):
    page = _uploaded(open_page("data", section="Upload"), content)
    assert said in page.error[0].value.replace("\\", "")
    assert list(pumps.layout.uploads.iterdir()) == []


def test_a_changed_field_asks_for_another_check(pumps: Warehouse, open_page: Open):
    page = _mapped(_uploaded(open_page("data", section="Upload")))
    assert not page.button(key="upload_store").disabled
    _field(page, "zone").set_value("UTC").run()
    assert page.button(key="upload_store").disabled
    assert "check again" in text_of(page)


def test_a_machine_of_another_source_is_refused_with_its_reason(pumps: Warehouse, open_page: Open):
    page = _uploaded(open_page("data", section="Upload"))
    _field(page, "zone").set_value("Europe/Berlin")
    _name(page, "Pump 1")
    page.button(key="upload_check").click().run()
    assert "can't be mixed into it" in page.error[0].value.replace("\\", "")


# -- quarantine, snapshots, damage --------------------------------------------------------------------


def _refuse(pumps: Warehouse, name: str, *reasons: str) -> None:
    refusals = [Refusal(name, 10 + n, reason, "=1+1") for n, reason in enumerate(reasons)]
    batch = SourceBatch("csv", (), iter(()), refusals, origin=name)
    pumps.ingest(batch, at=NOW, actor="bob")


def test_refused_rows_are_counted_by_reason_and_filtered(pumps: Warehouse, open_page: Open):
    _refuse(pumps, "a.csv", "time 'x' is empty", "time 'y' is empty", "column 'flow' holds no number")
    _refuse(pumps, "b.csv", "time 'z' is empty")
    page = open_page("data", section="Quarantine")
    assert len(_rows(page, "Reason")) == 4
    assert page.selectbox(key="reason").options[:2] == ["Every reason (4)", "time … is empty (3)"]
    page.selectbox(key="ingest").set_value("1").run()
    assert page.query_params["ingest"] == "1"
    assert len(_rows(page, "Reason")) == 3
    page.selectbox(key="reason").set_value("time … is empty").run()
    assert [row["Line"] for row in _rows(page, "Reason")] == ["11", "10"]
    assert {row["File"] for row in _rows(page, "Reason")} == {"a.csv"}


def test_snapshots_lead_to_the_versions_made_from_them(pumps: Warehouse, open_page: Open):
    snapshot = pumps.catalog.versions()[0].snapshot_id
    page = open_page("data", section="Snapshots", snapshot=str(snapshot))
    words = text_of(page)
    assert "4 model versions" in words
    assert pumps.manifest.snapshot(snapshot).digest in words
    assert page.button(key="version_4").label.startswith("Pump 1 · outlet temperature, LSTM")


def test_a_snapshot_is_kept_by_name_and_let_go(pumps: Warehouse, open_page: Open):
    page = open_page("data", section="Snapshots")
    page.button(key="keep").click().run()
    assert not page.exception
    assert any("engineer A" in row["Kept by"] for row in _rows(page, "Kept by"))
    page.button(key="keep").click().run()
    assert not any("engineer A" in row["Kept by"] for row in _rows(page, "Kept by"))
    assert [kind for kind in current_owner().audit()["kind"] if kind == "snapshot.pin"] == [
        "snapshot.pin"
    ] * 2


def test_two_snapshots_are_compared_by_sensor(pumps: Warehouse, open_page: Open):
    before = pumps.catalog.versions()[0].snapshot_id
    pumps.manifest.pin(before)
    sensor_id = _sensor(pumps)
    _append(pumps, sensor_id, NOW)  # another value
    _append(pumps, sensor_id, NOW + timedelta(minutes=1))
    after = pumps.manifest.snapshot().id
    page = open_page("data", section="Snapshots", snapshot=str(after), compare=str(before))
    assert _rows(page, "Added") == [
        {"Machine · sensor": "Pump 1 · outlet temperature", "Added": "1", "Removed": "0", "Changed": "1"}
    ]


def test_a_snapshot_that_is_gone_is_told(pumps: Warehouse, open_page: Open):
    page = open_page("data", section="Snapshots", snapshot="999")
    assert "Snapshot 999 is not there any more" in page.warning[0].value


def test_damaged_files_are_told_with_what_to_do(pumps: Warehouse, open_page: Open):
    for file in pumps.manifest.live("rollups"):
        (pumps.root / file.path).write_bytes(b"not parquet")
    page = open_page("data")
    told = page.warning[0].value
    assert "damaged" in told
    assert "telltale repair" in told
    assert "no reading is missing" in told


def test_an_empty_home_says_what_would_fill_it_and_takes_a_table(empty: Warehouse, open_page: Open):
    page = open_page("data")
    assert "No machines yet." in text_of(page)
    assert page.file_uploader(key="upload_0") is not None
    for section in ("Quarantine", "Snapshots"):
        assert not open_page("data", section=section).error


def test_words_from_data_are_shown_and_not_obeyed(pumps: Warehouse, open_page: Open):
    page = _uploaded(open_page("data", section="Upload"), name="**loud** [a](http://b).csv")
    raw = "\n".join(element.value for element in page.markdown)
    assert "**loud**" not in raw
    assert "[a](http" not in raw
