"""Readings: written once, durably and without doubles; read through the manifest."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from warehouse import extents, windows
from warehouse.layout import Layout
from warehouse.manifest import Manifest, Snapshot
from warehouse.merging import SMALL_ROWS, Merge
from warehouse.parquet import scan
from warehouse.schema import READINGS, ROLLUP_LEVELS_S, ROLLUPS
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


class Telemetry:
    """The readings of one home; safe to use from any thread and process.

    Parameters
    ----------
    root
        The home.
    manifest
        Names the files.
    """

    def __init__(self, root: Path, manifest: Manifest) -> None:
        self._root = root
        self._layout = Layout(root)
        self._manifest = manifest

    def write(self, readings: pl.DataFrame, *, note: str, at: datetime) -> WriteReport:
        """Store readings of the READINGS schema with their rollups, in one commit.

        Raises
        ------
        SchemaError
            A column is missing or a time is outside 1990 … tomorrow.
        ManifestConflict
            Other writes came between every time; nothing was stored.
        """
        return self.write_batches([readings], note=note, at=at)

    def write_batches(
        self,
        batches: Iterable[pl.DataFrame],
        *,
        note: str,
        at: datetime,
        within: Within | None = None,
    ) -> WriteReport:
        """Store many frames in one commit, with no more than a few million rows in memory.

        Of rows with the same sensor and time the last one wins, within `batches` and against what is stored.

        Parameters
        ----------
        within
            Does more in the same transaction, given its connection and the report; also called when
            every reading was stored already.

        Raises
        ------
        SchemaError
            A column is missing or a time is outside 1990 … tomorrow.
        ManifestConflict
            Other writes came between every time; nothing was stored.
        """
        with Staging(self._layout.staging, at) as staging:
            for batch in batches:
                staging.add(batch)
            return in_turn(self._layout.turn_lock, lambda: self._attempt(staging, note, at, within))

    def _attempt(self, staging: Staging, note: str, at: datetime, within: Within | None) -> WriteReport:
        before = self._manifest.snapshot()
        merge = Merge(
            self._root,
            self._manifest,
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
                    with self._manifest.database.transaction() as connection:
                        within(connection, report(before))
                return report(before)

            def also(connection: sqlite3.Connection, snapshot: Snapshot) -> None:
                for changes in merge.extents:
                    extents.put(connection, changes)
                if within is not None:
                    within(connection, report(snapshot))

            return report(
                self._manifest.commit(
                    add=merge.add,
                    end=merge.end,
                    base=merge.base,
                    touching=merge.touching,
                    note=note,
                    at=at,
                    within=also,
                )
            )
        except BaseException:
            merge.discard()
            raise

    def read(
        self,
        sensor_ids: Sequence[int],
        start: datetime | None = None,
        end: datetime | None = None,
        *,
        snapshot_id: int | None = None,
    ) -> pl.DataFrame:
        """Return the readings of sensors in ``[start, end)``, sorted by sensor and time.

        Raises
        ------
        IntegrityError
            A file is missing or is not what was written.
        """
        files = self._manifest.live(
            "readings", start=start, end=end, sensor_ids=sensor_ids, snapshot_id=snapshot_id
        )
        chosen = scan(self._root, files, READINGS).filter(_chosen(sensor_ids, start, end))
        return chosen.sort("sensor_id", "ts").collect()

    def rollup(
        self,
        sensor_ids: Sequence[int],
        start: datetime | None,
        end: datetime | None,
        level_s: int,
        *,
        snapshot_id: int | None = None,
    ) -> pl.DataFrame:
        """Return the buckets of `level_s` seconds that start in ``[start, end)``, sorted by sensor and time.

        Parameters
        ----------
        level_s
            One of `ROLLUP_LEVELS_S`.

        Raises
        ------
        ValueError
            There is no such level.
        IntegrityError
            A file is missing or is not what was written.
        """
        if level_s not in ROLLUP_LEVELS_S:
            raise ValueError(f"no rollups of {level_s} s are kept; levels are {ROLLUP_LEVELS_S}")
        files = self._manifest.live(
            "rollups", start=start, end=end, sensor_ids=sensor_ids, snapshot_id=snapshot_id
        )
        chosen = scan(self._root, files, ROLLUPS).filter(
            (pl.col("level_s") == level_s) & _chosen(sensor_ids, start, end)
        )
        return chosen.sort("sensor_id", "ts").collect()

    def window(
        self,
        sensor_id: int,
        start: datetime,
        end: datetime,
        max_points: int,
        *,
        snapshot_id: int | None = None,
    ) -> pl.DataFrame:
        """Return ts, min, max and mean of one sensor in ``[start, end)`` in about `max_points` rows or fewer.

        Short windows are raw readings, with min, max and mean the value; long ones the finest rollup that
        fits. The smallest and largest reading of the window are always among min and max.

        Raises
        ------
        IntegrityError
            A file is missing or is not what was written.
        """
        if snapshot_id is None:
            # Its rollups and its raw edges are to be of one state.
            newest = self._manifest.snapshot()
            snapshot_id = None if newest is None else newest.id
        return windows.window(self, sensor_id, start, end, max_points=max_points, snapshot_id=snapshot_id)

    def spans(self, sensor_ids: Sequence[int] | None = None) -> pl.DataFrame:
        """Return sensor_id, first_ts, last_ts and rows of the sensors that have readings."""
        return extents.spans(self._manifest.database, sensor_ids)

    def last(self, sensor_ids: Sequence[int] | None = None) -> pl.DataFrame:
        """Return sensor_id, ts and value of the newest reading of each sensor."""
        return extents.last(self._manifest.database, sensor_ids)


def _chosen(sensor_ids: Sequence[int], start: datetime | None, end: datetime | None) -> pl.Expr:
    sensor, ts = pl.col("sensor_id"), pl.col("ts")
    ids = sorted({int(one) for one in sensor_ids})
    if not ids:
        return pl.lit(value=False)
    # The range lets whole row groups be skipped by their statistics.
    chosen = sensor.is_between(ids[0], ids[-1])
    if ids[-1] - ids[0] + 1 != len(ids):
        chosen &= sensor.is_in(ids)
    if start is not None:
        chosen &= ts >= start
    if end is not None:
        chosen &= ts < end
    return chosen
