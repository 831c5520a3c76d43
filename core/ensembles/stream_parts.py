"""What a stream carries from step to step: every sensor of a fleet in one row of the same arrays.

Each part holds what was learned and what is remembered, all of it arrays, and is fed one step of all sensors
at a time. They say what `Reservoir`, `Discords` and `RangeCheck` say of the same steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from core.detectors.range_check import RangeCheck
from core.detectors.reservoir import INPUT_LIMIT, TARGET_LIMIT, Reservoir, ReservoirParameters, _drawn
from core.errors import NotFitted
from core.signal import Floats, Mask

Doubles = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(eq=False)
class Echoes:
    """The reservoir of every sensor.

    Parameters
    ----------
    has
        (sensors, channels) True for the channels that a sensor has.
    centre, scale
        (sensors, channels) of the scaling.
    deviation, readout
        (sensors,) and (sensors, units + channels + 1), as learned.
    state
        (sensors, units) after the last step.
    predicted
        (sensors,) scaled target of the step to come; NaN where nothing can be predicted.
    last, age
        (sensors, channels) last reading, and steps since.
    """

    has: Mask
    centre: Doubles
    scale: Doubles
    deviation: Doubles
    readout: Doubles
    state: Doubles
    predicted: Doubles
    last: Floats
    age: Counts

    @classmethod
    def of(cls, detectors: Sequence[Reservoir], p: ReservoirParameters, width: int) -> Self:
        """Stack fitted detectors, narrow ones widened by channels that they do not have."""
        count = len(detectors)
        centre, scale = np.zeros((count, width)), np.ones((count, width))
        has = np.zeros((count, width), np.bool_)
        readout, deviation = np.zeros((count, p.units + width + 1)), np.ones(count)
        for row, one in enumerate(detectors):
            learned = one._learned  # noqa: SLF001 # the stacked twin of the same method
            if learned is None:
                raise NotFitted("stream: a reservoir's readout was not fitted yet")
            own = learned.scaling.centre.size
            has[row, :own] = True
            centre[row, :own], scale[row, :own] = learned.scaling.centre, learned.scaling.scale
            readout[row, : p.units + own], readout[row, -1] = learned.readout[:-1], learned.readout[-1]
            deviation[row] = learned.deviation
        return cls(
            has,
            centre,
            scale,
            deviation,
            readout,
            state=np.zeros((count, p.units)),
            predicted=np.full(count, np.nan),
            last=np.full((count, width), np.nan, np.float32),
            age=np.zeros((count, width), np.int64),
        )

    def step(self, readings: Floats, p: ReservoirParameters, seed: int, *, first: bool) -> Doubles:
        """Return the (sensors,) error of each prediction in deviations of training, and predict anew."""
        known = np.isfinite(readings)
        self.last = np.where(known, readings, self.last)
        self.age = np.where(known, 0, self.age + 1)
        filled = np.where(self.age <= p.hold, self.last, np.float32(np.nan))
        scaled = (readings[:, 0] - self.centre[:, 0]) / self.scale[:, 0]
        target = np.clip(scaled, -TARGET_LIMIT, TARGET_LIMIT).astype(np.float32)
        errors = np.abs(target - self.predicted) / self.deviation
        inputs = np.clip((filled - self.centre) / self.scale, -INPUT_LIMIT, INPUT_LIMIT)
        inputs = np.nan_to_num(np.where(self.has, inputs, 0.0).astype(np.float32).astype(np.float64))
        weights, entry, bias = _drawn(p, self.centre.shape[1], seed)
        driven = inputs @ entry + bias
        # The first reading stands in for what came before it.
        for _ in range(p.washout + 1 if first else 1):
            self.state = (1 - p.leak) * self.state + p.leak * np.tanh(driven + self.state @ weights)
        units = p.units
        self.predicted = np.einsum("su,su->s", self.state, self.readout[:, :units])
        self.predicted += np.einsum("sc,sc->s", inputs, self.readout[:, units:-1]) + self.readout[:, -1]
        self.predicted[np.isnan(filled[:, 0])] = np.nan
        return errors


@dataclass(eq=False)
class Standstills:
    """How long each target has been repeating itself.

    Parameters
    ----------
    longest
        (sensors,) longest standstill of training in steps.
    rests
        (sensors,) True where standstills say nothing.
    last, run
        (sensors,) last reading, and how many in a row repeat it.
    """

    longest: Doubles
    rests: Mask
    last: Floats
    run: Counts

    @classmethod
    def of(cls, checks: Sequence[RangeCheck]) -> Self:
        """Stack fitted checks."""
        extremes = [one._extremes for one in checks]  # noqa: SLF001 # the stacked twin of the check
        kept = [one for one in extremes if one is not None]
        if len(kept) < len(checks):
            raise NotFitted("stream: the extremes of a training part were not noted yet")
        return cls(
            longest=np.array([one.standstill for one in kept], np.float64),
            rests=np.array([one.rests for one in kept], np.bool_),
            last=np.full(len(kept), np.nan, np.float32),
            run=np.zeros(len(kept), np.int64),
        )

    def step(self, target: Floats, most: int) -> Doubles:
        """Return (sensors,) standstills in multiples of training's longest."""
        known = np.isfinite(target)
        self.run = np.where(known, np.where(target == self.last, self.run + 1, 0), self.run)
        self.last = np.where(known, target, self.last)
        return np.where(self.rests, 0.0, np.minimum(self.run, most) / self.longest)
