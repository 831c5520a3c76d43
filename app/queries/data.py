"""What is stored of each machine and sensor: span, rows, gaps, rate, quality; one pass for all of them."""

from collections import Counter
from dataclasses import replace
from datetime import datetime

import polars as pl
import streamlit as st

from app.queries import house
from app.queries.data_strips import Strips
from app.queries.data_views import DamagedFile, MachineData, SensorData
from app.queries.failure import answered
from app.queries.house import Stamp
from warehouse.home import Warehouse
from warehouse.instants import DAY_US, SECOND_US, moment_of


@answered
def machines(made: Stamp) -> tuple[MachineData, ...]:
    """Return all machines with what is stored of their sensors, in the order of the catalogue."""
    found = _machines(made)
    # Asked for after the reads: they are what notices damage.
    broken = Counter(id_ for one in house.opened(made).damage() for id_ in one.sensors)
    if not broken:
        return found
    return tuple(
        replace(
            machine,
            sensors=tuple(replace(one, damaged=broken[one.sensor_id]) for one in machine.sensors),
        )
        for machine in found
    )


@answered
def damaged(made: Stamp) -> tuple[DamagedFile, ...]:
    """Return the damaged files that wait for a repair."""
    home = house.opened(made)
    found = home.damage()
    if not found:
        return ()
    names = {one.id: f"{one.asset_name} · {one.name}" for one in home.catalog.sensors()}
    return tuple(
        DamagedFile(
            path=one.file.path,
            what={"readings": "readings", "rollups": "summaries of readings"}.get(
                one.file.kind, one.file.kind.replace("_", " ")
            ),
            rows=one.file.rows,
            start=one.file.start,
            end=one.file.end,
            live=one.file.ended_in is None,
            reason=one.reason,
            found_at=one.found_at,
            sensors=tuple(names[id_] for id_ in one.sensors if id_ in names),
        )
        for one in found
    )


@st.cache_data(show_spinner=False, max_entries=4)
def _machines(made: Stamp) -> tuple[MachineData, ...]:
    home = house.opened(made)
    assets, sensors = home.catalog.assets(), home.catalog.sensors()
    status = dict(house.owner().fleet().select("sensor_id", "status").iter_rows())
    spans = {
        row[0]: (row[1], row[2], row[3])
        for row in home.telemetry.spans()
        .select("sensor_id", pl.col("first_ts").to_physical(), pl.col("last_ts").to_physical(), "rows")
        .iter_rows()
    }
    days = _days(home, max((span[1] for span in spans.values()), default=0))
    strips = Strips.of(sensors, spans, days)
    by_asset: dict[int, list[SensorData]] = {}
    for place, sensor in enumerate(sensors):
        first, last, rows = spans.get(sensor.id, (None, None, 0))
        by_asset.setdefault(sensor.asset_id, []).append(
            SensorData(
                sensor_id=sensor.id,
                machine=sensor.asset_name,
                name=sensor.name,
                unit=sensor.unit,
                stated_unit=sensor.stated_unit,
                role=sensor.role,
                rows=rows,
                first=None if first is None else moment_of(first),
                last=None if last is None else moment_of(last),
                interval_s=strips.interval_s(place),
                nominal=sensor.interval_s is not None,
                coverage=strips.coverage(place),
                missing=strips.missing(place),
                empty_days=int(strips.empty_days[place]),
                status=status.get(sensor.id, ""),
            )
        )
    return tuple(
        MachineData(
            asset_id=asset.id,
            name=asset.name,
            kind=asset.kind,
            source=asset.source,
            historical=asset.historical,
            first=min((one.first for one in mine if one.first), default=None),
            last=max((one.last for one in mine if one.last), default=None),
            cell_days=strips.cell_days.get(asset.id, 1),
            sensors=tuple(mine),
        )
        for asset in assets
        for mine in (by_asset.get(asset.id, []),)
    )


def _days(home: Warehouse, newest_us: int) -> pl.DataFrame:
    """Return sensor_id, ts and count of the days with values, each sensor's by day.

    A live fleet writes its newest day every minute; what lies before is read again only when one of its
    files was replaced.
    """
    cut = moment_of(max(newest_us // DAY_US - 1, 0) * DAY_US)
    files = tuple(one.id for one in home.manifest.live("rollups", end=cut))
    past = _past(str(home.root), cut, files)
    ids = home.telemetry.spans()["sensor_id"].to_list()
    recent = home.telemetry.rollup(ids, cut, None, DAY_US // SECOND_US).select("sensor_id", "ts", "count")
    return pl.concat([past, recent]).filter(pl.col("count") > 0)


@st.cache_resource(show_spinner=False, max_entries=2)
def _past(root: str, cut: datetime, files: tuple[int, ...]) -> pl.DataFrame:
    del files  # only makes the cache exact
    return house.opened(Stamp(root, 0, 0)).telemetry.daily().filter(pl.col("ts") < cut)
