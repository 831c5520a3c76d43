"""What the state's owner publishes for processes that can't open state.duckdb: the labels in force."""

import hashlib
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Final

import polars as pl

from warehouse import damage, schema
from warehouse.home import Warehouse
from warehouse.manifest import File, NewFile, Snapshot, Span
from warehouse.parquet import new_stem, write_parquet

NO_LABELS: Final = hashlib.sha256(b"").hexdigest()

_EVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
_EVERYTHING: Final = Span("labels", datetime(1, 1, 1, tzinfo=UTC), _EVER, 0, 2**31 - 1)


@dataclass(frozen=True, eq=False)
class PublishedLabels:
    """The labels in force as the owner last published them.

    Parameters
    ----------
    frame
        With the columns of `schema.LABELS`, oldest first.
    digest
        SHA-256 of the file, recorded by what was made from it; `NO_LABELS` before anything was published.
    sequence
        Number of the newest write that is part of it; 0 before anything was published.
    """

    frame: pl.DataFrame
    digest: str
    sequence: int


def read_labels(warehouse: Warehouse) -> PublishedLabels:
    """Return the labels in force, from any process.

    Raises
    ------
    IntegrityError
        The published file is not the one that was written.
    """
    # Damaged ones too: to go on without what people said would be silent and wrong.
    live = warehouse.manifest.live("labels", damaged=True)
    if not live:
        return PublishedLabels(schema.LABELS.to_frame(), NO_LABELS, 0)
    newest = max(live, key=lambda file: file.id)
    damage.insist(warehouse.root, warehouse.manifest, [newest])
    frame = pl.read_parquet(warehouse.root / newest.path)
    return PublishedLabels(
        schema.conform(frame, schema.LABELS, newest.path), newest.sha256, _sequence(newest)
    )


def publish(warehouse: Warehouse, labels: pl.DataFrame, sequence: int, *, at: datetime) -> bool:
    """Publish `labels` as number `sequence`; return False if just these are published already, and sound.

    An earlier release may have held other labels of the same number to be in force.

    Only the owner of the state calls this.
    """
    base = warehouse.manifest.snapshot()
    live = warehouse.manifest.live("labels", damaged=True)
    good = damage.sound(warehouse.root, warehouse.manifest, warehouse.manifest.live("labels"), at=at)
    labels = schema.conform(labels, schema.LABELS, "labels")
    same = len(live) == 1 and good == live and _sequence(live[0]) == sequence
    if same and pl.read_parquet(warehouse.root / live[0].path).equals(labels):
        return False
    stem = f"labels-{sequence:010d}-{new_stem()}"
    written = write_parquet(labels, warehouse.layout.published, stem)
    name = written.path.relative_to(warehouse.root).as_posix()
    start, end, low, high = labels.select(
        first=pl.col("start").min(),
        last=pl.col("end").max(),
        low=pl.col("sensor_id").min(),
        high=pl.col("sensor_id").max(),
    ).row(0)

    def also(connection: sqlite3.Connection, _: Snapshot) -> None:
        for file in live:
            if file not in good:
                damage.settle(
                    connection,
                    file,
                    "published again from what the state holds",
                    healed=False,
                    actor="the owner of the state",
                    at=at,
                )

    try:
        warehouse.manifest.commit(
            add=[
                NewFile(
                    kind="labels",
                    path=name,
                    sha256=written.sha256,
                    size=written.size,
                    rows=written.rows,
                    start=start or schema.EARLIEST,
                    end=end or schema.EARLIEST,
                    sensor_min=low or 0,
                    sensor_max=high or 0,
                )
            ],
            end=[file.id for file in live],
            base=0 if base is None else base.id,
            touching=[_EVERYTHING],
            note=f"labels up to write {sequence}",
            at=at,
            within=also,
            repairing=True,
        )
    except BaseException:
        # The owner tries again and again: a file each time would fill the disk.
        if warehouse.manifest.unknown([name]):
            written.path.unlink()
        raise
    return True


def is_damaged(warehouse: Warehouse) -> bool:
    """Tell whether the published labels were found damaged and wait to be published again."""
    return any(one.file.kind == "labels" for one in warehouse.damage())


def _sequence(file: File) -> int:
    return int(PurePosixPath(file.path).stem.split("-")[1])
