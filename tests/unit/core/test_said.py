"""Bars leave confirmed anomalies out, and keep false positives as usual up to a bound."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ensembles.blend import against_past, against_whole
from core.ensembles.raise_events import EventRaiser
from core.errors import ParameterError
from core.results import Scores
from core.thresholds.dynamic import DynamicParameters, DynamicThreshold
from core.thresholds.record import RecordParameters, broken
from core.thresholds.said import HIGHEST_TAUGHT, Said

N = 400
RULE = RecordParameters(factor=1.1, lead=10, release=1.0, longest=60, reach=300, lag=5)


def said(*, abnormal: slice = slice(0), normal: slice = slice(0), n: int = N) -> Said:
    masks = np.zeros((2, n), dtype=bool)
    masks[0][abnormal] = True
    masks[1][normal] = True
    return Said(masks[0], masks[1])


def scores_with(*heights: tuple[slice, float]) -> np.ndarray:
    scores = np.ones(N)
    for where, height in heights:
        scores[where] = height
    return scores


def starts(scores: np.ndarray, people: Said | None) -> list[int]:
    return [one.start for one in broken(scores, 1.0, RULE, people)[0]]


def test_a_standing_condition_becomes_usual_unless_people_confirmed_it():
    scores = scores_with((slice(50, 150), 2.0), (slice(200, 210), 2.0))
    assert 200 not in starts(scores, None)
    assert 200 in starts(scores, said(abnormal=slice(50, 150)))


def test_what_was_called_a_false_positive_is_usual_later_and_is_found_itself():
    scores = scores_with((slice(50, 60), 1.9), (slice(200, 210), 1.9))
    assert starts(scores, None) == [50, 200]
    assert starts(scores, said(normal=slice(45, 65))) == [50]


def test_a_false_positive_does_not_hide_what_is_far_worse():
    worse = 1.1 * HIGHEST_TAUGHT * 1.1 * 1.01
    scores = scores_with((slice(50, 60), 50.0), (slice(200, 210), worse))
    assert starts(scores, said(normal=slice(50, 60))) == [50, 200]


@given(cut=st.integers(60, N - 1), height=st.floats(1.0, 9.0))
def test_what_is_said_of_later_steps_changes_no_earlier_bar(cut: int, height: float):
    scores = scores_with((slice(50, 60), height), (slice(200, 210), height))
    late = broken(scores, 1.0, RULE, said(abnormal=slice(cut, N)))[1]
    assert np.array_equal(late[:cut], broken(scores, 1.0, RULE)[1][:cut])


def test_the_usual_is_told_without_confirmed_steps():
    scores = scores_with((slice(100, 150), 9.0))
    abnormal = said(abnormal=slice(100, 150)).abnormal
    places = np.arange(N)
    assert against_past(scores, np.ones(10), places)[-1] < 0.2
    assert against_past(scores, np.ones(10), places, abnormal)[-1] == pytest.approx(1.0)
    assert against_whole(scores, 0, abnormal)[-1] == pytest.approx(1.0)


class _Given:
    """A detector whose scores are the readings."""

    memory = 0

    def score(self, signal: Scores) -> Scores:
        return signal


def test_a_window_with_a_confirmed_anomaly_still_shows_the_next_one():
    rng = np.random.default_rng(1)
    values = (1 + 0.05 * rng.random(3000)).astype(np.float32)
    values[1000:1150] = 9.0
    values[2000:2040] = 2.0
    times = np.datetime64("2026-01-01", "us") + np.arange(3000) * np.timedelta64(1, "m")
    scores = Scores(times, values, np.full(3000, np.nan, np.float32), None, "causal")
    raiser = EventRaiser(_Given(), DynamicThreshold(DynamicParameters()).fit(replace(scores), values))
    known = said(abnormal=slice(1000, 1150), n=3000)

    def found(people: Said | None) -> list[tuple[bool, bool]]:
        events = raiser._judged(scores, values, people).events
        return [(one.start < 1150 and one.end > 1000, one.start < 2040 and one.end > 2000) for one in events]

    assert [one for one in found(None) if any(one)] == [(True, False)]
    assert [one for one in found(known) if any(one)] == [(True, False), (False, True)]


def test_a_step_can_not_be_both():
    with pytest.raises(ParameterError, match="at once"):
        said(abnormal=slice(0, 10), normal=slice(9, 12))
