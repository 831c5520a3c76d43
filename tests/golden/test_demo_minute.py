"""A stored minute of the demo fleet: a home that was made by this release goes on the same with the next."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from warehouse.sources import demo
from warehouse.sources.demo.fleet import GAUGES

STORED = json.loads((Path(__file__).parent / "demo_minute.json").read_text(encoding="utf-8"))


def test_the_stored_minute_is_simulated_again() -> None:
    minute = datetime.fromisoformat(STORED["minute"])
    anchor = datetime.fromisoformat(STORED["anchor"])
    frame = demo.simulate(STORED["seed"], anchor, minute, minute + timedelta(minutes=1))
    found = dict(frame.select("key", "value").iter_rows())
    assert set(found) == set(STORED["values"])
    for machine, gauge in GAUGES:
        key = f"{machine.name}/{gauge.name}"
        # Another machine's exponential may differ in its last bit, and with it the last digit shown.
        assert found[key] == pytest.approx(STORED["values"][key], abs=1.01 * gauge.resolution)
