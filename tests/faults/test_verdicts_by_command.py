"""A verdict given by command arrives whether the app runs or is stopped, and each arrives once."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from running import Telltale, wait_for

from warehouse.assets import AssetSpec, SensorSpec
from warehouse.home import Warehouse
from warehouse.state.labels import NewLabel
from warehouse.state.owner import StateOwner
from warehouse.state.post import post
from warehouse.state.published import read_labels

MONDAY = datetime(2024, 4, 29, tzinfo=UTC)


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def warehouse(tmp_path):
    opened = Warehouse.open(tmp_path / "home")
    opened.catalog.put_assets(
        "csv", [AssetSpec("Pump 7", "pump", sensors=(SensorSpec("temperature", "°C"),))]
    )
    yield opened
    opened.close()


def verdict(note: str, day: int) -> dict[str, object]:
    start = MONDAY + timedelta(days=day)
    return NewLabel(1, start, start + timedelta(hours=1), "false_positive", note=note).payload()


def give(warehouse, note: str, day: int, **rest) -> dict[str, object]:
    return post(warehouse, "label.set", verdict(note, day), actor="ada", clock=now, **rest)


def test_both_arrive_once(warehouse):
    give(warehouse, "stopped", 0)
    with Telltale(warehouse.root) as telltale:
        telltale.up()
        outcome = give(warehouse, "running", 1)
        # Acknowledged means published: another process reads it at once.
        assert read_labels(warehouse).frame["note"].to_list() == ["stopped", "running"]
        post(warehouse, "label.undo", {"label_id": outcome["label_id"]}, actor="ada", clock=now)
        assert read_labels(warehouse).frame["note"].to_list() == ["stopped"]
        telltale.stop()
    give(warehouse, "stopped again", 2)
    with StateOwner(warehouse, clock=now) as owner:
        assert owner.labels()["note"].to_list() == ["stopped", "stopped again"]
        assert owner.label_history(1)["action"].to_list() == ["set", "undo", "set", "set"]


def test_one_that_is_given_while_the_app_goes_down_arrives_once(warehouse):
    """The write lies in the inbox while its owner is killed; who comes next folds it."""
    with Telltale(warehouse.root) as telltale:
        telltale.up()
        web = telltale.child("streamlit")
        web.suspend()
        write_id = str(uuid4())
        warehouse.jobs.inbox.put(write_id, "label.set", verdict("in between", 0), actor="ada", at=now())
        web.kill()
        assert telltale.process.wait(30) == 1
    outcome = give(warehouse, "in between", 0, write_id=write_id)
    with StateOwner(warehouse, clock=now) as owner:
        assert owner.labels().select("label_id", "note").rows() == [(outcome["label_id"], "in between")]


def test_the_app_folds_what_waited_without_a_browser(warehouse):
    warehouse.jobs.inbox.put("w-1", "label.set", verdict("waited", 0), actor="ada", at=now())
    with Telltale(warehouse.root) as telltale:
        telltale.up()
        assert wait_for(lambda: warehouse.jobs.inbox.outcome("w-1") is not None)
    assert read_labels(warehouse).frame["note"].to_list() == ["waited"]
