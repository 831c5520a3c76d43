"""A home with three pumps and no readings, for what is asked for and shown before anything is trained."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from warehouse.assets import AssetSpec, SensorSpec
from warehouse.home import Warehouse
from warehouse.jobs import Job

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = NOW + timedelta(seconds=60)
PID = 4711

_SENSORS = (SensorSpec("flow", "m3/h", "target", 60.0, ("load",)), SensorSpec("load", "%", "context", 60.0))


def build(root: Path) -> Warehouse:
    """Make the home."""
    warehouse = Warehouse.open(root)
    pumps = [AssetSpec(f"Pump {n}", "pump", sensors=_SENSORS) for n in (1, 2, 3)]
    warehouse.catalog.put_assets("csv", pumps)
    return warehouse


def flows(warehouse: Warehouse) -> list[int]:
    """Return the ids of the targets."""
    return [one.id for one in warehouse.catalog.sensors(role="target")]


def claimed(warehouse: Warehouse, job_id: int, at: datetime = NOW) -> Job:
    """Take a job that waits, as a worker does."""
    job = warehouse.jobs.claim(PID, at, job_id=job_id)
    assert job is not None
    return job
