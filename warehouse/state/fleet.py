"""The mirror that the first screen reads: current events and one row a sensor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import duckdb
import polars as pl

from warehouse import schema
from warehouse.assets import Asset, Sensor
from warehouse.home import Warehouse
from warehouse.versions import Version

WINDOW: Final = timedelta(hours=24)

# A sensor is silent when it is this far behind the newest reading of its source's living machines.
SILENT_AFTER: Final = timedelta(minutes=15)
SILENT_INTERVALS: Final = 5

FLEET: Final = pl.Schema(
    [
        ("sensor_id", pl.Int32),
        ("asset_id", pl.Int32),
        ("asset", pl.String),
        ("sensor", pl.String),
        ("unit", pl.String),
        ("role", pl.String),
        ("as_of", schema.TIME),
        ("last_ts", schema.TIME),
        ("value", pl.Float64),
        ("status", pl.String),
        ("open_events", pl.Int32),
        ("worst", pl.String),
        ("champion", pl.String),
        ("champion_method", pl.String),
        ("champion_kind", pl.String),
        ("version_id", pl.Int32),
        ("mean_24h", pl.Float64),
        ("min_24h", pl.Float64),
        ("max_24h", pl.Float64),
        ("count_24h", pl.Int64),
        ("refreshed_at", schema.TIME),
    ]
)


@dataclass(frozen=True, eq=False)
class Mirror:
    """What a refresh puts into state.duckdb.

    Parameters
    ----------
    sensor_ids
        The sensors whose rows it replaces.
    events
        Their events, with the columns of `schema.EVENTS`.
    fleet
        Their rows, with the columns of `FLEET`.
    """

    sensor_ids: tuple[int, ...]
    events: pl.DataFrame
    fleet: pl.DataFrame


def compute(warehouse: Warehouse, sensor_ids: Sequence[int] | None, now: datetime) -> Mirror:
    """Read results and telemetry of the machines that `sensor_ids` belong to; None for all machines.

    Raises
    ------
    IntegrityError
        A stored file is not the one that was written.
    """
    assets = {asset.id: asset for asset in warehouse.catalog.assets()}
    every = warehouse.catalog.sensors()
    asked = None if sensor_ids is None else set(sensor_ids)
    touched = {sensor.asset_id for sensor in every if asked is None or sensor.id in asked}
    sensors = [sensor for sensor in every if sensor.asset_id in touched]
    ids = tuple(sensor.id for sensor in sensors)
    events = warehouse.results.events_current(ids)
    # Whether a sensor is silent shows against all living machines, not only the refreshed ones.
    seen = [one for one in every if one.asset_id in touched or not assets[one.asset_id].historical]
    last = {
        row[0]: (row[1], row[2]) for row in warehouse.telemetry.last([one.id for one in seen]).iter_rows()
    }
    as_of = _as_of(seen, last)
    newest = _newest_by_source(assets, as_of)
    statistics = _statistics(warehouse, sensors, as_of)
    champions = _champions(warehouse, ids)
    severities = _open_severities(events)
    rows = []
    for sensor in sensors:
        asset = assets[sensor.asset_id]
        last_ts, value = last.get(sensor.id, (None, None))
        severity = severities.get(sensor.id, [])
        champion = champions.get(sensor.id)
        mean, low, high, count = statistics.get(sensor.id, (None, None, None, 0))
        rows.append(
            {
                "sensor_id": sensor.id,
                "asset_id": asset.id,
                "asset": asset.name,
                "sensor": sensor.name,
                "unit": sensor.unit,
                "role": sensor.role,
                "as_of": as_of.get(asset.id),
                "last_ts": last_ts,
                "value": value,
                "status": _status(asset, sensor, last_ts, newest.get(asset.source), len(severity)),
                "open_events": len(severity),
                "worst": max(severity, key=schema.SEVERITIES.index, default=None),
                "champion": None if champion is None else f"{champion.method} v{champion.number}",
                "champion_method": None if champion is None else champion.method,
                "champion_kind": None if champion is None else champion.kind,
                "version_id": None if champion is None else champion.id,
                "mean_24h": mean,
                "min_24h": low,
                "max_24h": high,
                "count_24h": count,
                "refreshed_at": now,
            }
        )
    return Mirror(
        ids, schema.conform(events, schema.EVENTS, "current events"), pl.DataFrame(rows, schema=FLEET)
    )


def store(cursor: duckdb.DuckDBPyConnection, mirror: Mirror) -> None:
    """Replace the mirrored rows of the refreshed sensors in the open transaction."""
    cursor.execute("CREATE TEMP TABLE refreshed AS SELECT unnest(?) AS sensor_id", [list(mirror.sensor_ids)])
    for table, frame in (("events", mirror.events), ("fleet", mirror.fleet)):
        cursor.execute(
            f"DELETE FROM {table} WHERE sensor_id IN (SELECT sensor_id FROM refreshed)"  # noqa: S608
        )
        cursor.register("incoming", frame)
        cursor.execute(f"INSERT INTO {table} BY NAME SELECT * FROM incoming")  # noqa: S608
        cursor.unregister("incoming")
    cursor.execute("DROP TABLE refreshed")


def _as_of(
    sensors: Sequence[Sensor], last: Mapping[int, tuple[datetime, float | None]]
) -> dict[int, datetime]:
    as_of: dict[int, datetime] = {}
    for sensor in sensors:
        if sensor.id in last:
            moment = last[sensor.id][0]
            as_of[sensor.asset_id] = max(moment, as_of.get(sensor.asset_id, moment))
    return as_of


def _newest_by_source(assets: Mapping[int, Asset], as_of: Mapping[int, datetime]) -> dict[str, datetime]:
    newest: dict[str, datetime] = {}
    for asset_id, moment in as_of.items():
        asset = assets[asset_id]
        if not asset.historical:
            newest[asset.source] = max(moment, newest.get(asset.source, moment))
    return newest


def _statistics(
    warehouse: Warehouse, sensors: Sequence[Sensor], as_of: Mapping[int, datetime]
) -> dict[int, tuple[float | None, float | None, float | None, int]]:
    """Mean, min, max and count of the 24 h before each machine's as-of, from the finest rollup."""
    ends = {sensor.id: as_of[sensor.asset_id] for sensor in sensors if sensor.asset_id in as_of}
    return {row[0]: row[1:] for row in warehouse.telemetry.statistics(ends, WINDOW).iter_rows()}


def _champions(warehouse: Warehouse, ids: Sequence[int]) -> dict[int, Version]:
    chosen = warehouse.catalog.champions()
    return {id_: warehouse.catalog.version(chosen[id_]) for id_ in ids if id_ in chosen}


def _open_severities(events: pl.DataFrame) -> dict[int, list[str]]:
    severities: dict[int, list[str]] = {}
    for sensor_id, severity in events.filter(pl.col("open")).select("sensor_id", "severity").iter_rows():
        severities.setdefault(sensor_id, []).append(severity)
    return severities


def _status(
    asset: Asset, sensor: Sensor, last_ts: datetime | None, newest: datetime | None, open_events: int
) -> str:
    if asset.historical:
        return "historical"
    if open_events:
        return "open events"
    allowed = max(SILENT_AFTER, timedelta(seconds=SILENT_INTERVALS * (sensor.interval_s or 0.0)))
    if last_ts is None or newest is None or newest - last_ts > allowed:
        return "silent"
    return "ok"
