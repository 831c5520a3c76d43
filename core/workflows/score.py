"""Scoring: judge what is new of sensors and store it, a few sensors a commit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import uuid4

import polars as pl

from core.errors import CoreError, JobError
from core.workflows.events import event_frame
from core.workflows.judging import Judged, judge_sensor
from core.workflows.reporting import Clock, Task, counted
from core.workflows.requests import sensor_ids_of
from warehouse.catalog import Sensor, Version
from warehouse.documents import JSON
from warehouse.errors import WarehouseError
from warehouse.home import Warehouse

BATCH: Final = 6
"""Sensors a commit, after which the first screen is told while the rest is judged."""


@dataclass(frozen=True)
class Scored:
    """What one scoring found.

    Parameters
    ----------
    steps
        Newly judged steps.
    events, running
        Events on the sensor now, of every version that watches it, and how many of them still run.
    """

    version: Version
    steps: int
    events: int
    running: int


def score_sensor(
    sensor: Sensor, *, warehouse: Warehouse, clock: Clock, since: datetime | None = None
) -> Scored:
    """Judge what is new of a sensor and store scores and events in one commit; see `judge_sensor`.

    What is returned is of the version in production.
    """
    judged = judge_sensor(sensor, warehouse=warehouse, clock=clock, since=since)
    _store(judged, warehouse, clock)
    return _summed(judged)


def score_job(payload: Mapping[str, JSON], task: Task) -> dict[str, JSON]:
    """Judge what is new of several sensors; one that fails is named and does not hide the others.

    Parameters
    ----------
    payload
        ``sensor_ids``, and ``since`` (ISO 8601) where older readings changed.

    Raises
    ------
    JobError
        The payload names no sensors, or every one of them failed.
    Cancelled
        The job was told to end; what was stored until then stays.
    """
    warehouse, clock = task.warehouse, task.clock
    ids = sensor_ids_of(payload, "a scoring")
    since = payload.get("since")
    start = datetime.fromisoformat(since) if isinstance(since, str) else None
    sensors = [warehouse.catalog.sensor(one) for one in ids]
    failed: dict[str, JSON] = {}
    done: list[Scored] = []
    remarks: list[JSON] = []
    waiting: list[tuple[Judged, ...]] = []
    for position, sensor in enumerate(sensors):
        task.check()
        task.progress(position / len(sensors), f"Scoring {sensor.key}")
        try:
            waiting.append(judge_sensor(sensor, warehouse=warehouse, clock=clock, since=start))
        except (CoreError, WarehouseError) as error:
            failed[sensor.key] = str(error)
        else:
            remarks += [judged.remark for judged in waiting[-1] if judged.remark]
        if len(waiting) == BATCH or position + 1 == len(sensors):
            _store([judged for one in waiting for judged in one], warehouse, clock)
            done += [_summed(one) for one in waiting]
            waiting = []
    if not done:
        name, reason = next(iter(failed.items()))
        more = f" (and {len(failed) - 1} others failed too)" if len(failed) > 1 else ""
        raise JobError(f"{name}: {reason}{more}")
    summary = (
        f"Judged {counted(sum(one.steps for one in done), 'new step')} of {counted(len(done), 'sensor')}: "
        f"{counted(sum(one.events for one in done), 'event')}, "
        f"{sum(one.running for one in done):,} still running."
    )
    if failed:
        summary += f" {counted(len(failed), 'sensor')} could not be judged."
    result: dict[str, JSON] = {"summary": summary, "scored": len(done), "failed": failed}
    return {**result, "remarks": remarks} if remarks else result


def _store(batch: Sequence[Judged], warehouse: Warehouse, clock: Clock) -> None:
    """Store a few judgements in one commit and tell the state's owner, who shows them."""
    fresh = [one for one in batch if one.scores is not None]
    frames = [one.scores for one in fresh if one.scores is not None]
    if frames:
        warehouse.results.put(
            scores=pl.concat(frames),
            events={(one.sensor.id, one.version.id): event_frame(one.events) for one in fresh},
            at=clock(),
            note=f"scoring of {', '.join(one.sensor.key for one in fresh)}",
        )
    if batch:
        told: list[JSON] = list(dict.fromkeys(one.sensor.id for one in batch))
        warehouse.jobs.inbox.put(
            str(uuid4()), "fleet.refresh", {"sensor_ids": told}, actor="scoring", at=clock()
        )


def _summed(judged: Sequence[Judged]) -> Scored:
    first = judged[0]
    events = {event.event_id: event for one in judged for event in one.events}
    return Scored(
        version=first.version,
        steps=0 if first.scores is None else first.scores.height,
        events=len(events),
        running=sum(event.open for event in events.values()),
    )
