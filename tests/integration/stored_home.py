"""A home with some of everything: readings, a fit, events, a verdict, a write that waits, a job that runs."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from core.workflows.ingest import ingest
from core.workflows.score import score_sensor
from warehouse.assets import AssetSpec, SensorSpec
from warehouse.home import Warehouse
from warehouse.jobs import NewJob
from warehouse.schema import TIME
from warehouse.sources.base import SourceBatch
from warehouse.state.labels import NewLabel
from warehouse.state.owner import StateOwner

T0 = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
STEP = timedelta(minutes=10)
STEPS = 1300


def clock() -> datetime:
    return NOW


def build(root: Path, steps: int = STEPS) -> None:
    """Fill a new home; the flow of its one pump follows the load, but for a fault near the end."""
    warehouse = Warehouse.open(root)
    random = np.random.default_rng(3)
    load = 50 + 10 * np.sin(np.arange(steps) / 20) + random.standard_normal(steps)
    flow = 2 * load + 0.3 * random.standard_normal(steps)
    flow[steps - 200 : steps - 160] -= 10.0
    _ingest(warehouse, flow, load)
    # A correction, so that a pinned snapshot needs a file that is live no more.
    score_sensor(warehouse.catalog.find_sensor("Pump/flow"), warehouse=warehouse, clock=clock)
    flow[7] += 1.0
    _ingest(warehouse, flow, load)
    with StateOwner(warehouse, clock=clock) as owner:
        owner.write("label.set", verdict("seen at the mill", 0), actor="ada", write_id="given")
    warehouse.jobs.inbox.put("waiting", "label.set", verdict("waits", 5), actor="bob", at=NOW)
    warehouse.jobs.inbox.put("copy", "state.copy", {}, actor="a backup that died", at=NOW)
    pump = {"sensor_ids": [1]}
    train = NewJob("train", pump, key="train 1", exclusive=True, then=NewJob("score", pump))
    batch = warehouse.jobs.ask_batch("One pump", [train], actor="ada", at=NOW)
    running = warehouse.jobs.claim(os.getpid(), NOW, job_id=batch.job_ids[0])
    if running is None:
        raise AssertionError("the training that was asked for is not there to be claimed")
    warehouse.jobs.progress(running, 0.5, "training Pump/flow", at=NOW)
    warehouse.jobs.schedules.add(
        "Sundays", "0 2 * * SUN", "train-all", {}, actor="ada", at=NOW, zone="Europe/Zurich"
    )
    warehouse.close()
    (root / "telltale.toml").write_text('profile = "ada"\n', encoding="utf-8")


def verdict(note: str, day: int) -> dict[str, object]:
    """Return a verdict on an hour of the flow."""
    start = T0 + timedelta(days=day)
    return NewLabel(1, start, start + timedelta(hours=1), "true_anomaly", note=note).payload()


def _ingest(warehouse: Warehouse, flow: np.ndarray, load: np.ndarray) -> None:
    seconds = STEP.total_seconds()
    sensors = (
        SensorSpec("flow", "m3/h", "target", seconds, ("load",)),
        SensorSpec("load", "%", "context", seconds),
    )
    times = [T0 + n * STEP for n in range(flow.shape[0])]
    chunk = pl.concat(
        pl.DataFrame({"key": f"Pump/{name}", "ts": times, "value": values}).with_columns(
            pl.col("ts").cast(TIME)
        )
        for name, values in (("flow", flow), ("load", load))
    )
    batch = SourceBatch("csv", (AssetSpec("Pump", "pump", sensors=sensors),), iter([chunk]), [])
    ingest(batch, warehouse=warehouse, clock=clock, actor="ada")
