"""The demo fleet is the same however its minutes are asked for."""

from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.sources import demo

ANCHOR = datetime(2025, 11, 20, 14, 32, 41, tzinfo=UTC)
MOMENTS = st.integers(-40 * 86_400, 40 * 86_400).map(lambda second: ANCHOR + timedelta(seconds=second))
LENGTHS = st.one_of(st.integers(0, 5), st.integers(0, 3000)).map(lambda minutes: timedelta(minutes=minutes))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 3), MOMENTS, LENGTHS, LENGTHS)
def test_two_stretches_are_the_whole(seed: int, start: datetime, first: timedelta, second: timedelta) -> None:
    middle, end = start + first, start + first + second
    whole = demo.simulate(seed, ANCHOR, start, end)
    parts = [demo.simulate(seed, ANCHOR, start, middle), demo.simulate(seed, ANCHOR, middle, end)]
    assert whole.equals(pl.concat(parts))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**31), st.integers(-60, 60), LENGTHS)
def test_every_seed_and_anchor_tells_a_fleet_that_can_be_stored(
    seed: int, days: int, length: timedelta
) -> None:
    anchor = ANCHOR + timedelta(days=days)
    batch = demo.read(seed, anchor, anchor - length, anchor)
    frame = pl.concat(
        [pl.DataFrame(schema=demo.simulate(seed, anchor, anchor, anchor).schema), *batch.readings]
    )
    assert set(frame["key"].unique()) <= set(demo.KEYS)
    assert not frame.select("key", "ts").is_duplicated().any()
    assert frame["value"].is_infinite().sum() == 0
