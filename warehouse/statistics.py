"""Statistics of many sensors over the same length of time before ends of their own."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

import polars as pl

from warehouse.instants import microseconds
from warehouse.schema import ROLLUP_LEVELS_S

STATISTICS: Final = pl.Schema(
    [
        ("sensor_id", pl.Int32),
        ("mean", pl.Float64),
        ("min", pl.Float64),
        ("max", pl.Float64),
        ("count", pl.Int64),
    ]
)

_TICK: Final = timedelta(microseconds=1)


class Rolled(Protocol):
    """What statistics are made of."""

    def rollup(
        self, sensor_ids: Sequence[int], start: datetime | None, end: datetime | None, level_s: int
    ) -> pl.DataFrame:
        """Return the buckets of a level."""


def at_ends(rolled: Rolled, ends: Mapping[int, datetime], span: timedelta) -> pl.DataFrame:
    """Return mean, min, max and count by sensor; see `Telemetry.statistics`."""
    found = [STATISTICS.to_frame()]
    for group in _together(ends, span):
        last = pl.DataFrame(
            {"sensor_id": list(group), "end_us": [microseconds(end) for end in group.values()]},
            schema={"sensor_id": pl.Int32, "end_us": pl.Int64},
        )
        buckets = rolled.rollup(
            list(group), min(group.values()) - span, max(group.values()) + _TICK, ROLLUP_LEVELS_S[0]
        )
        ts, end = pl.col("ts").to_physical(), pl.col("end_us")
        mean, count = pl.col("mean"), pl.col("count")
        found.append(
            buckets.join(last, on="sensor_id")
            .filter((ts <= end) & (ts >= end - span // _TICK))
            .group_by("sensor_id")
            .agg(
                ((mean * count).sum() / count.sum()).fill_nan(None).alias("mean"),
                pl.col("min").min(),
                pl.col("max").max(),
                count.sum(),
            )
        )
    return pl.concat(found).sort("sensor_id")


def _together(ends: Mapping[int, datetime], span: timedelta) -> Iterator[dict[int, datetime]]:
    """Yield sensors whose spans overlap, so that machines that ended years apart are read apart."""
    group: dict[int, datetime] = {}
    newest: datetime | None = None
    for sensor_id, end in sorted(ends.items(), key=lambda one: one[1]):
        if newest is not None and end - newest > span:
            yield group
            group = {}
        group[sensor_id] = newest = end
    if group:
        yield group
