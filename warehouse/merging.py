"""New readings against the stored ones: what a commit has to add, and which files it has to replace."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from warehouse import extents, rollups
from warehouse.instants import DAY_US, moment_of
from warehouse.manifest import File, Kind, Manifest, NewFile, Span
from warehouse.parquet import new_stem, open_verified, scan, write_parquet
from warehouse.schema import READINGS, ROLLUPS
from warehouse.staging import in_order

# An ingest of at most so many rows is merged with small files of its days, as a row a minute would
# otherwise leave a file a minute. It takes in files up to `_GROWTH` times what it has gathered, so that the
# live files of a day grow geometrically and each row is rewritten only a few times.
SMALL_ROWS: Final = 50_000
_GROWTH: Final = 4
# A rest of rollups up to this size goes into the file that replaces it rather than into one of its own.
_SMALL_REST: Final = 20_000

_KEY: Final = ["sensor_id", "ts"]
_CELL: Final = ["sensor_id", "day"]
_DAY: Final = (pl.col("ts").to_physical() // DAY_US).cast(pl.Int32).alias("day")


@dataclass(eq=False)
class _Window:
    """Changed readings of one window with the rollups of their days, not yet written."""

    changed: pl.DataFrame
    rolled: pl.DataFrame
    days: tuple[int, int]


@dataclass(eq=False)
class _Removal:
    """What a live file loses: its keys by window; `window` is the first that takes from it."""

    file: File
    window: int
    keys: list[pl.DataFrame] = field(default_factory=list)


class Merge:
    """One attempt to bring the stored files to a new state, computed from the snapshot `base`.

    Parameters
    ----------
    root
        The home.
    manifest
        Asked for the files of `base` only.
    base
        Id of the snapshot to start from; 0 for the empty store.
    small
        True for few rows, which are merged with small files of their days.
    """

    def __init__(self, root: Path, manifest: Manifest, base: int, *, small: bool) -> None:
        self._root = root
        self._manifest = manifest
        self.base = base
        self._small = small
        self._windows: list[_Window] = []
        self._removals: dict[int, _Removal] = {}
        self.added = self.replaced = self.unchanged = 0
        self.add: list[NewFile] = []
        self.end: list[int] = []
        self.touching: list[Span] = []
        self.extents: list[pl.DataFrame] = []

    def take(self, new: pl.DataFrame) -> None:
        """Compare one window of readings, sorted and without doubles, with what is stored."""
        first = _integer(new["ts"].to_physical().min()) // DAY_US * DAY_US
        last = (_integer(new["ts"].to_physical().max()) // DAY_US + 1) * DAY_US
        sensors = new["sensor_id"].unique()
        stored, files = self._stored(sensors, first, last)
        changed = self._changed(new, stored, files)
        self.touching.append(
            Span(
                "readings",
                moment_of(first),
                moment_of(last),
                _integer(sensors.min()),
                _integer(sensors.max()),
            )
        )
        if changed.is_empty():
            return
        cells = changed.select("sensor_id", _DAY).unique()
        whole = changed.select(READINGS.names())
        if not stored.is_empty():
            kept = (
                stored.select(*READINGS.names(), _DAY)
                .join(cells, on=_CELL, how="semi")
                .join(changed, on=_KEY, how="anti")
            )
            whole = pl.concat([kept.select(READINGS.names()), whole])
        for file in self._live("rollups", sensors, first, last):
            self._remove(file, cells)
        self.extents.append(extents.of_changes(changed))
        window = _Window(changed.select(READINGS.names()), rollups.summarise(whole), (first, last))
        self._windows.append(window)
        if not self._small:
            self._write("readings", window.changed)
            self._write("rollups", window.rolled)

    def finish(self) -> None:
        """Write what is left: files that lost rows, and for few rows the files they are merged with."""
        for removal in self._removals.values():
            if removal.file.kind == "readings":
                self._rewrite(removal)
            else:
                self._rewrite_rollups(removal)
        if self._small:
            for window in self._windows:
                self._write("readings", self._gathered(window))
                self._write("rollups", window.rolled)

    def discard(self) -> None:
        """Remove the files of an attempt that was not committed."""
        for one in self._manifest.unknown([file.path for file in self.add]):
            (self._root / one).unlink(missing_ok=True)

    def _live(self, kind: Kind, sensors: pl.Series, first: int, last: int) -> tuple[File, ...]:
        if self.base == 0:
            return ()
        return self._manifest.live(
            kind,
            start=moment_of(first),
            end=moment_of(last),
            sensor_ids=sensors.to_list(),
            snapshot_id=self.base,
        )

    def _stored(self, sensors: pl.Series, first: int, last: int) -> tuple[pl.DataFrame, dict[int, File]]:
        files = self._live("readings", sensors, first, last)
        if not files:
            return pl.DataFrame(schema={**READINGS, "file_id": pl.Int64}), {}
        ts = pl.col("ts").to_physical()
        low, high = _integer(sensors.min()), _integer(sensors.max())
        near = pl.col("sensor_id").is_between(low, high) & (ts >= first) & (ts < last)
        frames = [
            pl.scan_parquet(open_verified(self._root, file), glob=False)
            .filter(near)
            .with_columns(pl.lit(file.id, pl.Int64).alias("file_id"))
            for file in files
        ]
        stored = pl.concat(frames).collect()
        return stored, {file.id: file for file in files}

    def _changed(self, new: pl.DataFrame, stored: pl.DataFrame, files: dict[int, File]) -> pl.DataFrame:
        if stored.is_empty():
            self.added += new.height
            return new.with_columns(pl.lit(value=True).alias("new"))
        if new.equals(stored.select(READINGS.names())):
            # The common case of a source that is ingested again, without the cost of a join.
            self.unchanged += new.height
            return new.clear().with_columns(pl.lit(value=True).alias("new"))
        met = new.join(stored, on=_KEY, how="left", suffix="_stored", maintain_order="left")
        same = pl.col("value").eq_missing(pl.col("value_stored")) & (
            pl.col("quality") == pl.col("quality_stored")
        )
        known = pl.col("file_id").is_not_null()
        changed = met.filter((known & same).not_())
        replaced = changed.filter(known)
        self.unchanged += new.height - changed.height
        self.replaced += replaced.height
        self.added += changed.height - replaced.height
        for (file_id,), rows in replaced.group_by("file_id"):
            self._remove(files[_integer(file_id)], rows.select(_KEY))
        return changed.select(*READINGS.names(), known.not_().alias("new"))

    def _remove(self, file: File, keys: pl.DataFrame) -> None:
        removal = self._removals.setdefault(file.id, _Removal(file, len(self._windows)))
        removal.keys.append(keys)

    def _rewrite(self, removal: _Removal) -> None:
        file, keys = removal.file, pl.concat(removal.keys)
        self.end.append(file.id)
        if keys.height < file.rows:
            rest = scan(self._root, [file], READINGS).collect().join(keys, on=_KEY, how="anti")
            self._write("readings", rest, parent=file)

    def _rewrite_rollups(self, removal: _Removal) -> None:
        file, cells = removal.file, pl.concat(removal.keys)
        held = scan(self._root, [file], ROLLUPS).with_columns(_DAY).collect()
        rest = held.join(cells, on=_CELL, how="anti").drop("day")
        if rest.height == held.height:
            return
        self.end.append(file.id)
        if self._small and rest.height <= _SMALL_REST:
            window = self._windows[removal.window]
            window.rolled = pl.concat([window.rolled, rest]).sort("level_s", "sensor_id", "ts")
        elif not rest.is_empty():
            self._write("rollups", rest, parent=file)

    def _gathered(self, window: _Window) -> pl.DataFrame:
        first, last = window.days
        frames, rows = [window.changed], window.changed.height
        candidates = self._manifest.live(
            "readings", start=moment_of(first), end=moment_of(last), snapshot_id=self.base
        )
        for file in sorted(candidates, key=lambda one: one.rows):
            if file.rows > _GROWTH * rows:
                break
            within = moment_of(first) <= file.start and file.end <= moment_of(last)
            if within and file.id not in self.end:
                frames.append(scan(self._root, [file], READINGS).collect())
                rows += file.rows
                self.end.append(file.id)
        return window.changed if len(frames) == 1 else in_order(pl.concat(frames))[0]

    def _write(self, kind: Kind, frame: pl.DataFrame, parent: File | None = None) -> None:
        ts = frame["ts"].to_physical()
        low, high = _integer(ts.min()), _integer(ts.max())
        folder = self._root / ("telemetry" if kind == "readings" else "rollups") / f"{moment_of(low):%Y-%m}"
        written = write_parquet(frame, folder, new_stem())
        # A bucket's row stands for its whole day at most.
        end = high + 1 if kind == "readings" else (high // DAY_US + 1) * DAY_US
        self.add.append(
            NewFile(
                kind=kind,
                path=written.path.relative_to(self._root).as_posix(),
                sha256=written.sha256,
                size=written.size,
                rows=written.rows,
                start=moment_of(low),
                end=moment_of(end),
                sensor_min=_integer(frame["sensor_id"].min()),
                sensor_max=_integer(frame["sensor_id"].max()),
                parent_id=None if parent is None else parent.id,
            )
        )


def _integer(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is no integer")
    return value
