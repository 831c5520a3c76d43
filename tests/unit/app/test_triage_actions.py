"""What people may do about events, by their role, and what a page learns when another was faster."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.actions import label, screen, triage
from app.roles import NotAllowed, Profile
from warehouse.assets import AssetSpec, SensorSpec
from warehouse.home import Warehouse
from warehouse.state.labels import NewLabel
from warehouse.state.owner import StateOwner, install

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LABEL = NewLabel(1, NOON - HOUR, NOON, "true_anomaly", event_id="e-1")

Act = Callable[[Profile, Callable[..., dict[str, object]]], object]


class Wrote:
    """A writer that keeps what it was told and answers as the owner would."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, bool]] = []

    def __call__(self, kind: str, payload: Mapping[str, object], *, actor: str) -> dict[str, object]:
        self.told.append((kind, actor, bool(payload)))
        return {"label_id": 1, "label_ids": [1], "window_id": 1, "view_id": 1}


@pytest.mark.parametrize(
    ("kind", "role", "act"),
    [
        ("label.set", "labeller", lambda p, w: label.set_label(p, LABEL, writer=w)),
        ("label.set_many", "labeller", lambda p, w: label.set_labels(p, [(LABEL, None)], writer=w)),
        ("label.undo", "labeller", lambda p, w: label.undo_label(p, 1, writer=w)),
        ("label.undo_many", "labeller", lambda p, w: label.undo_labels(p, [1], writer=w)),
        ("event.acknowledge", "labeller", lambda p, w: label.acknowledge(p, "e-1", writer=w)),
        ("event.assign", "labeller", lambda p, w: triage.assign(p, ["e-1"], "Ana", writer=w)),
        ("event.snooze", "labeller", lambda p, w: triage.snooze(p, ["e-1"], NOON, writer=w)),
        ("maintenance.set", "labeller", lambda p, w: triage.set_maintenance(p, 1, NOON, NOON, "x", writer=w)),
        ("maintenance.end", "labeller", lambda p, w: triage.end_maintenance(p, 1, writer=w)),
        ("asset.criticality", "trainer", lambda p, w: triage.set_criticality(p, 1, "high", writer=w)),
        ("view.save", "viewer", lambda p, w: triage.save_view(p, "overview", "mine", "", writer=w)),
        ("view.remove", "viewer", lambda p, w: triage.remove_view(p, 1, writer=w)),
        ("fault_class.add", "labeller", lambda p, w: triage.add_fault_class(p, "x", writer=w)),
        ("fault_class.retire", "labeller", lambda p, w: triage.retire_fault_class(p, "x", writer=w)),
    ],
)
def test_each_act_takes_its_role_and_no_less(kind: str, role: str, act: Act) -> None:
    roles = ("viewer", "labeller", "trainer", "admin")
    for held in roles:
        wrote = Wrote()
        if roles.index(held) < roles.index(role):
            with pytest.raises(NotAllowed, match=f"Eve has the role {held} .* that takes {role}"):
                act(Profile("Eve", held), wrote)
            assert wrote.told == []
        else:
            act(Profile("Eve", held), wrote)
            assert wrote.told == [(kind, "Eve", True)]


@pytest.fixture
def owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StateOwner]:
    monkeypatch.setenv("TELLTALE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TELLTALE_PROFILE", "Ana")
    warehouse = Warehouse.open(tmp_path / "home")
    warehouse.catalog.put_assets("csv", [AssetSpec("Pump", "pump", sensors=(SensorSpec("flow", "m³/h"),))])
    with StateOwner(warehouse, clock=lambda: NOON) as owned:
        install(owned)
        yield owned
        install(None)
    warehouse.close()


def given(verdict: str, **more: object) -> screen.GivenVerdict:
    return screen.GivenVerdict(1, NOON - HOUR, NOON, verdict, event_id="e-1", **more)


def test_a_page_learns_who_was_faster_and_both_verdicts_stay_once_it_was_seen(owner: StateOwner) -> None:
    theirs = owner.write("label.set", LABEL.payload(), actor="Ben", write_id="w")
    with pytest.raises(screen.VerdictConflict, match="Ben called this event true anomaly") as caught:
        screen.give_verdicts([given("false_positive", seen=None)])
    told = caught.value
    assert (told.label_id, told.actor, told.verdict, told.at) == (
        theirs["label_id"],
        "Ben",
        "true_anomaly",
        NOON,
    )
    mine = screen.give_verdicts([given("false_positive", seen=told.label_id)])
    assert owner.labels()["actor"].to_list() == ["Ben", "Ana"]
    screen.take_back_many(mine)
    assert owner.labels()["actor"].to_list() == ["Ben"]


def test_a_missed_anomaly_has_no_event(owner: StateOwner) -> None:
    label_id = screen.give_verdict(
        sensor_id=1,
        start=NOON - HOUR,
        end=NOON,
        verdict="true_anomaly",
        fault_class="bearing",
        note="",
        event_id=None,
        version_id=None,
        seen=None,
    )
    assert owner.labels().select("label_id", "event_id", "version_id").rows() == [(label_id, None, None)]


def test_what_is_kept_comes_back_with_its_number_and_is_taken_back_by_it(owner: StateOwner) -> None:
    window = screen.set_maintenance(1, NOON, NOON + HOUR, "bearing swapped")
    view = screen.save_view("overview", "mine", "severity=high")
    screen.set_criticality(1, "vital")
    assert owner.maintenance()["window_id"].to_list() == [window]
    assert owner.views()["view_id"].to_list() == [view]
    assert owner.criticality()["level"].to_list() == ["vital"]
    screen.end_maintenance(window)
    screen.remove_view(view)
    assert owner.maintenance().is_empty()
    assert owner.views().is_empty()
    with pytest.raises(screen.ActionFailed, match="reason must be"):
        screen.set_maintenance(1, NOON, NOON + HOUR, " ")
