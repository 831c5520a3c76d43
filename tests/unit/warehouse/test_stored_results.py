"""Scores and events of each version, replaced as a whole or row by row."""

import math
from datetime import timedelta

import polars as pl
import pytest
from material import NOON, NOW, events, minutes, new_version, pump_batch, pump_rows, scores

from warehouse.errors import SchemaError
from warehouse.home import Warehouse
from warehouse.schema import SCORES, STORED_EVENTS


@pytest.fixture
def judged(home: Warehouse) -> Warehouse:
    report = home.ingest(pump_batch(pump_rows(10)), at=NOW, actor="ada")
    assert report.snapshot is not None
    home.catalog.add_version(new_version(1, report.snapshot.id, kind="baseline", method="robust"))
    home.catalog.add_version(new_version(1, report.snapshot.id))
    home.catalog.add_version(new_version(2, report.snapshot.id, kind="baseline", method="robust"))
    return home


def test_scores_are_read_by_sensor_version_and_time(judged: Warehouse) -> None:
    results = judged.results
    results.write_scores(pl.concat([scores(1, 1, 10), scores(1, 2, 10, score=5.0), scores(2, 3, 10)]), at=NOW)
    times = minutes(10)
    found = results.read_scores(1, 2, times[3], times[5])
    assert found.select("ts", "score").rows() == [(times[3], 5.0), (times[4], 5.0)]
    assert results.read_scores(1, 3).schema == SCORES
    assert results.scored_until(1, 2) == times[9]
    assert results.scored_until(2, 1) is None


def test_scoring_again_replaces_what_is_there_and_keeps_the_rest(judged: Warehouse) -> None:
    results = judged.results
    results.write_scores(scores(1, 1, 10), at=NOW)
    results.write_scores(scores(1, 1, 10, minutes(10)[5], score=9.0), at=NOW)
    assert results.read_scores(1, 1)["score"].to_list() == [0.0] * 5 + [9.0] * 10


def test_scores_that_are_stored_already_change_nothing(judged: Warehouse) -> None:
    first = judged.results.write_scores(scores(1, 1, 10, score=math.nan), at=NOW)
    again = judged.results.write_scores(scores(1, 1, 10, score=math.nan), at=NOW)
    assert first is not None
    assert again is None
    assert judged.manifest.snapshot() == first


def test_scores_of_every_minute_leave_few_files(judged: Warehouse) -> None:
    for index, ts in enumerate(minutes(150)):
        judged.results.write_scores(scores(1, 1, 1, ts, score=float(index)), at=NOW)
    assert len(judged.manifest.live("scores")) <= 6
    assert judged.results.read_scores(1, 1)["score"].to_list() == [float(index) for index in range(150)]


def test_scoring_leaves_the_digest_of_the_data_alone(judged: Warehouse) -> None:
    before = judged.manifest.snapshot()
    after = judged.results.write_scores(scores(1, 1, 10), at=NOW)
    assert before is not None
    assert after is not None
    assert (after.digest, after.id) == (before.digest, before.id + 1)


def test_events_of_a_pair_are_replaced_as_a_list(judged: Warehouse) -> None:
    results = judged.results
    later = NOON + timedelta(hours=2)
    results.put_events(1, 1, events(1, 1, later, NOON), at=NOW)
    results.put_events(1, 2, events(1, 2, NOON), at=NOW)
    assert results.read_events(1, 1)["start"].to_list() == [NOON, later]
    assert results.read_events(1).height == 3

    results.put_events(1, 1, events(1, 1, later), at=NOW)
    assert results.read_events(1, 1)["start"].to_list() == [later]
    assert results.read_events(1, 2).height == 1

    results.put_events(1, 1, events(1, 1), at=NOW)
    assert results.read_events(1, 1).is_empty()
    assert results.read_events(1, 1).schema == STORED_EVENTS


def test_an_equal_list_of_events_changes_nothing(judged: Warehouse) -> None:
    first = judged.results.put_events(1, 1, events(1, 1, NOON), at=NOW)
    assert judged.results.put_events(1, 1, events(1, 1, NOON), at=NOW) is None
    assert judged.results.put_events(2, 3, events(2, 3), at=NOW) is None
    assert judged.manifest.snapshot() == first


def test_current_events_are_those_of_the_version_in_production_and_of_the_baseline(judged: Warehouse) -> None:
    results = judged.results
    for sensor, version in ((1, 1), (1, 2), (2, 3)):
        results.put_events(sensor, version, events(sensor, version, NOON), at=NOW)
    # Version 2 is a challenger until it is promoted.
    assert results.events_current()["version_id"].to_list() == [1, 3]
    judged.catalog.promote(2, actor="ada", at=NOW)
    assert results.events_current()["version_id"].to_list() == [1, 2, 3]
    assert results.events_current([2])["version_id"].to_list() == [3]


@pytest.mark.parametrize(
    ("severities", "shown"), [(("high", "high"), 2), (("high", "low"), 1), (("low", "high"), 2)]
)
def test_an_event_that_both_found_is_shown_once_as_the_worse_of_them(
    judged: Warehouse, severities: tuple[str, str], shown: int
) -> None:
    judged.catalog.promote(2, actor="ada", at=NOW)
    for version, severity in enumerate(severities, start=1):
        frame = events(1, version, NOON, severity=severity).with_columns(event_id=pl.lit("shared"))
        judged.results.put_events(1, version, frame, at=NOW)
    assert judged.results.events_current()["version_id"].to_list() == [shown]


def test_scores_and_events_of_many_sensors_are_one_commit(judged: Warehouse) -> None:
    before = judged.manifest.snapshot()
    after = judged.results.put(
        scores=pl.concat([scores(1, 1, 10), scores(2, 3, 10)]),
        events={(1, 1): events(1, 1, NOON), (2, 3): events(2, 3, NOON)},
        at=NOW,
    )
    assert before is not None
    assert after is not None
    assert after.id == before.id + 1
    assert judged.results.events_current().height == 2


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (events(2, 1, NOON), "rows of another"),
        (events(1, 1, NOON, NOON), "missing or doubled"),
        (events(1, 1, NOON).with_columns(end=pl.col("start")), "ends before it starts"),
        (events(1, 1, NOON).drop("why"), "missing columns why"),
    ],
)
def test_events_that_make_no_sense_are_refused(judged: Warehouse, frame: pl.DataFrame, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        judged.results.put_events(1, 1, frame, at=NOW)
    assert judged.results.read_events().is_empty()


def test_scores_without_a_time_are_refused(judged: Warehouse) -> None:
    frame = scores(1, 1, 2).with_columns(ts=pl.lit(None, SCORES["ts"]))
    with pytest.raises(SchemaError, match="a sensor, version or time is null"):
        judged.results.write_scores(frame, at=NOW)
