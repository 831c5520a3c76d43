"""Backtests: trained on ever more of the past, judged on what came next, and nothing registered."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from one_pump import STEP, T0, batch, clock, label, pump

from core.errors import Cancelled, CoreError, JobError, ParameterError
from core.splits import Split
from core.workflows.backtest import backtest_job
from core.workflows.ingest import ingest
from core.workflows.learn import fit_and_judge
from core.workflows.reporting import Task
from warehouse.assets import PartSpec
from warehouse.home import Warehouse

STEPS = 1200


def put(home: Warehouse, *parts: PartSpec, steps: int = STEPS) -> int:
    flow, load = pump(steps, fault=(1100, 1110))
    ingest(batch(flow, load, parts=parts), warehouse=home, clock=clock, actor="ada", queue=False)
    return home.catalog.find_sensor("Pump/flow").id


def task(home: Warehouse, checkpoints: Path | None = None, **options) -> Task:
    """Return work of job 1."""
    return Task(warehouse=home, clock=clock, job_id=1, checkpoints=checkpoints, **options)


def backtest(home: Warehouse, sensor: int, **payload: object) -> dict:
    return backtest_job({"sensor_ids": [sensor], "preset": "quick", **payload}, task(home))


def spans(fold: dict) -> dict[str, list[datetime]]:
    return {name: [datetime.fromisoformat(one) for one in span] for name, span in fold["spans"].items()}


def test_each_fold_learns_from_all_before_its_block_and_nothing_is_registered(home: Warehouse) -> None:
    result = backtest(home, put(home), folds=3)
    assert [one["fold"] for one in result["folds"]] == [1, 2, 3]
    for number, fold in enumerate(result["folds"], start=1):
        found = spans(fold)
        assert found["train"][0] == T0
        assert found["train"][1] == found["calibrate"][0]
        assert found["calibrate"][1] == found["test"][0] == T0 + number * 300 * STEP
        assert found["test"][1] == T0 + (number + 1) * 300 * STEP
        assert fold["figures"]["steps"] == 300
    errors = [one["figures"]["normalised_error"] for one in result["folds"]]
    assert result["figures"]["normalised_error"] == pytest.approx(sum(errors) / 3)
    assert home.catalog.versions() == ()
    assert not home.layout.tracking.exists()
    assert not any(home.layout.models.glob("*"))


def test_a_fold_leaves_out_what_people_had_said_by_its_origin_and_none_of_what_they_said_later(
    home: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensor = put(home)
    label(
        home,
        sensor,
        (100, 110, "true_anomaly"),
        (200, 210, "false_positive"),
        (700, 710, "true_anomaly"),
        said_at=T0 + 650 * STEP,
    )
    splits: list[Split] = []

    def judged(plan, split, reports):
        splits.append(split)
        return fit_and_judge(plan, split, reports)

    monkeypatch.setattr("core.workflows.backtest.fit_and_judge", judged)
    backtest(home, sensor, folds=3)
    learned = [np.concatenate([one.train.valid, one.calibrate.valid]) for one in splits]
    assert [len(one) for one in learned] == [300, 600, 900]
    first, second, third = learned
    assert first.all()
    assert second.all()
    assert list(np.flatnonzero(~third)) == [*range(100, 110), *range(700, 710)]
    # In the block that is judged, alarms on what turned out to be an anomaly are not held against it.
    assert [list(np.flatnonzero(~one.test.valid)) for one in splits] == [[], [*range(100, 110)], []]


def test_a_declared_test_part_is_neither_learned_from_nor_judged(home: Warehouse) -> None:
    sensor = put(
        home, PartSpec("train", T0, T0 + 900 * STEP), PartSpec("test", T0 + 900 * STEP, T0 + STEPS * STEP)
    )
    result = backtest(home, sensor, folds=2)
    assert spans(result["folds"][-1])["test"][1] == T0 + 900 * STEP


def test_published_anomalies_count_in_the_block_that_has_them(home: Warehouse) -> None:
    result = backtest(home, put(home, PartSpec("anomaly", T0 + 1100 * STEP, T0 + 1110 * STEP)), folds=3)
    assert ["recall" in one["figures"] for one in result["folds"]] == [False, False, True]


def test_a_fold_that_can_not_be_trained_is_named_and_hides_no_other(home: Warehouse) -> None:
    result = backtest(home, put(home, steps=700), folds=10)
    assert result["failed"]
    assert result["folds"]
    assert len(result["failed"]) + len(result["folds"]) == 10
    assert "usable steps" in result["failed"]["fold 1"]
    assert f"{len(result['folds'])} of 10 folds" in result["summary"]


def test_where_no_fold_can_be_trained_the_job_fails_with_the_reasons(home: Warehouse) -> None:
    with pytest.raises(JobError, match=r"fold 1: .*usable steps.*fold 3: "):
        backtest(home, put(home, steps=60), folds=3)


@pytest.mark.parametrize("folds", [0, 1, 21, 2.5, "3", True, None])
def test_a_number_of_folds_that_can_not_be_names_its_field(home: Warehouse, folds) -> None:
    sensor = put(home)
    with pytest.raises(ParameterError) as caught:
        backtest(home, sensor, folds=folds)
    assert caught.value.field == "folds"


@pytest.mark.parametrize("payload", [{"sensor_ids": []}, {"sensor_ids": [1, 2]}, {"preset": "best"}])
def test_a_backtest_of_something_else_is_refused(home: Warehouse, payload) -> None:
    sensor = put(home)
    with pytest.raises(CoreError):
        backtest(home, sensor, **payload)


def test_an_interrupted_one_goes_on_with_the_fold_and_the_data_it_was_at(home: Warehouse) -> None:
    folder = home.layout.checkpoints / "job-1"
    payload = {"sensor_ids": [put(home)], "preset": "quick", "folds": 4, "seed": 2}
    told: list[str] = []

    def ending() -> bool:
        if told == ["fold 1 of 4 begins", "fold 2 of 4 begins", "fold 3 of 4 begins"]:
            raise Cancelled("the app was stopped")
        return False

    with pytest.raises(Cancelled):
        backtest_job(payload, task(home, folder, log=told.append, check=ending))
    # Other readings came meanwhile: it goes on with those that it began with.
    flow, load = pump(STEPS)
    ingest(batch(flow * 9, load), warehouse=home, clock=clock, actor="ada", queue=False)
    told.clear()
    progress: list[float] = []
    metrics: list[int] = []
    resumed = replace(
        task(home, folder, log=told.append),
        progress=lambda fraction, _: progress.append(fraction),
        metric=lambda step, _name, _value: metrics.append(step),
    )
    result = backtest_job(payload, resumed)
    assert [one for one in told if "begins" in one] == ["fold 3 of 4 begins", "fold 4 of 4 begins"]
    assert progress == sorted(progress)
    assert set(metrics) == {1, 2, 3, 4}
    assert not folder.exists()
    assert home.manifest.held_by("job ") == ()
    again = Warehouse.open(home.root.parent / "undisturbed")
    whole = backtest_job({**payload, "sensor_ids": [put(again)]}, task(again))
    assert result["folds"] == whole["folds"]
    again.close()
