"""Near a gap a panel raises nothing by windows that reach over it."""

import numpy as np

from core.ensembles.unsettled import AVERAGED, FEWEST, longest_window, unsettled


def judged(*gaps: tuple[int, int], n: int = 1000) -> np.ndarray:
    """Return the steps of ``[0, n)`` outside the half-open gaps."""
    return np.array([step for step in range(n) if not any(a <= step < b for a, b in gaps)])


def near(steps: np.ndarray, mode: str = "causal", longest: int = 50) -> set[int]:
    return set(steps[unsettled(steps, longest, mode)].tolist())  # type: ignore[arg-type]


def test_as_many_steps_follow_a_gap_as_were_missing_and_no_more_than_a_window() -> None:
    assert near(judged((300, 320))) == set(range(320, 340 + AVERAGED))
    assert near(judged((300, 600))) == set(range(600, 650 + AVERAGED))
    assert near(judged((300, 600)), longest=200) == set(range(600, 800 + AVERAGED))


def test_in_review_those_before_it_are_near_too() -> None:
    reach = 20 + AVERAGED
    assert near(judged((300, 320)), "review") == {*range(299 - reach, 300), *range(320, 320 + reach)}


def test_few_missing_steps_are_no_gap() -> None:
    assert near(judged((300, 300 + FEWEST - 1))) == set()
    assert near(judged((300, 300 + FEWEST))) != set()
    assert near(judged()) == near(np.array([], np.int64)) == set()


def test_the_longest_window_is_told_by_the_names() -> None:
    assert longest_window(("figures-25-past", "shape-200-whole", "reservoir", "standstill")) == 200
    assert longest_window(("neighbours-around", "reservoir")) == 50
