"""One pump whose flow follows its load, as a source would give it."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from warehouse import schema
from warehouse.assets import AssetSpec, PartSpec, SensorSpec
from warehouse.home import Warehouse
from warehouse.schema import TIME
from warehouse.sources.base import SourceBatch
from warehouse.state.published import publish

T0 = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
STEP = timedelta(minutes=10)


def clock() -> datetime:
    return NOW


def pump(steps: int, *, fault: tuple[int, int] | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return flow and load, (steps,) each: flow follows load, ten below it in the fault."""
    random = np.random.default_rng(3)
    load = 50 + 10 * np.sin(np.arange(steps) / 20) + random.standard_normal(steps)
    flow = 2 * load + 0.3 * random.standard_normal(steps)
    if fault is not None:
        flow[fault[0] : fault[1]] -= 10.0
    return flow, load


def batch(
    flow: np.ndarray,
    load: np.ndarray,
    *,
    first: int = 0,
    parts: tuple[PartSpec, ...] = (),
    name: str = "Pump",
) -> SourceBatch:
    """Return readings of one pump from step `first` on."""
    seconds = STEP.total_seconds()
    sensors = (
        SensorSpec("flow", "m3/h", "target", seconds, ("load",)),
        SensorSpec("load", "%", "context", seconds),
    )
    times = [T0 + (first + n) * STEP for n in range(flow.shape[0] - first)]
    frames = [
        pl.DataFrame({"ts": times, "value": values[first:]}).select(
            pl.lit(f"{name}/{sensor}").alias("key"), pl.col("ts").cast(TIME), pl.col("value").cast(pl.Float64)
        )
        for sensor, values in (("flow", flow), ("load", load))
    ]
    asset = AssetSpec(name, "pump", sensors=sensors, parts=parts)
    return SourceBatch("csv", (asset,), iter([pl.concat(frames)]), [])


def label(home: Warehouse, sensor_id: int, *verdicts: tuple[int, int, str], said_at: datetime = NOW) -> None:
    """Publish verdicts, each on steps ``[first, last)`` of one sensor."""
    rows = [
        {
            "label_id": number,
            "sensor_id": sensor_id,
            "start": T0 + first * STEP,
            "end": T0 + last * STEP,
            "verdict": verdict,
            "actor": "ada",
            "recorded_at": said_at,
        }
        for number, (first, last, verdict) in enumerate(verdicts, start=1)
    ]
    frame = pl.DataFrame(rows).with_columns(
        *[pl.lit(None).alias(name) for name in schema.LABELS.names() if name not in rows[0]]
    )
    publish(home, frame.select(schema.LABELS.names()).cast(dict(schema.LABELS)), 1, at=NOW)
