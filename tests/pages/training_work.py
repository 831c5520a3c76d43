"""Trainings of `two_pumps` in every state, as workers would leave them."""

from datetime import datetime, timedelta

from two_pumps import NOW

from warehouse.documents import JSON
from warehouse.home import Warehouse
from warehouse.jobs import Batch, Job, NewJob

PUMPS = ("Pump 1/outlet temperature", "Pump 2/outlet temperature", "P-1/telemetry")
CONSTANT = "its training part never changes: choose another preset"


def sensor_id(warehouse: Warehouse, key: str = PUMPS[0]) -> int:
    """Return the id of a sensor."""
    return warehouse.catalog.find_sensor(key).id


def ask(warehouse: Warehouse, key: str = PUMPS[0], *, actor: str = "engineer A", at: datetime = NOW) -> Job:
    """Queue a training as the page does; the one that is there already if there is one."""
    number = sensor_id(warehouse, key)
    return warehouse.jobs.ask(
        "train", _payload(number), actor=actor, at=at, key=f"train {number}", exclusive=True
    ).job


def run(warehouse: Warehouse, job: Job) -> Job:
    """Claim a job as a worker does."""
    claimed = warehouse.jobs.claim(1, NOW, job_id=job.id)
    assert claimed is not None
    return claimed


def done(warehouse: Warehouse, key: str = PUMPS[0], **result: JSON) -> Job:
    """Leave a training that ended well."""
    job = run(warehouse, ask(warehouse, key))
    warehouse.jobs.finish(job, {"summary": "registered as version 3", **result}, NOW + timedelta(minutes=4))
    return job


def failed(warehouse: Warehouse, key: str = PUMPS[1], error: str = CONSTANT) -> Job:
    """Leave a training that failed."""
    job = run(warehouse, ask(warehouse, key))
    warehouse.jobs.fail(job, error, NOW + timedelta(minutes=5))
    return job


def batch(warehouse: Warehouse) -> Batch:
    """Queue a training of every target as one batch."""
    asks = [
        NewJob("train", _payload(number), key=f"train {number}", exclusive=True)
        for number in (sensor_id(warehouse, key) for key in PUMPS)
    ]
    return warehouse.jobs.ask_batch("Quick training of 3 sensors", asks, actor="engineer A", at=NOW)


def _payload(number: int) -> dict[str, JSON]:
    return {"sensor_ids": [number], "preset": "quick", "mode": "causal", "seed": 0, "actor": "engineer A"}
