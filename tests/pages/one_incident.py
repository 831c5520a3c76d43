"""The failing pump of `two_pumps` with a second event of the same incident: its cooling-water flow fell."""

from datetime import timedelta

import polars as pl
import two_pumps
from two_pumps import MINUTE, NOW

from warehouse import schema
from warehouse.home import Warehouse

FLOW = "2-flow"


def add(warehouse: Warehouse) -> None:
    """Give the flow a statistical version and an event that still runs; the mirror is the caller's."""
    sensor_id = warehouse.catalog.find_sensor("Pump 1/cooling-water flow").id
    snapshot = warehouse.manifest.snapshot()
    assert snapshot is not None
    version = warehouse.catalog.add_version(
        two_pumps._version(sensor_id, snapshot.id, snapshot.digest, trained=False)
    )
    row = {
        "event_id": FLOW,
        "sensor_id": sensor_id,
        "version_id": version.id,
        "start": NOW - timedelta(hours=8),
        "end": NOW + MINUTE,
        "open": True,
        "peak_ts": NOW - timedelta(hours=1),
        "peak_score": 0.9,
        "threshold": 0.62,
        "probability": 0.9,
        "severity": "medium",
        "why": "50 m³/h below expected for 8 h",
        "mode": "causal",
        "drivers": [],
    }
    frame = pl.DataFrame([row], schema_overrides={"drivers": pl.List(schema.DRIVER)})
    warehouse.results.put_events(sensor_id, version.id, schema.conform(frame, schema.EVENTS, "test"), at=NOW)
