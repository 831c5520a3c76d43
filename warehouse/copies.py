"""Where the rows of a damaged file can be had again: a copy of it, or the files that were merged into it."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Final

import polars as pl

from warehouse.durable import make_folder, settle
from warehouse.errors import HomeError
from warehouse.files import FILES, File, file_of
from warehouse.instants import moment_of
from warehouse.manifest import Manifest
from warehouse.parquet import find_fault, new_stem, scan, write_parquet
from warehouse.room import unwritable
from warehouse.schema import READINGS

BACKUP_SUFFIX: Final = ".bak"

_KEY: Final = ["sensor_id", "ts"]
_COMPACTION: Final = "compaction"


class Copies:
    """Looks for copies of stored files, by their hashes.

    Parameters
    ----------
    root
        The home; ``<file>.bak`` beside a file is looked at.
    backup
        A folder below which files of a home lie at any depth; None for none.

    Raises
    ------
    HomeError
        `backup` is no folder.
    """

    def __init__(self, root: Path, backup: Path | None) -> None:
        self._root = root
        self._backup = backup
        self._by_name: dict[str, list[Path]] | None = None
        if backup is not None and not backup.is_dir():
            raise HomeError(f"{backup} is no folder; name the folder of a backup")

    def of(self, file: File) -> Path | None:
        """Return a file that is, byte for byte, what was written as `file`; None if there is none."""
        beside = self._root / f"{file.path}{BACKUP_SUFFIX}"
        for path in (self._root / file.path, beside, *self._in_backup(PurePosixPath(file.path))):
            if find_fault(path.parent, _Named(path.name, file.sha256)) is None:
                return path
        return None

    def _in_backup(self, wanted: PurePosixPath) -> Iterable[Path]:
        if self._backup is None:
            return ()
        if self._by_name is None:
            self._by_name = {}
            for folder, _, names in os.walk(self._backup):
                for name in names:
                    if name.endswith(".parquet"):
                        self._by_name.setdefault(name, []).append(Path(folder, name))
        parts = wanted.parts
        return [one for one in self._by_name.get(wanted.name, []) if one.parts[-len(parts) :] == parts]


class _Named:
    def __init__(self, path: str, sha256: str) -> None:
        self.path = path
        self.sha256 = sha256


def put_back(root: Path, file: File, copy: Path) -> None:
    """Put the bytes of `copy` in the place of a damaged file, whole or not at all.

    Raises
    ------
    HomeError
        It can't be written, or the copy changed meanwhile.
    """
    target = root / file.path
    if copy == target:
        return
    part = target.with_name(f".{new_stem()}.partial")
    try:
        make_folder(target.parent)
        shutil.copyfile(copy, part)
        fault = find_fault(part.parent, _Named(part.name, file.sha256))
        if fault is not None:
            raise HomeError(f"{copy} {fault}; nothing was changed")
        settle(part, target)
    except OSError as error:
        raise unwritable(target, error) from error
    finally:
        part.unlink(missing_ok=True)


def from_merged(root: Path, manifest: Manifest, file: File) -> pl.DataFrame | None:
    """Return the readings of a damaged file from what was merged into it, None unless that is certain.

    They are certain when, written again, they have the hash of the file, or when a compaction wrote it and
    they fit its count and its bounds: a compaction changes no row.
    """
    with manifest.database.reading() as connection:
        sources, beside = (
            [file_of(row) for row in connection.execute(f"{FILES} WHERE {where}", (file.added_in, file.id))]
            for where in (
                "kind = 'readings' AND ended_in = ? AND id <> ?",
                "kind = 'readings' AND added_in = ? AND id <> ?",
            )
        )
        row = connection.execute("SELECT note FROM snapshots WHERE id = ?", (file.added_in,)).fetchone()
    sources = [one for one in sources if _meet(one, file)]
    beside = [one for one in beside if _meet(one, file)]
    if not sources or any(find_fault(root, one) is not None for one in (*sources, *beside)):
        return None
    within = pl.col("sensor_id").is_between(file.sensor_min, file.sensor_max) & pl.col("ts").is_between(
        file.start, file.end, closed="left"
    )
    rows = scan(root, sources, READINGS).filter(within)
    if beside:
        rows = rows.join(scan(root, beside, READINGS).select(_KEY), on=_KEY, how="anti")
    found = rows.sort(_KEY).collect()
    if found.height != file.rows:
        return None
    compacted = row is not None and str(row[0]).startswith(_COMPACTION)
    return found if (compacted and _fits(found, file)) or _same_bytes(root, found, file) else None


def _meet(one: File, other: File) -> bool:
    return (
        one.start < other.end
        and other.start < one.end
        and one.sensor_min <= other.sensor_max
        and other.sensor_min <= one.sensor_max
    )


def _fits(rows: pl.DataFrame, file: File) -> bool:
    ts, sensor = rows["ts"].to_physical(), rows["sensor_id"]
    first, last = ts.min(), ts.max()
    bounds = (sensor.min(), sensor.max())
    return (
        isinstance(first, int)
        and isinstance(last, int)
        and (moment_of(first), moment_of(last + 1)) == (file.start, file.end)
        and bounds == (file.sensor_min, file.sensor_max)
        and not rows.select(pl.struct(_KEY).is_duplicated().any()).item()
    )


def _same_bytes(root: Path, rows: pl.DataFrame, file: File) -> bool:
    written = write_parquet(rows, (root / file.path).parent, new_stem())
    written.path.unlink()
    return written.sha256 == file.sha256
