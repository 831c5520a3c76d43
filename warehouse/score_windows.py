"""A window of a version's scores in as many rows as a chart can show, with every peak in it."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl
import polars.selectors as cs

from warehouse import score_rollups
from warehouse.buckets import as_rows, gather
from warehouse.damage import sound
from warehouse.instants import SECOND_US, microseconds, moment_of
from warehouse.manifest import File, Manifest
from warehouse.parquet import scan
from warehouse.schema import FINE_LEVEL_S, ROLLUP_LEVELS_S, SCORE_ROLLUPS, SCORES
from warehouse.score_rollups import COLUMNS, MEASURES
from warehouse.selecting import chosen

# So many scores are read in some 20 ms.
RAW_ROWS: Final = 200_000

_SHOWN: Final = ["ts", *(name for one in MEASURES for name in (one.low, one.high, one.mean))]


def window(
    root: Path,
    manifest: Manifest,
    sensor_id: int,
    version_id: int,
    *,
    start: datetime,
    end: datetime,
    max_points: int,
) -> pl.DataFrame:
    """Return scores in at most `max_points` rows; see `Results.window`."""
    newest = manifest.snapshot()
    state = None if newest is None else newest.id
    asked = {"start": start, "end": end, "sensor_ids": [sensor_id], "version_id": version_id}
    files = manifest.live("scores", **asked, snapshot_id=state)  # type: ignore[arg-type]
    files = sound(root, manifest, files)
    rolled = manifest.live("score_rollups", **asked, snapshot_id=state)  # type: ignore[arg-type]
    rolled = sound(root, manifest, rolled)
    low, high = microseconds(start), microseconds(end)
    spans = [(max(low, microseconds(one.start)), min(high, microseconds(one.end))) for one in files]
    expected = sum(
        one.rows * max(0, last - first) / (microseconds(one.end) - microseconds(one.start))
        for one, (first, last) in zip(files, spans, strict=True)
    )
    if expected <= max(RAW_ROWS, max_points) or not rolled:
        rows = _raw(root, files, sensor_id, low, high)
        unit = 1
        if rows.height <= max_points:
            return rows.select(_SHOWN)
    else:
        level = _level(sum(max(0, last - first) for first, last in spans), max_points)
        unit = level * SECOND_US
        first, last = -(-low // unit) * unit, high // unit * unit
        inner = _inner(root, files, rolled, level, (sensor_id, first, last)) if first < last else []
        middle = min(first, high)
        edges = [_raw(root, files, sensor_id, *edge) for edge in ((low, middle), (max(middle, last), high))]
        rows = pl.concat([*edges, *inner])
    return gather(rows, MEASURES, unit_us=unit, from_us=low, max_points=max_points).select(_SHOWN)


def _inner(
    root: Path,
    files: Sequence[File],
    rolled: Sequence[File],
    level_s: int,
    part: tuple[int, int, int],
) -> list[pl.DataFrame]:
    """Return the buckets of a level, made of scores for the files that have no such level beside them."""
    sensor_id, low, high = part
    beside = score_rollups.beside(files, rolled)
    wanted = (pl.col("level_s") == level_s) & chosen([sensor_id], moment_of(low), moment_of(high))
    columns = ["ts", *(name for one in MEASURES for name in one)]
    parts, without = [], []
    for file in files:
        held = [beside[file.id]] if file.id in beside else []
        found = scan(root, held, SCORE_ROLLUPS).filter(wanted).select(columns).collect()
        if found.is_empty():
            without.append(file)
        else:
            parts.append(found.with_columns(cs.float().cast(pl.Float64)))
    return [*parts, _raw(root, without, sensor_id, low, high)]


def _raw(root: Path, files: Sequence[File], sensor_id: int, low: int, high: int) -> pl.DataFrame:
    if low >= high:
        files = []
    near = [one for one in files if microseconds(one.start) < high and microseconds(one.end) > low]
    rows = scan(root, near, SCORES).filter(chosen([sensor_id], moment_of(low), moment_of(high)))
    return as_rows(
        rows.select("ts", *(pl.col(name).fill_nan(None) for name in COLUMNS)).sort("ts").collect(),
        COLUMNS,
        MEASURES,
    )


def _level(filled_us: int, max_points: int) -> int:
    for level in reversed(ROLLUP_LEVELS_S):
        if filled_us >= max_points * level * SECOND_US:
            return level
    return FINE_LEVEL_S
