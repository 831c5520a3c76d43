"""What the tests of tables share."""

from collections.abc import Callable
from datetime import UTC, datetime

import polars as pl

from warehouse.sources.base import CHUNK, SourceBatch

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
Read = Callable[..., SourceBatch]


def rows(batch: SourceBatch) -> list[tuple[str, str, float]]:
    frame = pl.concat([pl.DataFrame(schema=CHUNK), *batch.readings])
    return [(key, ts.strftime("%d %H:%M"), value) for key, ts, value in frame.iter_rows()]


def refused(batch: SourceBatch) -> list[tuple[int | None, str]]:
    return [(one.row, one.reason) for one in batch.refusals]


GOOD = "time,flow\n2026-01-01 00:00,1.5\n2026-01-01 00:01,2.5\n"
