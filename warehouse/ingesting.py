"""One ingest: assets, parts, readings, rollups and refusals in one transaction, all of it or nothing."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl

from warehouse import batches
from warehouse.errors import SchemaError
from warehouse.manifest import Snapshot
from warehouse.quarantine import Refusal
from warehouse.schema import EARLIEST, GOOD, conform, latest_allowed
from warehouse.sources.base import CHUNK, SourceBatch
from warehouse.telemetry import WriteReport

if TYPE_CHECKING:
    from warehouse.home import Warehouse


@dataclass(frozen=True)
class IngestReport:
    """What an ingest did.

    Parameters
    ----------
    source
        Name of the source.
    assets, sensors
        How many of each the source stated.
    new_sensors
        How many of these were not stored before.
    added, unchanged, replaced, duplicates
        Readings, counted as in `warehouse.telemetry.WriteReport`.
    refused
        Rows that went to quarantine, of this ingest; `new_refusals` of them were not kept there yet.
    notes
        What the source says of itself.
    batch_id
        Under which refusals are kept; None if the ingest changed nothing.
    snapshot
        The state that it left; None only while nothing was ever stored.
    """

    source: str
    assets: int
    sensors: int
    new_sensors: int
    added: int
    unchanged: int
    replaced: int
    duplicates: int
    refused: int
    new_refusals: int
    notes: tuple[str, ...]
    batch_id: int | None
    snapshot: Snapshot | None

    @property
    def changed(self) -> bool:
        """False if everything was stored already."""
        return self.batch_id is not None


def ingest(warehouse: "Warehouse", batch: SourceBatch, *, at: datetime, actor: str) -> IngestReport:
    """Store a batch; see `Warehouse.ingest`."""
    ids = warehouse.catalog.reserve_ids(batch.source, batch.assets)
    chunks = _Chunks(batch, ids, at)
    outcome: list[tuple[int | None, int, int]] = []

    def also(connection: sqlite3.Connection, report: WriteReport) -> None:
        outcome[:] = [_settle(warehouse, connection, batch, chunks.refusals(), report, at=at, actor=actor)]

    written = warehouse.telemetry.write_batches(
        chunks, note=f"ingest of {batch.source} by {actor}", at=at, within=also
    )
    batch_id, new_sensors, new_refusals = outcome[0]
    return IngestReport(
        source=batch.source,
        assets=len(batch.assets),
        sensors=len(ids),
        new_sensors=new_sensors,
        added=written.added,
        unchanged=written.unchanged,
        replaced=written.replaced,
        duplicates=written.duplicates,
        refused=len(chunks.refusals()),
        new_refusals=new_refusals,
        notes=batch.notes,
        batch_id=batch_id,
        snapshot=written.snapshot,
    )


class _Chunks:
    """A batch's chunks as readings; rows whose time can't be stored are refused on the way."""

    def __init__(self, batch: SourceBatch, ids: dict[str, int], at: datetime) -> None:
        self._batch = batch
        self._ids = ids
        self._latest = latest_allowed(at)
        self._refused: list[Refusal] = []

    def refusals(self) -> Sequence[Refusal]:
        """Return what the source and this pass refused; complete once all chunks were taken."""
        return [*self._batch.refusals, *self._refused]

    def __iter__(self) -> Iterator[pl.DataFrame]:
        keys = pl.Series(list(self._ids), dtype=pl.String)
        numbers = pl.Series(list(self._ids.values()), dtype=pl.Int32)
        for given in self._batch.readings:
            chunk = conform(given, CHUNK, f"a chunk of {self._batch.source}")
            known = chunk.with_columns(
                sensor_id=pl.col("key").replace_strict(keys, numbers, default=None, return_dtype=pl.Int32)
            )
            strange = known.filter(pl.col("sensor_id").is_null())
            if not strange.is_empty():
                raise SchemaError(
                    f"a chunk of {self._batch.source} names {strange['key'][0]!r}, no sensor that it stated"
                )
            good = pl.col("ts").is_between(EARLIEST, self._latest, closed="left").fill_null(value=False)
            if not known.select(good.all()).item():
                self._refuse(known.filter(good.not_()))
                known = known.filter(good)
            yield known.select("sensor_id", "ts", "value", pl.lit(GOOD, pl.UInt8).alias("quality"))

    def _refuse(self, rows: pl.DataFrame) -> None:
        reason = f"the time is missing or outside 1990-01-01 … {self._latest:%Y-%m-%d %H:%M} UTC"
        for key, ts, value in rows.select(
            "key", pl.col("ts").dt.to_string("iso").fill_null("no time"), "value"
        ).iter_rows():
            self._refused.append(Refusal(self._batch.source, None, reason, f"{key}, {ts}, {value}"))


def _settle(
    warehouse: "Warehouse",
    connection: sqlite3.Connection,
    batch: SourceBatch,
    refusals: Sequence[Refusal],
    report: WriteReport,
    *,
    at: datetime,
    actor: str,
) -> tuple[int | None, int, int]:
    """Store all but the readings; return the batch's id, and how many sensors and refusals are new."""
    sensors_before = _count_sensors(connection)
    changes_before = connection.total_changes
    if report.added + report.unchanged + report.replaced:
        # A source all of whose rows were refused leaves no asset behind, only its refusals.
        warehouse.catalog.put_assets(batch.source, batch.assets, within=connection)
    unknown = warehouse.quarantine.unknown(refusals, connection)
    if not (report.changed or unknown or connection.total_changes > changes_before):
        return None, 0, 0
    batch_id = batches.add(
        connection,
        source=batch.source,
        origin=batch.origin,
        actor=actor,
        at=at,
        snapshot_id=None if report.snapshot is None else report.snapshot.id,
        counts=(report.added, report.replaced, report.unchanged, report.duplicates),
    )
    warehouse.quarantine.add(batch_id, unknown, at=at, within=connection)
    return batch_id, _count_sensors(connection) - sensors_before, len(unknown)


def _count_sensors(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM sensors").fetchone()[0])
