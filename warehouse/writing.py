"""Readings written in one commit: compared with what is stored, with rollups and extents in step."""

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from warehouse import extents
from warehouse.damage import conflict_of
from warehouse.errors import IntegrityError
from warehouse.layout import Layout
from warehouse.manifest import Manifest, Snapshot
from warehouse.merging import SMALL_ROWS, Merge
from warehouse.staging import Staging
from warehouse.turns import in_turn


@dataclass(frozen=True)
class WriteReport:
    """What a write of readings did.

    Parameters
    ----------
    added
        Readings of a sensor and time that was not stored.
    unchanged
        Readings that are stored already with the same value.
    replaced
        Readings whose stored value differed; the stored one stays in pinned snapshots only.
    duplicates
        Rows left out because a later row of the same write has their sensor and time.
    snapshot
        The state that the write left; None only while nothing was ever stored.
    """

    added: int
    unchanged: int
    replaced: int
    duplicates: int
    snapshot: Snapshot | None

    @property
    def changed(self) -> bool:
        """True unless everything was stored already."""
        return bool(self.added or self.replaced)


Within = Callable[[sqlite3.Connection, WriteReport], None]


def write_batches(
    root: Path,
    manifest: Manifest,
    batches: Iterable[pl.DataFrame],
    *,
    note: str,
    at: datetime,
    within: Within | None = None,
) -> WriteReport:
    """Store many frames in one commit; see `Telemetry.write_batches`."""
    layout = Layout(root)
    with Staging(layout.staging, at) as staging:
        for batch in batches:
            staging.add(batch)
        staging.settle()
        return in_turn(
            layout.turn_lock, lambda: _attempt(root, manifest, staging, note=note, at=at, within=within)
        )


def _attempt(
    root: Path, manifest: Manifest, staging: Staging, *, note: str, at: datetime, within: Within | None
) -> WriteReport:
    before = manifest.snapshot()
    merge = Merge(
        root,
        manifest,
        0 if before is None else before.id,
        small=staging.rows <= SMALL_ROWS,
    )
    try:
        for window in staging.windows():
            merge.take(window)
        merge.finish()
        counted = merge.added + merge.unchanged + merge.replaced
        duplicates = staging.duplicates + staging.rows - counted

        def report(snapshot: Snapshot | None) -> WriteReport:
            return WriteReport(merge.added, merge.unchanged, merge.replaced, duplicates, snapshot)

        if not merge.add:
            if within is not None:
                with manifest.database.transaction() as connection:
                    within(connection, report(before))
            return report(before)

        def also(connection: sqlite3.Connection, snapshot: Snapshot) -> None:
            for changes in merge.extents:
                extents.put(connection, changes)
            if within is not None:
                within(connection, report(snapshot))

        return report(
            manifest.commit(
                add=merge.add,
                end=merge.end,
                base=merge.base,
                touching=merge.touching,
                note=note,
                at=at,
                within=also,
            )
        )
    except IntegrityError as error:
        merge.discard()
        # A file was found damaged in the midst of it: begin again without it.
        raise conflict_of(manifest, error) from error
    except BaseException:
        merge.discard()
        raise
