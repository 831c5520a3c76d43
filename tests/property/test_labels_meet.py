"""Labels and events that meet are those that a comparison of each with each finds, without its cost."""

from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from warehouse import schema
from warehouse.state.meeting import meeting

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
SCHEMA = pl.Schema(
    {
        "number": pl.Int64,
        "sensor_id": pl.Int32,
        "event_id": pl.String,
        "start": schema.TIME,
        "end": schema.TIME,
    }
)

rows = st.lists(
    st.tuples(
        st.sampled_from([1, 2, 7, 2**31 - 1]),
        st.sampled_from([None, None, "a", "b"]),
        st.integers(0, 40),
        st.integers(1, 30),
    ),
    max_size=25,
)


def frame(found: list[tuple[int, str | None, int, int]]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            (number, sensor, event, NOON + timedelta(hours=start), NOON + timedelta(hours=start + length))
            for number, (sensor, event, start, length) in enumerate(found)
        ],
        schema=SCHEMA,
        orient="row",
    )


def each_with_each(left: pl.DataFrame, right: pl.DataFrame) -> set[tuple[int, int]]:
    return {
        (one["number"], other["number"])
        for one in left.iter_rows(named=True)
        for other in right.iter_rows(named=True)
        if one["sensor_id"] == other["sensor_id"]
        and (
            (one["start"] < other["end"] and other["start"] < one["end"])
            or (one["event_id"] is not None and one["event_id"] == other["event_id"])
        )
    }


@given(rows, rows)
def test_the_pairs_are_those_of_a_comparison_of_each_with_each(left, right):
    found = meeting(frame(left), frame(right), "_other")
    assert found.columns == [*SCHEMA.names(), "number_other", "event_id_other", "start_other", "end_other"]
    pairs = found.select("number", "number_other").rows()
    assert len(set(pairs)) == len(pairs)
    assert set(pairs) == each_with_each(frame(left), frame(right))


def test_centuries_of_many_sensors_fit_on_the_line():
    # More sensors than have room beside each other at once.
    far = [NOON.replace(year=1990), NOON.replace(year=2290)]
    sensors = pl.int_range(2000, dtype=pl.Int32, eager=True).alias("sensor_id")
    wide = pl.concat(
        [
            pl.DataFrame({"sensor_id": sensors}).with_columns(
                pl.lit(None, pl.String).alias("event_id"),
                pl.lit(at, schema.TIME).alias("start"),
                pl.lit(at + timedelta(hours=1), schema.TIME).alias("end"),
            )
            for at in far
        ]
    )
    found = meeting(wide, wide, "_other")
    assert found.height == wide.height
    assert (found["start"] == found["start_other"]).all()


def test_many_labels_of_one_sensor_are_few_pairs():
    count = 30_000
    at = pl.datetime_range(NOON, NOON + timedelta(hours=count - 1), "1h", time_unit="us", eager=True)
    labels = pl.DataFrame(
        {
            "sensor_id": pl.Series([1] * count, dtype=pl.Int32),
            "event_id": pl.Series([None] * count, dtype=pl.String),
            "start": at,
            "end": at + timedelta(minutes=30),
        }
    )
    # Each meets itself alone; of each with each there would be nine hundred million.
    assert meeting(labels, labels, "_other").height == count
