"""The fleet at the newest reading: machines, events with what people said, tiles and sparklines."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import polars as pl
import streamlit as st

from app.queries import house, learning
from app.queries.failure import answered
from app.queries.house import Stamp
from app.queries.verdict_rows import inherited
from app.queries.views import DayTile, Driver, EventRow, Fleet, Line, Machine
from app.theme import rank
from core.workflows.methods import METHODS
from core.workflows.records import facts_of
from warehouse.catalog import Sensor, Version

DAY: Final = timedelta(days=1)
TILE_DAYS: Final = 14
_DAY_LEVEL_S: Final = 86_400


@answered
def fleet(made: Stamp) -> Fleet:
    """Return machines and all their current events, worst first."""
    return _fleet(made)


@answered
def sparklines(made: Stamp, events: Sequence[EventRow]) -> dict[str, tuple[Line, datetime]]:
    """Return 24 h of readings around each event, by its id, with the moment at which they end."""
    ends = {event.event_id: (event.sensor_id, _spark_end(event)) for event in events}
    lines = _sparklines(made, tuple(sorted(set(ends.values()))))
    return {event_id: (lines[place], place[1]) for event_id, place in ends.items() if place in lines}


@answered
def day_tiles(made: Stamp, machine: str | None = None) -> tuple[DayTile, ...]:
    """Return one tile a live machine and day of the last 14 days, in the order of the catalogue."""
    return _day_tiles(made, machine)


def within(events: Sequence[EventRow], span: timedelta | None, machine: str | None) -> tuple[EventRow, ...]:
    """Return events of a machine that run, or ended less than `span` before the machine's newest reading."""
    return tuple(
        event
        for event in events
        if (machine is None or event.machine == machine)
        and (span is None or event.open or event.end >= event.as_of - span)
    )


@st.cache_data(show_spinner=False, max_entries=4)
def _fleet(made: Stamp) -> Fleet:
    home, owner = house.opened(made), house.owner()
    mirror, events = owner.fleet(), owner.events_with_state()
    machines = _machines(mirror, {asset.id: asset.kind for asset in home.catalog.assets()})
    rows = _events(
        events,
        {sensor.id: sensor for sensor in home.catalog.sensors()},
        {version.id: version for version in home.catalog.versions()},
        {machine.asset_id: machine for machine in machines},
    )
    quiet = learning.held(made)
    held = tuple(row for row in rows if row.event_id in quiet)
    rows = tuple(row for row in rows if row.event_id not in quiet)
    live = [machine for machine in machines if not machine.historical and machine.as_of is not None]
    known = [machine.as_of for machine in live or machines if machine.as_of is not None]
    as_of = max(known, default=None)
    return Fleet(as_of, machines, rows, held)


def _machines(mirror: pl.DataFrame, kinds: dict[int, str]) -> tuple[Machine, ...]:
    found = []
    for (asset_id,), rows in mirror.group_by("asset_id", maintain_order=True):
        targets = rows.filter(pl.col("role") == "target")
        silent = rows.filter(pl.col("status") == "silent")
        found.append(
            Machine(
                asset_id=int(str(asset_id)),
                name=rows["asset"][0],
                kind=kinds.get(int(str(asset_id)), ""),
                historical=bool((rows["status"] == "historical").all()),
                as_of=rows["as_of"][0],
                sensors=tuple(rows["sensor_id"]),
                targets=tuple(targets["sensor_id"]),
                silent=tuple(silent["sensor"]),
                trained=bool((targets["champion_kind"] == "trained").any()),
            )
        )
    return tuple(sorted(found, key=lambda machine: machine.asset_id))


def _events(
    frame: pl.DataFrame,
    sensors: dict[int, Sensor],
    versions: dict[int, Version],
    machines: dict[int, Machine],
) -> tuple[EventRow, ...]:
    rows = []
    learned = {version.sensor_id for version in versions.values() if version.champion}
    for row in frame.iter_rows(named=True):
        sensor = sensors[row["sensor_id"]]
        machine = machines.get(sensor.asset_id)
        version = versions.get(row["version_id"])
        rows.append(
            EventRow(
                event_id=row["event_id"],
                sensor_id=sensor.id,
                version_id=row["version_id"],
                asset_id=sensor.asset_id,
                machine=sensor.asset_name,
                sensor=sensor.name,
                unit=sensor.unit,
                start=row["start"],
                end=row["end"],
                open=row["open"],
                peak_at=row["peak_ts"],
                peak_score=row["peak_score"],
                threshold=row["threshold"],
                probability=row["probability"],
                severity=row["severity"],
                why=row["why"],
                mode=row["mode"],
                drivers=_drivers(row["drivers"], sensors),
                detector=detector_words(version, beside=sensor.id in learned),
                trained=version is not None and version.kind == "trained",
                historical=machine is not None and machine.historical,
                as_of=row["end"] if machine is None or machine.as_of is None else machine.as_of,
                verdict=inherited(row),
                acknowledged_by=row["acknowledged_by"],
                disagree=row["disagree"],
                voices=row["voices"],
            )
        )
    return tuple(
        sorted(rows, key=lambda row: (rank(row.severity), not row.open, -row.probability, row.event_id))
    )


