"""Source files for the benchmark of ingest, and what plain Polars makes of them."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from warehouse.schema import TIME

SENSORS: Final = 100
START: Final = datetime(2026, 1, 1, tzinfo=UTC)

_DOUBLED: Final = 0.01
_BLOCK: Final = 250_000  # rows that come in any order among each other
_OFFLINE: Final = 0.1  # of each sensor's time, sent later
_SCATTERED: Final = 0.01


@dataclass(frozen=True)
class Tables:
    """The files of one run, below `folder`.

    Parameters
    ----------
    rows
        Readings of the Parquet files together, doubles not counted.
    csv_rows
        Readings of either CSV file.
    """

    folder: Path
    rows: int
    csv_rows: int
    seed: int

    @property
    def main(self) -> Path:
        """Most rows, out of order, one in a hundred twice, the later value the right one."""
        return self.folder / "main.parquet"

    @property
    def late(self) -> Path:
        """A stretch of each sensor that came later."""
        return self.folder / "late.parquet"

    @property
    def scattered(self) -> Path:
        """Single rows of any time that came later."""
        return self.folder / "scattered.parquet"

    @property
    def long(self) -> Path:
        """CSV, a row a reading, out of order and with doubles."""
        return self.folder / "long.csv"

    @property
    def wide(self) -> Path:
        """CSV, a column a sensor, out of order and with doubles."""
        return self.folder / "wide.csv"


def make(tables: Tables) -> dict[str, int]:
    """Write all files and return how many readings each holds, by its name."""
    random = np.random.default_rng(tables.seed)
    minutes = max(20, tables.rows // SENSORS)
    whole = _readings(minutes, random)
    share = (np.arange(minutes)[None, :] / minutes - random.random((SENSORS, 1)) * (1 - _OFFLINE)).ravel()
    late = (share >= 0) & (share < _OFFLINE)
    scattered = ~late & (random.random(whole.height) < _SCATTERED)
    parts = {
        tables.main: _as_sent(whole.filter(~(late | scattered)), random),
        tables.late: whole.filter(late),
        tables.scattered: _as_sent(whole.filter(scattered), random),
    }
    for path, rows in parts.items():
        rows.write_parquet(path, compression="zstd", row_group_size=_BLOCK)
    counts = {path.name: rows.height for path, rows in parts.items()}
    few = _readings(max(20, tables.csv_rows // SENSORS), random)
    long = _as_sent(few, random)
    long.with_columns(_iso("time")).write_csv(tables.long)
    wide = few.pivot("sensor", index="time", values="value")
    wide = _as_sent(wide, random)
    wide.with_columns(_iso("time")).write_csv(tables.wide)
    return counts | {tables.long.name: long.height, tables.wide.name: wide.height * SENSORS}


def reference(tables: Tables, name: str) -> float:
    """Return the seconds in which plain Polars reads a file, sorts it, drops doubles and writes it."""
    begin = time.perf_counter()
    kept = tables.folder / f"reference of {name}"
    rows = _read(tables.folder / name)
    if name in {tables.late.name, tables.scattered.name}:
        # Into what is stored, which is one file.
        earlier = {tables.late.name: tables.main, tables.scattered.name: tables.late}[name]
        rows = pl.concat([pl.read_parquet(tables.folder / f"reference of {earlier.name}"), rows])
    ordered = rows.sort("sensor", "time", maintain_order=True)
    ordered = ordered.unique(["sensor", "time"], keep="last", maintain_order=True)
    ordered.write_parquet(kept, compression="zstd")
    return time.perf_counter() - begin


def expected(tables: Tables, name: str) -> pl.DataFrame:
    """Return sensor, time and value as the reference of a file has them."""
    return pl.read_parquet(tables.folder / f"reference of {name}").select("sensor", "time", "value")


def sensor_names() -> list[str]:
    """Return the names of the sensors, in order."""
    return [f"s{number:03d}" for number in range(SENSORS)]


def _readings(minutes: int, random: np.random.Generator) -> pl.DataFrame:
    us = int(START.timestamp()) * 1_000_000 + np.arange(minutes) * 60_000_000
    level = 20.0 + np.arange(SENSORS)[:, None] + 5 * np.sin(np.arange(minutes) / 1440 * 2 * np.pi)[None, :]
    names = pl.Series(sensor_names())
    return pl.DataFrame(
        {
            "time": pl.Series(np.tile(us, SENSORS)).cast(TIME),
            "sensor": names.gather(np.repeat(np.arange(SENSORS), minutes)),
            "value": np.round((level + random.normal(0, 0.3, level.shape)).ravel(), 3),
        }
    )


def _as_sent(rows: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    """Return rows by time but mixed within blocks, some of them twice with another value the second time."""
    ordered = rows.sort("time", maintain_order=True)
    place = np.arange(rows.height) // _BLOCK * _BLOCK + random.random(rows.height) * _BLOCK
    mixed = ordered[np.argsort(place, kind="stable")]
    numbers = [name for name, dtype in rows.schema.items() if dtype.is_float()]
    again = mixed.filter(pl.Series(random.random(mixed.height) < _DOUBLED))
    return pl.concat([mixed, again.with_columns(pl.col(numbers) + 0.5)])


def _read(path: Path) -> pl.DataFrame:
    if path.suffix == ".parquet":
        return pl.read_parquet(path)
    rows = pl.read_csv(path).with_columns(
        pl.col("time").str.to_datetime("%Y-%m-%dT%H:%M:%S%:z", time_unit="us", time_zone="UTC")
    )
    return rows if "sensor" in rows.columns else rows.unpivot(index="time", variable_name="sensor")


def _iso(name: str) -> pl.Expr:
    return pl.col(name).dt.strftime("%Y-%m-%dT%H:%M:%S+00:00")
