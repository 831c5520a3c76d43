"""Past events that look like the one on the screen, and what people said of them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import polars as pl
import streamlit as st

from app.queries import house
from app.queries.failure import answered
from app.queries.fleet import line
from app.queries.house import Stamp
from app.queries.views import EventRow, Line
from core.workflows.feedback import similar_events

SHOWN: Final = 5
_POINTS: Final = 120
_LEAST_MARGIN: Final = timedelta(minutes=30)


@dataclass(frozen=True, eq=False)
class SimilarRow:
    """A past event beside the one on the screen.

    Parameters
    ----------
    title
        Machine and sensor.
    alike
        In words: how near it is.
    verdict, fault_class
        What a person said of it; empty where nobody did.
    signal
        Readings of its sensor from before to after it.
    unit
        Of the readings.
    """

    event_id: str
    title: str
    start: datetime
    end: datetime
    severity: str
    alike: str
    verdict: str
    fault_class: str
    signal: Line
    unit: str


@answered
def similar(made: Stamp, event: EventRow) -> tuple[SimilarRow, ...]:
    """Return the past events that look most like `event`, the most similar first; none if none is known."""
    return _similar(made, event.event_id)


@st.cache_data(show_spinner=False, max_entries=32)
def _similar(made: Stamp, event_id: str) -> tuple[SimilarRow, ...]:
    home = house.opened(made)
    found = similar_events(
        home.results.events_current(looks=True), house.owner().labels(), event_id, count=SHOWN
    )
    sensors = {one.id: one for one in home.catalog.sensors()}
    rows = []
    for one in found:
        sensor = sensors[one.sensor_id]
        margin = max((one.end - one.start) / 2, _LEAST_MARGIN)
        signal = home.telemetry.window(sensor.id, one.start - margin, one.end + margin, _POINTS)
        rows.append(
            SimilarRow(
                event_id=one.event_id,
                title=f"{sensor.asset_name} · {sensor.name}",
                start=one.start,
                end=one.end,
                severity=one.severity,
                alike=_alike(one.distance),
                verdict=one.verdict,
                fault_class=one.fault_class,
                signal=line(signal["ts"], _extremes(signal)),
                unit=sensor.unit,
            )
        )
    return tuple(rows)


def _extremes(rows: pl.DataFrame) -> pl.Series:
    """Return of each bucket the value that is farthest from the window's median, so that a spike stays."""
    middle = rows["mean"].median()
    frame = rows.with_columns((pl.col("max") - middle).alias("_up"), (middle - pl.col("min")).alias("_down"))
    return frame.select(
        pl.when(pl.col("_up") >= pl.col("_down")).then("max").otherwise("min").alias("value")
    )["value"]


def _alike(distance: float) -> str:
    if distance < 1.0:
        return "very alike"
    return "alike" if distance < 2.0 else "somewhat alike" if distance < 4.0 else "hardly alike"
