"""Validation: versions held against each other on what none of them learned from, failures by name."""

from dataclasses import replace
from datetime import timedelta

import pytest
from one_pump import NOW, STEP, T0, batch, clock, label, pump

from core.errors import CoreError, JobError
from core.evaluation.held_out import verdict_rates
from core.workflows.baseline import fit_baseline
from core.workflows.ingest import ingest
from core.workflows.reporting import Task
from core.workflows.validate import validate_job
from warehouse.assets import PartSpec
from warehouse.catalog import NewVersion, Version
from warehouse.home import Warehouse

STEPS = 1500
FAULT = (1300, 1340)


def put(home: Warehouse, steps: int = STEPS, *, name: str = "Pump", declared: bool = False) -> int:
    flow, load = pump(steps, fault=FAULT)
    parts = (
        PartSpec("train", T0, T0 + 800 * STEP),
        PartSpec("test", T0 + 800 * STEP, T0 + steps * STEP),
        PartSpec("anomaly", T0 + FAULT[0] * STEP, T0 + FAULT[1] * STEP),
    )
    ingest(
        batch(flow, load, name=name, parts=parts if declared else ()),
        warehouse=home,
        clock=clock,
        actor="ada",
        queue=False,
    )
    return home.catalog.find_sensor(f"{name}/flow").id


def fitted(home: Warehouse, sensor_id: int) -> Version:
    return fit_baseline(home.catalog.sensor(sensor_id), warehouse=home, at=NOW)


def with_spans(home: Warehouse, version: Version, spans) -> Version:
    """Register the same fit with other spans, as one that learned from another stretch."""
    fields = {name: getattr(version, name) for name in NewVersion.__dataclass_fields__}
    return home.catalog.add_version(replace(NewVersion(**fields), spans=spans))


def validated(home: Warehouse, **payload: object) -> dict:
    return validate_job(payload, Task(warehouse=home, clock=clock))


def test_versions_are_judged_on_one_span_that_none_of_them_learned_from(home: Warehouse) -> None:
    sensor = put(home)
    early = fitted(home, sensor)
    later = {**early.spans, "calibrate": (early.spans["calibrate"][0], T0 + 1000 * STEP)}
    late = with_spans(home, early, later)
    result = validated(home, sensor_ids=[sensor])
    assert set(result["versions"]) == {str(early.id), str(late.id)}
    spans = {tuple(one["span"]) for one in result["versions"].values()}
    assert spans == {((T0 + 1000 * STEP).isoformat(), (T0 + STEPS * STEP).isoformat())}
    assert result["failed"] == {}
    for one in result["versions"].values():
        assert one["figures"]["steps"] == STEPS - 1000
        assert 0 < one["figures"]["normalised_error"] < 1
        assert one["figures"]["alarms_per_week"] > 0
        assert "recall" not in one["figures"]
    # Alone, the earlier one is judged on more.
    alone = validated(home, version_ids=[early.id])["versions"][str(early.id)]
    assert alone["figures"]["steps"] == STEPS - round(0.55 * STEPS)
    assert (
        alone["name"] == "Pump/flow version 1 (robust regression)" or "Pump/flow version 1" in alone["name"]
    )


def test_published_anomalies_and_the_declared_part_count(home: Warehouse) -> None:
    sensor = put(home, declared=True)
    version = fitted(home, sensor)
    one = validated(home, version_ids=[version.id])["versions"][str(version.id)]
    assert one["span"] == [(T0 + 800 * STEP).isoformat(), (T0 + STEPS * STEP).isoformat()]
    assert (one["figures"]["recall"], one["figures"]["precision"]) == (1.0, 1.0)
    # What a version records of its own test part is what it is judged by again.
    assert one["figures"] == pytest.approx(version.metrics)


