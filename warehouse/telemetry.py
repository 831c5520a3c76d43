"""Readings: written once, durably and without doubles; read through the manifest."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from warehouse import damage, extents, statistics, writing
from warehouse.manifest import File, Kind, Manifest
from warehouse.parquet import scan
from warehouse.schema import FINE_LEVEL_S, READINGS, ROLLUP_LEVELS_S, ROLLUPS
from warehouse.selecting import chosen
from warehouse.windows import NOTHING, Extent, Window
from warehouse.writing import Within, WriteReport

__all__ = ["Telemetry", "Within", "WriteReport"]


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
        self.root = root
        self.manifest = manifest

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
        return writing.write_batches(self.root, self.manifest, batches, note=note, at=at, within=within)

    def read(
        self,
        sensor_ids: Sequence[int],
        start: datetime | None = None,
        end: datetime | None = None,
        *,
        snapshot_id: int | None = None,
        whole: bool | None = None,
    ) -> pl.DataFrame:
        """Return the readings of sensors in ``[start, end)``, sorted by sensor and time.

        Parameters
        ----------
        whole
            True to raise where a file is damaged, False to go on without it; None to raise only where a
            snapshot was asked for.

        Raises
        ------
        IntegrityError
            A file is missing or is not what was written.
        """
        files = self._files("readings", sensor_ids, start, end, snapshot_id, whole=whole)
        rows = scan(self.root, files, READINGS).filter(chosen(sensor_ids, start, end))
        return rows.sort("sensor_id", "ts").collect()

    def rollup(
        self,
        sensor_ids: Sequence[int],
        start: datetime | None,
        end: datetime | None,
        level_s: int,
        *,
        snapshot_id: int | None = None,
        whole: bool | None = None,
    ) -> pl.DataFrame:
        """Return the buckets of `level_s` seconds that start in ``[start, end)``, sorted by sensor and time.

        Parameters
        ----------
        level_s
            One of `ROLLUP_LEVELS_S`, which every day has, or `FINE_LEVEL_S`, which only days with more than
            `FINE_FROM` good readings of the sensor have, none of those that 0.1.0 wrote.
        whole
            As for `read`.

        Raises
        ------
        ValueError
            There is no such level.
        IntegrityError
            A file is missing or is not what was written.
        """
        levels = (FINE_LEVEL_S, *ROLLUP_LEVELS_S)
        if level_s not in levels:
            raise ValueError(f"no rollups of {level_s} s are kept; levels are {levels}")
        files = self._files("rollups", sensor_ids, start, end, snapshot_id, whole=whole)
        rows = scan(self.root, files, ROLLUPS).filter(
            (pl.col("level_s") == level_s) & chosen(sensor_ids, start, end)
        )
        return rows.sort("sensor_id", "ts").collect()

    def window(
        self,
        sensor_id: int,
        start: datetime,
        end: datetime,
        max_points: int,
        *,
        snapshot_id: int | None = None,
    ) -> pl.DataFrame:
        """Return ts, min, max and mean of a sensor in ``[start, end)`` in at most so many rows, by time.

        Where that is few enough they are the raw readings, with min, max and mean the value; else buckets
        of the finest width that a person can name, aligned to 1970. The smallest and largest reading of the
        window are always among min and max, and nothing from outside it is.

        Raises
        ------
        IntegrityError
            A file is missing or is not what was written.
        """
        extent = None
        readings: Telemetry | _GoingOn = self
        if snapshot_id is None:
            readings = _GoingOn(self)
            # Its rollups and its raw edges are to be of one state; what is known of the extent is newer.
            newest = self.manifest.snapshot()
            found = extents.of_sensor(self.manifest.database, sensor_id)
            snapshot_id = None if newest is None else newest.id
            extent = NOTHING if newest is None or found is None else Extent(*found)
        return Window(
            readings, sensor_id, start, end, max_points=max_points, snapshot_id=snapshot_id, extent=extent
        ).answer()

    def statistics(self, ends: Mapping[int, datetime], span: timedelta) -> pl.DataFrame:
        """Return sensor_id, mean, min, max and count of each sensor's last `span` before and at its end.

        Parameters
        ----------
        ends
            By sensor id. Statistics are of the quarter hours that start in ``[end - span, end]``.

        Returns
        -------
        pl.DataFrame
            One row a sensor that has any reading then, by id; mean, min and max are NULL if none is good.

        Raises
        ------
        IntegrityError
            A file is missing or is not what was written.
        """
        return statistics.at_ends(self, ends, span)

    def daily(self, sensor_ids: Sequence[int] | None = None) -> pl.DataFrame:
        """Return sensor_id, ts (start of the UTC day) and count of good readings, by sensor and day.

        A day that has readings but no good one has a row with count 0, a day without any has none.

        Raises
        ------
        IntegrityError
            A file is missing or is not what was written.
        """
        if sensor_ids is None:
            sensor_ids = self.spans()["sensor_id"].to_list()
        return self.rollup(sensor_ids, None, None, ROLLUP_LEVELS_S[-1]).select("sensor_id", "ts", "count")

    def spans(self, sensor_ids: Sequence[int] | None = None) -> pl.DataFrame:
        """Return sensor_id, first_ts, last_ts and rows of the sensors that have readings."""
        return extents.spans(self.manifest.database, sensor_ids)

    def last(self, sensor_ids: Sequence[int] | None = None) -> pl.DataFrame:
        """Return sensor_id, ts and value of the newest reading of each sensor."""
        return extents.last(self.manifest.database, sensor_ids)

    def _files(
        self,
        kind: Kind,
        sensor_ids: Sequence[int],
        start: datetime | None,
        end: datetime | None,
        snapshot_id: int | None,
        *,
        whole: bool | None,
    ) -> tuple[File, ...]:
        if whole is None:
            whole = snapshot_id is not None
        files = self.manifest.live(
            kind, start=start, end=end, sensor_ids=sensor_ids, snapshot_id=snapshot_id, damaged=whole
        )
        if whole:
            damage.insist(self.root, self.manifest, files)
            return files
        return damage.sound(self.root, self.manifest, files)


class _GoingOn:
    """Reads a snapshot that nobody asked for by its number: without what is damaged."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    def read(
        self, sensor_ids: Sequence[int], start: datetime, end: datetime, *, snapshot_id: int | None = None
    ) -> pl.DataFrame:
        """Return raw readings."""
        return self._telemetry.read(sensor_ids, start, end, snapshot_id=snapshot_id, whole=False)

    def rollup(
        self,
        sensor_ids: Sequence[int],
        start: datetime,
        end: datetime,
        level_s: int,
        *,
        snapshot_id: int | None = None,
    ) -> pl.DataFrame:
        """Return the buckets of a level."""
        return self._telemetry.rollup(sensor_ids, start, end, level_s, snapshot_id=snapshot_id, whole=False)
