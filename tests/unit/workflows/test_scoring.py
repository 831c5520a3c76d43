"""Scoring: what is judged, what is not, and that judging bit by bit says the same as judging at once."""

import shutil
from dataclasses import fields
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from one_pump import STEP, T0, batch, clock, pump

from core.ensembles.wording import duration
from core.errors import CoreError, JobError
from core.registry.artifacts import verify
from core.workflows.baseline import fit_baseline
from core.workflows.ingest import ingest
from core.workflows.reporting import Task, remarks_of
from core.workflows.score import score_job, score_sensor
from warehouse.assets import PartSpec
from warehouse.catalog import NewVersion, Version
from warehouse.home import Warehouse

STEPS = 3000
FAULT = (2600, 2700)


def put(home: Warehouse, *arguments, **options):
    return ingest(batch(*arguments, **options), warehouse=home, clock=clock, actor="ada")


def stored(home: Warehouse) -> tuple[pl.DataFrame, pl.DataFrame]:
    target = home.catalog.find_sensor("Pump/flow")
    version = home.catalog.champion(target.id)
    assert version is not None
    return home.results.read_scores(target.id, version.id), home.results.events_current([target.id])


def in_production(home: Warehouse, fit: Version) -> Version:
    """Register a fit once more, as the trained model in production, with files of its own."""
    folder = f"{fit.folder}-trained"
    shutil.copytree(home.root / fit.folder, home.root / folder)
    wanted = {one.name for one in fields(NewVersion)}
    told = {name: value for name, value in vars(fit).items() if name in wanted}
    version = home.catalog.add_version(NewVersion(**{**told, "kind": "trained", "folder": folder}))
    home.catalog.promote(version.id, actor="ada", at=clock())
    return home.catalog.version(version.id)


def test_ingest_queues_the_scoring_of_its_targets_once(home: Warehouse) -> None:
    flow, load = pump(200)
    done = put(home, flow, load)
    assert done.scoring is not None
    assert done.scoring.payload == {
        "sensor_ids": [home.catalog.find_sensor("Pump/flow").id],
        "since": T0.isoformat(),
    }
    assert put(home, flow, load).scoring is None


def test_a_fault_becomes_an_event_with_its_bounds_and_reason(home: Warehouse) -> None:
    put(home, *pump(STEPS, fault=FAULT))
    score_sensor(home.catalog.find_sensor("Pump/flow"), warehouse=home, clock=clock)
    _, events = stored(home)
    (row,) = events.rows(named=True)
    assert abs(row["start"] - (T0 + FAULT[0] * STEP)) <= 3 * STEP
    assert abs(row["end"] - (T0 + FAULT[1] * STEP)) <= 36 * STEP  # the moving averages forget
    assert not row["open"]
    assert "below its prediction" in row["why"]
    assert "m3/h" in row["why"]
    assert row["drivers"][0]["sensor_id"] == home.catalog.find_sensor("Pump/flow").id
    assert row["mode"] == "causal"


def test_only_steps_that_were_not_learned_from_are_judged(home: Warehouse) -> None:
    put(home, *pump(STEPS))
    target = home.catalog.find_sensor("Pump/flow")
    score_sensor(target, warehouse=home, clock=clock)
    scores, _ = stored(home)
    version = home.catalog.champion(target.id)
    assert version is not None
    assert version.kind == "baseline"
    assert scores["ts"].min() == version.spans["calibrate"][0] >= version.spans["train"][1]


