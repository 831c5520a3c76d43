"""A small home as ingest, training and scoring would leave it: two pumps, one of them failing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from warehouse import schema
from warehouse.catalog import AssetSpec, NewVersion, PartSpec, SensorSpec
from warehouse.home import Warehouse

NOW = datetime(2024, 5, 20, 14, 32, tzinfo=UTC)
STEPS = 4 * 1440
START = NOW - timedelta(minutes=STEPS - 1)
MINUTE = timedelta(minutes=1)
WORST = "1-worst"
SPIKE = "1-spike"
MILD = "5-mild"

_SENSORS = (
    SensorSpec("state", "", "state", 60.0),
    SensorSpec("cooling-water flow", "m³/h", "context", 60.0),
    SensorSpec("speed", "rpm", "context", 60.0),
    SensorSpec("outlet temperature", "°C", "target", 60.0, ("cooling-water flow", "speed", "state")),
)


def build(root: Path) -> Warehouse:
    """Fill an empty home; the state's mirror is filled by its owner."""
    warehouse = Warehouse.open(root)
    pumps = [AssetSpec(f"Pump {n}", "pump", False, _SENSORS) for n in (1, 2)]
    past = AssetSpec(
        "P-1",
        "SMAP channel",
        True,
        (
            SensorSpec("telemetry", "scaled", "target", 60.0, ("command 01",)),
            SensorSpec("command 01", "", "context", 60.0),
        ),
        (PartSpec("train", datetime(2000, 1, 1, tzinfo=UTC), datetime(2000, 1, 2, tzinfo=UTC)),),
    )
    ids = warehouse.catalog.put_assets("test", pumps)
    ids |= warehouse.catalog.put_assets("smap-msl", [past])
    warehouse.telemetry.write(_readings(ids), note="test", at=NOW)
    snapshot = warehouse.manifest.snapshot()
    assert snapshot is not None
    for key in ("Pump 1/outlet temperature", "Pump 2/outlet temperature", "P-1/telemetry"):
        warehouse.catalog.add_version(_version(ids[key], snapshot.id, snapshot.digest, trained=False))
    champion = warehouse.catalog.add_version(
        _version(ids["Pump 1/outlet temperature"], snapshot.id, snapshot.digest, trained=True)
    )
    warehouse.catalog.promote(champion.id, actor="engineer A", at=NOW)
    for name in champion.artifacts:
        file = warehouse.root / champion.folder / name
        file.parent.mkdir(parents=True)
        file.touch()
    _results(warehouse, ids)
    return warehouse


def _readings(ids: dict[str, int]) -> pl.DataFrame:
    random = np.random.default_rng(3)
    times = [START + MINUTE * n for n in range(STEPS)]
    old = [datetime(2000, 1, 1, tzinfo=UTC) + MINUTE * n for n in range(2880)]
    frames = []
    swing = np.sin(np.arange(STEPS) / 1440 * 2 * np.pi)
    for pump in ("Pump 1", "Pump 2"):
        state = np.ones(STEPS)
        state[3000:3100] = 0.0
        flow = 200 + 4 * swing + random.normal(0, 0.8, STEPS)
        outlet = 60 + 3 * swing + random.normal(0, 0.2, STEPS)
        if pump == "Pump 1":
            flow[-560:] -= np.linspace(0, 70, 560)
            outlet[-540:] += np.linspace(0, 15, 540)
            outlet[2000] += 22.0
        for name, values in {
            "state": state,
            "cooling-water flow": flow,
            "speed": 2950 + random.normal(0, 1.5, STEPS),
            "outlet temperature": outlet,
        }.items():
            # Pump 2's speed fell silent an hour ago.
            stop = STEPS - 60 if (pump, name) == ("Pump 2", "speed") else STEPS
            frames.append(_frame(ids[f"{pump}/{name}"], times[:stop], values[:stop]))
    level = np.sin(np.arange(2880) / 90) * 0.4
    level[2400:2460] = 0.95
    frames.append(_frame(ids["P-1/telemetry"], old, level))
    frames.append(_frame(ids["P-1/command 01"], old, (np.arange(2880) % 300 < 10).astype(float)))
    return pl.concat(frames)