def detector_words(version: Version | None, *, beside: bool) -> str:
    """Return a version in words; a statistical detector is named as such.

    Parameters
    ----------
    beside
        Whether a trained model is in production on the sensor too.
    """
    if version is None:
        return "Unknown detector"
    if version.kind == "baseline":
        role = "beside the trained model" if beside else "no trained model"
        return f"{version_words(version)}, {role}"
    return version_words(version)


def version_words(version: Version) -> str:
    """Return method and number of a version, such as ``Panel (instant) v2``."""
    return f"{title_words(version)} v{version.number}"


def title_words(version: Version) -> str:
    """Return the method of a version as it calls itself, else as its method is called."""
    return facts_of(version).title or method_words(version.method)


def method_words(name: str) -> str:
    """Return a method as a person calls it; the bare name when this release does not know it."""
    known = METHODS.get(name)
    return name if known is None else known.title


def _drivers(found: list[dict[str, Any]] | None, sensors: dict[int, Sensor]) -> tuple[Driver, ...]:
    return tuple(
        Driver(one["sensor_id"], sensors[one["sensor_id"]].name, sensors[one["sensor_id"]].unit, one["share"])
        for one in found or []
        if one["sensor_id"] in sensors
    )


def _spark_end(event: EventRow) -> datetime:
    """Return the newest reading, or some hours after an event that was over before, to have it in view."""
    return event.as_of if event.open else min(event.as_of, event.end + DAY / 4)


@st.cache_data(show_spinner=False, max_entries=8)
def _sparklines(
    made: Stamp, sensor_ends: tuple[tuple[int, datetime], ...]
) -> dict[tuple[int, datetime], Line]:
    telemetry = house.opened(made).telemetry
    by_end: dict[datetime, list[int]] = {}
    for sensor_id, end in sensor_ends:
        by_end.setdefault(end, []).append(sensor_id)
    lines: dict[tuple[int, datetime], Line] = {}
    for end, ids in by_end.items():
        readings = telemetry.read(ids, end - DAY, end + timedelta(microseconds=1))
        for (sensor_id,), rows in readings.group_by("sensor_id"):
            lines[int(str(sensor_id)), end] = line(rows["ts"], rows["value"])
    return lines


def line(times: pl.Series, values: pl.Series) -> Line:
    """Return a column of times and one of values as a line."""
    return Line(times.dt.epoch("ms").to_numpy().astype(np.float64), floats(values))


def floats(values: pl.Series) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return a column as float64, NaN where it is null."""
    return np.asarray(values.cast(pl.Float64).fill_null(float("nan")).to_numpy(), dtype=np.float64)


@st.cache_data(show_spinner=False, max_entries=8)
def _day_tiles(made: Stamp, only: str | None) -> tuple[DayTile, ...]:
    whole = _fleet(made)
    machines = [machine for machine in whole.live if only is None or machine.name == only]
    if whole.as_of is None or not machines:
        return ()
    today = whole.as_of.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [today - DAY * back for back in reversed(range(TILE_DAYS))]
    ids = [sensor_id for machine in machines for sensor_id in machine.sensors]
    counts = house.opened(made).telemetry.rollup(ids, days[0], today + DAY, _DAY_LEVEL_S)
    read = {
        (row[0], row[1]) for row in counts.filter(pl.col("count") > 0).select("sensor_id", "ts").iter_rows()
    }
    tiles = []
    for machine in machines:
        own = [event for event in whole.events if event.asset_id == machine.asset_id and not event.dismissed]
        for day in days:
            there = [event for event in own if event.start < day + DAY and event.end > day]
            has_data = any((sensor_id, day) in read for sensor_id in machine.sensors)
            tiles.append(
                DayTile(
                    machine=machine.name,
                    day=day,
                    severity=there[0].severity if there else "" if has_data else None,
                    event_id=there[0].event_id if there else None,
                    events=len(there),
                )
            )
    return tuple(tiles)
