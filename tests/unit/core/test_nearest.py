"""The nearest of some rows: against each with each, written out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.detectors import nearest as module
from core.detectors.nearest import SAME, Seen, nearest


def brute_force(
    rows: np.ndarray,
    at: np.ndarray,
    seen: np.ndarray,
    theirs: np.ndarray | None,
    *,
    gap: int,
    before: int | None,
    after: int | None,
) -> np.ndarray:
    """Compare each row with each that was seen."""
    found = []
    for row, place in zip(rows, at, strict=True):
        distances = [np.inf]
        for k, other in enumerate(seen):
            if theirs is not None:
                apart = int(theirs[k]) - int(place)
                if abs(apart) < gap:
                    continue
                if before is not None and apart < 0 and -apart > before:
                    continue
                if after is not None and apart > 0 and apart > after:
                    continue
            distance = float(np.sqrt(((row.astype(float) - other.astype(float)) ** 2).sum()))
            distances.append(distance if distance >= SAME else 0.0)
        found.append(min(distances))
    return np.array(found)


places = st.lists(st.integers(0, 60), max_size=40, unique=True).map(sorted)
reaches = st.one_of(st.none(), st.integers(0, 50))


@settings(max_examples=200, deadline=None)
@given(
    asked=places,
    seen=places,
    outside=st.booleans(),
    apart=st.tuples(st.integers(1, 12), reaches, reaches),
    values=st.tuples(st.integers(0, 999), st.sampled_from([0.0, 1.0, 100.0])),
)
def test_it_is_each_with_each(
    asked: list[int],
    seen: list[int],
    outside: bool,
    apart: tuple[int, int | None, int | None],
    values: tuple[int, float],
) -> None:
    (gap, before, after), (seed, level) = apart, values
    rng = np.random.default_rng(seed)
    rows = (level + rng.integers(0, 3, (len(asked), 3))).astype(np.float32)
    others = (level + rng.integers(0, 3, (len(seen), 3))).astype(np.float32)
    at, theirs = np.array(asked, np.int64), None if outside else np.array(seen, np.int64)
    found = nearest(rows, at, Seen(others, theirs), gap=gap, before=before, after=after)
    wanted = brute_force(rows, at, others, theirs, gap=gap, before=before, after=after)
    assert np.allclose(found, wanted, rtol=1e-5)


@pytest.mark.parametrize(
    ("before", "after"), [(None, None), (40, 0), (0, 40), (40, 40), (None, 0), (7, None)]
)
def test_blocks_make_no_difference(
    before: int | None, after: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(1)
    rows, at = rng.normal(size=(300, 5)).astype(np.float32), np.arange(300) * 2
    seen = Seen(rows[::3], at[::3])
    monkeypatch.setattr(module, "BLOCK", 7)
    found = nearest(rows, at, seen, gap=5, before=before, after=after)
    wanted = brute_force(rows, at, rows[::3], at[::3], gap=5, before=before, after=after)
    assert np.allclose(found, wanted, rtol=1e-4)


def test_nothing_seen_is_infinitely_far_and_nothing_asked_is_nothing_found() -> None:
    rows, at = np.ones((3, 2), np.float32), np.arange(3)
    nothing = np.empty((0, 2), np.float32)
    found = nearest(rows, at, Seen(nothing, None), gap=1, before=None, after=None)
    assert np.isinf(found).all()
    assert np.isinf(nearest(rows, at, Seen(rows, at), gap=9, before=None, after=None)).all()
    assert nearest(nothing, at[:0], Seen(rows, at), gap=1, before=5, after=0).size == 0


@pytest.mark.parametrize("width", [2, 50, 250])
@pytest.mark.parametrize("level", [0.0, 1.0, -0.7, 2000.0])
def test_what_was_seen_before_is_not_far_by_rounding(level: float, width: int) -> None:
    """Products of long rows lose small distances: a constant sensor would alarm on them."""
    seen = np.random.default_rng(2).normal(0, 1, (700, width)).astype(np.float32)
    found = nearest(seen[::-1], np.arange(700), Seen(seen, None), gap=1, before=None, after=None)
    assert (found == 0).mean() > 0.99
    constant = np.full((700, width), np.float32(level))
    found = nearest(constant, np.arange(700), Seen(constant[:90], None), gap=1, before=None, after=None)
    assert (found == 0).all()


def test_a_small_distance_between_long_rows_is_told() -> None:
    seen = np.full((20, 4), 1000, np.float32)
    row = seen[:1].copy()
    row[0, 0] += 0.25
    found = nearest(row, np.array([0]), Seen(seen, None), gap=1, before=None, after=None)
    assert found == pytest.approx(0.25)
