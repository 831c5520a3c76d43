"""Readings, batches and versions that the tests of storage are made of."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from warehouse.catalog import AssetSpec, NewVersion, SensorSpec
from warehouse.quarantine import Refusal
from warehouse.schema import EVENTS, GOOD, READINGS, SCORES, TIME
from warehouse.sources.base import CHUNK, SourceBatch

NOW = datetime(2026, 5, 10, 12, 0, tzinfo=UTC)
NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def minutes(count: int, start: datetime = NOON) -> list[datetime]:
    return [start + timedelta(minutes=index) for index in range(count)]


def readings(rows: Iterable[tuple[int, datetime, float | None]]) -> pl.DataFrame:
    given = [(sensor, ts, value, GOOD) for sensor, ts, value in rows]
    return pl.DataFrame(given, schema=READINGS, orient="row", strict=False)


def ramp(
    sensor_id: int, count: int, start: datetime = NOON, *, first: float = 0.0, step_s: int = 60
) -> pl.DataFrame:
    times = pl.Series([start + timedelta(seconds=step_s * index) for index in range(count)], dtype=TIME)
    return pl.DataFrame(
        {
            "sensor_id": pl.Series([sensor_id] * count, dtype=pl.Int32),
            "ts": times,
            "value": [first + index for index in range(count)],
            "quality": pl.Series([GOOD] * count, dtype=pl.UInt8),
        }
    )


def values_of(frame: pl.DataFrame) -> list[tuple[int, datetime, float | None]]:
    return frame.select("sensor_id", "ts", "value").rows()


PUMP = AssetSpec(
    name="Pump 7",
    kind="pump",
    sensors=(
        SensorSpec("outlet temperature", "°C", "target", 60.0, ("load",)),
        SensorSpec("load", "%", "context", 60.0),
    ),
)


def chunk(rows: Sequence[tuple[str, datetime | None, float | None]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=CHUNK, orient="row")


def pump_batch(
    rows: Sequence[tuple[str, datetime | None, float | None]],
    *,
    refusals: Sequence[Refusal] = (),
    assets: tuple[AssetSpec, ...] = (PUMP,),
    source: str = "csv",
) -> SourceBatch:
    return SourceBatch(source, assets, iter([chunk(rows)]), list(refusals))


def pump_rows(count: int = 100, *, first: float = 0.0) -> list[tuple[str, datetime, float]]:
    return [
        (f"Pump 7/{name}", ts, first + index)
        for name in ("outlet temperature", "load")
        for index, ts in enumerate(minutes(count))
    ]


def new_version(sensor_id: int, snapshot_id: int, **changes: object) -> NewVersion:
    given: dict[str, object] = {
        "sensor_id": sensor_id,
        "method": "telemanom",
        "kind": "trained",
        "run_id": "run-1",
        "registered_name": "sensor-1",
        "created_at": NOW,
        "snapshot_id": snapshot_id,
        "snapshot_digest": "d" * 64,
        "labels_digest": "e" * 64,
        "seed": 7,
        "spans": {"train": (NOON, NOON + timedelta(hours=1))},
        "parameters": {"window": 250, "units": [80, 80]},
        "metrics": {"alarms_per_week": 0.5},
        "artifacts": {"model.keras": "f" * 64},
        "folder": "models/1",
    }
    return NewVersion(**{**given, **changes})  # type: ignore[arg-type]


def scores(
    sensor_id: int, version_id: int, count: int, start: datetime = NOON, score: float = 0.0
) -> pl.DataFrame:
    rows = [(sensor_id, version_id, ts, score, 1.0, 2.0) for ts in minutes(count, start)]
    return pl.DataFrame(rows, schema=SCORES, orient="row")


def events(sensor_id: int, version_id: int, *starts: datetime, severity: str = "high") -> pl.DataFrame:
    rows = [
        {
            "event_id": f"{version_id}-{start:%d%H%M}",
            "sensor_id": sensor_id,
            "version_id": version_id,
            "start": start,
            "end": start + timedelta(minutes=30),
            "open": False,
            "peak_ts": start,
            "peak_score": 3.0,
            "threshold": 1.0,
            "probability": 0.99,
            "severity": severity,
            "why": "outlet temperature far above what load explains",
            "mode": "causal",
            "drivers": [{"sensor_id": sensor_id, "share": 1.0}],
        }
        for start in starts
    ]
    return pl.DataFrame(rows, schema=EVENTS)


def flip_a_bit(path: Path, *, at: float = 0.5) -> None:
    content = bytearray(path.read_bytes())
    content[int(len(content) * at)] ^= 0b0000_0100
    path.write_bytes(bytes(content))
