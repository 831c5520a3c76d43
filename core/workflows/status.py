"""How the model of every sensor is: never trained, trained, stale or failing, with the reason in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from core.workflows.signals import declared
from warehouse.assets import Sensor
from warehouse.catalog import Version
from warehouse.home import Warehouse
from warehouse.jobs import Job

Status = Literal["never", "trained", "stale", "failing"]

STALE_AFTER: Final = timedelta(days=90)
"""Readings that came after a training and span more than this make its version stale, whatever it learned."""

_LOOKED_AT: Final = 2000
"""Newest trainings that are looked at."""


@dataclass(frozen=True)
class SensorStatus:
    """How the model of one target is.

    Parameters
    ----------
    key
        ``"asset/sensor"``.
    status
        ``never``: no model was trained; ``trained``: its newest one is up to date; ``stale``: much came after
        it; ``failing``: the last training failed or registered nothing, after the newest version, or files
        of the champion (of the newest version, where there is no trained champion) are missing.
    why
        The same in words, as a sentence without its full stop.
    at
        When the newest version was registered, or the last training failed; None if never.
    version_id, job_id
        The newest trained version, and the newest training that ended; None where there is none.
    busy
        The training that waits or runs; None if none does.
    """

    sensor_id: int
    key: str
    status: Status
    why: str
    at: datetime | None
    version_id: int | None
    job_id: int | None
    busy: int | None


def sensor_statuses(warehouse: Warehouse) -> tuple[SensorStatus, ...]:
    """Return how the model of every target is, in the order of their ids.

    What a version or a job did not record is not held against the sensor.
    """
    targets = warehouse.catalog.sensors(role="target")
    versions = [one for one in warehouse.catalog.versions() if one.kind == "trained"]
    newest = {one.sensor_id: one for one in versions}
    used = newest | {one.sensor_id: one for one in versions if one.champion}
    ended = _newest_by_sensor(warehouse.jobs.list(("done", "failed"), kind="train", limit=_LOOKED_AT))
    busy = _newest_by_sensor(
        warehouse.jobs.list(("queued", "running", "interrupted"), kind="train", limit=_LOOKED_AT)
    )
    spans = warehouse.telemetry.spans([one.id for one in targets])
    last = dict(spans.select("sensor_id", "last_ts").iter_rows())
    tests = {
        asset: declared(warehouse.catalog.parts(asset), "test") for asset in {one.asset_id for one in targets}
    }
    found = []
    for sensor in targets:
        test, until = tests[sensor.asset_id], last.get(sensor.id)
        if test is not None and until is not None:
            until = min(until, test[0])  # a declared test part is never learned, nor what follows it
        version, job = newest.get(sensor.id), ended.get(sensor.id)
        status, why, at = _judged(version, job, until)
        lost = None if status == "failing" else _lost(used.get(sensor.id), warehouse.root)
        if lost is not None:
            status, why = "failing", lost
        waits = busy.get(sensor.id)
        found.append(_status(sensor, status, why, at, version=version, job=job, busy=waits))
    return tuple(found)


def registered_nothing(job: Job) -> str | None:
    """Return why a training that ended brought no version; None if it did, or did not record whether."""
    if job.state == "failed":
        return job.error or "it did not say why"
    result = job.result or {}
    if result.get("registered") is not False:
        return None
    return str(result.get("reason") or "it did not say why")


def _judged(
    version: Version | None, job: Job | None, until: datetime | None
) -> tuple[Status, str, datetime | None]:
    """Return the status of a sensor, the reason, and since when."""
    reason = None if job is None else registered_nothing(job)
    if job is not None and reason is not None and (version is None or _ended(job) > version.created_at):
        how = "failed" if job.state == "failed" else "registered nothing"
        return "failing", f"its last training {how}: {reason.rstrip('.')}", job.finished_at
    if version is None:
        return "never", "no model was trained yet; a statistical detector judges it", None
    late = _since(version, until)
    if late is not None:
        return "stale", late, version.created_at
    return "trained", f"version {version.number} has learned from what there is", version.created_at


def _lost(version: Version | None, root: Path) -> str | None:
    """Return which file of a version is missing and what to do; None if all are there.

    Whether they are unchanged is told when they are loaded: that reads them whole.
    """
    if version is None:
        return None
    folder = root / version.folder
    name = next((one for one in sorted(version.artifacts) if not (folder / one).is_file()), None)
    if name is None:
        return None
    return (
        f"version {version.number} can't judge, for {version.folder}/{name} is missing: "
        "train it again or restore the file"
    )


def _since(version: Version, until: datetime | None) -> str | None:
    """Return why a version is stale; None if it is not, or did not record what it learned from.

    Counted from the end of all that the training had, the held-out part included: that one was judged then,
    and of long recordings it alone may span months.
    """
    learned = [version.spans[name] for name in ("train", "calibrate") if name in version.spans]
    if not learned or until is None:
        return None
    had = max(end for _, end in version.spans.values())
    length = max(end for _, end in learned) - min(start for start, _ in learned)
    new = until - had
    if new > length:
        return f"{_days(new)} of readings came after it, more than the {_days(length)} it learned from"
    if new > STALE_AFTER:
        return f"{_days(new)} of readings came after it"
    return None


def _status(
    sensor: Sensor,
    status: Status,
    why: str,
    at: datetime | None,
    *,
    version: Version | None,
    job: Job | None,
    busy: Job | None,
) -> SensorStatus:
    return SensorStatus(
        sensor_id=sensor.id,
        key=sensor.key,
        status=status,
        why=why,
        at=at,
        version_id=None if version is None else version.id,
        job_id=None if job is None else job.id,
        busy=None if busy is None else busy.id,
    )


def _newest_by_sensor(jobs: Iterable[Job]) -> Mapping[int, Job]:
    """Return the newest job of each sensor; `jobs` are newest first, and may name their sensors badly."""
    newest: dict[int, Job] = {}
    for job in jobs:
        ids = job.payload.get("sensor_ids")
        for sensor_id in ids if isinstance(ids, list) else ():
            if type(sensor_id) is int:
                newest.setdefault(sensor_id, job)
    return newest


def _ended(job: Job) -> datetime:
    return job.finished_at or job.created_at


def _days(length: timedelta) -> str:
    days = length / timedelta(days=1)
    if days >= 2:
        return f"{days:.0f} days"
    return f"{length / timedelta(hours=1):.0f} hours" if days >= 2 / 24 else "less than 2 hours"
