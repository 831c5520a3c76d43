"""Twenty verdicts by command, applied on the page: fewer alarms are shown, until that is undone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from app.commands.label import label
from app.queries import fleet, house
from core.workflows.ingest import ingest
from core.workflows.reporting import Task
from core.workflows.score import score_job
from warehouse.home import Warehouse
from warehouse.sources import demo
from warehouse.state.owner import StateOwner, install

SEED = 11
ANCHOR = datetime(2026, 11, 1, tzinfo=UTC)
GIVEN = 20
JUDGED = 14  # sensors, which is half of the fleet's targets
SLACK = timedelta(hours=2)


def clock() -> datetime:
    return ANCHOR


@pytest.fixture
def judged(home: Path) -> Iterator[dict[str, bool]]:
    """A demo fleet whose twenty earliest events have a verdict; event id → whether it is a fault, of all."""
    warehouse = Warehouse.open(home)
    begin = ANCHOR - timedelta(days=demo.HISTORY_DAYS)
    batch = demo.read(SEED, ANCHOR, begin, ANCHOR)
    ingest(batch, warehouse=warehouse, clock=clock, actor="test", queue=False)
    targets = [one.id for one in warehouse.catalog.sensors(role="target")][:JUDGED]
    score_job({"sensor_ids": list(targets)}, Task(warehouse=warehouse, clock=clock))
    events = warehouse.results.events_current().sort("end", "event_id")
    truth = _truth(warehouse, events)
    for event_id in events["event_id"][:GIVEN]:
        label([event_id, "true" if truth[event_id] else "false-positive"])
    owner = StateOwner(warehouse, clock=clock)
    owner.acquire()
    owner.write("fleet.refresh", {}, actor="test", write_id="refresh")
    install(owner)
    yield truth
    install(None)
    owner.stop()
    warehouse.close()


def _truth(warehouse: Warehouse, events: pl.DataFrame) -> dict[str, bool]:
    keys = {sensor.id: sensor.key for sensor in warehouse.catalog.sensors()}
    begin = ANCHOR - timedelta(days=demo.HISTORY_DAYS)
    faults = [one for one in demo.truth(SEED, ANCHOR, begin, ANCHOR) if not one.benign]
    return {
        row["event_id"]: any(
            one.key == keys[row["sensor_id"]]
            and row["start"] < one.end + SLACK
            and row["end"] > one.start - SLACK
            for one in faults
        )
        for row in events.iter_rows(named=True)
    }


def _shown() -> set[str]:
    return {event.event_id for event in fleet.fleet(house.stamp()).events}


def _dialog() -> AppTest:
    def script() -> None:
        from app.components.learning_dialog import learning_dialog

        learning_dialog()

    return AppTest.from_function(script, default_timeout=60).run()


def test_after_twenty_verdicts_fewer_alarms_are_shown_and_no_fault_is_hidden(judged: dict[str, bool]):
    before = _shown()
    assert house.owner().labels().height == GIVEN
    _dialog().button(key="learning_apply").click().run()
    after = _shown()
    hidden = before - after
    open_false = [one for one in before if not judged[one]]
    assert len(hidden) >= 0.2 * len(open_false)
    assert not [one for one in hidden if judged[one]]
    assert {event.event_id for event in fleet.fleet(house.stamp()).held} == hidden
    _dialog().button(key="learning_stop").click().run()
    assert _shown() == before
