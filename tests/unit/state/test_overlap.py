from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from warehouse import schema
from warehouse.state.overlap import not_replaced, voices, with_verdicts

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def label(label_id, start, end, *, verdict="false_positive", sensor_id=1, event_id=None):
    return {
        "label_id": label_id,
        "sensor_id": sensor_id,
        "start": at(start),
        "end": at(end),
        "verdict": verdict,
        "fault_class": "",
        "note": "",
        "actor": "ada",
        "recorded_at": at(1000 + label_id),
        "event_id": event_id,
        "version_id": None,
    }


def labels(*rows) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=schema.LABELS)


def events(*rows) -> pl.DataFrame:
    """Make events from (event_id, sensor_id, start, end)."""
    return pl.DataFrame(
        [(one, sensor, at(start), at(end)) for one, sensor, start, end in rows],
        schema={
            "event_id": pl.String,
            "sensor_id": pl.Int32,
            "start": schema.TIME,
            "end": schema.TIME,
        },
        orient="row",
    )


@pytest.mark.parametrize(
    ("start", "end", "applies"),
    [
        (0, 60, True),  # the same interval
        (30, 90, True),  # half of both
        (31, 91, False),  # less than half of both
        (-600, 600, True),  # a long label around it
        (50, 70, True),  # half of a short label
        (51, 71, False),
        (60, 120, False),  # they touch, half-open
        (20, 21, True),  # a short label inside
    ],
)
def test_a_label_applies_from_half_of_the_shorter_on(start, end, applies):
    found = with_verdicts(events(("e", 1, 0, 60)), labels(label(1, start, end)))
    assert found["verdict"].to_list() == (["false_positive"] if applies else [None])


def test_a_label_applies_to_the_event_it_was_given_to_wherever_its_bounds_went():
    found = with_verdicts(events(("e", 1, 0, 60)), labels(label(1, 300, 360, event_id="e")))
    assert found["label_id"].to_list() == [1]


def test_a_label_of_another_sensor_never_applies():
    found = with_verdicts(events(("e", 1, 0, 60)), labels(label(1, 0, 60, sensor_id=2)))
    assert found["verdict"].to_list() == [None]


def test_the_latest_of_several_counts_and_the_events_keep_their_order():
    found = with_verdicts(
        events(("b", 1, 100, 160), ("a", 1, 0, 60), ("c", 2, 0, 60)),
        labels(label(2, 10, 70, verdict="unsure"), label(1, 0, 60, verdict="true_anomaly")),
    )
    assert found["event_id"].to_list() == ["b", "a", "c"]
    assert found["verdict"].to_list() == [None, "unsure", None]


def test_an_event_of_a_new_version_inherits_the_verdict_given_to_the_old_one():
    found = with_verdicts(events(("v2-event", 1, -5, 70)), labels(label(1, 0, 60, event_id="v1-event")))
    assert found["verdict"].to_list() == ["false_positive"]


def test_a_later_label_takes_the_place_of_an_equal_one_but_not_of_a_long_one_around_it():
    long, first, second = label(1, 0, 600), label(2, 0, 60), label(3, 5, 65, verdict="true_anomaly")
    assert not_replaced(labels(long, first, second))["label_id"].to_list() == [1, 3]


def test_a_later_label_of_the_same_event_takes_the_place_whatever_its_bounds():
    first, second = label(1, 0, 60, event_id="e"), label(2, 300, 400, event_id="e")
    assert not_replaced(labels(second, first))["label_id"].to_list() == [2]


def of(actor: str, verdict: str, one: dict[str, object]) -> dict[str, object]:
    return {**one, "actor": actor, "verdict": verdict}


def test_people_stay_side_by_side_and_each_takes_their_own_place() -> None:
    said = labels(
        of("ada", "true_anomaly", label(1, 0, 60)),
        of("bob", "false_positive", label(2, 0, 60)),
        of("ada", "unsure", label(3, 5, 60)),
    )
    assert not_replaced(said)["label_id"].to_list() == [2, 3]


@pytest.mark.parametrize(
    ("verdicts", "disagree", "count"),
    [
        ([], False, 0),
        ([("ada", "true_anomaly")], False, 1),
        ([("ada", "true_anomaly"), ("bob", "true_anomaly")], False, 2),
        ([("ada", "true_anomaly"), ("bob", "false_positive")], True, 2),
        ([("ada", "true_anomaly"), ("bob", "unsure")], False, 2),
        # Ada changed her mind, so she contradicts nobody any more, herself least of all.
        ([("ada", "true_anomaly"), ("bob", "false_positive"), ("ada", "false_positive")], False, 2),
        ([("ada", "true_anomaly"), ("ada", "false_positive")], False, 1),
    ],
)
def test_voices_are_counted_and_disagreement_is_told(verdicts, disagree, count) -> None:
    rows = [of(actor, verdict, label(n, n, 60)) for n, (actor, verdict) in enumerate(verdicts, start=1)]
    found = with_verdicts(events(("e", 1, 0, 60)), labels(*rows)).row(0, named=True)
    assert (found["disagree"], found["voices"]) == (disagree, count)
    assert found["verdict"] == (verdicts[-1][1] if verdicts else None)


def test_each_person_is_heard_with_the_latest_of_what_they_said() -> None:
    said = labels(
        of("ada", "true_anomaly", label(1, 0, 60)),
        of("bob", "false_positive", label(2, 0, 60)),
        of("ada", "unsure", label(3, 0, 31)),
        of("cem", "unsure", label(4, 200, 260)),
    )
    found = voices(events(("e", 1, 0, 60)), said)
    assert found.select("label_actor", "verdict", "label_id").rows() == [
        ("bob", "false_positive", 2),
        ("ada", "unsure", 3),
    ]
