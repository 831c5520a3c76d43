"""Ids of events under re-judging: what a link in an e-mail relies on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from core.workflows.event_identity import SensorEvent, identified, renewed

T0 = datetime(2026, 1, 1, tzinfo=UTC)


def event(
    start: int, end: int, *, event_id: str = "", version: int = 1, running: bool = False
) -> SensorEvent:
    first, last = T0 + timedelta(minutes=start), T0 + timedelta(minutes=end)
    return SensorEvent(
        event_id, 3, version, first, last, running, first, 2.0, 1.0, 0.9, "high", "w", "causal", ()
    )


@st.composite
def apart(draw: st.DrawFn) -> list[SensorEvent]:
    """Events in order of time that do not overlap."""
    cuts = sorted(draw(st.sets(st.integers(0, 400), max_size=16)))
    return [event(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]


@given(apart(), apart())
def test_ids_are_unique_and_inherited_from_the_longest_overlap(
    new: list[SensorEvent], old: list[SensorEvent]
) -> None:
    known = [replace(one, event_id=f"old-{n}") for n, one in enumerate(old)]
    found = identified(new, known)
    ids = [one.event_id for one in found]
    assert len(set(ids)) == len(ids)
    assert all(ids)
    for one in found:
        if one.event_id.startswith("old-"):
            assert one.overlap_s(known[int(one.event_id[4:])]) > 0


@given(apart())
def test_judging_the_same_again_keeps_every_id(events: list[SensorEvent]) -> None:
    first = identified(events, ())
    again = identified([replace(one, version_id=2) for one in events], first)
    assert [one.event_id for one in again] == [one.event_id for one in first]


@given(apart(), apart(), st.integers(0, 400))
def test_renewing_never_overlaps_and_keeps_what_ended_before_the_cut(
    found: list[SensorEvent], stored: list[SensorEvent], at: int
) -> None:
    cut = T0 + timedelta(minutes=at)
    kept = renewed(found, stored, cut)
    assert [one for one in kept if one.end <= cut] == [one for one in stored if one.end <= cut]
    assert all(a.start <= b.start for a, b in pairwise(kept))


def test_a_running_event_keeps_its_start_and_id_while_its_end_moves() -> None:
    stored = [event(10, 50, event_id="3-a", running=True)]
    cut = T0 + timedelta(minutes=40)
    (one,) = identified(renewed([event(30, 80, running=True)], stored, cut), stored)
    assert (one.event_id, one.start, one.end, one.open) == (
        "3-a",
        T0 + timedelta(minutes=10),
        T0 + timedelta(minutes=80),
        True,
    )


def test_a_running_event_that_is_not_found_again_is_closed_not_lost() -> None:
    stored = [event(10, 50, event_id="3-a", running=True)]
    (one,) = renewed([], stored, T0 + timedelta(minutes=40))
    assert not one.open


def test_two_events_of_one_minute_get_two_ids() -> None:
    first = identified([event(10, 12)], ())
    second = identified([event(10, 11)], [replace(first[0], start=T0, end=T0 + timedelta(minutes=1))])
    assert second[0].event_id != first[0].event_id
