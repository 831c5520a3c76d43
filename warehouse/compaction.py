"""Days become months: many small files made few, ordered ones that do not overlap.

What is read stays the same; the replaced files are removed by a later collection. A commit that meets
another write's is given up: the next compaction finds the files as they are then.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Final, Literal

import polars as pl

from warehouse import score_rollups
from warehouse.damage import conflict_of, sound
from warehouse.errors import IntegrityError, ManifestConflict
from warehouse.manifest import File, Manifest, NewFile
from warehouse.merged_files import FILE_ROWS, MergedFiles
from warehouse.ordering import by_key
from warehouse.parquet import scan
from warehouse.ranges import sensor_ranges
from warehouse.rollups import arranged
from warehouse.schema import READINGS, ROLLUPS, SCORES
from warehouse.selecting import chosen

# Today and yesterday still grow; a month is worth rewriting once it has so many files more than it needs, or
# once so large a part of it lies in them.
_GROWING: Final = timedelta(days=1)
_FILES: Final = 8
_SMALL_ROWS: Final = 1_000_000
_SMALL_SCORES: Final = 250_000
_WORTH: Final = 0.05

Rows = Literal["readings", "rollups"]

_SCHEMA: Final[dict[Rows, pl.Schema]] = {"readings": READINGS, "rollups": ROLLUPS}


def compact(root: Path, manifest: Manifest, *, now: datetime) -> int:
    """Merge the small files of each month and return how many files went into others.

    Files of a month that ended are brought to such of a few million rows each, by sensor, as soon as they
    overlap much; those of a running month as soon as they are many.

    Raises
    ------
    IntegrityError
        Files hold a row twice.
    """
    before = now.replace(hour=0, minute=0, second=0, microsecond=0) - _GROWING
    merged = 0
    kinds: tuple[Rows, ...] = ("readings", "rollups")
    for kind in kinds:
        for files in _groups(manifest.live(kind, end=before), before):
            if _all_sound(root, manifest, files, at=now):
                merged += _merge(root, manifest, kind, files, at=now)
    for scores in _scored(manifest.live("scores")):
        if _all_sound(root, manifest, scores, at=now):
            merged += _merge_scores(root, manifest, scores, at=now)
    return merged


def _all_sound(root: Path, manifest: Manifest, files: Sequence[File], *, at: datetime) -> bool:
    # A damaged file is set aside by this; the next compaction merges the others.
    try:
        return len(sound(root, manifest, files, at=at)) == len(files)
    except IntegrityError:
        return False


def _groups(live: Sequence[File], before: datetime) -> Iterator[list[File]]:
    months: defaultdict[PurePosixPath, list[File]] = defaultdict(list)
    for file in live:
        if file.end <= before:
            months[PurePosixPath(file.path).parent].append(file)
    for files in months.values():
        if _month_after(files[0].start) <= before:
            yield from (group for group in _neighbours(files) if _worth(group))
            continue
        small: list[File] = []
        for file in sorted(files, key=lambda one: one.rows):
            if file.rows <= _SMALL_ROWS and sum(one.rows for one in small) + file.rows <= FILE_ROWS:
                small.append(file)
        if len(small) >= _FILES:
            yield small


def _neighbours(files: Sequence[File]) -> Iterator[list[File]]:
    """Yield files of a month whose sensors overlap, and those beside them that fit into one file."""
    group: list[File] = []
    for file in sorted(files, key=lambda one: (one.sensor_min, one.start)):
        settled = _is_settled(file, files)
        rows = sum(one.rows for one in group) + file.rows
        apart = bool(group) and file.sensor_min > max(one.sensor_max for one in group)
        if group and (settled or (apart and rows > FILE_ROWS)):
            yield group
            group = []
        if not settled:
            group.append(file)
    if group:
        yield group


def _is_settled(file: File, files: Sequence[File]) -> bool:
    """Tell whether it is a piece, cut by days, of a sensor that does not fit into one file."""
    if file.sensor_min != file.sensor_max:
        return False
    pieces = [one.rows for one in files if one.sensor_min == one.sensor_max == file.sensor_min]
    needed = -(-sum(pieces) // FILE_ROWS)
    return needed > 1 and len(pieces) <= 2 * needed and not any(_overlap(file, one) for one in files)


def _worth(group: Sequence[File]) -> bool:
    rows = sorted((one.rows for one in group), reverse=True)
    further = rows[-(-sum(rows) // FILE_ROWS) :]
    loose = [
        one.rows
        for one in group
        if any(_share_sensors(one, other) and one.rows <= other.rows for other in group)
    ]
    return len(further) >= _FILES or max(sum(further), sum(loose)) > _WORTH * sum(rows)


def _share_sensors(one: File, other: File) -> bool:
    return one.id != other.id and one.sensor_min <= other.sensor_max and one.sensor_max >= other.sensor_min


def _overlap(one: File, other: File) -> bool:
    return _share_sensors(one, other) and one.start < other.end and one.end > other.start


def _merge(root: Path, manifest: Manifest, kind: Rows, files: list[File], *, at: datetime) -> int:
    newest = manifest.snapshot()
    made = MergedFiles(root)
    try:
        for low, high, start, end in sensor_ranges(root, files, _SCHEMA[kind], FILE_ROWS):
            wanted = chosen(range(low, high), start, end)
            near = [one for one in files if one.sensor_min < high and one.sensor_max >= low]
            rows = scan(root, near, _SCHEMA[kind]).filter(wanted).collect()
            if rows.is_empty():
                continue
            ordered = by_key(rows) if kind == "readings" else arranged(rows)
            _require_single(ordered, kind, files[0])
            made.write(kind, ordered)
        _require_all(made.written, files)
        manifest.commit(
            add=made.written,
            end=[file.id for file in files],
            base=0 if newest is None else newest.id,
            touching=[],
            note=f"compaction of {kind}",
            at=at,
        )
    except BaseException as error:
        _remove(root, manifest, made.written)
        if _goes_on(manifest, error):
            return 0
        raise
    return len(files)


def _scored(live: Sequence[File]) -> Iterator[list[File]]:
    pairs: defaultdict[tuple[int, int | None], list[File]] = defaultdict(list)
    for file in sorted(live, key=lambda one: one.rows):
        group = pairs[file.sensor_min, file.version_id]
        if file.rows <= _SMALL_SCORES and sum(one.rows for one in group) + file.rows <= FILE_ROWS:
            group.append(file)
    yield from (group for group in pairs.values() if len(group) >= _FILES)


def _merge_scores(root: Path, manifest: Manifest, files: list[File], *, at: datetime) -> int:
    newest = manifest.snapshot()
    version_id = files[0].version_id
    if version_id is None:
        return 0
    made: list[NewFile] = []
    try:
        rows = scan(root, files, SCORES).sort("sensor_id", "ts").collect()
        _require_single(rows, "scores", files[0])
        made = score_rollups.write(root, version_id, rows)
        rolled = manifest.live("score_rollups", sensor_ids=[files[0].sensor_min], version_id=version_id)
        ended = [file.id for file in files]
        ended += [one.id for one in score_rollups.beside(files, rolled).values()]
        base = 0 if newest is None else newest.id
        manifest.commit(add=made, end=ended, base=base, touching=[], note="compaction of scores", at=at)
    except BaseException as error:
        _remove(root, manifest, made)
        if _goes_on(manifest, error):
            return 0
        raise
    return len(files)


def _goes_on(manifest: Manifest, error: BaseException) -> bool:
    """Tell whether what ended a merge is another write, or damage that the next compaction leaves out."""
    if isinstance(error, IntegrityError):
        return isinstance(conflict_of(manifest, error), ManifestConflict)
    return isinstance(error, ManifestConflict)


def _require_single(rows: pl.DataFrame, kind: str, file: File) -> None:
    # Rows with the same key are neighbours in the order of every kind.
    key = ["level_s", "sensor_id", "ts"] if kind == "rollups" else ["sensor_id", "ts"]
    if rows.select(pl.all_horizontal(pl.col(name) == pl.col(name).shift(1) for name in key).any()).item():
        raise IntegrityError(f"{file.path} and other {kind} of its month hold a row twice")


def _require_all(made: Sequence[NewFile], files: Sequence[File]) -> None:
    found, expected = (sum(one.rows for one in several) for several in (made, files))
    if found != expected:
        raise IntegrityError(
            f"{files[0].path} and other files of its month hold {found} rows, {expected} were written;"
            " run `telltale doctor --verify`"
        )


def _remove(root: Path, manifest: Manifest, files: Sequence[NewFile]) -> None:
    for path in manifest.unknown([one.path for one in files]):
        (root / path).unlink(missing_ok=True)


def _month_after(moment: datetime) -> datetime:
    first = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1)
