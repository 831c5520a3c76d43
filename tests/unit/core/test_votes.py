"""Readings of the same scores that vote, each for itself."""

from dataclasses import replace

import numpy as np
import pytest

from core.ensembles.blend import Blend, Doubles
from core.ensembles.votes import Voters, causal_votes, covered, levels, review_votes
from core.errors import ParameterError

FEW = Voters(
    smoothing=(1, 20),
    factors=(1.1, 3.0),
    releases=(0.5, 0.9),
    floors=(0.5, 1.0),
    longest=80,
    margin=0,
    lead=500,
)


def blends(n: int = 3000, *, size: float = 4.0, start: int = 2000, stop: int = 2040) -> dict[Blend, Doubles]:
    values = 0.5 + np.random.default_rng(0).uniform(0, 0.1, n)
    values[start:stop] = size
    return {"geometric": values, "capped": np.minimum(values, 2.0)}


def highest(voters: Voters = FEW) -> dict[tuple[Blend, int], float]:
    return dict.fromkeys(voters.keys, 0.6)


def test_there_is_a_voter_for_each_combination() -> None:
    votes = review_votes(blends(), FEW)
    assert np.allclose(votes * 16, np.round(votes * 16))
    votes = causal_votes(blends(), highest(), FEW, 10_000)
    assert np.allclose(votes * 32, np.round(votes * 32))


def test_what_all_see_gets_every_vote_and_what_none_sees_none() -> None:
    # Averaged over past steps, a jump is a climb, of which no step need be three times the one before.
    sudden = causal_votes(blends(), highest(), replace(FEW, smoothing=(1,)), 10_000)
    for votes in (review_votes(blends(), FEW), sudden):
        assert votes[2015:2040].max() == 1
        assert votes[:1900].max() == 0
        assert votes.shape == (3000,)


def test_what_some_see_gets_their_share() -> None:
    """A peak of twice the rest exceeds it by the low factor alone."""
    votes = review_votes(blends(size=1.2), replace(FEW, smoothing=(1,)))
    assert votes[2000:2040] == pytest.approx(0.5)
    votes = causal_votes(blends(size=1.2), highest(), replace(FEW, smoothing=(1,)), 10_000)
    assert votes[2000:2040] == pytest.approx(0.5)


def test_floors_keep_a_quiet_past_from_being_exceeded() -> None:
    high = dict.fromkeys(FEW.keys, 1.5)  # training reached more than the window's past
    low_floor, high_floor = (
        causal_votes(blends(size=1.2), high, replace(FEW, floors=(floor,), smoothing=(1,)), 10_000)
        for floor in (0.5, 1.0)
    )
    assert low_floor[2010] > high_floor[2010] == 0


def test_margins_widen_what_was_found_in_review() -> None:
    narrow, wide = (review_votes(blends(), replace(FEW, smoothing=(1,), margin=m)) for m in (0, 20))
    assert np.flatnonzero(narrow).tolist() == list(range(2000, 2040))
    assert np.flatnonzero(wide).tolist() == list(range(1980, 2060))
    end = review_votes(blends(stop=3000, start=2950), replace(FEW, smoothing=(1,), margin=90))
    assert np.flatnonzero(end)[0] == 2860


def test_an_event_has_no_more_steps_than_the_longest() -> None:
    for votes in (
        review_votes(blends(stop=2400), replace(FEW, smoothing=(1,))),
        causal_votes(blends(stop=2400), highest(), replace(FEW, smoothing=(1,), releases=(0.9,)), 10_000),
    ):
        assert 0 < (votes[1990:2500] > 0).sum() <= 80


def test_levels_are_those_of_the_training_part_s_common_end() -> None:
    rng = np.random.default_rng(1)
    short, long = rng.gamma(4, 0.1, 500), rng.gamma(4, 0.1, 900)
    found, ranked = levels({"a": short, "b": long}, FEW, "causal")
    from_end, _ = levels({"a": short, "b": np.r_[np.full(400, 0.0), long[400:]]}, FEW, "causal")
    assert set(found) >= set(FEW.keys)
    assert ranked.shape == (500,)
    assert found[FEW.middle] == ranked.max()
    assert all(value > 0 for value in found.values())
    assert from_end.keys() == found.keys()
    scaled, _ = levels({"a": 7 * short, "b": long / 3}, FEW, "review")
    plain, _ = levels({"a": short, "b": long}, FEW, "review")
    assert scaled == pytest.approx(plain)


def test_spans_may_reach_beyond_either_end() -> None:
    assert np.flatnonzero(covered([(-5, 2), (8, 99), (-9, -3), (4, 4)], 10)).tolist() == [0, 1, 8, 9]
    assert covered([], 0).shape == (0,)


@pytest.mark.parametrize("name", ["blends", "smoothing", "factors", "releases", "floors"])
def test_an_empty_list_is_named(name: str) -> None:
    with pytest.raises(ParameterError, match=name):
        Voters(**{name: ()})  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"share": 0.0}, {"share": 1.1}, {"longest": 0}, {"margin": -1}])
def test_numbers_out_of_range_are_named(wrong: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        Voters(**wrong)  # type: ignore[arg-type]


def test_lists_from_a_file_are_as_good_as_tuples() -> None:
    assert Voters(factors=[1.1, 1.2]) == Voters(factors=(1.1, 1.2))  # type: ignore[arg-type]
