"""Training: a version with its lineage, nothing learned from the test part, and what is refused."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from one_pump import STEP, T0, batch, clock, pump

from core.errors import ConstantSignal, CoreError, InsufficientData
from core.workflows.ingest import ingest
from core.workflows.promotion import TOLERANCE
from core.workflows.records import facts_of
from core.workflows.reporting import Task
from core.workflows.requests import TrainRequest
from core.workflows.score import score_sensor
from core.workflows.train import train_job, train_sensor
from warehouse.assets import PartSpec
from warehouse.home import Warehouse

STEPS, MIDDLE = 2000, 800
ROOT = Path(__file__).parents[3]


def put(home: Warehouse, flow: np.ndarray, load: np.ndarray, *, first: int = 0) -> None:
    parts = (
        PartSpec("train", T0, T0 + MIDDLE * STEP),
        PartSpec("test", T0 + MIDDLE * STEP, T0 + STEPS * STEP),
    )
    ingest(batch(flow, load, parts=parts, first=first), warehouse=home, clock=clock, actor="ada")


def constant(home: Warehouse) -> int:
    """Store a pump whose flow never changes before the test part, with a fault in that; return its id."""
    flow, load = pump(STEPS)
    flow[:] = -1.0
    flow[1700:1740] = 0.5
    put(home, flow, load)
    return home.catalog.find_sensor("Pump/flow").id


def test_a_version_has_its_lineage_and_never_saw_the_test_part(home: Warehouse) -> None:
    flow, load = pump(STEPS, fault=(1100, 1140))
    put(home, flow, load)
    target = home.catalog.find_sensor("Pump/flow")
    request = TrainRequest(target.id, "quick", seed=5, actor="ada")
    first = train_sensor(request, warehouse=home, clock=clock).version
    assert first is not None
    assert home.catalog.champion(target.id) == first
    snapshot = home.manifest.snapshot(first.snapshot_id)
    assert snapshot is not None
    assert (first.snapshot_digest, snapshot.pinned) == (snapshot.digest, True)
    assert first.seed == 5
    assert first.run_id
    assert (first.method, first.registered_name) == ("panel", f"sensor-{target.id}-panel")
    said = facts_of(first)
    assert (said.preset, said.mode) == ("quick", "causal")
    assert not any("network" in one for one in said.remarks)
    assert said.title
    assert said.parameters
    assert np.isfinite(first.metrics["normalised_error"])
    assert first.spans["train"][1] <= first.spans["calibrate"][1] <= T0 + MIDDLE * STEP
    assert first.spans["test"][0] == T0 + MIDDLE * STEP

    # The same training on another test part learns the same to the last bit.
    changed = flow.copy()
    changed[MIDDLE:] = changed[MIDDLE:] * 3 - 50
    put(home, changed, load)
    again = train_sensor(request, warehouse=home, clock=clock).version
    assert again is not None
    assert again.snapshot_digest != first.snapshot_digest
    assert again.artifacts == first.artifacts
    assert again.metrics["normalised_error"] != first.metrics["normalised_error"]

    # It did far worse on its test part, so the champion stays.
    assert again.metrics["normalised_error"] > TOLERANCE * first.metrics["normalised_error"]
    assert home.catalog.champion(target.id) == first

    scored = score_sensor(target, warehouse=home, clock=clock)
    assert scored.version == first
    assert scored.steps == STEPS - MIDDLE
    assert set(home.results.events_current([target.id])["mode"]) <= {"causal"}


@pytest.mark.learned
def test_the_published_network_is_registered_with_its_curves(home: Warehouse) -> None:
    put(home, *pump(STEPS, fault=(1100, 1140)))
    target = home.catalog.find_sensor("Pump/flow")
    curves: list[tuple[int, str, float]] = []
    outcome = train_sensor(
        TrainRequest(target.id, "telemanom", parameters={"epochs": 12}),
        warehouse=home,
        clock=clock,
        metric=lambda *point: curves.append(point),
    )
    version = outcome.version
    assert version is not None
    assert (version.method, version.registered_name) == ("telemanom", f"sensor-{target.id}-telemanom")
    assert version.parameters["detector.window"] == 250
    assert version.metrics["normalised_error"] < 1
    assert {name for _, name, _ in curves} == {"train loss", "validation loss"}
    assert score_sensor(target, warehouse=home, clock=clock).version == version


@pytest.mark.learned
def test_the_published_network_refuses_a_part_that_never_changes(home: Warehouse) -> None:
    target_id = constant(home)
    with pytest.raises(ConstantSignal, match=r"Pump/flow: all 640 readings of its training part are -1"):
        train_sensor(TrainRequest(target_id, "telemanom"), warehouse=home, clock=clock)
    assert home.catalog.versions(target_id) == ()
    assert not list(home.layout.models.glob("*"))


@pytest.mark.parametrize(
    ("preset", "left_out"),
    [("quick", False), ("standard", False), pytest.param("thorough", True, marks=pytest.mark.learned)],
)
def test_a_part_that_never_changes_is_judged_without_a_network_which_is_said(
    home: Warehouse, preset: str, *, left_out: bool
) -> None:
    target_id = constant(home)
    job = {"sensor_ids": [target_id], "preset": preset, "mode": "causal"}
    result = train_job(job, Task(warehouse=home, clock=clock))
    assert result["registered"] is True
    assert result["promoted"] is True
    assert any("network" in one for one in result["remarks"]) is left_out
    version = home.catalog.champion(target_id)
    assert version is not None
    assert list(facts_of(version).remarks) == result["remarks"]
    score_sensor(home.catalog.sensor(target_id), warehouse=home, clock=clock)
    (event,) = home.results.events_current([target_id]).rows(named=True)
    assert event["start"] <= T0 + 1705 * STEP
    assert event["end"] >= T0 + 1735 * STEP
    assert event["why"].startswith("Flow changed from a steady −1.00 to 0.500 m3/h for 6 h 40 min")


@pytest.mark.parametrize(("preset", "steps", "most"), [("telemanom", 300, 326), ("quick", 40, 300)])
def test_a_short_training_part_names_the_number_needed(
    home: Warehouse, preset: str, steps: int, most: int
) -> None:
    flow, load = pump(steps)
    ingest(batch(flow, load), warehouse=home, clock=clock, actor="ada")
    target = home.catalog.find_sensor("Pump/flow")
    with pytest.raises(InsufficientData, match=r"Pump/flow: .* needs at least \d+ usable steps") as caught:
        train_sensor(TrainRequest(target.id, preset), warehouse=home, clock=clock)
    assert caught.value.found < caught.value.needed <= most


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"sensor_ids": []},
        {"sensor_ids": [1, 2]},
        {"sensor_ids": ["1"]},
        {"sensor_ids": [1], "seed": "x"},
        {"sensor_ids": [1], "preset": "none"},
        {"sensor_ids": [1], "mode": "later"},
        {"sensor_ids": [1], "mode": 3},
        {"sensor_ids": [1], "preset": "telemanom", "mode": "review"},
        {"sensor_ids": [1], "seed": -1},
    ],
)
def test_a_job_that_is_not_a_training_is_refused(home: Warehouse, payload) -> None:
    with pytest.raises(CoreError):
        train_job(payload, Task(warehouse=home, clock=clock))
    assert not Path(home.layout.tracking).exists()


def test_quick_trains_and_scores_without_tensorflow(home: Warehouse) -> None:
    put(home, *pump(STEPS, fault=(1100, 1140)))
    home.close()
    program = (
        "import sys, json\n"
        "from datetime import UTC, datetime\n"
        "from core.jobs.worker import work\n"
        "from core.workflows.train import train_job\n"
        "from core.workflows.score import score_job\n"
        "from core.workflows.reporting import Task\n"
        "from warehouse.home import Warehouse\n"
        "home = Warehouse.open(__import__('pathlib').Path(sys.argv[1]))\n"
        "task = Task(warehouse=home, clock=lambda: datetime(2026, 6, 1, tzinfo=UTC))\n"
        "ids = [home.catalog.find_sensor('Pump/flow').id]\n"
        "trained = train_job({'sensor_ids': ids, 'preset': 'quick', 'mode': 'causal'}, task)\n"
        "score_job({'sensor_ids': ids}, task)\n"
        "heavy = [name for name in ('tensorflow', 'keras') if name in sys.modules]\n"
        "print(json.dumps([trained['promoted'], heavy]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(home.root)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [True, []]


@pytest.mark.learned
def test_a_trained_model_takes_no_running_alarm_off_the_screen(home: Warehouse) -> None:
    """A model that predicts from the last reading follows a slow drift; the statistical fit sees it."""
    steps = 1800
    flow, load = pump(steps)
    flow[1300:] -= np.linspace(0, 40, steps - 1300)
    ingest(batch(flow, load), warehouse=home, clock=clock, actor="ada")
    target = home.catalog.find_sensor("Pump/flow")
    score_sensor(target, warehouse=home, clock=clock)
    before = home.results.events_current([target.id])
    assert before["open"].to_list()[-1]
    request = TrainRequest(target.id, "telemanom", parameters={"epochs": 12})
    outcome = train_sensor(request, warehouse=home, clock=clock)
    assert outcome.version is not None
    assert outcome.promoted
    assert home.catalog.champion(target.id) == outcome.version
    assert [one.kind for one in home.catalog.watching(target.id)] == ["trained", "baseline"]
    scored = score_sensor(target, warehouse=home, clock=clock)
    assert scored.version == outcome.version
    after = home.results.events_current([target.id])
    assert after["event_id"].n_unique() == after.height
    assert before["event_id"][-1] in after["event_id"].to_list()
    assert after.filter(event_id=before["event_id"][-1])["open"].item()