def test_judging_bit_by_bit_says_the_same_as_judging_at_once(tmp_path, home: Warehouse) -> None:
    flow, load = pump(STEPS, fault=FAULT)
    target_name, cut = "Pump/flow", 2650
    put(home, flow[:cut], load[:cut])
    score_sensor(home.catalog.find_sensor(target_name), warehouse=home, clock=clock)
    _, before = stored(home)
    assert before["open"].to_list() == [True]
    for first, last in ((cut, cut + 1), (cut + 1, cut + 7), (cut + 7, 2705), (2705, STEPS)):
        put(home, flow[:last], load[:last], first=first)
        score_sensor(home.catalog.find_sensor(target_name), warehouse=home, clock=clock)
    scores, events = stored(home)
    once = Warehouse.open(tmp_path / "once")
    put(once, flow[:cut], load[:cut])
    score_sensor(once.catalog.find_sensor(target_name), warehouse=once, clock=clock)
    put(once, flow, load, first=cut)
    score_sensor(once.catalog.find_sensor(target_name), warehouse=once, clock=clock)
    scores_once, events_once = stored(once)
    assert scores["ts"].to_list() == scores_once["ts"].to_list()
    np.testing.assert_allclose(
        scores["score"].fill_null(-1).to_numpy(),
        scores_once["score"].fill_null(-1).to_numpy(),
        rtol=2e-3,
        atol=2e-3,
    )
    assert events.select("start", "end", "open").rows() == events_once.select("start", "end", "open").rows()
    assert events["event_id"].to_list() == before["event_id"].to_list()
    assert events["why"].to_list() == events_once["why"].to_list()
    once.close()


def test_an_event_longer_than_what_is_read_again_keeps_its_start_and_full_length(home: Warehouse) -> None:
    steps = 9000  # the statistical detector reads at most two days of steps again
    flow, load = pump(steps, fault=(5200, steps))
    put(home, flow[:-50], load[:-50])
    target = home.catalog.find_sensor("Pump/flow")
    score_sensor(target, warehouse=home, clock=clock)
    (before,) = stored(home)[1].rows(named=True)
    put(home, flow, load, first=steps - 50)
    score_sensor(target, warehouse=home, clock=clock)
    (after,) = stored(home)[1].rows(named=True)
    assert (after["event_id"], after["start"]) == (before["event_id"], before["start"])
    assert after["end"] == T0 + steps * STEP
    assert f"for {duration(after['end'] - after['start'])} " in after["why"]


def test_scoring_again_without_new_readings_changes_nothing(home: Warehouse) -> None:
    put(home, *pump(STEPS, fault=FAULT))
    target = home.catalog.find_sensor("Pump/flow")
    score_sensor(target, warehouse=home, clock=clock)
    before = home.manifest.snapshot()
    assert score_sensor(target, warehouse=home, clock=clock).steps == 0
    assert home.manifest.snapshot() == before


def test_corrected_readings_of_the_past_are_judged_again_and_the_event_goes(home: Warehouse) -> None:
    flow, load = pump(STEPS, fault=FAULT)
    put(home, flow, load)
    target = home.catalog.find_sensor("Pump/flow")
    score_sensor(target, warehouse=home, clock=clock)
    assert stored(home)[1].height == 1
    done = put(home, pump(STEPS)[0], load)
    assert done.report.replaced == FAULT[1] - FAULT[0]
    assert done.scoring is not None
    score_job(done.scoring.payload, Task(warehouse=home, clock=clock))
    assert stored(home)[1].height == 0


def test_a_declared_test_part_is_judged_alone_and_never_learned_from(home: Warehouse) -> None:
    middle, end = T0 + 1200 * STEP, T0 + STEPS * STEP
    parts = (PartSpec("train", T0, middle), PartSpec("test", middle, end))
    put(home, *pump(STEPS, fault=FAULT), parts=parts)
    target = home.catalog.find_sensor("Pump/flow")
    score_sensor(target, warehouse=home, clock=clock)
    version = home.catalog.champion(target.id)
    assert version is not None
    assert version.spans["calibrate"][1] <= middle
    assert version.spans["test"] == (middle, end)
    scores, events = stored(home)
    assert scores["ts"].min() >= middle
    assert events.height == 1


def test_published_labels_count_but_are_not_learned(home: Warehouse) -> None:
    middle, end = T0 + 1200 * STEP, T0 + STEPS * STEP
    marked = PartSpec("anomaly", T0 + FAULT[0] * STEP, T0 + FAULT[1] * STEP)
    parts = (PartSpec("train", T0, middle), PartSpec("test", middle, end), marked)
    put(home, *pump(STEPS, fault=FAULT), parts=parts)
    target = home.catalog.find_sensor("Pump/flow")
    score_sensor(target, warehouse=home, clock=clock)
    version = home.catalog.champion(target.id)
    assert version is not None
    assert (version.metrics["precision"], version.metrics["recall"], version.metrics["f1"]) == (1.0, 1.0, 1.0)


