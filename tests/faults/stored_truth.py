"""A small home whose whole content is known after every write, and what is wrong with a home that differs.

Write number `k` gives the temperature of one day, in turn, the value `k`, and brings one late reading of the
load. So what is stored after `k` writes follows from `k` alone, and a mixture of two states shows.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from warehouse.assets import AssetSpec, SensorSpec
from warehouse.home import IngestReport, Warehouse
from warehouse.sources.base import CHUNK, SourceBatch

START = datetime(2026, 3, 1, tzinfo=UTC)
NOW = datetime(2026, 5, 10, tzinfo=UTC)
DAYS = 40
PUMP = AssetSpec("Pump 7", "pump", sensors=(SensorSpec("temperature", "°C"), SensorSpec("load", "%")))

_READING = timedelta(minutes=10)
_A_DAY = 144


def rows_of(write: int) -> list[tuple[str, datetime, float]]:
    """Return the readings that a write brings: a day of the temperature, one of the load."""
    day = START + timedelta(days=write % DAYS)
    temperature = [("Pump 7/temperature", day + _READING * step, float(write)) for step in range(_A_DAY)]
    late = START + timedelta(days=write * 7 % DAYS, seconds=write)
    return [*temperature, ("Pump 7/load", late, float(write))]


def batch(rows: list[tuple[str, datetime, float]]) -> SourceBatch:
    """Return rows as a source gives them."""
    return SourceBatch("csv", (PUMP,), iter([pl.DataFrame(rows, schema=CHUNK, orient="row")]), [])


def write(home: Warehouse, number: int) -> IngestReport:
    """Make write `number`."""
    return home.ingest(batch(rows_of(number)), at=NOW, actor="ada")


def filled(root: Path, writes: int = DAYS) -> Warehouse:
    """Return a new home after writes 0 … `writes` - 1."""
    home = Warehouse.open(root)
    for number in range(writes):
        write(home, number)
    return home


def stored(writes: int) -> pl.DataFrame:
    """Return sensor_id, ts and value as they are after writes 0 … `writes` - 1."""
    keyed = {(key, ts): value for number in range(writes) for key, ts, value in rows_of(number)}
    ids = {"Pump 7/temperature": 1, "Pump 7/load": 2}
    rows = sorted((ids[key], ts, value) for (key, ts), value in keyed.items())
    schema = {"sensor_id": pl.Int32, "ts": pl.Datetime("us", "UTC"), "value": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def by_day(rows: pl.DataFrame) -> pl.DataFrame:
    """Return what the rollups of a day are to be."""
    return (
        rows.group_by("sensor_id", pl.col("ts").dt.truncate("1d"))
        .agg(
            pl.col("value").min().alias("min"),
            pl.col("value").max().alias("max"),
            pl.len().cast(pl.Int64).alias("count"),
        )
        .sort("sensor_id", "ts")
    )


def differences(home: Warehouse, writes: int) -> list[str]:
    """Return what differs from the state after writes 0 … `writes` - 1, in readings and all that follows."""
    wanted = stored(writes)
    found = home.telemetry.read([1, 2]).select("sensor_id", "ts", "value")
    wrong = []
    if not found.equals(wanted):
        wrong.append(f"{found.height} readings, {wanted.height} were stored, or another value")
    for level in (900, 86_400):
        rolled = home.telemetry.rollup([1, 2], None, None, level)
        if rolled.select(pl.struct("sensor_id", "ts").is_duplicated().any()).item():
            wrong.append(f"a bucket of {level} s twice")
        if rolled["count"].sum() != wanted.height:
            wrong.append(f"buckets of {level} s count {rolled['count'].sum()}")
    daily = home.telemetry.rollup([1, 2], None, None, 86_400)
    if not daily.select("sensor_id", "ts", "min", "max", "count").equals(by_day(wanted)):
        wrong.append("the rollups of days are not those of the readings")
    spans = home.telemetry.spans().rows()
    counted = wanted.group_by("sensor_id").agg(
        pl.col("ts").min().alias("first"), pl.col("ts").max().alias("last"), pl.len().cast(pl.Int64)
    )
    if spans != counted.sort("sensor_id").rows():
        wrong.append(f"the spans are {spans}")
    return wrong


def leftovers(home: Warehouse) -> list[str]:
    """Return the files of a home that nothing names: begun and never finished, or held aside."""
    known = {file.path for file in home.manifest.kept()}
    with home.database.reading() as connection:
        known |= {path for (path,) in connection.execute("SELECT path FROM files")}
    found = [*home.root.rglob("*.parquet"), *home.root.rglob("*.partial"), *home.root.rglob("*.arrow")]
    names = (path.relative_to(home.root).as_posix() for path in found)
    return sorted(name for name in names if name not in known)
