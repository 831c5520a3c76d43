"""Rehearsal of an ingest: the whole source is read and held against what is stored; nothing is written."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from core.workflows.reporting import Progress, silent
from warehouse.assets import AssetSpec, SensorSpec, sensor_key
from warehouse.home import Warehouse
from warehouse.quarantine import Refusal
from warehouse.sources.base import CHUNK, SourceBatch

JITTER: Final = 1.5
"""A step this much longer than the interval is a gap."""


@dataclass(frozen=True)
class SensorRehearsal:
    """What an ingest would do to one sensor.

    Parameters
    ----------
    readings, empty
        Rows with a time of their own, and how many of them hold no value.
    doubled
        Rows left out because a later one has their time.
    start, end
        First and last time, UTC.
    interval_s
        Seconds between readings, None where there is only one.
    gaps, longest_gap
        How many steps are longer than 1.5 intervals, and the longest of them.
    known
        Whether the sensor is stored already.
    new, same, replaced
        Readings that are not stored, stored with the same value, and stored with another one.
    """

    asset: str
    spec: SensorSpec
    readings: int
    empty: int
    doubled: int
    start: datetime
    end: datetime
    interval_s: float | None
    gaps: int
    longest_gap: timedelta
    known: bool
    new: int
    same: int
    replaced: int


@dataclass(frozen=True)
class Rehearsal:
    """What an ingest would do: sensors in the order of the source, refused rows, and the source's remarks."""

    sensors: tuple[SensorRehearsal, ...]
    refusals: tuple[Refusal, ...]
    notes: tuple[str, ...]


def rehearse(batch: SourceBatch, *, warehouse: Warehouse, progress: Progress = silent) -> Rehearsal:
    """Read `batch` to its end and say what its ingest would do.

    Raises
    ------
    SourceError
        The source can't be read to its end.
    CatalogError
        An asset belongs to another source, or a sensor is stored with another unit.
    """
    warehouse.catalog.refuse_contradictions(batch.source, batch.assets)
    progress(0.1, "Reading the file")
    readings = pl.concat([CHUNK.to_frame(), *batch.readings])
    stored = {one.key: one.id for one in warehouse.catalog.sensors()}
    by_key = {str(key): rows for (key,), rows in readings.group_by("key", maintain_order=True)}
    sensors = []
    for number, (asset, spec) in enumerate(pairs := _sensors(batch.assets)):
        progress(0.2 + 0.8 * number / len(pairs), f"Comparing {spec.name} with what is stored")
        key = sensor_key(asset.name, spec.name)
        if key in by_key:
            sensors.append(_sensor(asset.name, spec, by_key[key], stored.get(key), warehouse))
    return Rehearsal(tuple(sensors), tuple(batch.refusals), batch.notes)


def _sensors(assets: tuple[AssetSpec, ...]) -> list[tuple[AssetSpec, SensorSpec]]:
    return [(asset, spec) for asset in assets for spec in asset.sensors]


def _sensor(
    asset: str, spec: SensorSpec, given: pl.DataFrame, sensor_id: int | None, warehouse: Warehouse
) -> SensorRehearsal:
    finite = pl.when(pl.col("value").is_finite()).then("value").alias("value")
    rows = given.unique("ts", keep="last").sort("ts").select("ts", finite)
    start, end = rows["ts"][0], rows["ts"][-1]
    steps = rows["ts"].diff().drop_nulls()
    usual = steps.median()
    interval_s = spec.interval_s or (usual.total_seconds() if isinstance(usual, timedelta) else None)
    wide = steps.filter(steps > timedelta(seconds=JITTER * (interval_s or 0.0)))
    longest = wide.max()
    new, same, replaced = rows.height, 0, 0
    if sensor_id is not None:
        there = warehouse.telemetry.read([sensor_id], start, end + timedelta(microseconds=1))
        both = rows.join(there.select("ts", pl.col("value").alias("stored")), on="ts")
        same = both.select(pl.col("value").eq_missing(pl.col("stored")).sum()).item()
        new, replaced = rows.height - both.height, both.height - same
    return SensorRehearsal(
        asset=asset,
        spec=spec,
        readings=rows.height,
        empty=rows["value"].null_count(),
        doubled=given.height - rows.height,
        start=start,
        end=end,
        interval_s=interval_s,
        gaps=wide.len(),
        longest_gap=longest if isinstance(longest, timedelta) else timedelta(),
        known=sensor_id is not None,
        new=new,
        same=same,
        replaced=replaced,
    )
