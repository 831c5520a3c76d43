"""Many small files of a past month made one, so that a year of minutes is not a thousand files."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Final

import polars as pl

from warehouse.errors import IntegrityError, ManifestConflict
from warehouse.manifest import File, Kind, Manifest, NewFile
from warehouse.parquet import new_stem, scan, write_parquet
from warehouse.schema import READINGS, ROLLUPS

# Today and yesterday still grow; a month is worth rewriting once it has so many small files.
_GROWING: Final = timedelta(days=1)
_FILES: Final = 8
_SMALL_ROWS: Final = 1_000_000
_ROWS_AT_ONCE: Final = 4_000_000

_ORDER: Final[dict[Kind, list[str]]] = {
    "readings": ["sensor_id", "ts"],
    "rollups": ["level_s", "sensor_id", "ts"],
}


def compact(root: Path, manifest: Manifest, *, now: datetime) -> int:
    """Merge the small files of each month into one and return how many files went into others.

    What is read stays the same; the replaced files are removed by a later collection.
    """
    before = now.replace(hour=0, minute=0, second=0, microsecond=0) - _GROWING
    merged = 0
    for kind in _ORDER:
        for files in _groups(manifest.live(kind, end=before), before):
            merged += _merge(root, manifest, kind, files, at=now)
    return merged


def _groups(live: tuple[File, ...], before: datetime) -> Iterator[list[File]]:
    months: defaultdict[PurePosixPath, list[File]] = defaultdict(list)
    for file in live:
        if file.end <= before and file.rows <= _SMALL_ROWS:
            months[PurePosixPath(file.path).parent].append(file)
    for files in months.values():
        group: list[File] = []
        for file in sorted(files, key=lambda one: one.rows):
            if sum(one.rows for one in group) + file.rows <= _ROWS_AT_ONCE:
                group.append(file)
        if len(group) >= _FILES:
            yield group


def _merge(root: Path, manifest: Manifest, kind: Kind, files: list[File], *, at: datetime) -> int:
    schema = READINGS if kind == "readings" else ROLLUPS
    frame = scan(root, files, schema).collect().sort(_ORDER[kind])
    if frame.select(pl.struct(_ORDER[kind]).is_duplicated().any()).item():
        raise IntegrityError(f"{files[0].path} and other {kind} of its month hold a row twice")
    written = write_parquet(frame, (root / files[0].path).parent, new_stem())
    new = NewFile(
        kind=kind,
        path=written.path.relative_to(root).as_posix(),
        sha256=written.sha256,
        size=written.size,
        rows=written.rows,
        start=min(file.start for file in files),
        end=max(file.end for file in files),
        sensor_min=min(file.sensor_min for file in files),
        sensor_max=max(file.sensor_max for file in files),
    )
    newest = manifest.snapshot()
    try:
        manifest.commit(
            add=[new],
            end=[file.id for file in files],
            base=0 if newest is None else newest.id,
            touching=[],
            note=f"compaction of {kind}",
            at=at,
        )
    except ManifestConflict:
        # A write came between; the next compaction finds the files as they are then.
        written.path.unlink()
        return 0
    return len(files)
