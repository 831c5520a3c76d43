"""Ingest: store what a source gives, then queue the judging of what is new."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import polars as pl

from core.workflows.reporting import Clock, Progress, part, silent
from warehouse.documents import JSON
from warehouse.home import IngestReport, Warehouse
from warehouse.jobs import URGENT, Job
from warehouse.sources import table
from warehouse.sources.base import SourceBatch
from warehouse.sources.table_mapping import TableMapping


@dataclass(frozen=True)
class Ingested:
    """What an ingest did.

    Parameters
    ----------
    report
        Counts of what was stored, left as it was, or refused.
    scoring
        The queued job that judges what is new; None if nothing changed or nothing is a target, and where
        the caller sees to it.
    targets, since
        The sensors to judge anew and from when on; no targets where nothing changed.
    """

    report: IngestReport
    scoring: Job | None
    targets: tuple[int, ...]
    since: datetime | None


def ingest_table(
    path: Path,
    mapping: TableMapping,
    *,
    warehouse: Warehouse,
    clock: Clock,
    actor: str,
    progress: Progress = silent,
    name: str | None = None,
    max_bytes: int | None = None,
    queue: bool = True,
) -> Ingested:
    """Read a table as `mapping` says and store it; see `warehouse.sources.table.read` and `ingest`.

    Parameters
    ----------
    name
        What the person calls the file; its own name when not given.
    max_bytes
        A larger file is refused; the source's own limit when not given.
    """
    called = name or path.name
    reading = part(progress, 0.0, 0.45)
    reading(0.0, f"Reading {called}")
    batch = table.read(
        path,
        mapping,
        now=clock(),
        name=name,
        max_bytes=max_bytes,
        spill=warehouse.layout.staging,
        progress=lambda share: reading(share, f"Reading {called}"),
    )
    storing = part(progress, 0.45, 1.0)
    return ingest(batch, warehouse=warehouse, clock=clock, actor=actor, progress=storing, queue=queue)


def ingest(
    batch: SourceBatch,
    *,
    warehouse: Warehouse,
    clock: Clock,
    actor: str,
    progress: Progress = silent,
    queue: bool = True,
) -> Ingested:
    """Store `batch` whole or not at all, and queue the scoring of its targets.

    Parameters
    ----------
    queue
        False for a caller that sees to the scoring itself.

    Raises
    ------
    SourceError
        The source can't be read to its end; nothing was stored.
    CatalogError
        An asset belongs to another source, or a sensor is stored with another unit.
    """
    progress(0.0, f"Reading {batch.source}")
    seen = _Passing(batch, progress)
    report = warehouse.ingest(replace(batch, readings=iter(seen)), at=clock(), actor=actor)
    if not report.added and not report.replaced:
        return Ingested(report, None, (), None)
    names = {asset.name for asset in batch.assets}
    targets = tuple(one.id for one in warehouse.catalog.sensors(role="target") if one.asset_name in names)
    done = Ingested(report, None, targets, seen.earliest)
    if not queue:
        return done
    progress(0.98, "Queueing the scoring")
    return replace(done, scoring=queue_scoring([done], warehouse=warehouse, clock=clock, actor=actor))


def queue_scoring(done: Sequence[Ingested], *, warehouse: Warehouse, clock: Clock, actor: str) -> Job | None:
    """Queue one job that judges what some ingests brought; None if they brought nothing to judge."""
    targets: list[JSON] = [*sorted({sensor for one in done for sensor in one.targets})]
    if not targets:
        return None
    since = min((one.since for one in done if one.since is not None), default=None)
    return warehouse.jobs.add(
        "score",
        {"sensor_ids": targets, "since": None if since is None else since.isoformat()},
        actor=actor,
        at=clock(),
        priority=URGENT,
    )


class _Passing:
    """Passes chunks on, tells how many rows went by, and notes their earliest time.

    What was judged after that time must be judged again.
    """

    def __init__(self, batch: SourceBatch, progress: Progress) -> None:
        self._batch = batch
        self._progress = part(progress, 0.0, 0.5)
        self._done = progress
        self.earliest: datetime | None = None

    def __iter__(self) -> Iterator[pl.DataFrame]:
        rows = 0
        for chunk in self._batch.readings:
            first = chunk["ts"].min()
            if isinstance(first, datetime) and (self.earliest is None or first < self.earliest):
                self.earliest = first
            yield chunk
            rows += chunk.height
            share = rows / self._batch.rows if self._batch.rows else 0.5
            called = self._batch.origin or self._batch.source
            self._progress(min(1.0, share), f"{rows:,} readings of {called}")
        self._done(0.5, f"Storing {rows:,} readings")
