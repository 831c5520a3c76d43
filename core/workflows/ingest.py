"""Ingest: store what a source gives, then queue the judging of what is new."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from core.workflows.reporting import Clock, Progress, silent
from warehouse.home import IngestReport, Warehouse
from warehouse.jobs import Job
from warehouse.sources.base import SourceBatch


@dataclass(frozen=True)
class Ingested:
    """What an ingest did.

    Parameters
    ----------
    report
        Counts of what was stored, left as it was, or refused.
    scoring
        The queued job that judges what is new; None if nothing changed or nothing is a target.
    """

    report: IngestReport
    scoring: Job | None


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
    progress(0.05, f"Reading {batch.source}")
    seen = _Earliest(batch.readings)
    report = warehouse.ingest(replace(batch, readings=iter(seen)), at=clock(), actor=actor)
    if not queue or (not report.added and not report.replaced):
        return Ingested(report, None)
    progress(0.95, "Queueing the scoring")
    names = {asset.name for asset in batch.assets}
    targets = [one.id for one in warehouse.catalog.sensors(role="target") if one.asset_name in names]
    if not targets:
        return Ingested(report, None)
    since = None if seen.earliest is None else seen.earliest.isoformat()
    job = warehouse.jobs.add(
        "score", {"sensor_ids": targets, "since": since}, actor=actor, at=clock(), urgent=True
    )
    return Ingested(report, job)


class _Earliest:
    """Passes chunks on and notes their earliest time: what was judged after it must be judged again."""

    def __init__(self, chunks: Iterator[pl.DataFrame]) -> None:
        self._chunks = chunks
        self.earliest: datetime | None = None

    def __iter__(self) -> Iterator[pl.DataFrame]:
        for chunk in self._chunks:
            first = chunk["ts"].min()
            if isinstance(first, datetime) and (self.earliest is None or first < self.earliest):
                self.earliest = first
            yield chunk
