"""Which events are one incident, from what their sensors read around them."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

import numpy as np
import polars as pl
import streamlit as st

from app.queries import house
from app.queries.failure import answered
from app.queries.fleet import floats
from app.queries.house import Stamp
from app.queries.triage_views import Concern
from core.ensembles.incidents import (
    CORRELATED,
    DRIVING_SHARE,
    Raised,
    common_time,
    correlation,
    driven,
    incidents,
    neighbours,
)
from warehouse.home import Warehouse

Pair = tuple[int, int, int, int]
"""Two sensors, and start and end of what is compared in whole buckets since 1970."""

_BUCKET_S: Final = 900
_MOST_ROWS: Final = 400_000
_KEPT_S: Final = 3600


@answered
def grouped(made: Stamp, concerns: Sequence[Concern]) -> tuple[tuple[Concern, ...], ...]:
    """Return events as incidents; both keep the order in which the events are given."""
    ids = tuple(one.event.event_id for one in concerns)
    return tuple(tuple(concerns[k] for k in group) for group in _groups(made, ids, concerns))


@st.cache_data(show_spinner=False, max_entries=8)
def _groups(made: Stamp, ids: tuple[str, ...], _concerns: Sequence[Concern]) -> tuple[tuple[int, ...], ...]:
    """Return positions; what is not compared by the cache follows from stamp and ids."""
    del ids
    raised = [_raised(one) for one in _concerns]
    pairs = {
        (k, j): _pair(raised[k], raised[j]) for k, j in neighbours(raised) if not driven(raised[k], raised[j])
    }
    found = _correlations(made.home, tuple(sorted(set(pairs.values())))) if pairs else {}
    together = {place for place, pair in pairs.items() if abs(found[pair]) >= CORRELATED}
    groups = sorted(incidents(raised, together), key=min)
    return tuple(tuple(sorted(group)) for group in groups)


def _raised(one: Concern) -> Raised:
    event = one.event
    return Raised(
        event.asset_id,
        event.sensor_id,
        round(event.start.timestamp() * 1e6),
        round(event.end.timestamp() * 1e6),
        frozenset(driver.sensor_id for driver in event.drivers if driver.share >= DRIVING_SHARE),
    )


def _pair(one: Raised, other: Raised) -> Pair:
    """Return what is compared, in whole buckets: the same for a quarter of an hour."""
    start, end = common_time(one, other)
    width = _BUCKET_S * 1_000_000
    first, second = sorted((one.sensor_id, other.sensor_id))
    return first, second, start // width, end // width


# What was read around an event hardly ever changes later; a late correction shows within the hour.
@st.cache_resource(show_spinner=False, max_entries=2, ttl=_KEPT_S)
def _known(home: str) -> dict[Pair, float]:
    """Return what was computed before, for every session to add to."""
    del home
    return {}


def _correlations(home: str, pairs: tuple[Pair, ...]) -> dict[Pair, float]:
    """Return the rank correlation of each pair; NaN where it is not known."""
    known = _known(home)
    missing = [pair for pair in pairs if pair not in known]
    if missing:
        warehouse = house.opened(Stamp(home, 0, 0))
        for part in _portions(missing):
            known.update(_compared(warehouse, part))
    return {pair: known[pair] for pair in pairs}


def _portions(pairs: Sequence[Pair]) -> Iterator[list[Pair]]:
    """Yield pairs that one read brings, each of no more than so many rows."""
    part: list[Pair] = []
    sensors: set[int] = set()
    until = 0
    # By start, so that the first pair of a portion has its earliest.
    for pair in sorted(pairs, key=lambda one: one[2]):
        grown = sensors | set(pair[:2])
        until = max(until, pair[3])
        if part and len(grown) * (until - part[0][2]) > _MOST_ROWS:
            yield part
            part, grown, until = [], set(pair[:2]), pair[3]
        part.append(pair)
        sensors = grown
    if part:
        yield part


def _compared(warehouse: Warehouse, pairs: Sequence[Pair]) -> Iterator[tuple[Pair, float]]:
    first, last = min(pair[2] for pair in pairs), max(pair[3] for pair in pairs)
    sensors = sorted({sensor for pair in pairs for sensor in pair[:2]})
    rows = warehouse.telemetry.rollup(sensors, _moment(first), _moment(last), _BUCKET_S)
    lines = {sensor: np.full(last - first, np.nan) for sensor in sensors}
    for (sensor,), own in rows.group_by("sensor_id"):
        places = own.select(pl.col("ts").dt.epoch("s") // _BUCKET_S - first).to_series().to_numpy()
        lines[int(str(sensor))][places] = floats(own["mean"])
    for pair in pairs:
        one, other, start, end = pair
        part = slice(start - first, end - first)
        yield pair, correlation(lines[one][part], lines[other][part])


def _moment(bucket: int) -> datetime:
    return datetime.fromtimestamp(bucket * _BUCKET_S, tz=UTC)
