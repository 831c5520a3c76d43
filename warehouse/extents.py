"""First and last reading of each sensor, kept in step with every commit."""

import sqlite3
from collections.abc import Sequence

import polars as pl

from warehouse.schema import TIME
from warehouse.sqlite import Database

_SPANS = {"sensor_id": pl.Int32, "first_us": pl.Int64, "last_us": pl.Int64, "rows": pl.Int64}
_LAST = {"sensor_id": pl.Int32, "last_us": pl.Int64, "value": pl.Float64}


def of_changes(changed: pl.DataFrame) -> pl.DataFrame:
    """Return what a commit means for the extents.

    Parameters
    ----------
    changed
        READINGS columns and ``new``, False where a stored row gets another value; sorted by sensor and time.

    Returns
    -------
    pl.DataFrame
        sensor_id, first_us, last_us, rows (new ones), last_value.
    """
    ts = pl.col("ts").to_physical()
    return changed.group_by("sensor_id").agg(
        ts.min().alias("first_us"),
        ts.max().alias("last_us"),
        pl.col("new").sum().cast(pl.Int64).alias("rows"),
        pl.col("value").last().alias("last_value"),
    )


def put(connection: sqlite3.Connection, changes: pl.DataFrame) -> None:
    """Apply what `of_changes` returned, in the open transaction."""
    connection.executemany(
        "INSERT INTO extents (sensor_id, first_us, last_us, rows, last_value) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (sensor_id) DO UPDATE SET first_us = min(first_us, excluded.first_us),"
        " last_value = iif(excluded.last_us >= last_us, excluded.last_value, last_value),"
        " last_us = max(last_us, excluded.last_us), rows = rows + excluded.rows",
        changes.select("sensor_id", "first_us", "last_us", "rows", "last_value").rows(),
    )


def of_sensor(database: Database, sensor_id: int) -> tuple[int, int, int] | None:
    """Return first and last time in microseconds and the number of readings of a sensor; None without any."""
    with database.reading() as connection:
        row = connection.execute(
            "SELECT first_us, last_us, rows FROM extents WHERE sensor_id = ?", (sensor_id,)
        ).fetchone()
    return None if row is None else (int(row[0]), int(row[1]), int(row[2]))


def spans(database: Database, sensor_ids: Sequence[int] | None = None) -> pl.DataFrame:
    """Return sensor_id, first_ts, last_ts and rows of the sensors that have readings, by id."""
    with database.reading() as connection:
        rows = connection.execute(
            "SELECT sensor_id, first_us, last_us, rows FROM extents ORDER BY sensor_id"
        ).fetchall()
    frame = pl.DataFrame(rows, schema=_SPANS, orient="row").select(
        "sensor_id",
        pl.col("first_us").cast(TIME).alias("first_ts"),
        pl.col("last_us").cast(TIME).alias("last_ts"),
        "rows",
    )
    return frame if sensor_ids is None else frame.filter(pl.col("sensor_id").is_in(list(sensor_ids)))


def last(database: Database, sensor_ids: Sequence[int] | None = None) -> pl.DataFrame:
    """Return sensor_id, ts and value of the newest reading of each sensor; value is NULL if not good."""
    with database.reading() as connection:
        rows = connection.execute(
            "SELECT sensor_id, last_us, last_value FROM extents ORDER BY sensor_id"
        ).fetchall()
    frame = pl.DataFrame(rows, schema=_LAST, orient="row").select(
        "sensor_id", pl.col("last_us").cast(TIME).alias("ts"), "value"
    )
    return frame if sensor_ids is None else frame.filter(pl.col("sensor_id").is_in(list(sensor_ids)))
