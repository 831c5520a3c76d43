"""How the model of each sensor is, with the reason in words."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from one_pump import NOW, STEP, T0, batch, clock, pump

from core.workflows.ingest import ingest
from core.workflows.status import SensorStatus, sensor_statuses
from warehouse.assets import PartSpec
from warehouse.catalog import NewVersion, Version
from warehouse.documents import JSON
from warehouse.home import Warehouse
from warehouse.jobs import Job

STEPS = 100
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def flow(home: Warehouse) -> int:
    put(home, STEPS)
    return home.catalog.find_sensor("Pump/flow").id


def put(home: Warehouse, steps: int, *parts: PartSpec) -> None:
    ingest(batch(*pump(steps), parts=parts), warehouse=home, clock=clock, actor="ada", queue=False)


def version(
    home: Warehouse,
    sensor_id: int,
    spans: dict[str, tuple[datetime, datetime]] | None = None,
    *,
    kind="trained",
    at: datetime = NOW,
    artifacts: dict[str, str] | None = None,
) -> Version:
    snapshot = home.manifest.snapshot()
    assert snapshot is not None
    usual = {
        "train": (T0, T0 + 60 * STEP),
        "calibrate": (T0 + 60 * STEP, T0 + 80 * STEP),
        "test": (T0 + 80 * STEP, T0 + 100 * STEP),
    }
    return home.catalog.add_version(
        NewVersion(
            sensor_id=sensor_id,
            method="panel",
            kind=kind,
            run_id=None,
            registered_name=None,
            created_at=at,
            snapshot_id=snapshot.id,
            snapshot_digest="",
            labels_digest="",
            seed=0,
            spans=usual if spans is None else spans,
            parameters={},
            metrics={},
            artifacts=artifacts or {},
            folder="models/x",
        )
    )


def ended(
    home: Warehouse, sensor_id: int, at: datetime, *, error: str | None = None, result: JSON = None
) -> Job:
    added = home.jobs.add("train", {"sensor_ids": [sensor_id]}, actor="ada", at=at)
    job = home.jobs.claim(1, at, job_id=added.id)
    assert job is not None
    if error is not None:
        home.jobs.fail(job, error, at)
    else:
        home.jobs.finish(job, result if isinstance(result, dict) else {}, at)
    return job


def only(home: Warehouse) -> SensorStatus:
    [found] = sensor_statuses(home)
    return found


def test_a_sensor_without_a_trained_model_was_never_trained(home: Warehouse, flow: int) -> None:
    assert (only(home).status, only(home).version_id, only(home).at) == ("never", None, None)
    version(home, flow, kind="baseline")
    found = only(home)
    assert (found.status, found.version_id, found.sensor_id, found.key) == ("never", None, flow, "Pump/flow")
    assert "statistical detector" in found.why


def test_a_version_that_learned_from_what_there_is_is_up_to_date(home: Warehouse, flow: int) -> None:
    made = version(home, flow)
    found = only(home)
    assert (found.status, found.version_id, found.at) == ("trained", made.id, NOW)


@pytest.mark.parametrize(("more", "stale"), [(79, False), (82, True)])
def test_more_new_readings_than_it_learned_from_make_it_stale(
    home: Warehouse, flow: int, more: int, *, stale: bool
) -> None:
    version(home, flow)
    put(home, STEPS + more)
    found = only(home)
    assert (found.status == "stale") is stale
    assert (
        not stale or found.why == "14 hours of readings came after it, more than the 13 hours it learned from"
    )


def test_ninety_days_make_it_stale_whatever_it_learned_from(home: Warehouse, flow: int) -> None:
    put(home, 100 * 144)
    long_ago = T0 - timedelta(days=4000)
    learned = {"train": (long_ago, T0), "calibrate": (T0, T0 + STEP), "test": (T0 + STEP, T0 + 2 * STEP)}
    version(home, flow, learned)
    assert only(home).status == "stale"
    assert only(home).why.startswith("100 days of readings")


def test_a_model_of_long_ago_data_is_not_stale_a_minute_after_its_training(home: Warehouse) -> None:
    """The held-out fifth of two years spans more than ninety days."""
    put(home, 2)
    put(home, 4)
    end = T0 + 3 * STEP
    start = end - timedelta(days=730)
    cuts = [start + (end - start) * share for share in (0, 0.6, 0.8, 1)]
    spans = dict(zip(("train", "calibrate", "test"), pairwise(cuts), strict=True))
    version(home, home.catalog.find_sensor("Pump/flow").id, spans)
    assert only(home).status == "trained"


def test_a_declared_test_part_is_no_new_data(home: Warehouse) -> None:
    put(
        home,
        2000,
        PartSpec("train", T0, T0 + 100 * STEP),
        PartSpec("test", T0 + 100 * STEP, T0 + 2000 * STEP),
    )
    spans = {
        "train": (T0, T0 + 80 * STEP),
        "calibrate": (T0 + 80 * STEP, T0 + 100 * STEP),
        "test": (T0 + 100 * STEP, T0 + 101 * STEP),
    }
    version(home, home.catalog.find_sensor("Pump/flow").id, spans)
    assert only(home).status == "trained"


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ({"error": "the disk was full."}, "its last training failed: the disk was full"),
        ({"result": {"registered": False, "reason": "it is flat"}}, "registered nothing: it is flat"),
        ({"result": {"registered": False}}, "registered nothing: it did not say why"),
    ],
)
def test_a_training_that_brought_nothing_after_the_newest_version_is_failing(
    home: Warehouse, flow: int, end, words: str
) -> None:
    ended(home, flow, NOW - timedelta(hours=1), error="long ago")
    made = version(home, flow)
    assert only(home).status == "trained"
    job = ended(home, flow, LATER, **end)
    found = only(home)
    assert (found.status, found.job_id, found.version_id, found.at) == ("failing", job.id, made.id, LATER)
    assert words in found.why
    ended(home, flow, LATER, result={"registered": True})
    assert only(home).status == "trained"


def test_one_that_only_ever_failed_is_failing_not_forgotten(home: Warehouse, flow: int) -> None:
    ended(home, flow, NOW, error="too short")
    assert (only(home).status, only(home).version_id) == ("failing", None)


def test_what_was_cancelled_is_no_failure_and_what_waits_is_told(home: Warehouse, flow: int) -> None:
    made = version(home, flow)
    job = home.jobs.add("train", {"sensor_ids": [flow]}, actor="ada", at=LATER)
    assert only(home).busy == job.id
    home.jobs.cancel(job.id, actor="ada", at=LATER)
    found = only(home)
    assert (found.status, found.busy, found.version_id) == ("trained", None, made.id)


def test_one_whose_champion_lost_a_file_is_failing_until_the_file_is_back_or_another_takes_over(
    home: Warehouse, flow: int
) -> None:
    file = home.root / "models" / "x" / "panel.json"
    file.parent.mkdir(parents=True)
    file.write_text("{}")
    made = version(home, flow, artifacts={"panel.json": "its digest"})
    home.catalog.promote(made.id, actor="ada", at=NOW)
    assert only(home).status == "trained"
    file.unlink()
    found = only(home)
    assert (found.status, found.version_id) == ("failing", made.id)
    assert found.why == (
        "version 1 can't judge, for models/x/panel.json is missing: train it again or restore the file"
    )
    # A newer version that was not promoted judges nothing: the champion does.
    newer = version(home, flow, at=LATER)
    assert only(home).status == "failing"
    home.catalog.promote(newer.id, actor="ada", at=LATER)
    assert (only(home).status, only(home).version_id) == ("trained", newer.id)
