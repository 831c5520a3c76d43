"""When a new version takes over: by its error against its own kind, by its alarms against another."""

import hashlib
from dataclasses import replace

import pytest
from one_pump import NOW, T0, batch, clock, pump

from core.workflows.ingest import ingest
from core.workflows.promotion import decide
from warehouse.catalog import NewVersion, Version
from warehouse.home import Warehouse


@pytest.fixture
def stored(home: Warehouse) -> Warehouse:
    ingest(batch(*pump(200)), warehouse=home, clock=clock, actor="ada")
    return home


def version(
    home: Warehouse,
    *,
    method: str = "panel",
    mode: str = "causal",
    error: float | None = 0.5,
    alarms: float | None = 1.0,
    champion: bool = False,
) -> Version:
    snapshot = home.manifest.snapshot()
    assert snapshot is not None
    figures = {"normalised_error": error, "alarms_per_week": alarms}
    new = NewVersion(
        sensor_id=home.catalog.find_sensor("Pump/flow").id,
        method=method,
        kind="trained",
        run_id="r",
        registered_name=f"sensor-1-{method}",
        created_at=NOW,
        snapshot_id=snapshot.id,
        snapshot_digest=snapshot.digest,
        labels_digest="",
        seed=0,
        spans={"train": (T0, NOW)},
        parameters={"mode": mode},
        metrics={name: value for name, value in figures.items() if value is not None},
        artifacts={"x": hashlib.sha256().hexdigest()},
        folder="models/x",
    )
    (home.root / "models" / "x").mkdir(parents=True, exist_ok=True)
    (home.root / "models" / "x" / "x").touch()
    # The release before this one recorded no mode.
    added = home.catalog.add_version(new if mode else replace(new, parameters={}))
    return home.catalog.promote(added.id, actor="ada", at=NOW) if champion else added


def test_the_first_version_takes_over(stored: Warehouse) -> None:
    assert decide(version(stored, alarms=90.0), stored).held_back == ""


@pytest.mark.parametrize(("error", "taken"), [(0.4, True), (0.549, True), (0.551, False)])
def test_a_version_of_the_same_method_is_compared_by_its_error(
    stored: Warehouse, error: float, *, taken: bool
) -> None:
    version(stored, champion=True)
    # However many alarms: they are compared where errors can't be.
    found = decide(version(stored, error=error, alarms=40.0), stored)
    assert (found.held_back == "") is taken
    assert taken or "version 1 stays in production" in found.held_back
    assert found.remark == ""


@pytest.mark.parametrize(
    ("before", "alarms", "taken"),
    [(0.0, 1.0, True), (0.0, 1.01, False), (0.4, 1.3, True), (2.0, 6.0, True), (2.0, 6.1, False)],
)
def test_another_method_is_held_back_by_far_more_alarms_alone(
    stored: Warehouse, before: float, alarms: float, *, taken: bool
) -> None:
    version(stored, method="telemanom", alarms=before, champion=True)
    found = decide(version(stored, error=9.0, alarms=alarms), stored)
    assert (found.held_back == "") is taken
    assert "not compared" in found.remark
    assert "another method" in found.remark
    if not taken:
        assert f"{alarms:.2g} alarms a week" in found.held_back
        assert "version 1 stays in production" in found.held_back


def test_modes_are_not_compared_by_their_errors(stored: Warehouse) -> None:
    version(stored, champion=True, error=0.9)
    found = decide(version(stored, mode="review", error=0.1, alarms=50.0), stored)
    assert "alarms a week" in found.held_back
    assert "another mode" in found.remark


def test_a_champion_of_the_release_before_judged_from_the_past_alone(stored: Warehouse) -> None:
    version(stored, mode="", champion=True, error=0.1)
    assert "held-out error" in decide(version(stored, error=0.9), stored).held_back


def test_where_one_of_them_predicts_nothing_alarms_decide(stored: Warehouse) -> None:
    version(stored, error=None, champion=True)
    found = decide(version(stored, error=0.9), stored)
    assert found.held_back == ""
    assert "one of them predicts nothing" in found.remark


@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_a_champion_that_can_not_be_used_any_more_holds_nothing_back(stored: Warehouse, damage: str) -> None:
    version(stored, champion=True, error=0.1)
    worse = version(stored, error=0.9)
    file = stored.root / "models" / "x" / "x"
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(b" ")
    found = decide(worse, stored)
    assert found.held_back == ""
    assert "version 1 are missing or changed" in found.remark
