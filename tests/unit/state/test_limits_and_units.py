"""Limits, units and pins: stored with their person, taken back, and not torn by a crash."""

import math
from uuid import uuid4

import pytest

from warehouse.assets import AssetSpec, SensorSpec
from warehouse.errors import CatalogError, LabelError
from warehouse.state import shown_units
from warehouse.state.limits import Limits
from warehouse.state.owner import StateOwner

PUMP = AssetSpec("Pump 7", "pump", sensors=(SensorSpec("outlet temperature", "°C", interval_s=60.0),))


def set_limits(owner, sensor_id=1, *, actor="ada", write_id=None, **limits):
    payload = {"sensor_id": sensor_id, **Limits(**limits).document()}
    return owner.write("limits.set", payload, actor=actor, write_id=write_id or str(uuid4()))


def set_unit(owner, unit, *, actor="ada", write_id=None, sensor_id=1):
    payload = {"sensor_id": sensor_id, "unit": unit}
    return owner.write("sensor.unit", payload, actor=actor, write_id=write_id or str(uuid4()))


def in_force(owner, sensor_id=1):
    rows = owner.limits(sensor_id).select("low_low", "low", "high", "high_high").rows()
    return rows[0] if rows else None


def test_limits_are_kept_with_their_person_and_a_later_statement_wins(owner):
    set_limits(owner, high=75.0, high_high=82)
    set_limits(owner, low=10, high=80.0, actor="bob")
    assert in_force(owner) == (None, 10.0, 80.0, None)
    assert owner.limits()["actor"].to_list() == ["bob"]
    assert owner.limits(3).is_empty()


def test_the_former_limits_come_back_by_a_further_write(owner):
    set_limits(owner, high=75.0)
    second = set_limits(owner, high=80.0, low=-5.0)
    assert second["former"] == {"low_low": None, "low": None, "high": 75.0, "high_high": None}
    set_limits(owner, **second["former"])
    assert in_force(owner) == (None, None, 75.0, None)
    set_limits(owner)
    assert in_force(owner) is None
    assert owner.edits()["kind"].to_list() == ["limits.set"] * 4


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"low": 80.0, "high": 75.0}, "high limit must lie above the low limit 80, and 75 does not"),
        ({"low_low": 5.0, "high_high": 5.0}, "high-high limit must lie above the low-low limit 5"),
        ({"high": math.inf}, "high limit must be a finite number"),
        ({"low": math.nan}, "low limit must be a finite number"),
    ],
)
def test_limits_that_make_no_sense_are_refused_with_the_field_at_fault(owner, limits, reason):
    with pytest.raises(LabelError, match=reason):
        set_limits(owner, **limits)
    assert set(Limits(**limits).problems()) <= {"low", "high", "high_high"}
    assert in_force(owner) is None
    assert owner.audit().is_empty()


@pytest.mark.parametrize("value", ["75", True])
def test_a_limit_that_is_no_number_is_refused(owner, value):
    with pytest.raises(LabelError, match="high limit must be a number"):
        owner.write("limits.set", {"sensor_id": 1, "high": value}, actor="ada", write_id="w")


def test_limits_of_an_unknown_sensor_are_refused(owner):
    with pytest.raises(LabelError, match="no sensor #99"):
        set_limits(owner, 99, high=1.0)


def test_a_unit_is_shown_at_once_and_the_stated_one_stays(owner, warehouse):
    owner.write("fleet.refresh", {}, actor="ada", write_id="r")
    outcome = set_unit(owner, " K ")
    sensor = warehouse.catalog.sensor(1)
    assert (sensor.unit, sensor.stated_unit) == ("K", "°C")
    assert outcome == {"sensor_id": 1, "unit": "K", "former": None}
    assert owner.fleet().filter(sensor_id=1)["unit"].to_list() == ["K"]
    assert set_unit(owner, None)["former"] == "K"
    assert warehouse.catalog.sensor(1).unit == "°C"


