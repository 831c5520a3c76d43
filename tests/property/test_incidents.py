"""Incidents part events, whatever their order, and never join two machines or two times."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from core.ensembles.incidents import CORRELATED, FEWEST, Raised, correlation, driven, incidents, neighbours

GAP = 2
raised = st.builds(
    lambda asset, sensor, start, length, drivers: Raised(
        asset, asset * 10 + sensor, start, start + length, frozenset(asset * 10 + one for one in drivers)
    ),
    st.integers(1, 3),
    st.integers(0, 4),
    st.integers(0, 60),
    st.integers(1, 15),
    st.sets(st.integers(0, 4), max_size=2),
)
events = st.lists(raised, max_size=14)
pairs = st.sets(st.tuples(st.integers(0, 13), st.integers(0, 13)), max_size=25)


def near(one: Raised, other: Raised) -> bool:
    return one.start <= other.end + GAP and other.start <= one.end + GAP


@given(events, pairs)
def test_each_event_is_in_one_incident(found: list[Raised], together: set[tuple[int, int]]):
    members = [k for group in incidents(found, together, GAP) for k in group]
    assert sorted(members) == list(range(len(found)))


@given(events, pairs)
def test_an_incident_is_of_one_asset_and_hangs_together_in_time(
    found: list[Raised], together: set[tuple[int, int]]
):
    for group in incidents(found, together, GAP):
        assert len({found[k].asset_id for k in group}) == 1
        reached = {group[0]}
        while more := {
            k for k in group if k not in reached and any(near(found[k], found[j]) for j in reached)
        }:
            reached |= more
        assert reached == set(group)


@given(events, pairs, st.randoms(use_true_random=False))
def test_the_order_of_events_changes_nothing(found: list[Raised], together: set[tuple[int, int]], random):
    order = list(range(len(found)))
    random.shuffle(order)
    place = {k: n for n, k in enumerate(order)}
    moved = {(place[k], place[j]) for k, j in together if k in place and j in place}
    before = {frozenset(group) for group in incidents(found, together, GAP)}
    after = incidents([found[k] for k in order], moved, GAP)
    assert {frozenset(order[k] for k in group) for group in after} == before


@given(events)
def test_neighbours_are_what_comparing_each_with_each_finds(found: list[Raised]):
    slow = {
        (k, j)
        for j in range(len(found))
        for k in range(j)
        if found[k].asset_id == found[j].asset_id and near(found[k], found[j])
    }
    assert set(neighbours(found, GAP)) == slow


@given(events)
def test_without_a_correlation_only_sensors_and_drivers_join(found: list[Raised]):
    for group in incidents(found, (), GAP):
        for k in group:
            others = [j for j in group if j != k]
            assert not others or any(driven(found[k], found[j]) for j in others)


def test_a_chain_of_effects_is_one_incident_and_a_stranger_is_not():
    cooler = Raised(1, 11, 0, 10)
    outlet = Raised(1, 12, 4, 20, frozenset({11}))
    bearing = Raised(1, 13, 12, 20)
    flow = Raised(1, 14, 12, 20)
    found = [flow, bearing, cooler, outlet]
    assert set(incidents(found, {(3, 1)}, GAP)) == {(0,), (1, 2, 3)}


@given(st.integers(0, FEWEST - 1))
def test_too_few_common_readings_say_nothing(n: int):
    line = np.arange(40.0)
    other = np.where(np.arange(40) < n, line, np.nan)
    assert np.isnan(correlation(line, other))


@given(st.lists(st.integers(-50, 50), min_size=FEWEST, max_size=40))
def test_a_correlation_looks_at_order_alone(values: list[int]):
    line = np.array(values, dtype=np.float64)
    if np.ptp(line) == 0:
        return
    np.testing.assert_allclose(correlation(line, np.exp(line / 10) * 3 + 7), 1.0)
    np.testing.assert_allclose(correlation(line, -(line**3)), -1.0)


@given(
    st.lists(st.integers(-9, 9), min_size=20, max_size=20),
    st.lists(st.integers(-9, 9), min_size=20, max_size=20),
)
def test_a_correlation_is_spearmans(one: list[int], other: list[int]):
    a, b = np.array(one, dtype=np.float64), np.array(other, dtype=np.float64)
    if np.ptp(a) > 0 and np.ptp(b) > 0:
        np.testing.assert_allclose(correlation(a, b), spearmanr(a, b).statistic, atol=1e-12)


def test_one_hour_of_standstill_does_not_hide_that_channels_part():
    warm, flow = np.linspace(60, 75, 96), np.linspace(200, 150, 96)
    warm[-4:], flow[-4:] = 20.0, 0.0
    assert correlation(warm, flow) < -CORRELATED


def test_a_line_that_never_changes_correlates_with_nothing():
    assert np.isnan(correlation(np.ones(20), np.arange(20.0)))
