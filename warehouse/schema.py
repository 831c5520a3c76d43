"""The frames that storage takes and returns, and the rules for time and values.

Time is UTC everywhere, in microseconds; intervals are half-open, ``[start, end)``. A value that is
missing or NaN is stored as NULL with quality ``MISSING``, an infinity as NULL with quality ``INFINITE``.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl

from warehouse.errors import SchemaError

TIME: Final[pl.DataType] = pl.Datetime("us", "UTC")

GOOD: Final = 0
MISSING: Final = 1
INFINITE: Final = 2

EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)

ROLLUP_LEVELS_S: Final = (900, 3600, 14_400, 86_400)
# Kept in addition for those days of a sensor that have more than 4 good readings a bucket on average:
# readings a minute would otherwise be stored twice.
FINE_LEVEL_S: Final = 60
FINE_FROM: Final = 4 * 86_400 // FINE_LEVEL_S

READINGS: Final = pl.Schema(
    [("sensor_id", pl.Int32), ("ts", TIME), ("value", pl.Float64), ("quality", pl.UInt8)]
)

ROLLUPS: Final = pl.Schema(
    [
        ("level_s", pl.Int32),
        ("sensor_id", pl.Int32),
        ("ts", TIME),
        ("min", pl.Float64),
        ("max", pl.Float64),
        ("mean", pl.Float64),
        ("count", pl.Int64),
    ]
)

SCORES: Final = pl.Schema(
    [
        ("sensor_id", pl.Int32),
        ("version_id", pl.Int32),
        ("ts", TIME),
        ("score", pl.Float32),
        ("expected", pl.Float32),
        ("threshold", pl.Float32),
    ]
)

_OF_SCORES: Final = ("score", "expected", "threshold")

SCORE_ROLLUPS: Final = pl.Schema(
    [
        ("level_s", pl.Int32),
        ("sensor_id", pl.Int32),
        ("version_id", pl.Int32),
        ("ts", TIME),
        *((f"{one}_{what}", pl.Float32) for one in _OF_SCORES for what in ("min", "max")),
        *((one, pl.Float64) for one in _OF_SCORES),
        *((f"{one}_count", pl.Int64) for one in _OF_SCORES),
    ]
)

DRIVER: Final = pl.Struct({"sensor_id": pl.Int32, "share": pl.Float64})

EVENTS: Final = pl.Schema(
    [
        ("event_id", pl.String),
        ("sensor_id", pl.Int32),
        ("version_id", pl.Int32),
        ("start", TIME),
        ("end", TIME),
        ("open", pl.Boolean),
        ("peak_ts", TIME),
        ("peak_score", pl.Float64),
        ("threshold", pl.Float64),
        ("probability", pl.Float64),
        ("severity", pl.String),
        ("why", pl.String),
        ("mode", pl.String),
        ("drivers", pl.List(DRIVER)),
    ]
)

# What an event looks like, as `core.feedback.description` says it; null in files of older releases.
LOOKS: Final = pl.Schema([("traits", pl.List(pl.Float32)), ("shape", pl.List(pl.Float32))])

STORED_EVENTS: Final = pl.Schema({**EVENTS, **LOOKS})

LABELS: Final = pl.Schema(
    [
        ("label_id", pl.Int64),
        ("sensor_id", pl.Int32),
        ("start", TIME),
        ("end", TIME),
        ("verdict", pl.String),
        ("fault_class", pl.String),
        ("note", pl.String),
        ("actor", pl.String),
        ("recorded_at", TIME),
        ("event_id", pl.String),
        ("version_id", pl.Int32),
    ]
)

SEVERITIES: Final = ("low", "medium", "high", "critical")
VERDICTS: Final = ("true_anomaly", "false_positive", "unsure")


def conform(frame: pl.DataFrame, schema: pl.Schema, what: str) -> pl.DataFrame:
    """Return `frame` with exactly the columns and types of `schema`, in its order.

    Raises
    ------
    SchemaError
        A column is missing or can't be cast without loss; the message names it and `what` was given.
    """
    missing = [name for name in schema.names() if name not in frame.columns]
    if missing:
        raise SchemaError(f"{what}: missing columns {', '.join(missing)}")
    try:
        return frame.select(pl.col(name).cast(dtype, strict=True) for name, dtype in schema.items())
    except pl.exceptions.PolarsError as error:
        raise SchemaError(f"{what}: {error}") from error


def latest_allowed(now: datetime) -> datetime:
    """Return the first instant that is refused as lying in the future: tomorrow, in UTC."""
    return now.astimezone(UTC) + timedelta(days=1)
