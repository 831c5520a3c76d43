"""Every reading of a window beside what was expected, its score and threshold, and the context."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl
import streamlit as st

from app.queries import house
from app.queries.failure import answered
from app.queries.house import Stamp
from app.queries.views import EventRow
from core.workflows.export import safe_cell
from warehouse.catalog import Sensor
from warehouse.home import Warehouse

SHOWN: Final = 1000
MOST: Final = 200_000
"""Rows of a csv at most: so many are made in about a second."""

_LEAD: Final = timedelta(minutes=10)
_OLD: Final = 5
"""Steps for which the last reading of a context channel stands beside those of the target."""

_TIME: Final = "time_utc"


@dataclass(frozen=True, eq=False)
class RawTable:
    """Rows of a window.

    Parameters
    ----------
    rows
        ``time_utc`` and a column a quantity, its unit in brackets.
    start
        From where on they are; the window's own start where it is short enough to be shown whole.
    about
        Readings of the target in the whole window, counted or, where it is long, estimated.
    whole
        Whether `rows` are the whole window.
    """

    rows: pl.DataFrame
    start: datetime
    about: int
    whole: bool


@answered
def raw_table(made: Stamp, event: EventRow, start: datetime, end: datetime) -> RawTable:
    """Return the rows of ``[start, end)``; of too many, those from just before the event's start on."""
    return _raw_table(made, event.event_id, start, end, event)


@answered
def about(made: Stamp, sensor_id: int, start: datetime, end: datetime) -> int:
    """Return about how many readings of a sensor a window holds."""
    return _of_span(*_extent(made, sensor_id), start, end)


@answered
def raw_csv(made: Stamp, event: EventRow, start: datetime, end: datetime) -> bytes:
    """Return the rows of ``[start, end)``, at most `MOST`, as csv that no spreadsheet takes for formulas."""
    home = house.opened(made)
    rows = _rows(home, event, start, end, MOST, every=True)
    out = io.BytesIO()
    rows.with_columns(
        pl.col(_TIME).dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ"),
    ).rename({name: safe_cell(name) for name in rows.columns}).write_csv(out)
    return out.getvalue()


@st.cache_data(show_spinner=False, max_entries=16)
def _raw_table(made: Stamp, event_id: str, start: datetime, end: datetime, _event: EventRow) -> RawTable:
    del event_id  # tells the event in the cache's key
    home = house.opened(made)
    about = _about(home, _event.sensor_id, start, end)
    # Where it is long, the table starts with what it is opened for.
    begin = start if about <= SHOWN else min(max(start, _event.start - _LEAD), end)
    rows = _rows(home, _event, begin, end, SHOWN + 1)
    whole = begin == start and rows.height <= SHOWN
    return RawTable(rows.head(SHOWN), begin, rows.height if whole else about, whole)


def _about(home: Warehouse, sensor_id: int, start: datetime, end: datetime) -> int:
    """Return how many readings a window holds, by how many there are a second on the whole."""
    return _of_span(*_stored(home, sensor_id), start, end)


def _of_span(first: datetime, last: datetime, rows: int, start: datetime, end: datetime) -> int:
    covered = (min(end, last) - max(start, first)).total_seconds()
    if covered < 0 or not rows:
        return 0
    return min(rows, round(rows * covered / max((last - first).total_seconds(), 1.0)) + 1)


def _stored(home: Warehouse, sensor_id: int) -> tuple[datetime, datetime, int]:
    """Return first and last time of a sensor and how many readings it has."""
    spans = home.telemetry.spans([sensor_id])
    if spans.is_empty():
        return datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC), 0
    row = spans.row(0, named=True)
    return row["first_ts"], row["last_ts"], int(row["rows"])


@st.cache_data(show_spinner=False, max_entries=64)
def _extent(made: Stamp, sensor_id: int) -> tuple[datetime, datetime, int]:
    return _stored(house.opened(made), sensor_id)


def _rows(
    home: Warehouse, event: EventRow, start: datetime, end: datetime, most: int, *, every: bool = False
) -> pl.DataFrame:
    """Return at most `most` rows from `start` on.

    Parameters
    ----------
    every
        Whether all context channels are there, not only those that drove the event and the state.
    """
    target = home.catalog.sensor(event.sensor_id)
    readings = _read(home, target, start, end, most)
    context = _context(home, target, event, every=every)
    unit = f" [{target.unit}]" if target.unit else ""
    table = readings.select(pl.col("ts"), pl.col("value").alias(f"{target.name}{unit}"))
    if not readings.is_empty():
        end = readings["ts"][-1] + timedelta(microseconds=1)
    scores = home.results.read_scores(target.id, event.version_id, start, end)
    table = table.join(
        scores.select("ts", pl.col("expected").alias(f"expected{unit}"), "score", "threshold"),
        on="ts",
        how="left",
    )
    step = timedelta(seconds=target.interval_s) if target.interval_s else _step(readings)
    for sensor in context:
        name = f"{sensor.name} [{sensor.unit}]" if sensor.unit else sensor.name
        own = home.telemetry.read([sensor.id], start - _OLD * step, end).select(
            "ts", pl.col("value").alias(name)
        )
        table = table.join_asof(own, on="ts", strategy="backward", tolerance=_OLD * step)
    return table.rename({"ts": _TIME})


def _read(home: Warehouse, target: Sensor, start: datetime, end: datetime, most: int) -> pl.DataFrame:
    """Return the first readings of a window without reading much more of it."""
    about = _about(home, target.id, start, end)
    until = end if about <= most else start + (end - start) * (most / about) * 1.5
    rows = home.telemetry.read([target.id], start, min(until, end))
    if rows.height < most and until < end:  # it is denser elsewhere
        rows = home.telemetry.read([target.id], start, end)
    return rows.head(most)


def _step(readings: pl.DataFrame) -> timedelta:
    steps = readings["ts"].diff().drop_nulls()
    found = steps.median() if steps.len() else None
    return found if isinstance(found, timedelta) and found > timedelta() else timedelta(minutes=1)


def _context(home: Warehouse, target: Sensor, event: EventRow, *, every: bool) -> Sequence[Sensor]:
    siblings = {one.id: one for one in home.catalog.sensors(asset_id=target.asset_id)}
    known = [siblings[one] for one in target.context if one in siblings]
    if every:
        return known
    driving = {one.sensor_id for one in event.drivers}
    return [one for one in known if one.id in driving or one.role == "state"] or known[:3]
