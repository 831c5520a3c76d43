from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from warehouse import schema
from warehouse.errors import LabelError
from warehouse.state.labels import NewLabel
from warehouse.versions import NewVersion

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
TEMPERATURE_7, TEMPERATURE_8, LOAD_8, NASA = 1, 2, 3, 4


def write(warehouse, sensor_id, *, until=NOON, hours=30, value=lambda step: float(step % 10)):
    steps = hours * 60
    times = [until - timedelta(minutes=steps - 1 - step) for step in range(steps)]
    frame = pl.DataFrame(
        {
            "sensor_id": [sensor_id] * steps,
            "ts": times,
            "value": [value(step) for step in range(steps)],
            "quality": [0] * steps,
        },
        schema=schema.READINGS,
    )
    warehouse.telemetry.write(frame, note="test", at=NOON)


def version(warehouse, sensor_id, method="robust regression", kind="baseline"):
    snapshot = warehouse.manifest.snapshot()
    return warehouse.catalog.add_version(
        NewVersion(
            sensor_id=sensor_id,
            method=method,
            kind=kind,
            run_id=None,
            registered_name=None,
            created_at=NOON,
            snapshot_id=snapshot.id,
            snapshot_digest=snapshot.digest,
            labels_digest="",
            seed=7,
            spans={},
            parameters={},
            metrics={},
            artifacts={},
            folder="",
        )
    )


def events(warehouse, made, *rows):
    """Store (event_id, hours before noon, hours long, severity, open) as the list of a version."""
    frame = pl.DataFrame(
        [
            {
                "event_id": event_id,
                "sensor_id": made.sensor_id,
                "version_id": made.id,
                "start": NOON - timedelta(hours=before),
                "end": NOON - timedelta(hours=before - long),
                "open": is_open,
                "peak_ts": NOON - timedelta(hours=before),
                "peak_score": 5.0,
                "threshold": 1.0,
                "probability": 0.9,
                "severity": severity,
                "why": "because",
                "mode": "causal",
                "drivers": [{"sensor_id": LOAD_8, "share": 0.5}],
            }
            for event_id, before, long, severity, is_open in rows
        ],
        schema=schema.EVENTS,
    )
    warehouse.results.put_events(made.sensor_id, made.id, frame, at=NOON)


def refresh(owner, sensor_ids=None):
    payload = {} if sensor_ids is None else {"sensor_ids": sensor_ids}
    return owner.write("fleet.refresh", payload, actor="worker", write_id="refresh")


def row(owner, sensor_id):
    return owner.fleet().filter(pl.col("sensor_id") == sensor_id).to_dicts()[0]


@pytest.fixture
def readings(warehouse):
    for sensor_id in (TEMPERATURE_7, TEMPERATURE_8, LOAD_8):
        write(warehouse, sensor_id)
    write(warehouse, NASA, until=NOON - timedelta(days=900))
    return warehouse


def test_a_sensor_row_says_what_was_last_read_and_what_a_day_looks_like(owner, readings):
    refresh(owner)
    found = row(owner, TEMPERATURE_7)
    assert (found["asset"], found["sensor"], found["unit"]) == ("Pump 7", "outlet temperature", "°C")
    assert (found["as_of"], found["last_ts"], found["value"]) == (NOON, NOON, 9.0)
    assert (found["status"], found["open_events"], found["worst"]) == ("ok", 0, None)
    assert (found["min_24h"], found["max_24h"]) == (0.0, 9.0)
    assert found["mean_24h"] == pytest.approx(4.5, abs=0.05)
    assert 24 * 60 - 15 <= found["count_24h"] <= 24 * 60 + 1
    assert found["champion"] is None


def test_a_machine_whose_data_has_ended_is_historical_not_silent(owner, readings):
    refresh(owner)
    assert row(owner, NASA)["status"] == "historical"
    assert row(owner, NASA)["as_of"] == NOON - timedelta(days=900)


def test_a_sensor_that_stopped_while_others_went_on_is_silent(owner, warehouse):
    write(warehouse, TEMPERATURE_8)
    write(warehouse, LOAD_8, until=NOON - timedelta(minutes=16))
    write(warehouse, TEMPERATURE_7, until=NOON - timedelta(minutes=14))
    refresh(owner)
    assert [row(owner, one)["status"] for one in (TEMPERATURE_7, TEMPERATURE_8, LOAD_8)] == [
        "ok",
        "ok",
        "silent",
    ]
    # The machine's as-of is that of its newest sensor.
    assert row(owner, LOAD_8)["as_of"] == NOON
    assert row(owner, LOAD_8)["last_ts"] == NOON - timedelta(minutes=16)


