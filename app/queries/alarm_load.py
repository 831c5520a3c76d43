"""The alarm load of live machines, less what verdicts and maintenance hold back."""

from datetime import UTC, datetime, timedelta

import numpy as np
import streamlit as st

from app.queries import house
from app.queries.failure import answered
from app.queries.house import Stamp
from app.queries.triage_views import BadActor, LoadView, Triage
from app.queries.views import EventRow, Fleet
from core.evaluation.alarm_load import alarm_load, standing, verdict_on
from warehouse.instants import microseconds


@answered
def load(made: Stamp, whole: Fleet, triaged: Triage, span: timedelta) -> LoadView | None:
    """Return the load of the `span` that ends at the newest reading; None where nothing was judged yet.

    An event counts as one alarm when it begins, whatever became of it; those that maintenance suppresses
    or verdicts hold back were no alarms.
    """
    since = _judged_since(made, frozenset(machine.asset_id for machine in whole.live))
    if whole.as_of is None or since is None or since >= whole.as_of:
        return None
    start = max(whole.as_of - span, since)
    alarms = [one.event for one in triaged.concerns if not one.event.historical and one.window is None]
    titles = {event.sensor_id: event.title for event in alarms}
    found = alarm_load(
        np.array([microseconds(event.start) for event in alarms], dtype=np.int64),
        [event.sensor_id for event in alarms],
        microseconds(start),
        microseconds(whole.as_of),
        operators=triaged.operators,
    )
    worst, worst_at = found.worst
    return LoadView(
        start=start,
        end=whole.as_of,
        starts_ms=found.starts / 1000.0,
        counts=found.counts,
        operators=triaged.operators,
        alarms=found.alarms,
        average=found.average,
        said=verdict_on(found.average),
        worst=worst,
        worst_at=_moment(worst_at),
        floods=tuple((_moment(one.start), _moment(one.end), one.alarms) for one in found.floods),
        flood_share=found.flood_share,
        standing=_standing(triaged.asking, whole.as_of),
        actors=tuple(BadActor(titles[one.source], one.alarms, one.share) for one in found.actors),
        actors_share=found.actors_share,
        cut=start > whole.as_of - span,
    )


def _standing(events: tuple[EventRow, ...], as_of: datetime) -> tuple[EventRow, ...]:
    starts = np.array([microseconds(event.start) for event in events], dtype=np.int64)
    long = standing(starts, microseconds(as_of)).tolist()
    return tuple(sorted((events[k] for k in long), key=lambda event: event.start))


@st.cache_data(show_spinner=False, max_entries=4)
def _judged_since(made: Stamp, assets: frozenset[int]) -> datetime | None:
    """Return the moment from which on any sensor of the machines was judged: after what it learned from."""
    catalog = house.opened(made).catalog
    own = {sensor.id for sensor in catalog.sensors() if sensor.asset_id in assets}
    ends = [
        version.spans["train"][1]
        for version in catalog.versions()
        if version.sensor_id in own and "train" in version.spans
    ]
    return min(ends, default=None)


def _moment(instant: int) -> datetime:
    return datetime.fromtimestamp(instant / 1e6, tz=UTC)
