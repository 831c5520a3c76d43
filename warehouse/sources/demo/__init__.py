"""The demo fleet: a simulated site whose machines age, fail and are looked after.

Nothing here is measured. It exists so that the workbench can be tried, and so that detection can be held
against a known truth.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from warehouse.errors import SourceError
from warehouse.sources.base import SourceBatch, require_aware
from warehouse.sources.demo.faults import HEALTHY_DAYS, HISTORY_DAYS
from warehouse.sources.demo.fleet import INTERVAL_S, KEYS, specs
from warehouse.sources.demo.simulator import simulate
from warehouse.sources.demo.truth import TruthInterval, truth

__all__ = [
    "HEALTHY_DAYS",
    "HISTORY_DAYS",
    "INTERVAL_S",
    "KEYS",
    "TruthInterval",
    "read",
    "simulate",
    "specs",
    "truth",
]

_DAYS_A_CHUNK: Final = 10


def read(seed: int, anchor: datetime, start: datetime, end: datetime) -> SourceBatch:
    """Return the readings of the half-open ``[start, end)``, one row a sensor and minute.

    Parameters
    ----------
    seed
        Not negative.
    anchor
        The moment of the fleet's making; `HISTORY_DAYS` before it everything begins.
    start, end
        The same minute has the same values in every call with this seed and anchor.

    Raises
    ------
    SourceError
        A time has no zone, the seed is negative, or the end lies before the start.
    """
    anchor = require_aware(anchor, "anchor")
    start, end = require_aware(start, "start"), require_aware(end, "end")
    if seed < 0:
        raise SourceError(f"demo: seed {seed} is negative")
    if end < start:
        raise SourceError(f"demo: end {end.isoformat()} lies before start {start.isoformat()}")
    return SourceBatch("demo", specs(), _chunks(seed, anchor, start, end), [])


def _chunks(seed: int, anchor: datetime, start: datetime, end: datetime) -> Iterator[pl.DataFrame]:
    while start < end:
        stop = min(end, start + timedelta(days=_DAYS_A_CHUNK))
        yield simulate(seed, anchor, start, stop)
        start = stop
