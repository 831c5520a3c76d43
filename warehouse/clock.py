"""The wall clock of the processes that have no caller to hand them one; all else is handed it."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return this moment in UTC."""
    return datetime.now(UTC)
