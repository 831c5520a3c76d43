"""Similar events and the preview of learning, from frames as the warehouse returns them."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from core.feedback.description import POINTS
from core.feedback.recurring import FeedbackRules
from core.workflows.feedback import held_events, preview, probabilities, similar_events, telling_order
from warehouse.schema import LABELS, STORED_EVENTS

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def events(*rows: tuple[str, int, float, float]) -> pl.DataFrame:
    """Return events of (id, sensor, hours before now, strength); a strength of None was never described."""
    return pl.DataFrame(
        [
            {
                "event_id": event_id,
                "sensor_id": sensor,
                "version_id": 1,
                "start": NOW - HOUR * before,
                "end": NOW - HOUR * before + HOUR / 2,
                "open": False,
                "peak_ts": NOW - HOUR * before,
                "peak_score": 5.0,
                "threshold": 1.0,
                "probability": 0.9,
                "severity": "high",
                "why": "because",
                "mode": "causal",
                "drivers": [],
                "traits": None if strength is None else [strength / 0.4, *[0.0] * 6],
                "shape": None if strength is None else [0.0] * POINTS,
            }
            for event_id, sensor, before, strength in rows
        ],
        schema=STORED_EVENTS,
    )


def labels(*rows: tuple[str, int, float, float, str]) -> pl.DataFrame:
    """Return labels of (event id, sensor, hours of the event before now, hours of the verdict, verdict)."""
    return pl.DataFrame(
        [
            {
                "label_id": number + 1,
                "sensor_id": sensor,
                "start": NOW - HOUR * before,
                "end": NOW - HOUR * before + HOUR / 2,
                "verdict": verdict,
                "fault_class": "cleaning" if verdict == "false_positive" else "",
                "note": "",
                "actor": "ada",
                "recorded_at": NOW - HOUR * said,
                "event_id": event_id,
                "version_id": 1,
            }
            for number, (event_id, sensor, before, said, verdict) in enumerate(rows)
        ],
        schema=LABELS,
    )


def test_the_most_similar_past_events_come_first_with_what_was_said_of_them():
    known = events(("far", 1, 90, 3.0), ("near", 2, 80, 1.1), ("same", 1, 70, 1.0), ("this", 1, 10, 1.0))
    found = similar_events(known, labels(("near", 2, 80, 75, "false_positive")), "this", count=2)
    assert [one.event_id for one in found] == ["same", "near"]
    assert [one.verdict for one in found] == ["", "false_positive"]
    assert found[1].fault_class == "cleaning"
    assert found[0].distance == pytest.approx(0)


def test_nothing_is_told_from_what_came_later():
    known = events(("this", 1, 50, 1.0), ("later", 1, 10, 1.0))
    assert similar_events(known, LABELS.to_frame(), "this") == ()


@pytest.mark.parametrize("asked", ["old", "unknown"])
def test_an_event_that_was_never_described_has_none_like_it(asked: str):
    known = events(("earlier", 1, 50, 1.0), ("old", 1, 10, None))
    assert similar_events(known, LABELS.to_frame(), asked) == ()


def test_a_preview_counts_what_would_have_been_removed_and_missed():
    known = events(
        ("first", 1, 200, 1.0), ("again", 1, 100, 1.0), ("fault", 1, 90, 2.5), ("other", 2, 80, 1.0)
    )
    said = labels(("first", 1, 200, 150, "false_positive"), ("fault", 1, 90, 85, "true_anomaly"))
    found = preview(known, said, now=NOW)
    assert set(found.found.held) == {"again"}
    assert found.sentence == (
        "Would have removed 1 of the last 30 days' 4 alarms and missed 0 of 1 confirmed events."
    )


def test_a_verdict_does_not_reach_back():
    known = events(("first", 1, 200, 1.0), ("again", 1, 100, 1.0))
    found = preview(known, labels(("first", 1, 200, 50, "false_positive")), now=NOW)
    assert found.found.held == {}
    assert "take effect on what comes after" in found.sentence


def test_events_outside_the_days_looked_at_count_as_past_alone():
    known = events(("first", 1, 24 * 60, 1.0), ("again", 1, 5, 1.0))
    found = preview(known, labels(("first", 1, 24 * 60, 24 * 59, "false_positive")), now=NOW)
    assert (found.found.alarms, len(found.found.held)) == (1, 1)


def test_without_an_event_the_preview_says_so():
    assert "nothing to try it on" in preview(STORED_EVENTS.to_frame(), LABELS.to_frame(), now=NOW).sentence


def test_unsure_says_nothing():
    known = events(("first", 1, 200, 1.0), ("again", 1, 100, 1.0))
    assert preview(known, labels(("first", 1, 200, 150, "unsure")), now=NOW).found.held == {}


def test_what_is_in_force_holds_back_open_questions_whenever_they_were():
    known = events(("first", 1, 200, 1.0), ("again", 1, 100, 1.0), ("other", 2, 90, 1.0))
    said = labels(("first", 1, 200, 50, "false_positive"))
    assert set(held_events(known, said, FeedbackRules())) == {"again"}


def test_an_event_with_a_verdict_of_its_own_is_never_held_back():
    known = events(("first", 1, 200, 1.0), ("again", 1, 100, 1.0))
    said = labels(("first", 1, 200, 150, "false_positive"), ("again", 1, 100, 90, "unsure"))
    assert held_events(known, said, FeedbackRules()) == {}


def test_probabilities_follow_verdicts_and_are_for_open_questions_alone():
    rows = [(f"f{k}", 1, 300 - k, 0.5) for k in range(8)] + [(f"t{k}", 1, 200 - k, 2.5) for k in range(8)]
    known = events(*rows, ("like false", 1, 20, 0.5), ("like true", 1, 10, 2.5))
    said = labels(
        *(
            (event_id, 1, before, before - 5, "false_positive" if event_id[0] == "f" else "true_anomaly")
            for event_id, _, before, _ in rows
        )
    )
    found = probabilities(known, said)
    assert set(found) == {"like false", "like true"}
    assert found["like true"].value > 0.7
    assert found["like false"].value < 0.3


def test_what_was_never_judged_teaches_most():
    known = events(("said", 1, 90, 1.0), ("like it", 1, 50, 1.0), ("new", 1, 40, 5.0))
    order = telling_order(known, labels(("said", 1, 90, 80, "false_positive")))
    assert order == ("new", "like it")


def test_an_event_on_which_people_disagree_teaches_nothing():
    known = events(("first", 1, 200, 1.0), ("again", 1, 100, 1.0))
    said = labels(("first", 1, 200, 150, "true_anomaly"), ("first", 1, 200, 140, "false_positive"))
    one_person = said.filter(pl.col("label_id") == 2)
    two_people = said.with_columns(actor=pl.Series(["ada", "bob"]))
    assert set(held_events(known, one_person, FeedbackRules())) == {"again"}
    assert held_events(known, two_people, FeedbackRules()) == {}
    assert preview(known, two_people, now=NOW).found.held == {}
    prior = probabilities(known, LABELS.to_frame())["again"].value
    assert probabilities(known, two_people)["again"].value == prior
    assert probabilities(known, one_person)["again"].value < prior


def test_who_is_unsure_contradicts_nobody():
    known = events(("first", 1, 200, 1.0), ("again", 1, 100, 1.0))
    said = labels(("first", 1, 200, 150, "unsure"), ("first", 1, 200, 140, "false_positive"))
    said = said.with_columns(actor=pl.Series(["bob", "ada"]))
    assert set(held_events(known, said, FeedbackRules())) == {"again"}
