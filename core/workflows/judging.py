"""Judging: what is new of a sensor, by its champion, and only where that has not learned."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import polars as pl

from core.ensembles.change import Seen
from core.ensembles.contract import Raiser
from core.ensembles.drivers import with_drivers
from core.ensembles.meanwhile import SHORTEST
from core.errors import ArtifactError, JobError
from core.workflows.baseline import fit_again, fit_baseline
from core.workflows.event_identity import SensorEvent, identified, renewed
from core.workflows.events import found_events, reworded, score_frame, stored_events
from core.workflows.methods import load_version, new_baseline
from core.workflows.recalling import forget, look
from core.workflows.reporting import Clock
from core.workflows.signals import declared, readings_before
from warehouse.catalog import Sensor, Version
from warehouse.home import Warehouse

_EXTREMES: Final = 100
"""Rows in which a training part is read for its lowest and highest reading."""


@dataclass(frozen=True, eq=False)
class Judged:
    """What a judgement says of a sensor; nothing is stored yet.

    Parameters
    ----------
    scores
        Newly judged steps with the columns of `warehouse.schema.SCORES`; None if nothing was new.
    events
        The version's whole list of events on the sensor.
    remark
        What a person must know of the version, as a sentence; may be empty.
    """

    sensor: Sensor
    version: Version
    scores: pl.DataFrame | None
    events: tuple[SensorEvent, ...]
    remark: str = ""


def judge_sensor(
    sensor: Sensor, *, warehouse: Warehouse, clock: Clock, since: datetime | None = None
) -> tuple[Judged, ...]:
    """Judge what is new of a sensor, by each version that watches it, the one in production first.

    Parameters
    ----------
    sensor
        A target. Without a version the statistical detector is fitted and stored first; where the files of
        its fit are missing or changed it is fitted again, for it can be told from the readings alone.
    since
        Readings from here on may have changed: what was judged after it is judged again.

    Raises
    ------
    JobError
        The sensor is no target.
    CoreError
        There is too little to judge, or its champion's files are not the registered ones.
    """
    if sensor.role != "target":
        raise JobError(f"{sensor.key} is a {sensor.role} sensor: it explains others and is not judged itself")
    versions = warehouse.catalog.watching(sensor.id)
    if not versions:
        versions = (fit_baseline(sensor, warehouse=warehouse, at=clock()),)
    known = stored_events(warehouse.results.read_events(sensor.id))
    judged: list[Judged] = []
    for version in versions:
        judged.append(_judge(sensor, _loaded(version, sensor, warehouse, clock), known, warehouse, since))
        # Events of one scoring share ids too: what both versions see is one event.
        known = (*(event for event in known if event.version_id != version.id), *judged[-1].events)
    forget(sensor, [one.id for one in versions], warehouse)
    return tuple(judged)


@dataclass(frozen=True, eq=False)
class _Loaded:
    """A version with what it judges by, and a remark as in `Judged`."""

    version: Version
    raiser: Raiser
    remark: str = ""


def _loaded(version: Version, sensor: Sensor, warehouse: Warehouse, clock: Clock) -> _Loaded:
    try:
        return _Loaded(version, load_version(version, warehouse))
    except ArtifactError:
        if version.kind != "baseline" or version.method != new_baseline().name:
            raise
        usable = fit_again(version, sensor, warehouse=warehouse, at=clock())
        remark = (
            f"The statistical detector of {sensor.key} was fitted again on the same readings, "
            f"for its files in {version.folder} were missing or changed."
        )
        return _Loaded(usable, load_version(usable, warehouse), remark)


def _judge(
    sensor: Sensor,
    loaded: _Loaded,
    known: tuple[SensorEvent, ...],
    warehouse: Warehouse,
    since: datetime | None,
) -> Judged:
    version, raiser = loaded.version, loaded.raiser
    window = _window(sensor, version, raiser, warehouse, since)
    stored = tuple(event for event in known if event.version_id == version.id)
    if window is None:
        return Judged(sensor, version, None, stored, loaded.remark)
    done = look(
        raiser,
        sensor,
        version,
        warehouse,
        start=window.start,
        end=window.end,
        cut=window.cut,
        until=window.until,
    )
    signal, detection = done.signal, done.detection
    remark = " ".join(filter(None, (loaded.remark, done.remark)))
    detection = with_drivers(detection, signal, raiser.detectors)
    seen = _seen(sensor, version, warehouse) if detection.events else None
    found = found_events(detection, signal, sensor, version.id, seen=seen)
    events = renewed(found, () if window.until is None else stored, done.cut)
    earlier = partial(readings_before, warehouse, sensor, length=SHORTEST * signal.interval)
    events = identified(reworded(events, detection, signal, seen=seen, earlier=earlier), known)
    scores = score_frame(detection, sensor.id, version.id, window.fresh, window.end)
    return Judged(sensor, version, scores, events, remark)


@dataclass(frozen=True)
class _Window:
    """What a scoring reads and what it says anew.

    Parameters
    ----------
    start, end
        What is read; None for no bound.
    cut
        Events that ended by then stay as they are.
    fresh
        The first step whose score is new.
    until
        The last step that was judged before and stays as it is; None if all is judged anew.
    """

    start: datetime | None
    end: datetime | None
    cut: datetime
    fresh: datetime
    until: datetime | None = None


def _window(
    sensor: Sensor, version: Version, raiser: Raiser, warehouse: Warehouse, since: datetime | None
) -> _Window | None:
    """Return what is to be judged, None if nothing is new.

    A declared test part is judged alone; otherwise what follows the part that was learned from. Before the
    first step that matters, as many are read as a judgement may depend on, but none from before the sensor's
    first reading: a method would take them for a past.
    """
    part = declared(warehouse.catalog.parts(sensor.asset_id), "test")
    first, last = part if part is not None else (version.spans["calibrate"][0], None)
    reach = None if sensor.interval_s is None else raiser.memory * timedelta(seconds=sensor.interval_s)
    begun = warehouse.telemetry.spans([sensor.id])["first_ts"].min()
    earliest = begun if isinstance(begun, datetime) else first
    until = warehouse.results.scored_until(sensor.id, version.id)
    if until is not None and (since is None or since > until):
        newest = warehouse.telemetry.last([sensor.id])["ts"].max()
        if not isinstance(newest, datetime) or newest <= until or (last is not None and until >= last):
            return None
        if reach is not None:
            cut = max(first, until - reach)
            start = max(cut - reach, earliest if part is None else first)
            # Later steps say more of earlier ones in review: those that they reach are judged again.
            fresh = cut if raiser.mode == "review" else until + timedelta(microseconds=1)
            return _Window(start, last, cut, fresh, until)
    if part is not None:
        return _Window(first, last, first, first)
    lead = None if reach is None else max(first - reach, earliest)
    return _Window(lead, None, first, first)


def _seen(sensor: Sensor, version: Version, warehouse: Warehouse) -> Seen | None:
    """Return the lowest and highest reading of the part that a version learned from."""
    rows = warehouse.telemetry.window(sensor.id, *version.spans["train"], _EXTREMES)
    low, high = rows["min"].min(), rows["max"].max()
    return (float(low), float(high)) if isinstance(low, float) and isinstance(high, float) else None
