"""Training: a version with its lineage, nothing learned from the test part, and when it takes over."""

from pathlib import Path

import numpy as np
import pytest
from one_pump import STEP, T0, batch, clock, pump

from core.errors import ConstantSignal, CoreError, InsufficientData
from core.workflows.ingest import ingest
from core.workflows.methods import load_version
from core.workflows.reporting import silent, unrecorded
from core.workflows.requests import TrainRequest
from core.workflows.score import score_sensor
from core.workflows.signals import load_signal
from core.workflows.train import TOLERANCE, train_job, train_sensor
from warehouse.assets import PartSpec
from warehouse.catalog import Version
from warehouse.home import Warehouse

STEPS, MIDDLE = 1300, 800


def put(home: Warehouse, flow: np.ndarray, load: np.ndarray, *, first: int = 0) -> None:
    parts = (
        PartSpec("train", T0, T0 + MIDDLE * STEP),
        PartSpec("test", T0 + MIDDLE * STEP, T0 + STEPS * STEP),
    )
    ingest(batch(flow, load, parts=parts, first=first), warehouse=home, clock=clock, actor="ada")


def learned(home: Warehouse, version: Version) -> tuple[bytes, ...]:
    """Return what was learned: what it says of a fixed signal, its scaling and its threshold."""
    folder = home.root / version.folder
    signal = load_signal(home, home.catalog.find_sensor("Pump/flow"), T0, T0 + MIDDLE * STEP)
    said = load_version(version, home).detector.score(signal)
    files = ("detector/scaling.npz", "threshold/threshold.json")
    return said.expected.tobytes(), *((folder / name).read_bytes() for name in files)


@pytest.mark.learned
def test_a_version_has_its_lineage_and_never_saw_the_test_part(home: Warehouse) -> None:
    flow, load = pump(STEPS, fault=(1100, 1140))
    put(home, flow, load)
    target = home.catalog.find_sensor("Pump/flow")
    request = TrainRequest(target.id, "quick", seed=5, actor="ada")
    curves: list[tuple[int, str, float]] = []
    outcome = train_sensor(request, warehouse=home, clock=clock, metric=lambda *point: curves.append(point))
    first = outcome.version
    assert first is not None
    assert outcome.promoted
    assert home.catalog.champion(target.id) == first
    snapshot = home.manifest.snapshot(first.snapshot_id)
    assert snapshot is not None
    assert (first.snapshot_digest, snapshot.pinned) == (snapshot.digest, True)
    assert first.seed == 5
    assert first.run_id
    assert first.parameters["detector.window"] == 250
    assert np.isfinite(first.metrics["normalised_error"])
    assert first.spans["train"][1] <= first.spans["calibrate"][1] <= T0 + MIDDLE * STEP
    assert first.spans["test"][0] == T0 + MIDDLE * STEP
    assert {name for _, name, _ in curves} == {"train loss", "validation loss"}

    # The same training on another test part learns the same to the last bit.
    changed = flow.copy()
    changed[MIDDLE:] = changed[MIDDLE:] * 3 - 50
    put(home, changed, load)
    again = train_sensor(request, warehouse=home, clock=clock).version
    assert again is not None
    assert again.snapshot_digest != first.snapshot_digest
    assert learned(home, again) == learned(home, first)
    assert again.metrics["normalised_error"] != first.metrics["normalised_error"]

    # It did far worse on its test part, so the champion stays.
    assert again.metrics["normalised_error"] > TOLERANCE * first.metrics["normalised_error"]
    assert home.catalog.champion(target.id) == first

    scored = score_sensor(target, warehouse=home, clock=clock)
    assert scored.version == first
    assert scored.steps == STEPS - MIDDLE


@pytest.mark.learned
def test_what_can_not_be_learned_is_refused_with_its_reason(home: Warehouse) -> None:
    flow, load = pump(STEPS)
    flow[:MIDDLE] = -1.0
    put(home, flow, load)
    target = home.catalog.find_sensor("Pump/flow")
    with pytest.raises(ConstantSignal, match=r"Pump/flow: all 640 readings of its training part are -1"):
        train_sensor(TrainRequest(target.id), warehouse=home, clock=clock)
    assert home.catalog.versions(target.id) == ()
    assert not list(home.layout.models.glob("*"))


def test_a_short_training_part_names_the_number_needed(home: Warehouse) -> None:
    flow, load = pump(300)
    ingest(batch(flow, load), warehouse=home, clock=clock, actor="ada")
    target = home.catalog.find_sensor("Pump/flow")
    with pytest.raises(InsufficientData, match="needs at least 326 usable steps, found 180") as caught:
        train_sensor(TrainRequest(target.id), warehouse=home, clock=clock)
    assert (caught.value.needed, caught.value.found) == (326, 180)


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"sensor_ids": []},
        {"sensor_ids": [1, 2]},
        {"sensor_ids": ["1"]},
        {"sensor_ids": [1], "seed": "x"},
        {"sensor_ids": [1], "preset": "none"},
        {"sensor_ids": [1], "seed": -1},
    ],
)
def test_a_job_that_is_not_a_training_is_refused(home: Warehouse, payload) -> None:
    with pytest.raises(CoreError):
        train_job(payload, warehouse=home, clock=clock, progress=silent, metric=unrecorded)
    assert not Path(home.layout.tracking).exists()


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
    outcome = train_sensor(TrainRequest(target.id, "quick"), warehouse=home, clock=clock)
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
