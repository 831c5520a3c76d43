"""Alarm load as EEMUA 191 and ISA-18.2 count it: values worked out by hand, and their published steps."""

import numpy as np
import pytest

from core.errors import ParameterError
from core.evaluation.alarm_load import PERIOD_US, AlarmLoad, alarm_load, standing, verdict_on

HOUR = 6 * PERIOD_US
DAY = 24 * HOUR
START = 1_700_000_000_000_000 // DAY * DAY


def load(counts: list[int], *, operators: int = 1) -> AlarmLoad:
    """The load of periods with so many alarms each, spread inside the period."""
    times = [
        START + place * PERIOD_US + n * PERIOD_US // max(count, 1)
        for place, count in enumerate(counts)
        for n in range(count)
    ]
    return alarm_load(
        np.array(times, dtype=np.int64),
        [n % 3 for n in range(len(times))],
        START,
        START + len(counts) * PERIOD_US,
        operators=operators,
    )


def test_one_alarm_in_ten_minutes_all_day_is_144_a_day():
    found = load([1] * 144)
    assert found.alarms == 144
    assert found.average == 1.0
    assert found.worst == (1.0, START)
    assert found.floods == ()
    assert verdict_on(found.average) == "very likely acceptable"


def test_a_flood_begins_above_ten_and_ends_below_five():
    # By hand: 10 is none yet, 11 begins it, 7 and 5 go on, 4 ends it.
    found = load([0, 10, 11, 7, 5, 4, 0, 0, 0, 0])
    (flood,) = found.floods
    assert (flood.start, flood.end) == (START + 2 * PERIOD_US, START + 5 * PERIOD_US)
    assert (flood.alarms, flood.peak) == (23, 11)
    assert found.flood_share == pytest.approx(0.3)
    assert found.worst == (11.0, START + 2 * PERIOD_US)


def test_two_floods_and_one_that_still_lasts():
    found = load([12, 4, 11, 11, 4, 15, 9])
    assert [(one.alarms, one.peak) for one in found.floods] == [(12, 12), (22, 11), (24, 15)]
    assert found.floods[-1].end == START + 7 * PERIOD_US
    assert found.flood_share == pytest.approx(5 / 7)


def test_two_operators_share_the_alarms():
    found = load([20, 22, 4, 2], operators=2)
    assert found.average == pytest.approx(48 / 2 / 4)
    assert found.worst == (11.0, START + PERIOD_US)
    assert [(one.alarms, one.peak) for one in found.floods] == [(22, 22)]


@pytest.mark.parametrize(
    ("rate", "words"),
    [  # EEMUA 191: more than one a minute, one in 2, one in 5, less than one in 10 minutes
        (10.1, "very likely unacceptable"),
        (5.0, "likely over-demanding"),
        (2.0, "manageable"),
        (0.9, "very likely acceptable"),
    ],
)
def test_the_published_steps_of_the_rate(rate: float, words: str):
    assert verdict_on(rate) == words


def test_the_ten_worst_actors_with_their_share():
    # Source k raises k alarms, k = 1 … 12: 78 in all, of which 3 … 12 raise 75.
    sources = [source for source in range(1, 13) for _ in range(source)]
    times = np.full(len(sources), START + 5, dtype=np.int64)
    found = alarm_load(times, sources, START, START + DAY)
    assert [(one.source, one.alarms) for one in found.actors] == [(k, k) for k in range(12, 2, -1)]
    assert found.actors[0].share == pytest.approx(12 / 78)
    assert found.actors_share == pytest.approx(75 / 78)


def test_only_what_is_inside_counts_and_the_time_is_whole_periods():
    times = np.array([START - 1, START, START + HOUR, START + HOUR + PERIOD_US], dtype=np.int64)
    found = alarm_load(times, [1, 1, 2, 3], START + 1, START + HOUR + 1)
    assert found.counts.tolist() == [1, 0, 0, 0, 0, 0, 1]
    assert found.starts[0] == START
    assert {one.source for one in found.actors} == {1, 2}


def test_a_quiet_day_has_no_load():
    found = alarm_load(np.array([], dtype=np.int64), [], START, START + DAY)
    assert (found.alarms, found.average, found.flood_share, found.actors) == (0, 0.0, 0.0, ())
    assert found.counts.size == 144


def test_an_alarm_stands_when_it_ran_for_more_than_a_day():
    starts = np.array([START, START + 1, START - DAY], dtype=np.int64)
    assert standing(starts, START + DAY).tolist() == [2]
    assert standing(np.array([], dtype=np.int64), START).size == 0


@pytest.mark.parametrize(("end", "operators", "sources"), [(0, 1, [1]), (DAY, 0, [1]), (DAY, 1, [])])
def test_what_has_no_load_is_refused(end: int, operators: int, sources: list[int]):
    times = np.array([START], dtype=np.int64)
    with pytest.raises(ParameterError):
        alarm_load(times, sources, START, START + end, operators=operators)
