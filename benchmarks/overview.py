"""The first screen's reads of state.duckdb, with as many sensors and events as a large plant has."""

from datetime import timedelta
from typing import Final

import polars as pl

from benchmarks.generated import END
from benchmarks.plain_version import plain_version
from benchmarks.questions import times_ms
from warehouse.home import Warehouse
from warehouse.schema import EVENTS
from warehouse.state.owner import StateOwner

WATCHED: Final = 250  # sensors that have had events
EVENTS_A_SENSOR: Final = 4


def fill(home: Warehouse) -> None:
    """Give some sensors a statistical version with events, the newest of every fifth still open."""
    events = {}
    for sensor in home.catalog.sensors()[:WATCHED]:
        version_id = plain_version(home, sensor.id, at=END, folder=f"models/benchmark-{sensor.id}")
        events[sensor.id, version_id] = _events(sensor.id, version_id)
    home.results.put(events=events, at=END)


def owned(home: Warehouse) -> StateOwner:
    """Return the owner of the home's state, to be entered."""
    return StateOwner(home, clock=lambda: END)


def read(owner: StateOwner) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read what the first screen is made of."""
    return owner.fleet(), owner.events_with_state()


def measure(home: Warehouse, draws: int) -> dict[str, float | int | str]:
    """Return percentiles of the reads after a refresh of every sensor."""
    with owned(home) as owner:
        owner.write("fleet.refresh", {}, actor="benchmark", write_id=f"benchmark {END:%Y}")
        rows, events = read(owner)
        if rows.height != len(home.catalog.sensors()):
            raise SystemExit(f"the state has {rows.height} sensors, the catalogue another number")
        times = sorted(times_ms(lambda: read(owner)) for _ in range(draws))
    return {
        "overview_p50_ms": round(times[len(times) // 2], 2),
        "overview_p95_ms": round(times[int(0.95 * (len(times) - 1))], 2),
        "overview_sensors_count": rows.height,
        "overview_events_count": events.height,
    }


def _events(sensor_id: int, version_id: int) -> pl.DataFrame:
    rows = []
    for number in range(EVENTS_A_SENSOR):
        start = END - timedelta(hours=7 * number + sensor_id % 5 + 1)
        rows.append(
            {
                "event_id": f"{sensor_id}-{number}",
                "sensor_id": sensor_id,
                "version_id": version_id,
                "start": start,
                "end": start + timedelta(minutes=40),
                "open": number == 0 and sensor_id % 5 == 0,
                "peak_ts": start + timedelta(minutes=10),
                "peak_score": 6.0 + number,
                "threshold": 4.0,
                "probability": 0.9,
                "severity": ("low", "medium", "high", "critical")[number],
                "why": "temperature far above what the hour of the day explains",
                "mode": "causal",
                "drivers": [{"sensor_id": sensor_id, "share": 1.0}],
            }
        )
    return pl.DataFrame(rows, schema=EVENTS).sort("start")