def _frame(sensor_id: int, times: list[datetime], values: np.ndarray) -> pl.DataFrame:
    return schema.conform(
        pl.DataFrame({"sensor_id": sensor_id, "ts": times, "value": values, "quality": 0}),
        schema.READINGS,
        "test",
    )


def _version(sensor_id: int, snapshot_id: int, digest: str, *, trained: bool) -> NewVersion:
    metrics = {"alarms_per_week": 1.4}
    if trained:
        metrics |= {"normalised_error": 0.231, "persistence_error": 0.302}
    return NewVersion(
        sensor_id=sensor_id,
        method="telemanom" if trained else "robust-regression",
        kind="trained" if trained else "baseline",
        run_id="0123456789abcdef" if trained else None,
        registered_name=f"sensor-{sensor_id}" if trained else None,
        created_at=NOW - timedelta(hours=30),
        snapshot_id=snapshot_id,
        snapshot_digest=digest,
        labels_digest="e3b0c44298fc1c14",
        seed=7,
        spans={"train": (START, START + MINUTE * 2000), "test": (START + MINUTE * 3000, NOW)},
        parameters={"history": 120, "layers": [80, 80]},
        metrics=metrics,
        artifacts={"model.keras": "ab" * 32} if trained else {"fit.npz": "cd" * 32},
        folder=f"models/{sensor_id}",
    )


def _results(warehouse: Warehouse, ids: dict[str, int]) -> None:
    champions = warehouse.catalog.champions()
    random = np.random.default_rng(5)
    for key, sensor_id in ids.items():
        if sensor_id not in champions:
            continue
        version_id = champions[sensor_id]
        readings = warehouse.telemetry.read([sensor_id])
        n = readings.height
        score = np.abs(random.normal(0.2, 0.05, n))
        expected = readings["value"].to_numpy().copy()
        if key.startswith("Pump 1"):
            score[-500:] += np.linspace(0, 0.8, 500)
            expected[-540:] -= np.linspace(0, 15, 540)
        warehouse.results.write_scores(
            schema.conform(
                readings.select("sensor_id", "ts").with_columns(
                    pl.lit(version_id).alias("version_id"),
                    pl.Series("score", score),
                    pl.Series("expected", expected),
                    pl.lit(0.62).alias("threshold"),
                ),
                schema.SCORES,
                "test",
            ),
            at=NOW,
        )
        warehouse.results.put_events(sensor_id, version_id, _events(key, sensor_id, version_id, ids), at=NOW)


def _events(key: str, sensor_id: int, version_id: int, ids: dict[str, int]) -> pl.DataFrame:
    rows = {
        "Pump 1/outlet temperature": [
            (WORST, NOW - timedelta(hours=9), NOW + MINUTE, True, 0.98, "critical",
             "14.1 °C above expected for 9 h; cooling-water flow fell first"),
            (SPIKE, START + MINUTE * 1990, START + MINUTE * 2010, False, 0.81, "high", "A spike of 22 °C"),
        ],
        "Pump 2/outlet temperature": [
            (MILD, NOW - timedelta(hours=3), NOW - timedelta(hours=2), False, 0.48, "low",
             "0.4 °C above expected"),
        ],
        "P-1/telemetry": [
            ("9-past", datetime(2000, 1, 2, 15, tzinfo=UTC), datetime(2000, 1, 2, 17, tzinfo=UTC), False, 0.7,
             "medium", "Stuck at 0.95 for 1 h"),
        ],
    }[key]  # fmt: skip
    drivers = (
        [
            {"sensor_id": ids["Pump 1/cooling-water flow"], "share": 0.46},
            {"sensor_id": ids["Pump 1/speed"], "share": 0.12},
        ]
        if key.startswith("Pump 1")
        else []
    )
    return schema.conform(
        pl.DataFrame(
            [
                {
                    "event_id": event_id,
                    "sensor_id": sensor_id,
                    "version_id": version_id,
                    "start": start,
                    "end": end,
                    "open": is_open,
                    "peak_ts": start + (end - start) / 2,
                    "peak_score": 0.98,
                    "threshold": 0.62,
                    "probability": probability,
                    "severity": severity,
                    "why": why,
                    "mode": "causal",
                    "drivers": drivers,
                }
                for event_id, start, end, is_open, probability, severity, why in rows
            ],
            schema_overrides={"drivers": pl.List(schema.DRIVER)},
        ),
        schema.EVENTS,
        "test",
    )
