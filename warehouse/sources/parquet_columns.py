"""Columns of Parquet: which types are taken, and which are times."""

import polars as pl
import pyarrow as pa

from warehouse.errors import SourceError
from warehouse.sources.looks import Written
from warehouse.sources.times import check_zone


def refuse_type(kind: pa.DataType) -> str | None:
    """Return why a column of this type can't be read, None where it can."""
    kind = _plain(kind)
    if pa.types.is_timestamp(kind) and kind.tz is not None and not _is_zone(kind.tz):
        return f"its times are in the zone {kind.tz[:40]!r}, which is not known"
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return None
    return refuse_value(kind)


def refuse_value(kind: pa.DataType) -> str | None:
    """Return why a column of this type holds no values of a sensor, None where it may."""
    kind = _plain(kind)
    taken = (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_null(kind)
    )
    return None if taken else f"its type is {str(kind)[:60]}, neither number nor text"


def own_time(kind: pl.DataType) -> Written | None:
    """Return how a type that is a time by itself is to be read, None for other types."""
    if isinstance(kind, pl.Datetime):
        return Written(None, kind.time_zone is None)
    return Written(None, needs_zone=True) if kind == pl.Date else None


def _is_zone(zone: str) -> bool:
    try:
        check_zone(zone)
    except SourceError:
        return False
    return True


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind
