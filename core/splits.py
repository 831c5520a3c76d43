"""Chronological splits: what is learned from lies before what is calibrated on, and that before the test."""

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

import numpy as np

from core.errors import InsufficientData, ParameterError
from core.signal import Signal

DECLARED_TRAIN_SHARE: Final = 0.8
"""Of the steps before a declared test part, the share that is learned from; the rest calibrates."""


@dataclass(frozen=True, eq=False)
class Split:
    """Three parts of one signal, in order of time.

    Parameters
    ----------
    train, calibrate, test
        What is learned from, what thresholds are set on, and what neither of them sees.
    """

    train: Signal
    calibrate: Signal
    test: Signal

    @property
    def spans(self) -> dict[str, tuple[datetime, datetime]]:
        """Half-open intervals in UTC of ``train``, ``calibrate`` and ``test``."""
        parts = {"train": self.train, "calibrate": self.calibrate, "test": self.test}
        return {name: span(part) for name, part in parts.items()}


def span(signal: Signal) -> tuple[datetime, datetime]:
    """Return the half-open interval in UTC that a signal of at least one step covers."""
    first, last = (
        datetime.fromtimestamp(0, UTC) + (moment - np.datetime64(0, "us")).astype(object)
        for moment in (signal.timestamps[0], signal.timestamps[-1])
    )
    return first, last + signal.interval


def chronological(
    signal: Signal,
    *,
    declared_test: tuple[datetime, datetime] | None = None,
    fractions: tuple[float, float, float] = (0.6, 0.2, 0.2),
) -> Split:
    """Split a signal by time into train, calibrate and test.

    Parameters
    ----------
    signal
        All that is known of the sensor.
    declared_test
        Half-open interval in UTC that its publisher keeps for testing. It becomes the test part, what
        lies before it is split 0.8 : 0.2, and what lies after it is left out.
    fractions
        Shares of train, calibrate and test where nothing is declared.

    Raises
    ------
    InsufficientData
        A part would be empty.
    ParameterError
        The fractions are not positive or do not sum to 1.
    """
    if min(fractions) <= 0 or abs(sum(fractions) - 1) > 1e-9:
        raise ParameterError(f"split: fractions must be positive and sum to 1, got {fractions}")
    if declared_test is None:
        test_start, end = round(len(signal) * (fractions[0] + fractions[1])), len(signal)
        share = fractions[0] / (fractions[0] + fractions[1])
    else:
        test = signal.between(*declared_test)
        test_start = int(np.searchsorted(signal.timestamps, test.timestamps[0])) if len(test) else 0
        end, share = test_start + len(test), DECLARED_TRAIN_SHARE
    cuts = (0, round(test_start * share), test_start, end)
    if any(low >= high for low, high in pairwise(cuts)):
        raise InsufficientData(
            f"{signal.channels[0]}: splitting into train, calibrate and test", needed=3, found=len(signal)
        )
    train, calibrate, test = (signal.slice(low, high) for low, high in pairwise(cuts))
    return Split(train, calibrate, test)


def joined(first: Signal, second: Signal) -> Signal:
    """Return two parts of one signal, the earlier first, as one.

    Raises
    ------
    ParameterError
        They have other channels or intervals, or overlap in time.
    """
    if first.channels != second.channels or first.interval != second.interval:
        raise ParameterError(
            f"{first.channels[0]} and {second.channels[0]}: parts of different signals can't be joined"
        )
    return Signal(
        timestamps=np.concatenate([first.timestamps, second.timestamps]),
        values=np.concatenate([first.values, second.values]),
        channels=first.channels,
        units=first.units,
        interval=first.interval,
        valid=np.concatenate([first.valid, second.valid]),
    )
