"""Min, max, mean and count of scores in buckets, one file beside each large file of scores.

Live files never hold a score twice, so buckets of several files add up. Where a file of scores has none
beside it, being small or written by 0.1.0, its scores are read themselves.
"""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Final

import polars as pl

from warehouse.buckets import Measure
from warehouse.instants import DAY_US, moment_of
from warehouse.manifest import File, NewFile
from warehouse.ordering import bounds
from warehouse.parquet import new_stem, write_parquet
from warehouse.rollups import bucket
from warehouse.schema import FINE_LEVEL_S, ROLLUP_LEVELS_S, SCORE_ROLLUPS

# Fewer scores are read faster than they are looked up.
FROM_ROWS: Final = 20_000
_PAYS: Final = 4  # scores a bucket, on average

COLUMNS: Final = ("score", "expected", "threshold")
MEASURES: Final = tuple(Measure(f"{one}_min", f"{one}_max", one, f"{one}_count") for one in COLUMNS)


def summarise(scores: pl.DataFrame) -> pl.DataFrame:
    """Return the rollups of scores of one sensor and version.

    Parameters
    ----------
    scores
        Rows of the SCORES schema, by time.

    Returns
    -------
    pl.DataFrame
        Of the SCORE_ROLLUPS schema, sorted by level and time, at every level of the readings' rollups;
        `FINE_LEVEL_S` only where it has more than 4 scores a bucket. NaN counts as no value.
    """
    fine = scores.select(bucket(FINE_LEVEL_S).n_unique()).item() * _PAYS < scores.height
    levels = [_of_scores(scores, level) for level in ((FINE_LEVEL_S,) if fine else ()) + ROLLUP_LEVELS_S]
    return pl.concat(levels).select(pl.col(name).cast(dtype) for name, dtype in SCORE_ROLLUPS.items())


def write(root: Path, version_id: int, scores: pl.DataFrame) -> list[NewFile]:
    """Write scores of one sensor and version, and their rollups where they are many; both by one name."""
    stem = new_stem()
    files = [_file(root, "scores", version_id, stem, scores)]
    if scores.height >= FROM_ROWS:
        files.append(_file(root, "score_rollups", version_id, stem, summarise(scores)))
    return files


def beside(scores: Iterable[File], rolled: Iterable[File]) -> dict[int, File]:
    """Return the file of rollups that lies beside each file of scores, by the latter's id."""
    by_name = {PurePosixPath(one.path).name: one for one in rolled}
    found = {one.id: by_name.get(PurePosixPath(one.path).name) for one in scores}
    return {id_: file for id_, file in found.items() if file is not None}


def _of_scores(scores: pl.DataFrame, level_s: int) -> pl.DataFrame:
    folded = []
    for name in COLUMNS:
        value = pl.col(name).fill_nan(None)
        folded += [value.min().alias(f"{name}_min"), value.max().alias(f"{name}_max")]
        folded += [value.cast(pl.Float64).mean().alias(name), value.count().alias(f"{name}_count")]
    return (
        scores.group_by("sensor_id", "version_id", bucket(level_s).alias("ts"), maintain_order=True)
        .agg(folded)
        .with_columns(level_s=pl.lit(level_s, pl.Int32))
    )


def _file(root: Path, kind: str, version_id: int, stem: str, frame: pl.DataFrame) -> NewFile:
    written = write_parquet(frame, root / "results" / kind / f"{version_id:d}", stem)
    low, high = bounds(frame["ts"].to_physical())
    sensor_min, sensor_max = bounds(frame["sensor_id"])
    # A bucket's row stands for its whole day at most.
    end = high + 1 if kind == "scores" else (high // DAY_US + 1) * DAY_US
    return NewFile(
        kind="scores" if kind == "scores" else "score_rollups",
        path=written.path.relative_to(root).as_posix(),
        sha256=written.sha256,
        size=written.size,
        rows=written.rows,
        start=moment_of(low),
        end=moment_of(end),
        sensor_min=sensor_min,
        sensor_max=sensor_max,
        version_id=version_id,
    )
