"""Confirmed anomalies are left out of what is learned from and of bars; false positives stay normal."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from one_pump import NOW, STEP, T0, batch, clock, label, pump

from core.ensembles.raise_events import EventRaiser
from core.signal import Signal
from core.thresholds.one_bar import OneBarThreshold
from core.thresholds.said import Said
from core.workflows.baseline import fit_baseline
from core.workflows.ingest import ingest
from core.workflows.methods import load_version
from core.workflows.recalling import look
from core.workflows.requests import TrainRequest
from core.workflows.said import said_of
from core.workflows.signals import load_signal
from core.workflows.training_plan import plan
from warehouse.assets import Sensor
from warehouse.home import Warehouse
from warehouse.state.published import publish, read_labels

STEPS = 1300
FAULT = (600, 660)  # in the part that the bar is set on
BEFORE = NOW - timedelta(days=1)


@pytest.fixture
def target(home: Warehouse) -> Sensor:
    ingest(batch(*pump(STEPS, fault=FAULT)), warehouse=home, clock=clock, actor="ada")
    return home.catalog.find_sensor("Pump/flow")


def bar(home: Warehouse, target: Sensor, *, at=NOW) -> float:
    raiser = load_version(fit_baseline(target, warehouse=home, at=at), home)
    assert isinstance(raiser, EventRaiser)
    assert isinstance(raiser.threshold, OneBarThreshold)
    return raiser.threshold.level


def test_a_confirmed_anomaly_lifts_no_bar_and_a_false_positive_does(home: Warehouse, target: Sensor):
    untold = bar(home, target)
    label(home, target.id, (*FAULT, "false_positive"))
    assert bar(home, target) == untold
    label_again(home, target, "true_anomaly")
    assert bar(home, target) < untold


def test_a_verdict_recorded_later_is_not_known_yet(home: Warehouse, target: Sensor):
    untold = bar(home, target)
    label(home, target.id, (*FAULT, "true_anomaly"))
    assert bar(home, target, at=BEFORE) == untold
    request = TrainRequest(target.id, "quick")
    assert plan(request, home, as_of=BEFORE).confirmed == ()
    assert plan(request, home, as_of=NOW).left_out() == ((T0 + FAULT[0] * STEP, T0 + FAULT[1] * STEP),)


def test_the_layer_can_be_switched_off(home: Warehouse, target: Sensor):
    untold = bar(home, target)
    label(home, target.id, (*FAULT, "true_anomaly"))
    home.catalog.put_source_settings("learning", {"windows": False})
    assert bar(home, target) == untold
    assert plan(TrainRequest(target.id, "quick"), home).confirmed == ()
    assert said_of(read_labels(home), target.id, load_signal(home, target), home) is None


def test_what_one_person_confirmed_is_normal_for_nobody(home: Warehouse, target: Sensor):
    label(home, target.id, (100, 200, "false_positive"), (150, 160, "true_anomaly"), (300, 310, "unsure"))
    said = said_of(read_labels(home), target.id, load_signal(home, target), home)
    assert said is not None
    assert np.flatnonzero(said.abnormal).tolist() == list(range(150, 160))
    assert np.flatnonzero(said.normal).tolist() == [*range(100, 150), *range(160, 200)]


class _Noting:
    """A raiser that remembers what it was told of the steps."""

    mode = "causal"

    def __init__(self) -> None:
        self.told: Said | None = None

    def detect(self, signal: Signal, *, said: Said | None = None) -> None:
        del signal
        self.told = said


@pytest.mark.parametrize(("kind", "told"), [("trained", True), ("baseline", False)])
def test_bars_that_follow_what_they_judge_are_told_of_verdicts(
    home: Warehouse, target: Sensor, kind: str, told: bool
):
    label(home, target.id, (*FAULT, "true_anomaly"))
    version = replace(fit_baseline(target, warehouse=home, at=NOW), kind=kind)
    raiser = _Noting()
    look(raiser, target, version, home, start=None, end=None, cut=T0, until=None)
    assert (raiser.told is not None) is told
    if raiser.told is not None:
        assert np.flatnonzero(raiser.told.abnormal).tolist() == list(range(*FAULT))


def label_again(home: Warehouse, target: Sensor, verdict: str) -> None:
    """Publish another verdict on the fault in place of the first."""
    frame = read_labels(home).frame.with_columns(verdict=pl.lit(verdict)).filter(sensor_id=target.id)
    publish(home, frame, 2, at=NOW)
