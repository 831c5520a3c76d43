from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from warehouse.errors import LabelError
from warehouse.state.labels import MAX_NOTE, NewLabel
from warehouse.state.published import NO_LABELS, publish, read_labels

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
FROM, TO = NOON - timedelta(hours=3), NOON - timedelta(hours=2)


def set_label(owner, *, actor="ada", write_id=None, sensor_id=1, start=FROM, end=TO, **rest):
    payload = NewLabel(sensor_id, start, end, **{"verdict": "false_positive", **rest}).payload()
    return owner.write("label.set", payload, actor=actor, write_id=write_id or str(uuid4()))


def test_a_verdict_is_kept_with_its_person_and_time(owner, warehouse, clock):
    outcome = set_label(owner, note="  cleaning, every Monday  ", fault_class="benign", event_id="e-1")
    (row,) = owner.labels_for(1).to_dicts()
    assert row["label_id"] == outcome["label_id"]
    assert (row["start"], row["end"], row["verdict"]) == (FROM, TO, "false_positive")
    assert (row["actor"], row["note"], row["fault_class"]) == ("ada", "cleaning, every Monday", "benign")
    assert NOON < row["recorded_at"] <= clock.moment


def test_a_verdict_survives_the_owner(owner, warehouse, clock):
    from warehouse.state.owner import StateOwner

    set_label(owner)
    owner.stop()
    with StateOwner(warehouse, clock=clock) as again:
        assert again.labels()["verdict"].to_list() == ["false_positive"]


def test_undo_takes_a_verdict_back_and_brings_the_earlier_one_forward(owner):
    set_label(owner, verdict="true_anomaly", event_id="e-1")
    second = set_label(owner, verdict="unsure", event_id="e-1")
    assert owner.labels()["verdict"].to_list() == ["unsure"]
    owner.write("label.undo", {"label_id": second["label_id"]}, actor="bob", write_id=str(uuid4()))
    assert owner.labels()["verdict"].to_list() == ["true_anomaly"]
    history = owner.label_history(1)
    assert history["action"].to_list() == ["undo", "set", "set"]
    assert history["actor"].to_list() == ["bob", "ada", "ada"]


def test_nobody_takes_the_place_of_what_another_person_said(owner):
    set_label(owner, verdict="true_anomaly", event_id="e-1")
    set_label(owner, verdict="false_positive", event_id="e-1", actor="bob")
    assert owner.labels().select("actor", "verdict").rows() == [
        ("ada", "true_anomaly"),
        ("bob", "false_positive"),
    ]


def test_an_undo_of_nothing_is_refused(owner):
    with pytest.raises(LabelError, match="no label 5"):
        owner.write("label.undo", {"label_id": 5}, actor="ada", write_id="w")
    first = set_label(owner)
    owner.write("label.undo", first, actor="ada", write_id="u-1")
    with pytest.raises(LabelError, match="taken back already, by ada"):
        owner.write("label.undo", first, actor="bob", write_id="u-2")


def test_a_write_that_arrives_twice_takes_effect_once(owner):
    first = set_label(owner, write_id="w-1")
    assert set_label(owner, write_id="w-1", verdict="unsure") == first
    assert owner.query("SELECT count(*) AS n FROM label_log").item() == 1
    assert owner.labels()["verdict"].to_list() == ["false_positive"]


def test_every_write_leaves_a_row_in_the_audit(owner):
    set_label(owner, actor="ada")
    with pytest.raises(LabelError):
        set_label(owner, actor="bob", verdict="maybe")
    audit = owner.audit()
    assert audit.select("kind", "actor").rows() == [("label.set", "ada")]
    assert "false_positive" in audit["payload"].item()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"verdict": "maybe"}, "verdict must be one of true_anomaly, false_positive, unsure"),
        ({"start": TO, "end": FROM}, "start before it ends"),
        ({"start": FROM, "end": FROM}, "start before it ends"),
        ({"sensor_id": 99}, "sensor 99 is unknown"),
        ({"note": "x" * (MAX_NOTE + 1)}, "note has 2001 characters"),
        ({"start": datetime(1970, 1, 1, tzinfo=UTC)}, "between 1990 and tomorrow"),
        ({"end": datetime(2055, 1, 1, tzinfo=UTC)}, "between 1990 and tomorrow"),
    ],
)
def test_a_verdict_that_makes_no_sense_is_refused_and_changes_nothing(owner, changes, reason):
    with pytest.raises(LabelError, match=reason):
        set_label(owner, **changes)
    assert owner.labels().is_empty()
    assert owner.audit().is_empty()


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({}, "verdict must be"),
        ({"start": "2024-05-01T10:00:00"}, "start must be a time with its zone"),
        ({"start": "yesterday"}, "start must be a time with its zone"),
        ({"sensor_id": "1"}, "sensor_id must be a whole number"),
        ({"sensor_id": True}, "sensor_id must be a whole number"),
        ({"note": 5}, "note must be text"),
        ({"version_id": "v1"}, "version_id must be a whole number"),
    ],
)
def test_a_malformed_payload_is_refused_by_name(owner, payload, reason):
    good = NewLabel(1, FROM, TO, "unsure").payload()
    with pytest.raises(LabelError, match=reason):
        owner.write("label.set", {**good, **payload} if payload else {}, actor="ada", write_id="w")


def test_an_unknown_kind_and_a_nameless_actor_are_refused(owner):
    with pytest.raises(LabelError, match=r"no write of kind 'label\.delete'"):
        owner.write("label.delete", {}, actor="ada", write_id="w")
    with pytest.raises(LabelError, match="actor"):
        set_label(owner, actor=" ")


def test_labels_are_published_with_their_sequence_number(owner, warehouse):
    assert read_labels(warehouse).digest == NO_LABELS
    set_label(owner)
    set_label(owner, start=FROM - timedelta(days=1), end=TO - timedelta(days=1), verdict="unsure")
    owner.fold_inbox()
    first = read_labels(warehouse)
    assert first.sequence == 2
    assert first.frame.equals(owner.labels())
    owner.fold_inbox()
    assert read_labels(warehouse).digest == first.digest
    assert len(warehouse.manifest.live("labels")) == 1
    owner.write("label.undo", {"label_id": 1}, actor="ada", write_id="u")
    owner.fold_inbox()
    assert read_labels(warehouse).frame["verdict"].to_list() == ["unsure"]
    assert read_labels(warehouse).sequence == 3


def test_taking_back_the_only_label_publishes_none(owner, warehouse):
    only = set_label(owner)
    owner.fold_inbox()
    owner.write("label.undo", only, actor="ada", write_id="u")
    owner.fold_inbox()
    published = read_labels(warehouse)
    assert published.frame.is_empty()
    assert published.sequence == 2


def test_what_an_earlier_release_held_to_be_replaced_is_published_again(owner, warehouse):
    """It let one person's label take the place of another's; the number of the newest write is the same."""
    set_label(owner, verdict="true_anomaly")
    set_label(owner, actor="bob")
    publish(warehouse, owner.labels().tail(1), 2, at=NOON)
    assert read_labels(warehouse).frame["actor"].to_list() == ["bob"]
    owner.fold_inbox()
    assert read_labels(warehouse).frame["actor"].to_list() == ["ada", "bob"]
    assert read_labels(warehouse).sequence == 2
