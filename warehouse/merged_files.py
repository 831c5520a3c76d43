"""Files of readings and rollups on their way into the manifest, gathered to a good size."""

from pathlib import Path
from typing import Final

import polars as pl

from warehouse import rollups
from warehouse.instants import DAY_US, moment_of
from warehouse.manifest import File, Kind, NewFile
from warehouse.ordering import bounds
from warehouse.parquet import new_stem, write_parquet

# Rows of a file at most, about 25 MB: few enough files a month, little to rewrite for a correction.
FILE_ROWS: Final = 4_000_000

# A sensor's month of minutes is in one or two row groups, and a day of it is decoded in a few milliseconds.
_ROW_GROUP: Final[dict[Kind, int]] = {"readings": 65_536, "rollups": 16_384}
_FOLDER: Final[dict[Kind, str]] = {"readings": "telemetry", "rollups": "rollups"}


class MergedFiles:
    """Writes what a merge or a compaction gives, month after month and in it sensor after sensor.

    Parameters
    ----------
    root
        The home.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._waiting: dict[Kind, list[pl.DataFrame]] = {"readings": [], "rollups": []}
        self.written: list[NewFile] = []

    def put(self, kind: Kind, frame: pl.DataFrame) -> None:
        """Take rows of one month that follow those taken before; rollups may come in any order."""
        if frame.is_empty():
            return
        waiting = self._waiting[kind]
        rows = sum(one.height for one in waiting)
        if waiting and (rows + frame.height > FILE_ROWS or _month(waiting[-1]) != _month(frame)):
            self._write_waiting(kind)
        self._waiting[kind].append(frame)

    def flush(self) -> None:
        """Write what is waiting."""
        for kind in self._waiting:
            self._write_waiting(kind)

    def write(self, kind: Kind, frame: pl.DataFrame, parent: File | None = None) -> None:
        """Write one file of rows of one month, which are in the order of their kind."""
        low, high = bounds(frame["ts"].to_physical())
        sensor_min, sensor_max = bounds(frame["sensor_id"])
        folder = self._root / _FOLDER[kind] / f"{moment_of(low):%Y-%m}"
        written = write_parquet(frame, folder, new_stem(), row_group=_ROW_GROUP[kind])
        # A bucket's row stands for its whole day at most.
        end = high + 1 if kind == "readings" else (high // DAY_US + 1) * DAY_US
        self.written.append(
            NewFile(
                kind=kind,
                path=written.path.relative_to(self._root).as_posix(),
                sha256=written.sha256,
                size=written.size,
                rows=written.rows,
                start=moment_of(low),
                end=moment_of(end),
                sensor_min=sensor_min,
                sensor_max=sensor_max,
                parent_id=None if parent is None else parent.id,
            )
        )

    def _write_waiting(self, kind: Kind) -> None:
        frames, self._waiting[kind] = self._waiting[kind], []
        if not frames:
            return
        rows = pl.concat(frames)
        self.write(kind, rollups.arranged(rows) if kind == "rollups" else rows)


def _month(frame: pl.DataFrame) -> str:
    return f"{moment_of(bounds(frame['ts'].to_physical())[0]):%Y-%m}"
