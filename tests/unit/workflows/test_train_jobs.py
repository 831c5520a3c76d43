"""A training as a job: killed, cancelled and resumed without a second version or a lost model."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from one_pump import NOW, batch, clock, pump

from core.errors import Cancelled, RegistryAway
from core.registry.tracking import Tracking
from core.workflows import train
from core.workflows.compact import compact_job
from core.workflows.ingest import ingest
from core.workflows.reporting import Task
from core.workflows.train import train_job
from warehouse.catalog import Catalog
from warehouse.home import Warehouse


class Killed(BaseException):
    """What ends a process at any place."""


@pytest.fixture
def stored(home: Warehouse) -> Warehouse:
    ingest(batch(*pump(500)), warehouse=home, clock=clock, actor="ada", queue=False)
    return home


def claimed(home: Warehouse, job_id: int | None = None) -> tuple[dict, Task]:
    """Return payload and task of the next attempt of a job, or of a new one."""
    payload = {"sensor_ids": [home.catalog.find_sensor("Pump/flow").id], "preset": "quick"}
    if job_id is None:
        job_id = home.jobs.add("train", payload, actor="ada", at=NOW).id
    job = home.jobs.claim(1, NOW, job_id=job_id)
    assert job is not None
    folder = home.layout.checkpoints / f"job-{job.id}"
    return job.payload, Task(
        warehouse=home, clock=clock, job_id=job.id, attempt=job.attempt, checkpoints=folder
    )


def interrupt(home: Warehouse, task: Task) -> None:
    job = home.jobs.get(task.job_id or 0)
    assert job is not None
    home.jobs.interrupt(job, "its process died", NOW)


def test_a_job_that_was_killed_after_its_registration_trains_no_second_time(
    stored: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    payload, task = claimed(stored)

    def die(_: Task) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(train, "put_away", die)
        with pytest.raises(Killed):
            train_job(payload, task)
    [version] = stored.catalog.versions()
    interrupt(stored, task)
    payload, task = claimed(stored, task.job_id)
    monkeypatch.setattr(train, "learn", die)
    result = train_job(payload, task)
    assert (result["version_id"], result["promoted"]) == (version.id, True)
    assert result["summary"].startswith("registered as version 1 and in production: held-out error 0.")
    assert result["figures"] == version.metrics
    assert stored.catalog.versions() == (version,)
    assert not task.checkpoints.exists()
    assert stored.manifest.held_by("job ") == ()


def test_a_model_outlives_a_registry_that_is_away(stored: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    payload, task = claimed(stored)

    def away(*_arguments: object) -> None:
        raise RegistryAway("nobody answers")

    with monkeypatch.context() as patched:
        patched.setattr(Tracking, "register", away)
        with pytest.raises(RegistryAway):
            train_job(payload, task)
    interrupt(stored, task)
    payload, task = claimed(stored, task.job_id)
    said: list[str] = []
    result = train_job(payload, replace(task, log=said.append))
    assert result["registered"] is True
    assert any("the model is there already" in one for one in said)


def test_an_attempt_that_was_taken_for_dead_registers_nothing_and_removes_nothing(stored: Warehouse) -> None:
    payload, first = claimed(stored)
    interrupt(stored, first)
    _, second = claimed(stored, first.job_id)
    with pytest.raises(Cancelled, match="took over"):
        train_job(payload, first)
    assert stored.catalog.versions() == ()
    assert second.checkpoints.exists()
    result = train_job(payload, second)
    assert result["registered"] is True
    assert len(stored.catalog.versions()) == 1


def test_a_cancelled_job_keeps_what_it_has_and_a_resumed_one_goes_on(stored: Warehouse) -> None:
    payload, task = claimed(stored)

    def ending(fraction: float, _message: str, /) -> None:
        if fraction >= 0.92:
            raise Cancelled("cancelled by ada")

    with pytest.raises(Cancelled):
        train_job(payload, replace(task, progress=ending))
    job = stored.jobs.get(task.job_id or 0)
    assert job is not None
    stored.jobs.cancel(job.id, actor="ada", at=NOW)
    stored.jobs.cancelled(job, NOW)
    assert (task.checkpoints / "learned" / "outcome.json").is_file()
    assert stored.catalog.versions() == ()
    stored.jobs.resume(job.id, actor="ada", at=NOW)
    payload, task = claimed(stored, job.id)
    assert train_job(payload, task)["registered"] is True


def test_the_job_tells_what_an_estimate_needs_and_asks_for_no_scoring(stored: Warehouse) -> None:
    payload, task = claimed(stored)
    moments = iter(range(100))
    result = train_job(payload, replace(task, clock=lambda: NOW + timedelta(seconds=3 * next(moments))))
    assert result["steps"] == 500
    assert result["seconds"] > 0
    assert stored.jobs.list(kind="score") == ()


def test_a_compaction_takes_back_what_a_job_registered_by_half_and_will_not_finish(
    stored: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    payload, task = claimed(stored)

    def die(*_arguments: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Catalog, "add_version", die)
        with pytest.raises(Killed):
            train_job(payload, task)

    def registered() -> list[str]:
        with closing(sqlite3.connect(stored.layout.tracking / "mlflow.db")) as database:
            rows = database.execute(
                "SELECT run_id FROM model_versions WHERE current_stage <> 'Deleted_Internal'"
            )
            return [run for (run,) in rows]

    other = Task(warehouse=stored, clock=clock)
    # While it may go on, it is not touched.
    assert compact_job({}, other)["registrations"] == 0
    job = stored.jobs.get(task.job_id or 0)
    assert job is not None
    stored.jobs.cancel(job.id, actor="ada", at=NOW)
    stored.jobs.cancelled(job, NOW)
    result = compact_job({}, other)
    assert result["registrations"] == 1
    assert "1 registrations that were cut short taken back" in result["summary"]
    assert registered() == []
    assert compact_job({}, other)["registrations"] == 0
    # It can still be resumed, and then registers its one version.
    stored.jobs.resume(job.id, actor="ada", at=NOW)
    payload, task = claimed(stored, job.id)
    train_job(payload, task)
    [version] = stored.catalog.versions()
    assert registered() == [version.run_id]
