"""The audit as a file: every act, a row for each verdict, whether the state has an owner or not."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from one_pump import batch, clock, pump

from core.errors import CoreError
from core.workflows.audit import export_audit
from core.workflows.ingest import ingest
from warehouse.home import Warehouse
from warehouse.state.labels import NewLabel
from warehouse.state.owner import StateOwner

MAY = datetime(2024, 5, 1, tzinfo=UTC)


@pytest.fixture
def acted(home: Warehouse) -> Warehouse:
    flow, load = pump(60)
    ingest(batch(flow, load, name="=P-1"), warehouse=home, clock=clock, actor="ada")
    first, second, third = (
        NewLabel(
            1,
            MAY + timedelta(hours=n),
            MAY + timedelta(hours=n + 1),
            "true_anomaly",
            note="=HYPERLINK(1)",
        ).payload()
        for n in range(3)
    )
    with StateOwner(home, clock=lambda: MAY + timedelta(days=1)) as owner:
        made = owner.write("label.set_many", {"labels": [first, second]}, actor="ada", write_id="w-1")
        owner.write("label.set", third, actor="@bob", write_id="w-2")
        owner.write("label.undo", {"label_id": made["label_ids"][0]}, actor="@bob", write_id="w-3")
        owner.write("fault_class.add", {"name": "coupling"}, actor="ada", write_id="w-4")
    return home


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_act_has_a_row_and_every_verdict_its_own(acted: Warehouse, tmp_path: Path) -> None:
    out = tmp_path / "audit.csv"
    assert export_audit(out, warehouse=acted, actor="ada", clock=clock).rows == 5
    found = rows(out)
    assert [(row["kind"], row["action"], row["label_id"], row["in_force"]) for row in found] == [
        ("label.set_many", "set", "1", "false"),
        ("label.set_many", "set", "2", "true"),
        ("label.set", "set", "3", "true"),
        ("label.undo", "undo", "1", "false"),
        ("fault_class.add", "", "", ""),
    ]
    assert [row["actor"] for row in found] == ["ada", "ada", "'@bob", "'@bob", "ada"]
    assert {row["note"] for row in found[:4]} == {"'=HYPERLINK(1)"}
    assert found[0]["machine"] == "'=P-1"
    assert found[0]["recorded_utc"] == "2024-05-02T00:00:00Z"
    assert "coupling" in found[4]["payload"]
    assert not list(acted.layout.staging.glob("state-*"))


def test_it_is_handed_over_by_a_living_owner(acted: Warehouse, tmp_path: Path) -> None:
    with StateOwner(acted, clock=lambda: MAY + timedelta(days=1)) as owner:
        owner.start_thread()
        assert export_audit(tmp_path / "audit.csv", warehouse=acted, actor="eve", clock=clock).rows == 5
    # Who reads leaves no trace among the acts.
    assert len(rows(tmp_path / "audit.csv")) == 5


def test_a_folder_that_is_not_there_is_named(acted: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(CoreError, match="nowhere"):
        export_audit(tmp_path / "nowhere" / "audit.csv", warehouse=acted, actor="ada", clock=clock)
    assert not list(acted.layout.staging.glob("state-*"))
