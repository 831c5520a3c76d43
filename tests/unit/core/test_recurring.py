"""Verdicts hold back what is like a false positive of the same sensor, and never what may be a fault."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ParameterError
from core.feedback.description import POINTS, Description
from core.feedback.probability import FEW, EventProbability
from core.feedback.recurring import FeedbackRules, held_back, threshold_factor
from core.feedback.replay import replay
from core.feedback.teaching import most_telling, worth
from core.feedback.verdicts import SeenEvent, Verdict

STRENGTH_UNIT = 0.4


def event(strength: float = 1.0, length: float = 0.0, *, sensor: int = 1, end: int = 0) -> SeenEvent:
    traits = np.array([strength / STRENGTH_UNIT, length, 0, 0, 0, 0, 0])
    return SeenEvent(
        f"{sensor}/{strength}/{length}/{end}", sensor, end, Description(traits, np.zeros(POINTS))
    )


def false(*arguments, at: int = 0, **more) -> Verdict:
    return Verdict(event(*arguments, **more), real=False, at_us=at)


def true(*arguments, at: int = 0, **more) -> Verdict:
    return Verdict(event(*arguments, **more), real=True, at_us=at)


def test_one_false_positive_holds_its_like_back_and_is_named():
    said = [false(1.0)]
    why = held_back(event(1.05, end=9), said, FeedbackRules())
    assert why is not None
    assert why.layer == "likeness"
    assert why.event_ids == (said[0].event.event_id,)


def test_what_is_unlike_stays():
    assert held_back(event(1.0, 4.0), [false(1.0, 0.0)], FeedbackRules()) is None


def test_another_sensor_learns_nothing_from_it():
    assert held_back(event(1.0, sensor=2), [false(1.0, sensor=1)] * 9, FeedbackRules()) is None


def test_a_true_anomaly_that_is_as_near_keeps_the_event_on_the_screen():
    said = [false(1.0), true(1.0, 0.6)]
    assert held_back(event(1.0, 0.1), said, FeedbackRules()) is not None
    assert held_back(event(1.0, 0.4), said, FeedbackRules()) is None


def test_an_event_far_stronger_than_any_false_positive_stays():
    said = [false(1.0)]
    assert held_back(event(1.24), said, FeedbackRules()) is not None
    assert held_back(event(1.3), said, FeedbackRules()) is None


def test_true_anomalies_alone_hold_nothing_back():
    assert held_back(event(), [true(1.0)] * 5, FeedbackRules()) is None


def test_the_threshold_is_raised_by_several_false_positives_and_bounded():
    rules = FeedbackRules(likeness=False)
    weak = [false(0.2), false(0.3), false(0.1)]
    assert threshold_factor(weak[:2], rules) == 0
    assert threshold_factor(weak, rules) == pytest.approx(0.3)
    assert threshold_factor([*weak, false(2.0)], rules) == rules.highest
    assert threshold_factor([*weak, true(0.25)], rules) == pytest.approx(0.15)
    assert threshold_factor([*weak, true(0.05)], rules) == 0
    why = held_back(event(0.25, 9.0), weak, rules)
    assert why is not None
    assert why.layer == "threshold"


def test_each_rule_can_be_switched_off():
    said = [false(0.2), false(0.3), false(0.1)]
    off = FeedbackRules(likeness=False, threshold=False)
    assert held_back(event(0.2), said, off) is None
    assert threshold_factor(said, off) == 0


@pytest.mark.parametrize(
    "wrong", [{"radius": 0}, {"clearance": 0.5}, {"least": 0}, {"highest": -1}, {"guard": -1}]
)
def test_rules_out_of_range_are_refused(wrong: dict):
    with pytest.raises(ParameterError, match=r"out of range|negative"):
        FeedbackRules(**wrong)


strengths = st.floats(0.05, 3.0)
lengths = st.floats(-3.0, 3.0)
verdicts = st.lists(st.tuples(strengths, lengths, st.booleans(), st.integers(1, 3)), max_size=12)


@given(verdicts, strengths, lengths)
def test_a_confirmed_anomaly_seen_again_is_never_held_back(said, strength: float, length: float):
    given_so_far = [Verdict(event(s, k, sensor=sensor), real=real, at_us=0) for s, k, real, sensor in said]
    given_so_far.append(true(strength, length))
    assert held_back(event(strength, length), given_so_far, FeedbackRules()) is None


@given(verdicts)
def test_raising_a_threshold_never_reaches_a_confirmed_anomaly(said):
    own = [Verdict(event(s, k), real=real, at_us=0) for s, k, real, _ in said]
    factor = threshold_factor(own, FeedbackRules())
    assert 0 <= factor <= FeedbackRules().highest
    assert all(factor < one.event.description.strength for one in own if one.real)


def test_a_replay_judges_each_event_by_what_was_said_before_it_ended():
    first, second, third = event(1.0, end=10), event(1.0, end=20), event(1.0, end=30)
    late = Verdict(first, real=False, at_us=25)
    found = replay([first, second, third], [late])
    assert set(found.held) == {third.event_id}
    assert (found.alarms, found.dismissed, found.spared, found.confirmed) == (3, 1, 0, 0)


def test_a_replay_counts_confirmed_events_that_would_be_missed():
    early = Verdict(event(1.0, end=1), real=False, at_us=2)
    later = event(1.0, end=10)
    found = replay([later], [early, Verdict(later, real=True, at_us=11)])
    assert (found.confirmed, found.missed) == (1, 1)


def test_a_verdict_on_the_event_itself_does_not_hold_it_back():
    own = event(1.0, end=50)
    assert replay([own], [Verdict(own, real=False, at_us=20)]).held == {}


def test_while_verdicts_are_few_the_base_rate_is_all_that_is_said():
    said = [true(1.0, at=k) for k in range(FEW - 1)]
    found = EventProbability(said).of(event())
    assert found.prior
    assert found.value == pytest.approx(FEW / (FEW + 1))
    assert EventProbability([]).of(event()).value == 0.5
    assert EventProbability([false()] * 50).of(event()).prior


def test_the_probability_follows_what_was_said_of_its_like():
    said = [one for k in range(10) for one in (true(1.0, 3.0, at=2 * k), false(1.0, -3.0, at=2 * k + 1))]
    model = EventProbability(said)
    like_true, like_false = model.of(event(1.0, 3.0)).value, model.of(event(1.0, -3.0)).value
    assert like_true > 0.75
    assert like_false < 0.25
    assert model.of(event(1.0, 3.0)).verdicts == 20


def test_a_sensor_that_cries_wolf_counts_for_less():
    said = [one for k in range(8) for one in (true(1.0, sensor=1, at=k), false(1.0, sensor=2, at=k))]
    model = EventProbability(said)
    assert model.of(event(1.0, sensor=1)).value > model.of(event(1.0, sensor=3)).value
    assert model.of(event(1.0, sensor=3)).value > model.of(event(1.0, sensor=2)).value


@given(verdicts)
def test_a_probability_is_one(said):
    given_so_far = [Verdict(event(s, k, sensor=n), real=real, at_us=0) for s, k, real, n in said]
    assert 0 < EventProbability(given_so_far).of(event()).value < 1


def test_what_is_new_and_undecided_is_asked_first_and_its_twin_last():
    said = [false(1.0), false(1.0, 0.1), true(1.0, 6.0)]
    known, new, twin = event(1.0, 0.05), event(1.0, 3.0, end=1), event(1.0, 3.05, end=2)
    order = most_telling([known, twin, new], said)
    assert set(order) == {0, 1, 2}
    assert {order[0], order[2]} == {1, 2}
    model = EventProbability(said)
    assert worth(new, said, model) > worth(known, said, model)
