"""What one event's chart shows: signal, expectation, score, driving channels, operating state, verdicts."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import polars as pl
import streamlit as st

from app.queries import house
from app.queries.failure import answered
from app.queries.fleet import floats, line
from app.queries.house import Stamp
from app.queries.surroundings import channels, states
from app.queries.verdict_rows import verdict_of
from app.queries.views import EventRow, Limit, Line, Panel, Story, Verdict
from warehouse.home import Warehouse
from warehouse.state.limits import NAMES, WORDS

# Two days of a reading a minute are drawn as they are, longer windows from rollups.
MAX_POINTS: Final = 3000


@answered
def story(made: Stamp, event: EventRow, start: datetime, end: datetime) -> Story:
    """Return the lines of an event's sensor and its channels in ``[start, end)``."""
    return _story(made, event.event_id, start, end, event)


@answered
def verdicts(made: Stamp, sensor_id: int) -> tuple[Verdict, ...]:
    """Return the verdicts in force on a sensor, newest first."""
    return _verdicts(made, sensor_id)


@answered
def window(made: Stamp, event: EventRow, wanted: str) -> tuple[datetime, datetime]:
    """Return start and end of a window by its name, never beyond what was read.

    Parameters
    ----------
    wanted
        ``event``: the event with as much again before it, at least three hours; ``day``, ``week``: so much
        around it, or up to its end if it is longer; ``all``: everything stored.
    """
    first, last = _span(made, event.sensor_id)
    length = event.end - event.start
    if wanted == "all":
        return first, last
    if wanted == "event":
        start = event.start - max(length, timedelta(hours=3))
        end = event.end + max(length / 2, timedelta(hours=1))
    else:
        span = timedelta(days=1) if wanted == "day" else timedelta(days=7)
        middle = event.start + length / 2
        start, end = (
            (event.end - span, event.end) if length > span else (middle - span / 2, middle + span / 2)
        )
        if end > last:
            start, end = last - span, last
    start, end = max(start, first), min(end, last)
    return (start, end) if start < end else (first, last)


@st.cache_data(show_spinner=False, max_entries=64)
def _span(made: Stamp, sensor_id: int) -> tuple[datetime, datetime]:
    spans = house.opened(made).telemetry.spans([sensor_id])
    first, last = spans["first_ts"][0], spans["last_ts"][0]
    return first, last + timedelta(microseconds=1)


@st.cache_data(show_spinner=False, max_entries=32)
def _verdicts(made: Stamp, sensor_id: int) -> tuple[Verdict, ...]:
    del made  # only makes the cache exact
    return tuple(
        verdict_of(row) for row in house.owner().labels_for(sensor_id).reverse().iter_rows(named=True)
    )


@st.cache_data(show_spinner=False, max_entries=32)
def _story(made: Stamp, event_id: str, start: datetime, end: datetime, _event: EventRow) -> Story:
    event = _event  # told by its id, as hashing all that is known of it takes longer than to read it
    del event_id
    home = house.opened(made)
    target = home.catalog.sensor(event.sensor_id)
    measured, resolution = _measured(home, target.id, start, end)
    scores = home.results.window(target.id, event.version_id, start, end, MAX_POINTS)
    shares = {driver.sensor_id: driver.share for driver in event.drivers}
    siblings = {sensor.id: sensor for sensor in home.catalog.sensors(asset_id=target.asset_id)}
    context = tuple(
        Panel(
            channel.name,
            channel.unit,
            _measured(home, channel.id, start, end)[0],
            note=_drives(shares, channel.id),
        )
        for channel in channels(home, target, shares, siblings, within=(start, end))
    )
    return Story(
        window_start=start,
        window_end=end,
        signal=Panel(
            target.name,
            target.unit,
            measured,
            expected=_expected(scores, measured),
            note=_drives(shares, target.id),
            limits=limits(target.id),
        ),
        score=Panel(
            "anomaly score",
            "",
            _scored(scores),
            threshold=line(scores["ts"], scores["threshold"]),
        ),
        context=context,
        states=states(home, siblings, start, end),
        verdicts=tuple(one for one in _verdicts(made, target.id) if one.start < end and one.end > start),
        resolution=resolution,
    )


def _drives(shares: dict[int, float], sensor_id: int) -> str:
    return f"drives {shares[sensor_id] * 100:.0f} %" if sensor_id in shares else ""


def limits(sensor_id: int) -> tuple[Limit, ...]:
    """Return the limits in force of a sensor, the lowest first."""
    rows = house.owner().limits(sensor_id).to_dicts()
    return tuple(Limit(WORDS[name], row[name]) for row in rows for name in NAMES if row[name] is not None)


def _measured(home: Warehouse, sensor_id: int, start: datetime, end: datetime) -> tuple[Line, str]:
    rows = home.telemetry.window(sensor_id, start, end, MAX_POINTS)
    times = rows["ts"].dt.epoch("ms").to_numpy().astype(np.float64)
    mean, low, high = (floats(rows[name]) for name in ("mean", "min", "max"))
    if rows["min"].equals(rows["max"]):
        return Line(times, mean), "readings"
    step = timedelta(milliseconds=float(np.median(np.diff(times)))) if times.size > 1 else timedelta()
    return Line(times, mean, low, high), f"means of {_width(step.total_seconds())}"


def _width(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:g} s"
    return f"{seconds / 60:g} min" if seconds < 3600 else f"{seconds / 3600:g} h"


def _scored(scores: pl.DataFrame) -> Line:
    """Return the scores, with their extremes where each row stands for several."""
    found = line(scores["ts"], scores["score"])
    if scores["score_min"].equals(scores["score_max"]):
        return found
    return replace(found, low=floats(scores["score_min"]), high=floats(scores["score_max"]))


def _expected(scores: pl.DataFrame, measured: Line) -> Line | None:
    if scores["expected"].null_count() == scores.height or scores["expected"].is_nan().all():
        return None
    if measured.low is None or measured.times_ms.size < 2:
        return line(scores["ts"], scores["expected"])
    # Means of the same buckets as the measured line, so that the two can be compared.
    bucket_ms = int(np.median(np.diff(measured.times_ms)))
    means = (
        scores.select((pl.col("ts").dt.epoch("ms") // bucket_ms * bucket_ms).alias("at"), "expected")
        .group_by("at")
        .agg(pl.col("expected").fill_nan(None).mean())
        .sort("at")
    )
    return Line(means["at"].to_numpy().astype(np.float64), floats(means["expected"]))
