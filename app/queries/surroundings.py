"""What is drawn around a signal: the channels that drove an event or move beside it, and the operating state.

Nothing here grows with the window: long ones are read from rollups.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from app.queries.views import Band
from warehouse.catalog import Sensor
from warehouse.home import Warehouse
from warehouse.schema import ROLLUP_LEVELS_S

CHANNELS: Final = 3
MOST_STATES: Final = 80
STATE_POINTS: Final = 3000

_RAW: Final = timedelta(hours=2)
_BUCKETS: Final = 500

_Stretch = tuple[datetime, float, float]


def channels(
    home: Warehouse,
    target: Sensor,
    shares: Mapping[int, float],
    siblings: Mapping[int, Sensor],
    *,
    within: tuple[datetime, datetime],
) -> list[Sensor]:
    """Return the channels that drove an event, largest share first, else those that change in the window.

    Parameters
    ----------
    shares
        By sensor id, of the channels that drove the event, the target among them.
    siblings
        All sensors of the machine, by id.
    """
    driving = [siblings[one] for one in shares if one != target.id and one in siblings]
    if driving:
        return driving[:CHANNELS]
    context = [siblings[one] for one in target.context if one in siblings]
    # The operating state has a strip of its own.
    context = [one for one in context if one.role != "state"]
    if not context:
        return []
    moving = _moving(home, [one.id for one in context], *within)
    return [one for one in context if one.id in moving][:CHANNELS]


def states(
    home: Warehouse, siblings: Mapping[int, Sensor], start: datetime, end: datetime
) -> tuple[Band, ...]:
    """Return the stretches of a machine's operating state; none if it has no such sensor.

    Where there are more than can be told apart, stretches are of buckets, and one in which the state changed
    says so: no stop is left out.
    """
    sensor = next((one for one in siblings.values() if one.role == "state"), None)
    if sensor is None:
        return ()
    for points in (STATE_POINTS, MOST_STATES):
        rows = home.telemetry.window(sensor.id, start, end, points).drop_nulls("mean")
        bands = _bands(rows, end)
        if len(bands) <= MOST_STATES:
            break
    return bands


def _moving(home: Warehouse, ids: Sequence[int], start: datetime, end: datetime) -> set[int]:
    """Return those that have more than one value in the window, or in the buckets that hold its ends."""
    if end - start <= _RAW:
        rows = home.telemetry.read(ids, start, end).select("sensor_id", min="value", max="value")
    else:
        rows = home.telemetry.rollup(ids, start, end, _level(end - start)).select("sensor_id", "min", "max")
    spans = rows.group_by("sensor_id").agg(pl.col("min").min(), pl.col("max").max())
    return set(spans.filter(pl.col("min") < pl.col("max"))["sensor_id"])


def _level(length: timedelta) -> int:
    """Return the finest level that has few enough buckets in the window."""
    wanted = length.total_seconds() / _BUCKETS
    return next((level for level in ROLLUP_LEVELS_S if level >= wanted), ROLLUP_LEVELS_S[-1])


def _bands(rows: pl.DataFrame, end: datetime) -> tuple[Band, ...]:
    if rows.is_empty():
        return ()
    runs = (
        rows.with_columns(pl.struct("min", "max").rle_id().alias("run"))
        .group_by("run", maintain_order=True)
        .agg(pl.col("ts").first(), pl.col("min").min(), pl.col("max").max())
    )
    stretches = _settled(list(runs.select("ts", "min", "max").iter_rows()))
    ends = [*(one[0] for one in stretches[1:]), end]
    return tuple(
        Band(begin, finish, _word(low, high))
        for (begin, low, high), finish in zip(stretches, ends, strict=True)
    )


def _settled(stretches: list[_Stretch]) -> list[_Stretch]:
    """Return stretches without the buckets in which one state merely gave way to the next."""
    kept: list[_Stretch] = []
    for place, (begin, low, high) in enumerate(stretches):
        following = stretches[place + 1][1:] if place + 1 < len(stretches) else None
        if (
            low != high
            and kept
            and following is not None
            and {kept[-1][1:], following} == {(low, low), (high, high)}
        ):
            continue
        kept.append((begin, low, high))
    return kept


def _word(low: float, high: float) -> str:
    """Return a state in words, or both ends of those that a bucket holds."""
    if low == high:
        return {0.0: "stopped", 1.0: "running"}.get(low, f"state {low:g}")
    return f"{_word(low, low)} and {_word(high, high)}"