def test_a_sensor_can_be_shown_without_a_unit(owner, warehouse):
    set_unit(owner, "")
    assert warehouse.catalog.sensor(1).unit == ""


def test_the_source_may_go_on_stating_its_unit_after_an_edit_and_no_other(owner, warehouse):
    set_unit(owner, "K")
    warehouse.catalog.put_assets("csv", [PUMP])
    assert warehouse.catalog.sensor(1).unit == "K"
    other = AssetSpec("Pump 7", "pump", sensors=(SensorSpec("outlet temperature", "K"),))
    with pytest.raises(CatalogError, match="stored in '°C', now stated in 'K'"):
        warehouse.catalog.put_assets("csv", [other])


@pytest.mark.parametrize(
    ("unit", "reason"), [("x" * 25, "at most 24"), ("a\x00b", "can't be shown"), (5, "text")]
)
def test_a_unit_that_can_not_be_shown_is_refused(owner, warehouse, unit, reason):
    with pytest.raises(LabelError, match=reason):
        set_unit(owner, unit, write_id="w-1")
    assert warehouse.catalog.sensor(1).unit == "°C"
    assert warehouse.jobs.inbox.pending() == ()


def test_a_crash_between_catalogue_and_audit_is_made_good_at_the_next_start(
    owner, warehouse, clock, monkeypatch
):
    set_unit(owner, "K")
    real = warehouse.catalog.show_unit

    def crash(sensor_id, unit):
        real(sensor_id, unit)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(type(warehouse.catalog), "show_unit", lambda _self, *given: crash(*given))
        with pytest.raises(KeyboardInterrupt):
            set_unit(owner, "°F", actor="bob", write_id="torn")
    assert warehouse.catalog.sensor(1).unit == "°F"
    assert owner.edits().height == 1  # the catalogue is ahead of the audit
    owner.stop()
    again = StateOwner(warehouse, clock=clock)
    again.acquire()
    again.fold_inbox()
    newest = again.edits().row(0, named=True)
    assert (newest["write_id"], newest["actor"]) == ("torn", "bob")
    assert '"former":"K"' in newest["outcome"]
    assert warehouse.jobs.inbox.outcome("torn").outcome["unit"] == "°F"
    again.stop()


def test_a_write_that_arrives_twice_takes_effect_once(owner, warehouse):
    first = set_unit(owner, "K", write_id="w-1")
    set_unit(owner, "°F")
    assert set_unit(owner, "K", write_id="w-1") == first
    assert warehouse.catalog.sensor(1).unit == "°F"
    set_limits(owner, high=1.0, write_id="w-2")
    set_limits(owner, high=2.0, write_id="w-2")
    assert in_force(owner)[2] == 1.0


def test_the_longest_unit_fits():
    assert len("µmol/(m²·s)") <= shown_units.MAX_UNIT


def _keep(owner, snapshot_id, keep, actor="ada"):
    payload = {"snapshot_id": snapshot_id, "keep": keep}
    return owner.write("snapshot.pin", payload, actor=actor, write_id=str(uuid4()))


def test_a_snapshot_is_kept_by_a_person_and_let_go_by_another(owner, warehouse, clock):
    owner.fold_inbox()
    made = warehouse.manifest.commit(add=[], end=[], base=0, touching=[], note="test", at=clock())
    warehouse.manifest.pin(made.id, holder="version 3")
    _keep(owner, made.id, keep=True)
    assert warehouse.manifest.holders([made.id])[made.id] == ("person ada", "version 3")
    _keep(owner, made.id, keep=False, actor="bob")
    # What a model version needs is not a person's to let go.
    assert warehouse.manifest.holders([made.id])[made.id] == ("version 3",)
    assert owner.audit()["kind"].to_list() == ["snapshot.pin", "snapshot.pin"]
    with pytest.raises(LabelError, match="no snapshot 99"):
        _keep(owner, 99, keep=True)
