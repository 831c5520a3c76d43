"""Who looks after events, what waits, what is worked on, what is kept: its writes, reads and refusals."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from warehouse import schema
from warehouse.assets import AssetSpec, SensorSpec
from warehouse.errors import LabelConflict, LabelError
from warehouse.home import Warehouse
from warehouse.state import fleet
from warehouse.state.attention import MOST_EVENTS
from warehouse.state.fault_classes import BEGINNING
from warehouse.state.labels import NewLabel
from warehouse.state.owner import StateOwner

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def events(owner):
    return with_events(owner)


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory) -> Iterator[StateOwner]:
    """An owner for writes that are refused: none of them changes anything."""
    warehouse = Warehouse.open(tmp_path_factory.mktemp("unchanged") / "home")
    warehouse.catalog.put_assets("csv", [AssetSpec("Pump 7", "pump", sensors=(SensorSpec("flow", "m³/h"),))])
    with StateOwner(warehouse, clock=lambda: NOON) as owner:
        yield with_events(owner)
    warehouse.close()


THREE = (("a", 1, 9), ("b", 1, 6), ("c", 2, 3))


def with_events(owner: StateOwner, some: Sequence[tuple[str, int, int]] = THREE) -> StateOwner:
    """Give an owner current events of (id, sensor, hours before noon): three of two sensors."""
    rows = [
        {
            "event_id": event_id,
            "sensor_id": sensor_id,
            "version_id": 1,
            "start": NOON - hours * HOUR,
            "end": NOON - hours * HOUR + HOUR,
            "open": False,
            "peak_ts": NOON - hours * HOUR,
            "peak_score": 5.0,
            "threshold": 1.0,
            "probability": 0.9,
            "severity": "high",
            "why": "because",
            "mode": "causal",
            "drivers": [],
        }
        for event_id, sensor_id, hours in some
    ]
    mirror = fleet.Mirror((1, 2), pl.DataFrame(rows, schema=schema.EVENTS), fleet.FLEET.to_frame())
    owner._opened().write(lambda cursor: fleet.store(cursor, mirror))
    return owner


@pytest.fixture
def write(owner):
    """Make a write of a kind, by ada unless told otherwise."""
    made = []

    def one(kind, actor="ada", **payload):
        made.append(kind)
        return owner.write(kind, payload, actor=actor, write_id=f"w-{len(made)}")

    return one


def state_of(owner: StateOwner, event_id: str, *names: str) -> tuple[object, ...]:
    return owner.events_with_state(event_id=event_id).select(names).row(0)


def test_events_are_assigned_together_and_the_newest_is_in_force(events, write):
    write("event.assign", event_ids=["a", "b", "a"], assignee="  bob ")
    write("event.assign", "cem", event_ids=["b"], assignee="dan")
    who = ("assignee", "assigned_by")
    assert [state_of(events, one, *who) for one in "abc"] == [("bob", "ada"), ("dan", "cem"), (None, None)]
    write("event.assign", event_ids=["a"], assignee=None)
    assert state_of(events, "a", *who) == (None, None)
    assert events.query("SELECT count(*) AS n FROM assignment_log").item() == 4
    assert events.audit().height == 3


def test_a_whole_flood_is_put_off_in_one_act(owner, write):
    ids = [f"e-{number}" for number in range(300)]
    with_events(owner, [(one, 1, number) for number, one in enumerate(ids)])
    until = NOON + 8 * HOUR
    write("event.snooze", event_ids=ids, until=until.isoformat())
    write("event.assign", event_ids=ids, assignee="bob")
    found = owner.events_with_state()
    assert found["snoozed_until"].to_list() == [until] * 300
    assert found["assignee"].to_list() == ["bob"] * 300
    write("event.snooze", event_ids=ids, until=None)
    assert owner.events_with_state()["snoozed_until"].null_count() == 300


def test_events_are_snoozed_until_a_time_and_woken(events, write):
    until = NOON + 8 * HOUR
    write("event.snooze", event_ids=["a", "c"], until=until.isoformat())
    what = ("snoozed_until", "snoozed_by")
    assert [state_of(events, one, *what) for one in "abc"] == [(until, "ada"), (None, None), (until, "ada")]
    write("event.snooze", "bob", event_ids=["a"], until=None)
    assert [state_of(events, one, *what) for one in "ac"] == [(None, None), (until, "ada")]


def test_a_conflict_is_about_the_event_whatever_bounds_are_typed(events, write):
    """Ada drew over the first half of event b, Bob says it was only the end of it."""
    start = NOON - 6 * HOUR
    drawn = NewLabel(1, start, start + HOUR / 2, "true_anomaly").payload()
    made = write("label.set", **drawn)
    typed = NewLabel(1, start + HOUR / 2, start + HOUR, "false_positive", event_id="b").payload()
    with pytest.raises(LabelConflict) as caught:
        write("label.set", "bob", **typed, seen=None)
    assert caught.value.label_id == made["label_id"]
    write("label.set", "bob", **{**typed, "event_id": None}, seen=None)
    assert state_of(events, "b", "voices", "disagree") == (2, True)


@pytest.mark.parametrize(
    ("kind", "payload", "reason"),
    [
        ("event.assign", {"event_ids": ["a", "z"], "assignee": "bob"}, "no current event 'z'"),
        ("event.assign", {"event_ids": [], "assignee": "bob"}, "a list that holds something"),
        ("event.assign", {"event_ids": "a", "assignee": "bob"}, "a list that holds something"),
        ("event.assign", {"event_ids": [7], "assignee": "bob"}, "event_ids must be text"),
        ("event.assign", {"event_ids": [" "], "assignee": "bob"}, "must not hold an empty text"),
        ("event.assign", {"event_ids": ["a"] * (MOST_EVENTS + 1), "assignee": "bob"}, "at most 1,000"),
        ("event.assign", {"event_ids": ["a"], "assignee": "x" * 81}, "assignee has 81 characters"),
        ("event.assign", {"event_ids": ["a"], "assignee": "b\x07b"}, "can't be shown"),
        ("event.assign", {"event_ids": ["a"], "assignee": 7}, "assignee must be text"),
        ("event.snooze", {"event_ids": ["a"], "until": "tomorrow"}, "until must be a time with its zone"),
        ("event.snooze", {"event_ids": ["a"], "until": "2024-05-01T11:00:00Z"}, "in the coming 366 days"),
        ("event.snooze", {"event_ids": ["a"], "until": "2027-05-01T11:00:00Z"}, "in the coming 366 days"),
        ("event.snooze", {"event_ids": ["a", "z"], "until": None}, "no current event 'z'"),
        ("event.acknowledge", {"event_id": "z"}, "no current event 'z'"),
        ("event.acknowledge", {}, "no current event ''"),
    ],
)
def test_what_can_not_be_said_of_events_is_refused_and_changes_nothing(unchanged, kind, payload, reason):
    before = unchanged.events_with_state()
    with pytest.raises(LabelError, match=reason):
        unchanged.write(kind, payload, actor="ada", write_id="w")
    assert unchanged.events_with_state().equals(before)
    assert unchanged.audit().is_empty()


def window(**changes):
    return {
        "asset_id": 1,
        "start": NOON.isoformat(),
        "end": (NOON + 4 * HOUR).isoformat(),
        "reason": "bearing swapped",
        **changes,
    }


def test_a_window_of_maintenance_is_in_force_until_it_is_taken_back(owner, write):
    first = write("maintenance.set", **window())
    second = write("maintenance.set", "bob", **window(asset_id=2, start=(NOON - HOUR).isoformat()))
    assert owner.maintenance().select("window_id", "asset_id", "reason", "actor").rows() == [
        (second["window_id"], 2, "bearing swapped", "bob"),
        (first["window_id"], 1, "bearing swapped", "ada"),
    ]
    assert owner.maintenance(1).select("start", "end").rows() == [(NOON, NOON + 4 * HOUR)]
    write("maintenance.end", "bob", window_id=first["window_id"])
    assert owner.maintenance(1).is_empty()
    with pytest.raises(LabelError, match="taken back already, by bob"):
        write("maintenance.end", window_id=first["window_id"])
    log = owner.query("SELECT action, actor, reason FROM maintenance_log WHERE asset_id = 1 ORDER BY seq")
    assert log.rows() == [("set", "ada", "bearing swapped"), ("end", "bob", "bearing swapped")]


def test_a_machine_matters_as_was_said_last(owner, write):
    assert owner.criticality().is_empty()
    assert write("asset.criticality", asset_id=2, level="high")["former"] is None
    assert write("asset.criticality", "bob", asset_id=2, level="vital")["former"] == "high"
    write("asset.criticality", asset_id=1, level="low")
    assert owner.criticality().select("asset_id", "level", "actor").rows() == [
        (1, "low", "ada"),
        (2, "vital", "bob"),
    ]


def test_a_view_is_replaced_by_its_name_and_removed(owner, write):
    old = write("view.save", page="overview", name=" Night shift ", address="?severity=high&open=true")
    write("view.save", page="anomalies", name="Night shift", address="event=7")
    new = write("view.save", "bob", page="overview", name="Night shift", address="severity=critical")
    assert owner.views("overview").select("view_id", "name", "address", "actor").rows() == [
        (new["view_id"], "Night shift", "severity=critical", "bob")
    ]
    assert owner.views()["page"].to_list() == ["anomalies", "overview"]
    with pytest.raises(LabelError, match="'Night shift' was replaced already, by bob"):
        write("view.remove", view_id=old["view_id"])
    write("view.remove", view_id=new["view_id"])
    assert owner.views("overview").is_empty()
    with pytest.raises(LabelError, match="'Night shift' was removed already, by ada"):
        write("view.remove", view_id=new["view_id"])
    again = write("view.save", page="overview", name="Night shift", address="")
    assert owner.views("overview").select("view_id", "address").rows() == [(again["view_id"], "")]


def test_the_list_of_fault_classes_begins_with_some_and_is_edited(owner, write):
    assert tuple(owner.fault_classes()["name"]) == BEGINNING
    write("fault_class.add", name="coupling")
    write("fault_class.retire", "bob", name="Cavitation")
    names = owner.fault_classes()["name"].to_list()
    assert "coupling" in names
    assert "cavitation" not in names
    write("fault_class.add", name="Cavitation")
    assert owner.fault_classes().filter(pl.col("name") == "Cavitation")["actor"].to_list() == ["ada"]
    write("fault_class.retire", name="coupling")
    assert set(owner.fault_classes()["name"].str.to_lowercase()) == set(BEGINNING)


@pytest.mark.parametrize(
    ("kind", "payload", "reason"),
    [
        ("maintenance.set", window(asset_id=99), "no machine #99"),
        ("maintenance.set", window(asset_id="1"), "asset_id must be a whole number"),
        ("maintenance.set", window(start=(NOON + 4 * HOUR).isoformat()), "start before it ends"),
        ("maintenance.set", window(end=(NOON + 9000 * HOUR).isoformat()), "at most 366 days"),
        ("maintenance.set", window(start="1980-01-01T00:00:00Z", end="1980-01-02T00:00:00Z"), "between 1990"),
        ("maintenance.set", window(start="2040-01-01T00:00:00Z", end="2040-01-02T00:00:00Z"), "between 1990"),
        ("maintenance.set", window(start="2024-05-01T10:00:00"), "start must be a time with its zone"),
        ("maintenance.set", window(reason="  "), "reason must be 1 to 500 characters"),
        ("maintenance.set", window(reason="x" * 501), "reason has 501 characters"),
        ("maintenance.end", {"window_id": 4}, "no maintenance window 4"),
        ("maintenance.end", {}, "window_id must be a whole number"),
        (
            "asset.criticality",
            {"asset_id": 1, "level": "huge"},
            "level must be one of low, normal",
        ),
        ("asset.criticality", {"asset_id": 99, "level": "high"}, "no machine #99"),
        ("view.save", {"page": "overview", "name": "", "address": ""}, "name must be 1 to 80 characters"),
        ("view.save", {"page": "", "name": "n", "address": ""}, "page must be 1 to 40 characters"),
        ("view.save", {"page": "p", "name": "n", "address": "javascript:alert(1)"}, "the query string"),
        ("view.save", {"page": "p", "name": "n", "address": "a=\x07"}, "characters that can't be part"),
        (
            "view.save",
            {"page": "p", "name": "n", "address": "a=" + "x" * 1999},
            "address has 2001",
        ),
        ("view.remove", {"view_id": 4}, "no saved view 4"),
        ("fault_class.add", {"name": "Bearing"}, "'bearing' is on the list already"),
        ("fault_class.add", {"name": ""}, "name must be 1 to 80 characters"),
        ("fault_class.add", {"name": 5}, "name must be text"),
        ("fault_class.retire", {"name": "gremlins"}, "no fault class 'gremlins'"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(unchanged, kind, payload, reason):
    with pytest.raises(LabelError, match=reason):
        unchanged.write(kind, payload, actor="ada", write_id="w")
    assert unchanged.audit().is_empty()
    assert tuple(unchanged.fault_classes()["name"]) == BEGINNING
    for kept in (unchanged.maintenance(), unchanged.criticality(), unchanged.views()):
        assert kept.is_empty()


def test_a_write_that_arrives_twice_takes_effect_once(events):
    payload = {"event_ids": ["a", "b"], "assignee": "bob"}
    first = events.write("event.assign", payload, actor="ada", write_id="w")
    assert events.write("event.assign", payload, actor="ada", write_id="w") == first
    assert events.query("SELECT count(*) AS n FROM assignment_log").item() == 2


def test_an_acknowledgement_is_taken_back_by_who_gave_it_alone(events, owner, write):
    write("event.acknowledge", event_id="a")
    write("event.acknowledge", event_id="b", actor="bob")
    with pytest.raises(LabelError, match="'b' was acknowledged by bob"):
        write("event.unacknowledge", event_ids=["a", "b"])
    seen = owner.events_with_state().sort("event_id")["acknowledged_by"]
    assert seen.to_list() == ["ada", "bob", None]
    write("event.unacknowledge", event_ids=["a"])
    assert owner.events_with_state(event_id="a")["acknowledged_by"].to_list() == [None]
    with pytest.raises(LabelError, match="nobody has acknowledged event 'a'"):
        write("event.unacknowledge", event_ids=["a"])
    kept = owner.audit()["kind"].to_list()
    assert kept == ["event.unacknowledge", "event.acknowledge", "event.acknowledge"]
