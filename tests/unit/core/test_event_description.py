"""Events are described without units, so that those of any sensor can be compared."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ParameterError
from core.feedback.description import TRAITS, describe, restated
from core.feedback.similarity import distances, nearest, trait_distances

N = 400


def signal(kind: str, *, size: float = 4.0, start: int = 150, end: int = 250, seed: int = 0):
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 0.1, N).astype(np.float32)
    steps = np.arange(end - start)
    if kind == "step":
        values[start:end] += size
    elif kind == "drift":
        values[start:end] += size * steps / steps.size
    elif kind == "oscillation":
        values[start:end] += size * np.sin(steps)
    elif kind == "stuck":
        values[start:end] = size
    return values


def described(kind: str, *, expected=0.0, unit: float = 1.0, offset: float = 0.0, **where):
    values = signal(kind, **where) * np.float32(unit) + np.float32(offset)
    said = np.full(N, expected, np.float32) * np.float32(unit) + np.float32(offset)
    start, end = where.get("start", 150), where.get("end", 250)
    return describe(values, said, start=start, end=end, peak_score=6.0, threshold=2.0, interval_s=60.0)


def trait(description, name: str) -> float:
    return float(description.traits[TRAITS.index(name)])


def test_strength_and_length_are_those_of_the_event():
    one = described("step")
    assert one.strength == pytest.approx(np.log(3))
    assert trait(one, "length") == pytest.approx(np.log(100) / 0.7)


@given(unit=st.floats(0.01, 1000), offset=st.floats(-1000, 1000))
def test_the_unit_and_the_zero_of_a_sensor_make_no_difference(unit: float, offset: float):
    one, other = described("drift"), described("drift", unit=unit, offset=offset)
    tolerance = 0.02 + 1e-5 * abs(offset) / unit
    if tolerance < 0.3:  # beyond that float32 holds nothing of the event
        assert np.allclose(one.shape, other.shape, atol=5 * tolerance)
        assert abs(trait(one, "trend") - trait(other, "trend")) < tolerance


def test_which_side_a_deviation_is_on_is_told():
    assert trait(described("step", size=4.0), "side") > 0 > trait(described("step", size=-4.0), "side")


@pytest.mark.parametrize("kind", ["step", "drift", "oscillation", "stuck"])
def test_the_nearest_of_other_shapes_is_the_one_of_its_own_kind(kind: str):
    kinds = ["step", "drift", "oscillation", "stuck"]
    others = [described(other, seed=9, size=5.0) for other in kinds]
    assert kinds[nearest(described(kind), others, 1)[0]] == kind


def test_an_event_is_nearest_to_itself_and_distances_go_both_ways():
    one, other = described("step"), described("drift")
    assert distances(one, [one])[0] == 0
    assert distances(one, [other])[0] == pytest.approx(distances(other, [one])[0])
    assert distances(one, [other])[0] >= trait_distances(one, [other])[0]


def test_without_a_prediction_the_level_around_the_event_stands_for_it():
    values = signal("step") + 20
    nothing = np.full(N, np.nan, np.float32)
    one = describe(values, nothing, start=150, end=250, peak_score=6, threshold=2, interval_s=60)
    assert distances(one, [described("step")])[0] < 0.5


def test_what_has_gaps_or_is_missing_whole_is_described_in_finite_numbers():
    values = signal("drift")
    values[150:250:3] = np.nan
    gone = np.full(N, np.nan, np.float32)
    for read in (values, gone):
        one = describe(read, gone, start=150, end=250, peak_score=6, threshold=2, interval_s=60)
        assert np.isfinite(one.traits).all()
        assert np.isfinite(one.shape).all()


def test_an_event_of_one_step_at_either_end_is_described():
    values = signal("none")
    for start in (0, N - 1):
        one = describe(
            values, values * 0, start=start, end=start + 1, peak_score=3, threshold=2, interval_s=1
        )
        assert np.isfinite(one.traits).all()


@pytest.mark.parametrize(
    ("start", "end", "peak", "threshold"),
    [(5, 5, 1, 1), (0, N + 1, 1, 1), (-1, 3, 1, 1), (0, 3, 0, 1), (0, 3, 1, 0)],
)
def test_an_event_that_can_not_be_is_refused(start: int, end: int, peak: float, threshold: float):
    values = signal("none")
    with pytest.raises(ParameterError):
        describe(values, values, start=start, end=end, peak_score=peak, threshold=threshold, interval_s=60)


def test_of_no_events_none_is_similar():
    assert nearest(described("step"), [], 3) == ()
    with pytest.raises(ParameterError, match="at least one"):
        nearest(described("step"), [described("step")], 0)


def test_an_event_that_went_on_is_told_by_all_of_its_length_and_its_highest_peak():
    first = described("step", start=150, end=200)
    whole = restated(tuple(first.traits), peak_score=6.0, threshold=2.0, minutes=100)
    assert whole[:2] == pytest.approx(described("step", start=150, end=250).traits[:2])
    assert whole[2:] == tuple(first.traits[2:])