def test_verdicts_of_that_time_count_and_those_before_it_do_not(home: Warehouse) -> None:
    sensor = put(home)
    version = fitted(home, sensor)
    label(
        home,
        sensor,
        (*FAULT, "true_anomaly"),
        (1400, 1410, "true_anomaly"),
        (1000, 1010, "false_positive"),
        (10, 20, "true_anomaly"),
    )
    one = validated(home, version_ids=[version.id])["versions"][str(version.id)]
    said = one["verdicts"]
    assert (said["confirmed"], said["found"], said["recall"]) == (2, 1, 0.5)
    assert (said["right"] >= 1, said["wrong"], said["precision"]) == (True, 0, 1.0)


def test_rates_of_verdicts_say_nothing_of_events_that_nobody_judged() -> None:
    rates = verdict_rates([(0, 5), (10, 15), (20, 25)], [(3, 8)], [(12, 13), (4, 6)])
    assert (rates.right, rates.wrong, rates.unjudged) == (1, 1, 1)
    assert (rates.precision, rates.recall) == (0.5, 1.0)
    nobody = verdict_rates([(0, 5)], [], [])
    assert (nobody.precision, nobody.recall, nobody.unjudged) == (None, None, 1)


def test_a_version_that_fails_is_named_with_its_reason_and_hides_no_other(home: Warehouse) -> None:
    sensor, other = put(home), put(home, name="Pump 2")
    good, empty = fitted(home, sensor), fitted(home, sensor)
    bare = with_spans(home, good, {})
    gone = with_spans(home, good, {**good.spans, "train": (T0 - timedelta(days=9), T0 - timedelta(days=8))})
    whole = fitted(home, other)
    everything = with_spans(home, whole, {**whole.spans, "calibrate": (T0, T0 + STEPS * STEP)})
    for path in (home.root / empty.folder).rglob("*.json"):
        path.write_text("{}")
    result = validated(home, sensor_ids=[sensor, other])
    assert set(result["versions"]) == {str(good.id)}
    by_number = {name.split(" (")[0]: reason for name, reason in result["failed"].items()}
    assert "not the file that was registered" in by_number[f"Pump/flow version {empty.number}"]
    assert "did not record what it learned from" in by_number[f"Pump/flow version {bare.number}"]
    assert "no longer stored" in by_number[f"Pump/flow version {gone.number}"]
    assert "no reading after" in by_number[f"Pump 2/flow version {whole.number}"]
    assert "no reading after" in by_number[f"Pump 2/flow version {everything.number}"]
    assert "1 version of 1 sensor " in result["summary"]
    assert "5 could not be judged" in result["summary"]


def test_where_all_fail_the_job_does_with_the_reasons(home: Warehouse) -> None:
    sensor = put(home)
    bare = with_spans(home, fitted(home, sensor), {})
    with pytest.raises(JobError, match=r"Pump/flow version 2 .*no version recorded what it learned"):
        validated(home, version_ids=[bare.id])
    with pytest.raises(JobError, match="train them first"):
        validated(home, sensor_ids=[home.catalog.find_sensor("Pump/load").id])


@pytest.mark.parametrize("payload", [{}, {"version_ids": []}, {"version_ids": ["1"]}, {"sensor_ids": 3}])
def test_a_validation_of_nothing_is_refused(home: Warehouse, payload) -> None:
    with pytest.raises(CoreError):
        validated(home, **payload)


def test_a_validation_says_how_far_it_is_and_ends_when_told_to(home: Warehouse) -> None:
    sensor = put(home)
    fitted(home, sensor)
    said: list[float] = []
    task = Task(warehouse=home, clock=clock, progress=lambda fraction, _: said.append(fraction))
    validate_job({"sensor_ids": [sensor]}, task)
    assert said == sorted(said)
    assert len(said) == 2

    def check() -> bool:
        raise CoreError("told to end")

    with pytest.raises(CoreError, match="told to end"):
        validate_job({"sensor_ids": [sensor]}, replace(task, check=check))
