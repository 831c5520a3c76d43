"""Two pumps of this hour with 36 events on one of them, as a team finds them that has begun to judge."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
import two_pumps

from core.feedback.description import POINTS
from warehouse.state.owner import StateOwner

EVENTS = 36
JUDGED = 4
ALIKE = 18
"""Of those that nobody judged, how many look like the judged ones, which were false positives."""
BY = "engineer B"
LENGTH = timedelta(minutes=20)
APART = timedelta(minutes=150)
CLOSE = timedelta(minutes=20)
"""Silence before each of the last two: with the one before them they are one incident."""


def build(root: Path) -> None:
    """Fill an empty home whose newest reading is of this minute."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(two_pumps, "NOW", now)
        patch.setattr(two_pumps, "START", now - timedelta(minutes=two_pumps.STEPS - 1))
        warehouse = two_pumps.build(root)
    sensor = warehouse.catalog.find_sensor("Pump 2/outlet temperature")
    stored = warehouse.results.read_events(sensor.id)
    template = stored.to_dicts()[0]
    rows = [template | _event(number, now) for number in range(EVENTS)]
    warehouse.results.put_events(
        sensor.id, template["version_id"], pl.DataFrame(rows, schema=stored.schema), at=now
    )
    with StateOwner(warehouse, clock=lambda: rows[JUDGED]["start"]) as owner:
        owner.write("fleet.refresh", {}, actor="test", write_id="refresh")
        for row in rows[:JUDGED]:
            owner.write(
                "label.set",
                {name: row[name] for name in ("sensor_id", "event_id", "version_id")}
                | {name: row[name].isoformat() for name in ("start", "end")}
                | {"verdict": "false_positive", "fault_class": "", "note": ""},
                actor=BY,
                write_id=row["event_id"],
            )
    warehouse.close()


def name(number: int) -> str:
    """Return the id of an event, the oldest first."""
    return f"5-{number:02}"


def _event(number: int, now: datetime) -> dict[str, object]:
    start = now - (EVENTS - 2 - min(number, EVENTS - 3)) * APART
    start += max(0, number - (EVENTS - 3)) * (LENGTH + CLOSE)
    like = number < JUDGED + ALIKE
    return {
        "event_id": name(number),
        "start": start,
        "end": start + LENGTH,
        "open": False,
        "peak_ts": start + LENGTH / 2,
        "severity": "medium",
        "why": "3 °C above expected" if like else "2 °C below expected",
        "traits": [1.0] * 7 if like else [3.0 + number, *[9.0] * 6],
        "shape": [0.0] * POINTS,
    }
