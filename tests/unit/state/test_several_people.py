"""Several people and one event: conflicts are told, bulk verdicts are one act, nobody's word is lost."""

from datetime import UTC, datetime, timedelta

import pytest

from warehouse.errors import LabelConflict, LabelError
from warehouse.state.label_writes import MOST_LABELS
from warehouse.state.labels import NewLabel
from warehouse.state.post import post
from warehouse.state.published import read_labels

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def label(verdict="true_anomaly", *, hours=3, sensor_id=1, event_id="e-1", **more):
    start = NOON - hours * HOUR
    return {**NewLabel(sensor_id, start, start + HOUR, verdict, event_id=event_id).payload(), **more}


@pytest.fixture
def write(owner):
    made = []

    def one(kind, payload, actor="ada"):
        made.append(kind)
        return owner.write(kind, payload, actor=actor, write_id=f"w-{len(made)}")

    return one


def test_the_second_person_is_told_of_the_first(owner, write):
    first = write("label.set", label())
    with pytest.raises(LabelConflict, match="ada called this event true anomaly meanwhile") as caught:
        write("label.set", label("false_positive", seen=None), "bob")
    told = caught.value
    assert (told.label_id, told.actor, told.verdict) == (first["label_id"], "ada", "true_anomaly")
    assert told.at == owner.labels()["recorded_at"].item()
    assert owner.labels()["actor"].to_list() == ["ada"]
    assert owner.audit().height == 1
    # Who has seen it may disagree, and both stay.
    write("label.set", label("false_positive", seen=first["label_id"]), "bob")
    assert owner.labels()["actor"].to_list() == ["ada", "bob"]


def test_who_does_not_say_what_they_saw_is_not_stopped(owner, write):
    write("label.set", label())
    write("label.set", label("false_positive"), "bob")
    assert owner.labels().height == 2


def test_nobody_conflicts_with_themselves_or_with_what_was_taken_back(owner, write):
    mine = write("label.set", label())
    write("label.set", label("unsure", seen=None))
    theirs = write("label.set", label("false_positive", seen=mine["label_id"] + 1), "bob")
    write("label.undo", {"label_id": theirs["label_id"]}, "ada")
    write("label.set", label("true_anomaly", seen=mine["label_id"]))
    assert owner.labels().select("actor", "verdict").rows() == [("ada", "true_anomaly")]


def test_a_conflict_follows_the_rule_by_which_labels_apply(owner, write):
    write("label.set", label(hours=3, event_id=None))
    write("label.set", label("false_positive", hours=5, event_id=None, seen=None), "bob")
    write("label.set", label("false_positive", hours=3, sensor_id=2, event_id=None, seen=None), "bob")
    with pytest.raises(LabelConflict):
        write("label.set", label("false_positive", hours=3.4, event_id=None, seen=None), "bob")
    with pytest.raises(LabelConflict):
        write("label.set", label("false_positive", hours=3, event_id="another version's", seen=None), "bob")


def test_a_conflict_reaches_who_waits_in_another_process(owner, warehouse, clock):
    owner.start_thread()
    first = post(warehouse, "label.set", label(), actor="ada", clock=clock)
    with pytest.raises(LabelConflict) as caught:
        post(warehouse, "label.set", label("false_positive", seen=None), actor="bob", clock=clock)
    assert (caught.value.label_id, caught.value.actor) == (first["label_id"], "ada")
    assert caught.value.at == owner.labels()["recorded_at"].item()
    assert warehouse.jobs.inbox.pending() == ()


def test_an_incident_is_judged_in_one_act(owner, write, warehouse):
    made = write("label.set_many", {"labels": [label(hours=n, event_id=f"e-{n}") for n in (9, 6, 3)]})
    assert owner.labels()["label_id"].to_list() == made["label_ids"]
    assert owner.audit()["kind"].to_list() == ["label.set_many"]
    owner.fold_inbox()
    assert read_labels(warehouse).frame.equals(owner.labels())
    write("label.undo_many", {"label_ids": made["label_ids"][:2]}, "bob")
    assert owner.labels()["label_id"].to_list() == made["label_ids"][2:]
    assert owner.label_history()["actor"].to_list() == ["bob", "bob", "ada", "ada", "ada"]
    assert owner.label_history(1).equals(owner.label_history())


def test_one_bad_verdict_of_an_incident_stores_none(owner, write):
    with pytest.raises(LabelError, match="sensor 99 is unknown"):
        write("label.set_many", {"labels": [label(), label(sensor_id=99)]})
    other = write("label.set", label(hours=6, event_id="e-6"), "bob")
    with pytest.raises(LabelConflict):
        write("label.set_many", {"labels": [label(), label(hours=6, event_id="e-6", seen=None)]})
    assert owner.labels()["label_id"].to_list() == [other["label_id"]]
    with pytest.raises(LabelError, match="no label 77"):
        write("label.undo_many", {"label_ids": [other["label_id"], 77]})
    assert owner.labels().height == 1


def test_what_is_malformed_is_refused_by_name(owner, write):
    for kind, payload, reason in (
        ("label.set_many", {}, "labels must be a list that holds something"),
        ("label.set_many", {"labels": []}, "labels must be a list that holds something"),
        ("label.set_many", {"labels": ["a"]}, "labels must be a list of documents"),
        ("label.set_many", {"labels": [{}] * (MOST_LABELS + 1)}, "at most 1,000"),
        ("label.undo_many", {"label_ids": []}, "label_ids must be a list that holds something"),
        ("label.undo_many", {"label_ids": ["1"]}, "label_ids must be a whole number"),
        ("label.set", label(seen="1"), "seen must be a whole number"),
        ("label.set", label(seen=True), "seen must be a whole number"),
    ):
        with pytest.raises(LabelError, match=reason):
            write(kind, payload)
    assert owner.audit().is_empty()


def test_a_bulk_that_arrives_twice_takes_effect_once(owner):
    payload = {"labels": [label(hours=n, event_id=f"e-{n}") for n in (9, 6)]}
    first = owner.write("label.set_many", payload, actor="ada", write_id="w")
    assert owner.write("label.set_many", payload, actor="ada", write_id="w") == first
    assert owner.labels().height == 2
