"""What the Data page shows of one picked sensor: figures, gaps, limits, and who edited what."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import polars as pl
import streamlit as st

from app.queries import house
from app.queries.data_views import Edit, Gap, SensorData, SensorFacts
from app.queries.failure import answered
from app.queries.house import Stamp
from core.workflows.rehearse import JITTER
from warehouse.documents import loads
from warehouse.home import Warehouse
from warehouse.schema import ROLLUP_LEVELS_S
from warehouse.state.limits import NAMES, WORDS, Limits

_MOST_BUCKETS: Final = 20_000
_GAPS: Final = 3


@answered
def facts(made: Stamp, sensor: SensorData) -> SensorFacts:
    """Return the figures, gaps and limits of a sensor."""
    return _facts(made, sensor)


@answered
def edits(made: Stamp, sensor_id: int) -> tuple[Edit, ...]:
    """Return who edited a sensor's limits and unit, newest first."""
    return _edits(made, sensor_id)


def limit_problems(limits: Mapping[str, float | None]) -> dict[str, str]:
    """Return why limits can't be put into force, by the name of the limit at fault."""
    return Limits(**limits).problems()


@st.cache_data(show_spinner=False, max_entries=64)
def _facts(made: Stamp, sensor: SensorData) -> SensorFacts:
    home = house.opened(made)
    rows = house.owner().limits(sensor.sensor_id).to_dicts()
    limits = {name: rows[0][name] if rows else None for name in NAMES}
    if sensor.first is None or sensor.last is None:
        return SensorFacts(None, None, None, (), 0.0, limits)
    level = _level(sensor.last - sensor.first)
    filled = home.telemetry.rollup([sensor.sensor_id], None, None, level).filter(pl.col("count") > 0)
    total = int(filled["count"].sum())
    return SensorFacts(
        low=_value(filled["min"].min()),
        mean=float((filled["mean"] * filled["count"]).sum()) / total if total else None,
        high=_value(filled["max"].max()),
        gaps=_gaps(home, sensor, level, filled),
        gaps_above_s=max(2.0 * level, JITTER * (sensor.interval_s or 0.0)),
        limits=limits,
    )


def _level(span: timedelta) -> int:
    """Return the finest level whose buckets of a span are few enough to look at."""
    fitting = (level for level in ROLLUP_LEVELS_S if span.total_seconds() / level <= _MOST_BUCKETS)
    return next(fitting, ROLLUP_LEVELS_S[-1])


def _gaps(home: Warehouse, sensor: SensorData, level: int, filled: pl.DataFrame) -> tuple[Gap, ...]:
    """Return the longest stretches between two values: found in buckets, measured in readings."""
    least = max(2.0 * level, JITTER * (sensor.interval_s or 0.0))
    steps = (
        filled.select("ts", step=pl.col("ts").shift(-1) - pl.col("ts"))
        .filter(pl.col("step") >= timedelta(seconds=least))
        .top_k(_GAPS + 1, by="step")
    )
    width = timedelta(seconds=level)
    found = []
    for at, step in steps.iter_rows():
        before = _values(home, sensor.sensor_id, at, at + width)
        after = _values(home, sensor.sensor_id, at + step, at + step + width)
        if not before.is_empty() and not after.is_empty():
            found.append(Gap(before["ts"][-1], after["ts"][0]))
    return tuple(sorted(found, key=lambda gap: gap.length, reverse=True)[:_GAPS])


def _values(home: Warehouse, sensor_id: int, start: datetime, end: datetime) -> pl.DataFrame:
    return home.telemetry.read([sensor_id], start, end).drop_nulls("value")


@st.cache_data(show_spinner=False, max_entries=64)
def _edits(made: Stamp, sensor_id: int) -> tuple[Edit, ...]:
    stated = house.opened(made).catalog.sensor(sensor_id).stated_unit
    found: list[Edit] = []
    for row in house.owner().edits().iter_rows(named=True):
        payload, outcome = loads(row["payload"]), loads(row["outcome"])
        if payload.get("sensor_id") != sensor_id:
            continue
        former = outcome.get("former")
        limits: dict[str, float | None] = {}
        unit = None
        if row["kind"] == "limits.set" and isinstance(former, Mapping):
            limits = {name: _value(former.get(name)) for name in NAMES}
            what = _limits_words(limits, payload)
        else:
            unit = former if isinstance(former, str) else None
            what = f"unit {_unit(unit, stated)} → {_unit(payload.get('unit'), stated)}"
        newest = all(one.kind != row["kind"] for one in found)
        found.append(
            Edit(row["seq"], row["kind"], what, row["actor"], row["recorded_at"], limits, unit, newest)
        )
    return tuple(found)


def _limits_words(former: Mapping[str, Any], payload: Mapping[str, Any]) -> str:
    changed = [
        f"{WORDS[name]} {_number(former.get(name))} → {_number(payload.get(name))}"
        for name in NAMES
        if former.get(name) != payload.get(name)
    ]
    return ", ".join(changed) or "limits confirmed"


def _value(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else "none"


def _unit(unit: object, stated: str) -> str:
    return (str(unit) if unit is not None else stated) or "none"