def test_a_whole_machine_that_stopped_is_silent_even_when_it_alone_is_refreshed(owner, warehouse):
    write(warehouse, TEMPERATURE_8)
    write(warehouse, TEMPERATURE_7, until=NOON - timedelta(hours=2))
    refresh(owner, [TEMPERATURE_7])
    assert row(owner, TEMPERATURE_7)["status"] == "silent"


def test_open_events_of_the_champion_show_with_the_worst_severity(owner, readings):
    made = version(readings, TEMPERATURE_7)
    events(
        readings,
        made,
        ("e-1", 20, 1, "critical", False),
        ("e-2", 9, 9, "high", True),
        ("e-3", 3, 3, "low", True),
    )
    refresh(owner)
    found = row(owner, TEMPERATURE_7)
    assert (found["status"], found["open_events"], found["worst"]) == ("open events", 2, "high")
    assert (found["champion"], found["champion_kind"]) == ("robust regression v1", "baseline")
    assert found["version_id"] == made.id
    mirrored = owner.events_with_state()
    assert mirrored["event_id"].to_list() == ["e-3", "e-2", "e-1"]
    assert mirrored["drivers"][0].to_list() == [{"sensor_id": LOAD_8, "share": 0.5}]
    assert mirrored.drop("drivers").select(schema.EVENTS.names()[:-1]).schema == {
        name: kind for name, kind in schema.EVENTS.items() if name != "drivers"
    }


def test_a_promoted_version_brings_its_events_to_the_screen_and_they_inherit_verdicts(owner, readings):
    first = version(readings, TEMPERATURE_7)
    events(readings, first, ("old", 9, 5, "high", False))
    refresh(owner)
    start, end = NOON - timedelta(hours=9), NOON - timedelta(hours=4)
    verdict = NewLabel(TEMPERATURE_7, start, end, "false_positive", event_id="old").payload()
    owner.write("label.set", verdict, actor="ada", write_id="w-1")
    trained = version(readings, TEMPERATURE_7, "LSTM", "trained")
    readings.catalog.promote(trained.id, actor="ada", at=NOON)
    events(readings, trained, ("new", 8.5, 5, "critical", False), ("other", 2, 1, "low", False))
    refresh(owner, [TEMPERATURE_7])
    found = owner.events_with_state()
    assert found.select("event_id", "verdict", "label_actor").rows() == [
        ("other", None, None),
        ("new", "false_positive", "ada"),
        ("old", "false_positive", "ada"),  # the statistical fit goes on watching
    ]
    assert row(owner, TEMPERATURE_7)["champion"] == "LSTM v1"


def test_refreshing_one_machine_leaves_the_others_rows(owner, readings):
    refresh(owner)
    before = row(owner, TEMPERATURE_8)
    refresh(owner, [TEMPERATURE_7])
    assert row(owner, TEMPERATURE_8) == before
    assert row(owner, TEMPERATURE_7)["refreshed_at"] > before["refreshed_at"]
    assert owner.fleet().height == 4


def test_an_event_that_is_gone_leaves_the_mirror(owner, readings):
    made = version(readings, TEMPERATURE_7)
    events(readings, made, ("e-1", 9, 5, "high", True))
    refresh(owner)
    events(readings, made)
    refresh(owner)
    assert owner.events_with_state().is_empty()
    assert row(owner, TEMPERATURE_7)["open_events"] == 0


def test_an_event_is_acknowledged_by_the_first_who_does(owner, readings):
    made = version(readings, TEMPERATURE_7)
    events(readings, made, ("e-1", 9, 5, "high", True))
    refresh(owner)
    for number, actor in enumerate(("ada", "bob")):
        outcome = owner.write("event.acknowledge", {"event_id": "e-1"}, actor=actor, write_id=f"a-{number}")
        assert outcome["acknowledged_by"] == "ada"
    assert owner.events_with_state(event_id="e-1")["acknowledged_by"].to_list() == ["ada"]
    with pytest.raises(LabelError, match="no current event 'e-9'"):
        owner.write("event.acknowledge", {"event_id": "e-9"}, actor="ada", write_id="a-9")


def test_many_waiting_refreshes_are_one(owner, readings, monkeypatch):
    from warehouse.state import fleet

    computed = []
    compute = fleet.compute
    monkeypatch.setattr(fleet, "compute", lambda *args: computed.append(args[1]) or compute(*args))
    for number in range(5):
        readings.jobs.inbox.put(f"r-{number}", "fleet.refresh", {"sensor_ids": [1]}, actor="worker", at=NOON)
    owner.fold_inbox()
    assert computed == [[1] * 5]
    assert all(
        readings.jobs.inbox.outcome(f"r-{number}").outcome == {"sensors": 1, "events": 0}
        for number in range(5)
    )


def test_an_empty_home_has_an_empty_fleet(owner):
    assert refresh(owner) == {"sensors": 4, "events": 0}
    assert set(owner.fleet()["status"]) == {"silent", "historical"}
