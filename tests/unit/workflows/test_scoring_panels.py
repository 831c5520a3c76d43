"""Scoring by a panel: bit by bit as at once, and in review what later steps say of earlier ones."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from one_pump import batch, clock, pump

from core.results import Mode
from core.workflows.ingest import ingest
from core.workflows.methods import load_version
from core.workflows.requests import TrainRequest
from core.workflows.score import score_sensor
from core.workflows.signals import load_signal
from core.workflows.train import train_sensor
from warehouse.catalog import Sensor, Version
from warehouse.home import Warehouse

STEPS, LEARNED = 2400, 1500
FAULT = (2000, 2200)


def readings() -> tuple[np.ndarray, np.ndarray]:
    """Return flow and load; in the fault the flow is far beyond anything before it."""
    flow, load = pump(STEPS)
    flow[FAULT[0] : FAULT[1]] += 90.0
    return flow, load


def put(home: Warehouse, first: int, last: int) -> Sensor:
    flow, load = readings()
    ingest(batch(flow[:last], load[:last], first=first), warehouse=home, clock=clock, actor="ada")
    return home.catalog.find_sensor("Pump/flow")


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Mode], Path]:
    """Return the home with a trained panel of a mode, trained when it is first asked for."""
    made: dict[str, Path] = {}

    def of(mode: Mode) -> Path:
        if mode not in made:
            home = Warehouse.open(tmp_path_factory.mktemp(mode) / "home")
            target = put(home, 0, LEARNED)
            train_sensor(TrainRequest(target.id, "quick", mode=mode), warehouse=home, clock=clock)
            home.close()
            made[mode] = home.root
        return made[mode]

    return of


@pytest.fixture
def trained(homes: Callable[[Mode], Path], tmp_path: Path) -> Callable[[Mode], Warehouse]:
    return lambda mode: Warehouse.open(shutil.copytree(homes(mode), tmp_path / "home"))


def champion(home: Warehouse) -> Version:
    version = home.catalog.champion(home.catalog.find_sensor("Pump/flow").id)
    assert version is not None
    assert version.kind != "baseline"
    return version


def stored(home: Warehouse, version: Version) -> np.ndarray:
    scores = home.results.read_scores(version.sensor_id, version.id)
    return scores["score"].cast(float).fill_null(float("nan")).to_numpy()


@pytest.mark.parametrize("mode", ["causal", "review"])
def test_scores_bit_by_bit_are_those_of_one_look_at_all(
    trained: Callable[[Mode], Warehouse], mode: Mode
) -> None:
    home = trained(mode)
    version = champion(home)
    first = LEARNED
    for last in (LEARNED, 1900, 2150, 2151, 2250, STEPS):
        target = put(home, first, last) if last > first else home.catalog.find_sensor("Pump/flow")
        score_sensor(target, warehouse=home, clock=clock)
        first = last
    raiser = load_version(version, home)
    signal = load_signal(home, target)
    at_once = raiser.detect(signal).scores.values
    bit_by_bit = stored(home, version)
    np.testing.assert_allclose(bit_by_bit, at_once[-bit_by_bit.size :], rtol=1e-4, atol=1e-5)
    # One window is not the other: what review says of a step changes with what follows it.
    early = raiser.detect(signal.slice(0, 1900)).scores.values
    same = np.allclose(early[1600:], at_once[1600:1900], rtol=1e-4, atol=1e-5)
    assert same is (mode == "causal")


def test_a_running_event_of_a_panel_keeps_its_id_and_start(trained: Callable[[Mode], Warehouse]) -> None:
    home = trained("causal")
    target = put(home, LEARNED, 2150)
    score_sensor(target, warehouse=home, clock=clock)
    before = home.results.events_current([target.id]).filter(open=True)
    assert before.height == 1
    for first, last in ((2150, 2151), (2151, 2170), (2170, STEPS)):
        put(home, first, last)
        score_sensor(target, warehouse=home, clock=clock)
    after = home.results.events_current([target.id]).filter(event_id=before["event_id"][0])
    assert after.height == 1
    assert not after["open"].item()
    assert after["end"].item() > before["end"].item()
    assert set(after["mode"]) == {"causal"}
