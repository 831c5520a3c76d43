"""Moments as SQLite keeps them: whole microseconds since 1970 in UTC."""

from datetime import UTC, datetime, timedelta
from typing import Final

from warehouse.errors import SchemaError

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

SECOND_US: Final = 1_000_000
DAY_US: Final = 86_400 * SECOND_US


def microseconds(moment: datetime) -> int:
    """Return an aware `moment` as microseconds since 1970, UTC.

    Raises
    ------
    SchemaError
        The moment carries no zone.
    """
    if moment.tzinfo is None:
        raise SchemaError(f"{moment.isoformat()} has no zone; storage takes aware times only")
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(us: int) -> datetime:
    """Return `us` microseconds since 1970 as an aware moment in UTC."""
    return _EPOCH + timedelta(microseconds=us)
