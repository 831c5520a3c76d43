"""New readings against the stored ones: what a commit has to add, and which files it has to replace."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from warehouse import extents, rollups
from warehouse.damage import sound
from warehouse.instants import DAY_US, microseconds, moment_of
from warehouse.manifest import File, Kind, Manifest, Span
from warehouse.merged_files import MergedFiles
from warehouse.ordering import bounds, by_key, in_order
from warehouse.parquet import open_verified, scan
from warehouse.schema import READINGS, ROLLUPS

# An ingest of at most so many rows is merged with small files of its days, as a row a minute would
# otherwise leave a file a minute. It takes in files up to `_GROWTH` times what it has gathered, so that the
# live files of a day grow geometrically and each row is rewritten only a few times.
SMALL_ROWS: Final = 50_000
_GROWTH: Final = 4
# A rest of rollups up to this size goes into the file that replaces it rather than into one of its own.
_SMALL_REST: Final = 20_000
# New and stored rows that are compared at once.
PIECE_ROWS: Final = 6_000_000

_KEY: Final = ["sensor_id", "ts"]
_CELL: Final = ["sensor_id", "day"]
_DAY: Final = (pl.col("ts").to_physical() // DAY_US).cast(pl.Int32).alias("day")
_NEW: Final = -1
# Where fewer of the days in range are touched than that, they alone are read.
_FEW: Final = 0.7


@dataclass(eq=False)
class _Month:
    """Changed readings of one month with the rollups of their days, of few rows, not yet written."""

    changed: list[pl.DataFrame] = field(default_factory=list)
    rolled: list[pl.DataFrame] = field(default_factory=list)


@dataclass(eq=False)
class _Removal:
    """What a live file loses: keys of readings, or sensors and days of rollups."""

    file: File
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
        self._months: dict[str, _Month] = {}
        self._removals: dict[int, _Removal] = {}
        self._files = MergedFiles(root)
        self.added = self.replaced = self.unchanged = 0
        self.add = self._files.written
        self.end: list[int] = []
        self.touching: list[Span] = []
        self.extents: list[pl.DataFrame] = []

    def take(self, new: pl.DataFrame) -> None:
        """Compare one window of readings, of one month, sorted and without doubles, with what is stored."""
        for piece in self._pieces(new):
            self._take(piece)

    def finish(self) -> None:
        """Write what is left: files that lost rows, and for few rows the files they are merged with."""
        for removal in self._removals.values():
            if removal.file.kind == "readings":
                self._rewrite(removal)
            else:
                self._rewrite_rollups(removal)
        for month in self._months.values():
            changed = in_order(pl.concat(month.changed))[0]
            self._files.put("readings", self._gathered(changed))
            self._files.put("rollups", pl.concat(month.rolled))
        self._files.flush()

    def discard(self) -> None:
        """Remove the files of an attempt that was not committed."""
        for one in self._manifest.unknown([file.path for file in self.add]):
            (self._root / one).unlink(missing_ok=True)

    def _pieces(self, new: pl.DataFrame) -> Iterator[pl.DataFrame]:
        # Few new rows may lie among many stored ones, all of which must not be in memory at once.
        first, last = _days(new)
        low, high = bounds(new["sensor_id"])
        stored = sum(
            file.rows * _share(file.sensor_min, file.sensor_max + 1, low, high + 1)
            * _share(microseconds(file.start), microseconds(file.end), first, last)
            for file in self._live("readings", new["sensor_id"], first, last)
        )  # fmt: skip
        cut = new.height
        if stored + new.height > PIECE_ROWS:
            cut = _middle(new, "sensor_id") if low < high else _middle(new.select(_DAY), "day")
        if 0 < cut < new.height:
            yield from self._pieces(new[:cut])
            yield from self._pieces(new[cut:])
        else:
            yield new

    def _take(self, new: pl.DataFrame) -> None:
        first, last = _days(new)
        sensors = new["sensor_id"].unique()
        self.touching.append(Span("readings", moment_of(first), moment_of(last), *bounds(sensors)))
        stored, files = self._stored(new, first, last)
        if stored.height == new.height and new.equals(stored.select(READINGS.names())):
            # The common case of a source that is ingested again, without the cost of a comparison.
            self.unchanged += new.height
            return
        if stored.is_empty():
            self.added += new.height
            changed = new.with_columns(pl.lit(value=True).alias("new"))
            whole = new
        else:
            changed, whole = self._compared(new, stored, files)
            if changed.is_empty():
                return
            # Days that nothing was stored of have no rollups to be replaced.
            known = whole.filter("known").select(_CELL).unique()
            if not known.is_empty():
                for file in self._live("rollups", known["sensor_id"], first, last):
                    self._removals.setdefault(file.id, _Removal(file)).keys.append(known)
        self.extents.append(extents.of_changes(changed))
        self._put(changed.select(READINGS.names()), rollups.summarise(whole.select(READINGS.names())))

    def _put(self, changed: pl.DataFrame, rolled: pl.DataFrame) -> None:
        if not self._small:
            self._files.put("readings", changed)
            self._files.put("rollups", rolled)
            return
        month = self._months.setdefault(_month(changed), _Month())
        month.changed.append(changed)
        month.rolled.append(rolled)

    def _live(self, kind: Kind, sensors: pl.Series, first: int, last: int) -> tuple[File, ...]:
        if self.base == 0:
            return ()
        files = self._manifest.live(
            kind,
            start=moment_of(first),
            end=moment_of(last),
            sensor_ids=sensors.unique().to_list(),
            snapshot_id=self.base,
        )
        # What a damaged file held is not known: readings at its times are new until it is repaired.
        return sound(self._root, self._manifest, files)

    def _stored(self, new: pl.DataFrame, first: int, last: int) -> tuple[pl.DataFrame, dict[int, File]]:
        """Return what is stored of the sensors' days that `new` touches, and the files by id."""
        files = self._live("readings", new["sensor_id"], first, last)
        if not files:
            return pl.DataFrame(schema={**READINGS, "file_id": pl.Int64}), {}
        ts = pl.col("ts").to_physical()
        low, high = bounds(new["sensor_id"])
        near = pl.col("sensor_id").is_between(low, high) & (ts >= first) & (ts < last)
        # Each sensor's day as a whole number, by which the others are passed over while files are read.
        days = (last - first) // DAY_US
        number = (pl.col("sensor_id").cast(pl.Int64) - low) * days + (ts - first) // DAY_US
        cells = new.select(number.alias("cell")).to_series().unique()
        if cells.len() < _FEW * (high - low + 1) * days:
            near &= number.is_in(cells.implode())
        frames = [
            pl.scan_parquet(open_verified(self._root, file), glob=False)
            .filter(near)
            .with_columns(pl.lit(file.id, pl.Int64).alias("file_id"))
            for file in files
        ]
        stored = pl.concat(frames).collect()
        return stored, {file.id: file for file in files}

    def _compared(
        self, new: pl.DataFrame, stored: pl.DataFrame, files: dict[int, File]
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the changed readings, and all readings of their days as they are to be.

        The former with ``new``, the latter with ``day`` and ``known``, both of which tell what was stored.
        """
        # Stored rows before new ones of the same sensor and time, as the sort keeps their order.
        both = by_key(pl.concat([stored, new.with_columns(pl.lit(_NEW, pl.Int64).alias("file_id"))]))
        is_new = pl.col("file_id") == _NEW
        met = is_new & pl.all_horizontal(pl.col(name) == pl.col(name).shift(1) for name in _KEY)
        same = pl.all_horizontal(
            pl.col(name).eq_missing(pl.col(name).shift(1)) for name in ("value", "quality")
        )
        told = both.with_columns(is_new=is_new, met=met.fill_null(value=False), same=same)
        told = told.with_columns(
            changed=pl.col("is_new") & ~(pl.col("met") & pl.col("same")),
            superseded=pl.col("met").shift(-1, fill_value=False)
            & ~pl.col("same").shift(-1, fill_value=False),
        )
        changed = told.filter("changed")
        replaced = told.filter("superseded")
        self.replaced += replaced.height
        self.added += changed.height - replaced.height
        self.unchanged += new.height - changed.height
        for (file_id,), rows in replaced.group_by("file_id"):
            removal = self._removals.setdefault(_integer(file_id), _Removal(files[_integer(file_id)]))
            removal.keys.append(rows.select(_KEY))
        whole = (
            told.filter(~pl.col("superseded") & (~pl.col("is_new") | pl.col("changed")))
            .with_columns(_DAY)
            .join(changed.select("sensor_id", _DAY).unique(), on=_CELL, how="semi")
        )
        return (
            changed.select(*READINGS.names(), pl.col("met").not_().alias("new")),
            whole.select(*READINGS.names(), "day", known=~pl.col("is_new") | pl.col("met")),
        )

    def _rewrite(self, removal: _Removal) -> None:
        file, keys = removal.file, pl.concat(removal.keys)
        self.end.append(file.id)
        if keys.height < file.rows:
            rest = scan(self._root, [file], READINGS).collect().join(keys, on=_KEY, how="anti")
            self._files.write("readings", rest, parent=file)

    def _rewrite_rollups(self, removal: _Removal) -> None:
        file, cells = removal.file, pl.concat(removal.keys)
        held = scan(self._root, [file], ROLLUPS).with_columns(_DAY).collect()
        rest = held.join(cells, on=_CELL, how="anti").drop("day")
        if rest.height == held.height:
            return
        self.end.append(file.id)
        if self._small and rest.height <= _SMALL_REST:
            self._months[f"{file.start:%Y-%m}"].rolled.append(rest)
        elif not rest.is_empty():
            self._files.write("rollups", rest, parent=file)

    def _gathered(self, changed: pl.DataFrame) -> pl.DataFrame:
        first, last = _days(changed)
        frames, rows = [changed], changed.height
        candidates = self._manifest.live(
            "readings", start=moment_of(first), end=moment_of(last), snapshot_id=self.base
        )
        for file in sorted(candidates, key=lambda one: one.rows):
            if file.rows > _GROWTH * rows:
                break
            within = moment_of(first) <= file.start and file.end <= moment_of(last)
            if within and file.id not in self.end and sound(self._root, self._manifest, [file]):
                frames.append(scan(self._root, [file], READINGS).collect())
                rows += file.rows
                self.end.append(file.id)
        return changed if len(frames) == 1 else in_order(pl.concat(frames))[0]


def _days(frame: pl.DataFrame) -> tuple[int, int]:
    """Return the whole UTC days that `frame` touches, as half-open microseconds."""
    low, high = bounds(frame["ts"].to_physical())
    return low // DAY_US * DAY_US, (high // DAY_US + 1) * DAY_US


def _month(frame: pl.DataFrame) -> str:
    return f"{moment_of(bounds(frame['ts'].to_physical())[0]):%Y-%m}"


def _share(start: int, end: int, low: int, high: int) -> float:
    """Return how much of ``[start, end)`` lies in ``[low, high)``."""
    return max(0, min(end, high) - max(start, low)) / max(1, end - start)


def _middle(ordered: pl.DataFrame, name: str) -> int:
    """Return the row nearest the middle at which a column of runs changes; 0 where it never does."""
    column = ordered[name]
    at = column[column.len() // 2]
    first, after = column.search_sorted(at, side="left"), column.search_sorted(at, side="right")
    return int(first) if first > 0 else int(after)


def _integer(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is no integer")
    return value
