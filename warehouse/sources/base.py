"""What every source returns: assets, readings in chunks, and what it refused.

A new source is one file whose reader returns a `SourceBatch` and raises `SourceError` where nothing can
be read; adding it to the cases of ``tests/contract/test_sources.py`` puts it under this contract:

- every key of a chunk is ``"asset/sensor"`` of a declared sensor; contexts name sensors of their asset;
- times are UTC microseconds, from 1990 to tomorrow; values are as read, NaN and infinities included;
- where a (key, time) pair occurs twice, the later one in the file comes later, in the same chunk or in a
  later one: storing keeps what came last (`warehouse.staging`);
- a row, cell or member that is refused is named in `refusals`, and everything good around it is kept;
- reading the same file again with the same arguments gives the same batch.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import polars as pl

from warehouse.assets import AssetSpec
from warehouse.errors import SourceError
from warehouse.quarantine import Refusal
from warehouse.schema import EARLIEST, TIME, latest_allowed

# Told how much of a file was read, from 0 to 1.
ReadSoFar = Callable[[float], None]

CHUNK: Final = pl.Schema([("key", pl.String), ("ts", TIME), ("value", pl.Float64)])


@dataclass(frozen=True, eq=False)
class SourceBatch:
    """What a source has to give, read lazily.

    Parameters
    ----------
    source
        Name of the kind of source: ``"smap-msl"``, ``"csv"``, ``"demo"``.
    assets
        Every asset and sensor that the readings name.
    readings
        Frames of the `CHUNK` schema. To be consumed once; raises `SourceError` when the file changed since.
    refusals
        What was not taken. Complete when `readings` is used up.
    notes
        Remarks for the person who ingests, one sentence each.
    origin
        The file as the person knows it, empty where the source has none.
    rows
        How many readings there will be, None where that is not known beforehand.
    """

    source: str
    assets: tuple[AssetSpec, ...]
    readings: Iterator[pl.DataFrame]
    refusals: list[Refusal]
    notes: tuple[str, ...] = ()
    origin: str = ""
    rows: int | None = None


def untold(_share: float, /) -> None:
    """Take how much was read and drop it."""


def require_aware(moment: datetime, what: str) -> datetime:
    """Return `moment` in UTC.

    Raises
    ------
    SourceError
        It carries no zone.
    """
    if moment.utcoffset() is None:
        raise SourceError(
            f"{what} {moment.isoformat()} has no zone; state one, such as {moment.isoformat()}Z"
        )
    return moment.astimezone(UTC)


def outside_allowed(start: datetime, end: datetime, now: datetime) -> str | None:
    """Return why the half-open ``[start, end)`` can't be stored, None where it can."""
    latest = latest_allowed(now)
    if start < EARLIEST or end > latest:
        return (
            f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC does not lie between {EARLIEST:%Y-%m-%d}"
            f" and {latest:%Y-%m-%d}"
        )
    return None
