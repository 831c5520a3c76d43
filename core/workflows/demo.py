"""The demo fleet: created once with 90 days of history, fed a minute every minute, judged like any other."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from core.errors import JobError
from core.workflows.ingest import ingest
from core.workflows.reporting import Clock, Task
from core.workflows.score import score_job
from warehouse.catalog import Sensor
from warehouse.documents import JSON
from warehouse.home import Warehouse
from warehouse.sources import demo

SOURCE: Final = "demo"
MINUTE: Final = timedelta(minutes=1)
LONGEST_CATCH_UP: Final = timedelta(days=30)
"""What one feeding brings at most; a longer pause is caught up by the next ones."""


def demo_job(payload: Mapping[str, JSON], task: Task) -> dict[str, JSON]:
    """Create the demo fleet and judge it.

    Parameters
    ----------
    payload
        ``seed``, and ``actor`` where the asker is known.

    Raises
    ------
    JobError
        This home has a demo fleet already, or the seed is no whole number.
    """
    seed = payload.get("seed")
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise JobError(f"the demo fleet's seed must be a whole number, not {seed!r}")
    warehouse, clock = task.warehouse, task.clock
    known = warehouse.catalog.source_settings(SOURCE)
    if known is None:
        anchor = clock().replace(second=0, microsecond=0)
        # Stored first: a creation that is interrupted goes on with the same fleet.
        warehouse.catalog.put_source_settings(SOURCE, {"seed": seed, "anchor": anchor.isoformat()})
    else:
        seed, anchor = _settings(known)
    if known is not None and warehouse.catalog.assets() and _newest(warehouse) is not None:
        raise JobError("this home has its demo fleet already; it goes on while the app runs")
    task.progress(0.02, "Simulating 90 days of 12 machines")
    start = anchor - timedelta(days=demo.HISTORY_DAYS)
    done = ingest(
        demo.read(seed, anchor, start, anchor),
        warehouse=warehouse,
        clock=clock,
        actor=str(payload.get("actor", "demo")),
        progress=task.within(0.02, 0.45).progress,
        queue=False,
    )
    targets: list[JSON] = [one.id for one in _targets(warehouse)]
    result = score_job({"sensor_ids": targets}, task.within(0.45, 1.0))
    summary = (
        f"Demo fleet: {done.report.added:,} readings of {done.report.sensors} sensors. {result['summary']}"
    )
    return {**result, "summary": summary}


def feed(*, warehouse: Warehouse, clock: Clock) -> Sequence[int]:
    """Append the minutes that passed since the fleet's newest reading; return the targets to judge.

    The machines went on while the app was stopped, so everything since then is brought.
    """
    known = warehouse.catalog.source_settings(SOURCE)
    newest = _newest(warehouse)
    if known is None or newest is None:
        return ()
    seed, anchor = _settings(known)
    now = clock().replace(second=0, microsecond=0)
    start, end = newest + MINUTE, min(now + MINUTE, newest + MINUTE + LONGEST_CATCH_UP)
    if start >= end:
        return ()
    batch = demo.read(seed, anchor, start, end)
    done = ingest(batch, warehouse=warehouse, clock=clock, actor=SOURCE, queue=False)
    return [one.id for one in _targets(warehouse)] if done.report.changed else ()


def _settings(known: Mapping[str, JSON]) -> tuple[int, datetime]:
    seed, anchor = known["seed"], known["anchor"]
    if not isinstance(seed, int) or not isinstance(anchor, str):
        raise JobError("the stored settings of the demo fleet can't be read")
    return seed, datetime.fromisoformat(anchor)


def _sensors(warehouse: Warehouse) -> tuple[Sensor, ...]:
    ours = {asset.id for asset in warehouse.catalog.assets() if asset.source == SOURCE}
    return tuple(one for one in warehouse.catalog.sensors() if one.asset_id in ours)


def _targets(warehouse: Warehouse) -> tuple[Sensor, ...]:
    return tuple(one for one in _sensors(warehouse) if one.role == "target")


def _newest(warehouse: Warehouse) -> datetime | None:
    ids = [one.id for one in _sensors(warehouse)]
    if not ids:
        return None
    newest = warehouse.telemetry.last(ids)["ts"].max()
    return newest if isinstance(newest, datetime) else None
