"""Scoring: what is new of a sensor is judged by its champion, and only where that has not learned."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from core.ensembles.raise_events import EventRaiser
from core.errors import CoreError, JobError
from core.workflows.baseline import fit_baseline
from core.workflows.event_identity import identified, renewed
from core.workflows.events import event_frame, found_events, score_frame, stored_events
from core.workflows.methods import load_version
from core.workflows.reporting import Clock, Metric, Progress
from core.workflows.signals import declared, load_signal
from warehouse.catalog import Sensor, Version
from warehouse.documents import JSON
from warehouse.errors import WarehouseError
from warehouse.home import Warehouse

REFRESH_EVERY: Final = 10
"""Sensors after which the first screen is told what was found so far."""


@dataclass(frozen=True)
class Scored:
    """What one scoring found.

    Parameters
    ----------
    steps
        Newly judged steps.
    events, running
        The version's events on the sensor now, and how many of them still run.
    """

    version: Version
    steps: int
    events: int
    running: int


def score_sensor(
    sensor: Sensor, *, warehouse: Warehouse, clock: Clock, since: datetime | None = None
) -> Scored:
    """Judge what is new of a sensor and store scores and events in one commit.

    Parameters
    ----------
    sensor
        A target.
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
    version = warehouse.catalog.champion(sensor.id)
    if version is None:
        version = fit_baseline(sensor, warehouse=warehouse, at=clock())
    raiser = load_version(version, warehouse)
    window = _window(sensor, version, raiser, warehouse, since)
    stored = stored_events(warehouse.results.read_events(sensor.id, version.id))
    if window is None:
        return Scored(version, 0, len(stored), sum(event.open for event in stored))
    signal = load_signal(warehouse, sensor, window.start, window.end)
    detection = raiser.detect(signal)
    found = found_events(detection, signal, sensor, version.id)
    events = identified(
        renewed(found, stored if window.goes_on else (), window.cut),
        stored_events(warehouse.results.read_events(sensor.id)),
    )
    scores = score_frame(detection, sensor.id, version.id, window.fresh, window.end)
    warehouse.results.put(
        scores=scores,
        events={(sensor.id, version.id): event_frame(events)},
        at=clock(),
        note=f"scoring of {sensor.key}",
    )
    return Scored(version, scores.height, len(events), sum(event.open for event in events))


def score_job(
    payload: Mapping[str, JSON], *, warehouse: Warehouse, clock: Clock, progress: Progress, metric: Metric
) -> dict[str, JSON]:
    """Judge what is new of several sensors; one that fails is named and does not hide the others.

    Parameters
    ----------
    payload
        ``sensor_ids``, and ``since`` (ISO 8601) where older readings changed.

    Raises
    ------
    JobError
        The payload names no sensors, or every one of them failed.
    """
    del metric  # scoring has no curves
    ids = payload.get("sensor_ids")
    if not isinstance(ids, list) or not ids:
        raise JobError("a scoring needs sensor_ids")
    since = payload.get("since")
    start = datetime.fromisoformat(since) if isinstance(since, str) else None
    failed: dict[str, JSON] = {}
    done: list[Scored] = []
    for position, one in enumerate(ids):
        if not isinstance(one, int):
            raise JobError(f"sensor_ids must be whole numbers, not {one!r}")
        sensor = warehouse.catalog.sensor(one)
        progress(position / len(ids), f"Scoring {sensor.key}")
        try:
            done.append(score_sensor(sensor, warehouse=warehouse, clock=clock, since=start))
        except (CoreError, WarehouseError) as error:
            failed[sensor.key] = str(error)
    # The web process folds this into what the first screen shows.
    warehouse.jobs.inbox.put(str(uuid4()), "fleet.refresh", {"sensor_ids": ids}, actor="scoring", at=clock())
    if not done:
        name, reason = next(iter(failed.items()))
        more = f" (and {len(failed) - 1} others failed too)" if len(failed) > 1 else ""
        raise JobError(f"{name}: {reason}{more}")
    summary = (
        f"Judged {sum(one.steps for one in done):,} new steps of {len(done):,} sensors: "
        f"{sum(one.events for one in done):,} events, {sum(one.running for one in done):,} still running."
    )
    if failed:
        summary += f" {len(failed):,} sensors could not be judged."
    return {"summary": summary, "scored": len(done), "failed": failed}


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
    goes_on
        Whether earlier scores stay.
    """

    start: datetime | None
    end: datetime | None
    cut: datetime
    fresh: datetime
    goes_on: bool


def _window(
    sensor: Sensor, version: Version, raiser: EventRaiser, warehouse: Warehouse, since: datetime | None
) -> _Window | None:
    """Return what is to be judged, None if nothing is new.

    A declared test part is judged alone; otherwise what follows the part that was learned from. Before the
    first step that matters, as many are read as a judgement may depend on.
    """
    part = declared(warehouse.catalog.parts(sensor.asset_id), "test")
    first, last = part if part is not None else (version.spans["calibrate"][0], None)
    reach = None if sensor.interval_s is None else raiser.memory * timedelta(seconds=sensor.interval_s)
    until = warehouse.results.scored_until(sensor.id, version.id)
    if until is not None and (since is None or since > until):
        newest = warehouse.telemetry.last([sensor.id])["ts"].max()
        if not isinstance(newest, datetime) or newest <= until or (last is not None and until >= last):
            return None
        if reach is not None:
            cut = max(first, until - reach)
            start = cut - reach if part is None else max(first, cut - reach)
            return _Window(start, last, cut, until + timedelta(microseconds=1), goes_on=True)
    if part is not None:
        return _Window(first, last, first, first, goes_on=False)
    return _Window(None if reach is None else first - reach, None, first, first, goes_on=False)
