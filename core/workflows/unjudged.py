"""Which readings nobody has judged yet, though they are stored: a crash came between."""

from datetime import datetime, timedelta

from core.workflows.signals import declared
from warehouse.catalog import Sensor
from warehouse.home import Warehouse
from warehouse.jobs import ENDED


def unjudged(warehouse: Warehouse) -> tuple[int, ...]:
    """Return the ids of the targets that have readings after what each version watching them has judged.

    Where a source declares a test part, what follows that part is not meant to be judged and does not count.
    Neither does a sensor that waits for its scoring, or whose scoring failed since its newest reading.
    """
    targets = [one for one in warehouse.catalog.sensors() if one.role == "target"]
    if not targets:
        return ()
    last = warehouse.telemetry.last([one.id for one in targets]).select("sensor_id", "ts")
    newest: dict[int, datetime] = dict(last.iter_rows())
    watchers = warehouse.catalog.watchers()
    return tuple(
        one.id
        for one in targets
        if one.id in newest
        and _lags(one, watchers.get(one.id, ()), newest[one.id], warehouse)
        and not _is_seen_to(one, newest[one.id], warehouse)
    )


def _lags(sensor: Sensor, versions: tuple[int, ...], newest: datetime, warehouse: Warehouse) -> bool:
    part = declared(warehouse.catalog.parts(sensor.asset_id), "test")
    end = newest if part is None else min(newest, part[1] - timedelta(seconds=sensor.interval_s or 0.0))
    for version in versions:
        until = warehouse.results.scored_until(sensor.id, version)
        if until is None or until < end:
            return True
    return not versions


def _is_seen_to(sensor: Sensor, newest: datetime, warehouse: Warehouse) -> bool:
    scoring = warehouse.jobs.list(kind="score", limit=1, sensor_id=sensor.id)
    if not scoring:
        return False
    if scoring[0].state not in ENDED:
        return True
    failed = (scoring[0].result or {}).get("failed")
    tried = scoring[0].state == "failed" or (isinstance(failed, dict) and sensor.key in failed)
    return tried and scoring[0].created_at >= newest
