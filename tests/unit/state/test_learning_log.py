"""Whether verdicts take effect is decided by a person, once for each change, and can be undone."""

import pytest

from warehouse.errors import LabelError
from warehouse.state.learning import windows_follow

PAYLOAD = {"likeness": True, "threshold": False, "previewed": "Would have removed 3 of 9 alarms."}


def test_a_decision_is_stored_with_who_made_it_and_what_was_previewed(owner):
    owner.write("learning.apply", PAYLOAD, actor="ada", write_id="one")
    row = owner.learning_history().row(0, named=True)
    assert (row["action"], row["likeness"], row["threshold"]) == ("apply", True, False)
    assert (row["actor"], row["previewed"]) == ("ada", PAYLOAD["previewed"])
    assert owner.audit()["kind"].to_list() == ["learning.apply"]


def test_the_same_decision_arriving_twice_takes_effect_once(owner):
    first = owner.write("learning.apply", PAYLOAD, actor="ada", write_id="one")
    assert owner.write("learning.apply", PAYLOAD, actor="ada", write_id="one") == first
    assert owner.learning_history().height == 1


def test_undoing_keeps_both_and_can_be_applied_again(owner):
    for number, kind in enumerate(("apply", "stop", "apply")):
        owner.write(f"learning.{kind}", PAYLOAD, actor="bo", write_id=f"w{number}")
    assert owner.learning_history()["action"].to_list() == ["apply", "stop", "apply"]


def test_what_is_in_force_is_not_applied_again_but_other_rules_are(owner):
    owner.write("learning.apply", PAYLOAD, actor="ada", write_id="one")
    with pytest.raises(LabelError, match="already"):
        owner.write("learning.apply", PAYLOAD, actor="bo", write_id="two")
    owner.write("learning.apply", PAYLOAD | {"threshold": True}, actor="bo", write_id="three")
    assert owner.learning_history()["threshold"].to_list() == [True, False]


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"likeness": 1, "threshold": True},
        {"likeness": False, "threshold": False},
        PAYLOAD | {"windows": "no"},
        PAYLOAD | {"previewed": "x" * 501},
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_stored(owner, payload):
    with pytest.raises(LabelError):
        owner.write("learning.apply", payload, actor="ada", write_id="one")
    assert owner.learning_history().is_empty()


def test_there_is_nothing_to_undo_before_or_twice(owner):
    with pytest.raises(LabelError, match="nothing to undo"):
        owner.write("learning.stop", {}, actor="ada", write_id="one")
    owner.write("learning.apply", PAYLOAD, actor="ada", write_id="two")
    owner.write("learning.stop", {}, actor="ada", write_id="three")
    with pytest.raises(LabelError, match="nothing to undo"):
        owner.write("learning.stop", {}, actor="ada", write_id="four")


def test_layers_that_hide_nothing_are_on_until_they_are_switched_off(owner):
    owner.write("learning.apply", PAYLOAD, actor="ada", write_id="one")
    row = owner.learning_history().row(0, named=True)
    assert (row["windows"], row["probability"], row["telling"]) == (True, True, True)
    alone = {"likeness": False, "threshold": False, "previewed": "", "probability": False}
    owner.write("learning.apply", alone, actor="ada", write_id="two")
    row = owner.learning_history().row(0, named=True)
    assert (row["likeness"], row["windows"], row["probability"], row["telling"]) == (False, True, False, True)


def test_workers_know_whether_windows_follow_verdicts(owner, warehouse):
    assert windows_follow(warehouse.catalog)
    owner.write("learning.apply", PAYLOAD | {"windows": False}, actor="ada", write_id="one")
    assert not windows_follow(warehouse.catalog)
    owner.write("learning.stop", {}, actor="ada", write_id="two")
    assert windows_follow(warehouse.catalog)