def test_a_context_sensor_is_not_judged(home: Warehouse) -> None:
    put(home, *pump(STEPS))
    with pytest.raises(JobError, match="context sensor"):
        score_sensor(home.catalog.find_sensor("Pump/load"), warehouse=home, clock=clock)


def test_one_sensor_that_fails_is_named_and_hides_no_other(home: Warehouse) -> None:
    put(home, *pump(STEPS, fault=FAULT))
    put(home, *pump(6), name="Short")
    ids = [home.catalog.find_sensor(name).id for name in ("Short/flow", "Pump/flow")]
    result = score_job({"sensor_ids": ids}, Task(warehouse=home, clock=clock))
    assert list(result["failed"]) == ["Short/flow"]
    assert stored(home)[1].height == 1
    with pytest.raises(JobError, match="Short/flow"):
        score_job({"sensor_ids": ids[:1]}, Task(warehouse=home, clock=clock))


def test_a_tampered_model_is_not_loaded(home: Warehouse) -> None:
    put(home, *pump(STEPS))
    target = home.catalog.find_sensor("Pump/flow")
    version = in_production(home, fit_baseline(target, warehouse=home, at=clock()))
    victim = home.root / version.folder / next(iter(version.artifacts))
    victim.write_bytes(victim.read_bytes() + b" ")
    with pytest.raises(CoreError, match="not the file that was registered"):
        score_sensor(target, warehouse=home, clock=lambda: clock() + timedelta(days=1))


@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_a_lost_statistical_fit_is_made_again_and_is_the_same(home: Warehouse, damage: str) -> None:
    flow, load = pump(STEPS, fault=FAULT)
    put(home, flow[:-100], load[:-100])
    target = home.catalog.find_sensor("Pump/flow")
    score_sensor(target, warehouse=home, clock=clock)
    before, _ = stored(home)
    version = home.catalog.champion(target.id)
    assert version is not None
    # A model that was just trained must not wait for what watches beside it.
    trained = in_production(home, version)
    folder = home.root / version.folder
    if damage == "missing":
        shutil.rmtree(folder)
    else:
        victim = folder / next(iter(version.artifacts))
        victim.write_bytes(victim.read_bytes() + b" ")
    put(home, flow, load, first=STEPS - 100)
    result = score_job({"sensor_ids": [target.id]}, Task(warehouse=home, clock=clock))
    assert result["failed"] == {}
    (remark,) = remarks_of(result)
    assert "Pump/flow" in remark
    assert version.folder in remark
    verify(folder, version.artifacts)
    kept = [one for one in folder.parent.iterdir() if "-damaged-" in one.name]
    assert len(kept) == (damage == "changed")
    assert home.results.read_scores(target.id, trained.id).height == before.height + 100
    # What was judged before stays as it was.
    after = home.results.read_scores(target.id, version.id)
    assert after.height == before.height + 100
    assert after.head(before.height).equals(before)
    again = score_job({"sensor_ids": [target.id]}, Task(warehouse=home, clock=clock))
    assert remarks_of(again) == ()


def test_a_declared_test_part_is_judged_by_the_version_in_production_alone(home: Warehouse) -> None:
    middle, end = T0 + 1200 * STEP, T0 + STEPS * STEP
    parts = (PartSpec("train", T0, middle), PartSpec("test", middle, end))
    put(home, *pump(STEPS, fault=FAULT), parts=parts)
    target = home.catalog.find_sensor("Pump/flow")
    first = fit_baseline(target, warehouse=home, at=clock())
    second = fit_baseline(target, warehouse=home, at=clock())
    home.catalog.promote(first.id, actor="ada", at=clock())
    assert [one.id for one in home.catalog.watching(target.id)] == [first.id]
    assert second.id not in home.catalog.watchers()[target.id]


@pytest.mark.parametrize("ids", [None, [], "1", ["1"], [1, "2"], [True]])
def test_a_job_that_names_no_sensors_is_refused(home: Warehouse, ids) -> None:
    with pytest.raises(JobError, match="sensor_ids"):
        score_job({"sensor_ids": ids}, Task(warehouse=home, clock=clock))
