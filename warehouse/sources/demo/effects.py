"""What faults and treatments do to the value of a sensor."""

import numpy as np
from numpy.typing import NDArray

from warehouse.sources.demo.chance import SPIKE, Floats, generator
from warehouse.sources.demo.fleet import Gauge
from warehouse.sources.demo.happenings import Happening

Mask = NDArray[np.bool_]


def disturb(values: Floats, one: Happening, gauge: Gauge, minutes: NDArray[np.int64], warm: Floats) -> Floats:
    """Return `values` as the process or the transmitter is disturbed, before the sensor reads them.

    Parameters
    ----------
    values
        (n,) true values at `minutes` since 1970.
    one
        The fault or treatment; stuck sensors and drop-outs come later and leave this as it is.
    warm
        (n,) share of running; a standing machine shows no fault.
    """
    inside = (minutes >= one.start) & (minutes < one.end)
    age = np.where(inside, minutes - one.start, 0)
    if one.kind in {"drift", "step", "cleaning"}:
        grown = np.minimum((age + 1) / one.rise, 1.0) ** one.bend * inside
        return values * (1.0 + one.size * grown) if one.relative else values + one.size * grown * warm
    if one.kind == "oscillation":
        # A hunting regulator is never quite regular.
        strength = (0.88 + 0.12 * np.sin(age / 23.0)) * np.minimum((age + 1) / one.rise, 1.0)
        swing = strength * np.sin(2 * np.pi * age / one.period + 0.5 * np.sin(age / 31.0))
        return values + one.size * swing * inside * warm
    if one.kind == "changed correlation":
        unmoved = gauge.typical + one.size * (values - gauge.typical)
        return np.where(inside & (warm > 0.5), unmoved, values)
    return values


def calibrate(values: Floats, one: Happening, gauge: Gauge, minutes: NDArray[np.int64]) -> Floats:
    """Return `values` with nought, half and full range shown in turn instead of the process."""
    inside = (minutes >= one.start) & (minutes < one.end)
    third = (minutes - one.start) * 3 // max(1, one.end - one.start)
    low, high = gauge.span
    return np.where(inside, low + (high - low) * np.clip(third, 0, 2) / 2.0, values)


def spikes(seed: int, one: Happening, place: int, minutes: NDArray[np.int64]) -> Floats:
    """Return (n,) what a bad contact adds: single minutes, about one in nine, to either side."""
    length = one.end - one.start
    random = generator(seed, SPIKE, place, one.start)
    hit = random.random(length) < 0.11
    added = (
        hit * one.size * random.choice([-1.0, 1.0], length, p=[0.3, 0.7]) * random.uniform(0.6, 1.3, length)
    )
    index = np.clip(minutes - one.start, 0, length - 1)
    return np.where((minutes >= one.start) & (minutes < one.end), added[index], 0.0)


def drop(seed: int, one: Happening, place: int, minutes: NDArray[np.int64]) -> tuple[Mask, Mask]:
    """Return (n,) where a row is missing, and where a row holds NaN."""
    length = one.end - one.start
    drawn = generator(seed, SPIKE, place, one.start).random(length)
    chance = np.where(
        (minutes >= one.start) & (minutes < one.end), drawn[np.clip(minutes - one.start, 0, length - 1)], 2.0
    )
    missing: Mask = chance < one.size
    empty: Mask = ~missing & (chance < one.size + 0.5 * (1.0 - one.size))
    return missing, empty
