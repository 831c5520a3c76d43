"""Data takes tables of other shapes too: a row a reading, and Parquet."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from page_words import Open, text_of
from streamlit.testing.v1 import AppTest

from app.queries import upload
from warehouse.home import Warehouse

pytestmark = pytest.mark.usefixtures("typed_options")

START = datetime(2024, 5, 1, tzinfo=UTC)
TIMES = [START + timedelta(minutes=10 * number) for number in range(30)]


def _open(open_page: Open, name: str, content: bytes) -> AppTest:
    page = open_page("data", section="Upload")
    page.file_uploader(key="upload_0").upload(name, content, "application/octet-stream").run()
    assert not page.exception, page.exception
    return page


def _press(page: AppTest, key: str) -> AppTest:
    page.button(key=key).click().run()
    assert not page.exception, page.exception
    return page


def _long() -> bytes:
    rows = ["stamp,machine,tag,value"]
    for at in TIMES:
        rows.append(f"{at.isoformat()},Pump 8,speed,{2950 + at.minute}")
        rows.append(f"{at.isoformat()},Pump 9,flow,{200 + at.minute}")
    return ("\n".join(rows) + "\n").encode()


def test_a_row_a_reading_names_machines_and_sensors_itself(pumps: Warehouse, open_page: Open):
    page = _open(open_page, "long.csv", _long())
    assert "Check lists the sensors of the table" in text_of(page)
    page = _press(page, "upload_check")
    assert "**60 new readings** of 2 sensors on Pump 8, Pump 9" in text_of(page)
    listed = next(
        table.value for table in page.dataframe if "Sensor" in table.value and "Role" in table.value
    )
    assert listed["Sensor"].to_list() == ["speed", "flow"]
    # Now that the sensors have units and roles of their own, they are part of what is checked.
    page = _press(page, "upload_check")
    page = _press(page, "upload_store")
    assert "Pump 8, Pump 9" in text_of(page)
    assert pumps.catalog.find_sensor("Pump 9/flow").role == "target"


@pytest.fixture
def parquet(tmp_path: Path) -> bytes:
    path = tmp_path / "wide.parquet"
    pl.DataFrame({"time": TIMES, "flow": [float(n) for n in range(30)], "note": ["x"] * 30}).write_parquet(
        path
    )
    return path.read_bytes()


def test_parquet_goes_the_same_way_whatever_its_name_says(pumps: Warehouse, open_page: Open, parquet: bytes):
    page = _open(open_page, "table.csv", parquet)
    assert "Parquet" in text_of(page)
    (zone,) = [box for box in page.selectbox if (box.key or "").startswith("upload_zone")]
    assert zone.disabled  # its times carry their zone
    (machine,) = [box for box in page.selectbox if (box.key or "").startswith("upload_machine")]
    machine.set_value("Pump 9").run()
    page = _press(page, "upload_check")
    assert "**30 new readings** of 1 sensor on Pump 9" in text_of(page)
    page = _press(page, "upload_store")
    assert pumps.telemetry.spans([pumps.catalog.find_sensor("Pump 9/flow").id])["rows"].to_list() == [30]


def test_a_table_without_rows_is_refused_at_the_first_look(pumps: Warehouse, open_page: Open):
    page = _open(open_page, "only.csv", b"time,flow\n")
    assert "only.csv: has a header and no rows" in text_of(page)
    assert "upload_check" not in {button.key for button in page.button}


def test_a_file_of_too_many_readings_is_sent_to_the_command_line(
    pumps: Warehouse, open_page: Open, parquet: bytes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(upload, "MAX_READINGS", 29)
    page = _open(open_page, "table.parquet", parquet)
    (machine,) = [box for box in page.selectbox if (box.key or "").startswith("upload_machine")]
    machine.set_value("Pump 9").run()
    page = _press(page, "upload_check")
    assert "holds 30 readings, at most 29 are taken here; store it with `telltale ingest`" in text_of(page)
    assert page.button(key="upload_store").disabled
    assert list(pumps.layout.staging.glob("**/*.arrow")) == []
