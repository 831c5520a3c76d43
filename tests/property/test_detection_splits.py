"""No split ever lets the future, or a declared test part, into what is learned from."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.errors import InsufficientData, ParameterError
from core.signal import Signal, instant
from core.splits import chronological, joined, span

START = datetime(2024, 5, 1, tzinfo=UTC)


def signal_at(minutes: np.ndarray) -> Signal:
    n = len(minutes)
    return Signal(
        timestamps=instant(START) + minutes.astype(np.int64) * np.timedelta64(1, "m"),
        values=np.arange(n, dtype=np.float32).reshape(n, 1),
        channels=("x",),
        units=("bar",),
        interval=timedelta(minutes=1),
        valid=np.ones(n, dtype=bool),
    )


times = st.lists(st.integers(0, 5000), min_size=10, max_size=300, unique=True).map(
    lambda minutes: np.array(sorted(minutes))
)
shares = st.tuples(st.floats(0.05, 1), st.floats(0.05, 1), st.floats(0.05, 1)).map(
    lambda parts: tuple(part / sum(parts) for part in parts)
)


@given(minutes=times, fractions=shares)
def test_parts_follow_each_other_and_are_complete(
    minutes: np.ndarray, fractions: tuple[float, float, float]
) -> None:
    signal = signal_at(minutes)
    try:
        split = chronological(signal, fractions=fractions)
    except InsufficientData:
        assume(False)
    parts = (split.train, split.calibrate, split.test)
    assert np.array_equal(np.concatenate([part.timestamps for part in parts]), signal.timestamps)
    spans = split.spans
    assert spans["train"][1] <= spans["calibrate"][0]
    assert spans["calibrate"][1] <= spans["test"][0]
    assert instant(spans["train"][1]) > split.train.timestamps[-1]


@given(minutes=times, begin=st.integers(0, 5000), length=st.integers(1, 5000))
def test_nothing_of_a_declared_test_part_is_learned_from_or_calibrated_on(
    minutes: np.ndarray, begin: int, length: int
) -> None:
    signal = signal_at(minutes)
    declared = START + timedelta(minutes=begin), START + timedelta(minutes=begin + length)
    try:
        split = chronological(signal, declared_test=declared)
    except InsufficientData:
        before = int((minutes < begin).sum())
        assert before < 3 or not ((minutes >= begin) & (minutes < begin + length)).any()
        return
    for part in (split.train, split.calibrate):
        assert (part.timestamps < instant(declared[0])).all()
    inside = (signal.timestamps >= instant(declared[0])) & (signal.timestamps < instant(declared[1]))
    assert np.array_equal(split.test.timestamps, signal.timestamps[inside])
    assert split.train.timestamps[-1] < split.calibrate.timestamps[0]
    before = int((minutes < begin).sum())
    assert len(split.train) + len(split.calibrate) == before
    assert abs(len(split.train) - 0.8 * before) <= 1


def test_parts_that_would_be_empty_are_refused() -> None:
    with pytest.raises(InsufficientData, match="x: splitting"):
        chronological(signal_at(np.arange(2)))
    late = START + timedelta(days=90), START + timedelta(days=91)
    with pytest.raises(InsufficientData):
        chronological(signal_at(np.arange(100)), declared_test=late)


@pytest.mark.parametrize("fractions", [(0.5, 0.5, 0.0), (0.6, 0.2, 0.3), (1.2, -0.1, -0.1)])
def test_fractions_that_are_none_are_refused(fractions: tuple[float, float, float]) -> None:
    with pytest.raises(ParameterError, match="fractions"):
        chronological(signal_at(np.arange(100)), fractions=fractions)


def test_parts_of_one_signal_can_be_joined_again() -> None:
    signal = signal_at(np.arange(100))
    split = chronological(signal)
    again = joined(joined(split.train, split.calibrate), split.test)
    assert np.array_equal(again.values, signal.values)
    assert span(again) == (START, START + timedelta(minutes=100))
    with pytest.raises(ParameterError):
        joined(split.test, split.train)
