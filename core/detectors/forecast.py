"""What a forecast of the target is made from, and how readings are held against it."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from core.detectors.forecasting_parameters import ForecastingParameters
from core.detectors.scaling import Scaling
from core.detectors.smoothing import ewma
from core.imputation.hold import hold_last
from core.networks.stack import Weights
from core.networks.training import Series
from core.results import Scores
from core.signal import Floats, Signal

INPUT_LIMIT: Final = 3.0
"""Scaled values beyond this look the same to the network."""

TARGET_LIMIT: Final = 10.0
"""Scaled readings beyond this are equally strange, so that no value overflows."""


@dataclass(frozen=True, eq=False)
class Learned:
    """What `fit` or `load` leaves behind.

    Parameters
    ----------
    channels
        Names of the signal's channels.
    columns
        Channels that the network reads, the target first: those that never changed are left out.
    scaling
        Of all channels.
    weights
        Of the network.
    """

    channels: tuple[str, ...]
    columns: tuple[int, ...]
    scaling: Scaling
    weights: Weights

    def inputs(self, signal: Signal, hold: int) -> Floats:
        """Return the (n, columns) inputs of the network, without NaN."""
        return _filled(signal, self.scaling, hold)[:, self.columns]

    def scaled(self, signal: Signal) -> Floats:
        """Return the (n,) target in scaled units."""
        return self.scaling.apply(signal.values, TARGET_LIMIT)[:, 0]


@dataclass(frozen=True, eq=False)
class Lesson:
    """What a signal gives to learn from.

    Parameters
    ----------
    series
        The network's inputs and what they are to predict.
    columns, scaling
        As in `Learned`.
    """

    series: Series
    columns: tuple[int, ...]
    scaling: Scaling


def lesson(signal: Signal, parameters: ForecastingParameters) -> Lesson:
    """Return what is learned from a signal, with the validation tail that the parameters ask for."""
    scaling = Scaling.of(signal)
    inputs = _filled(signal, scaling, parameters.hold)
    changing = np.ptp(inputs[signal.valid], axis=0) > 0
    # A channel that never changed while training has untrained weights: noise, once it changes.
    columns = (0, *(int(each) for each in np.flatnonzero(changing) if each > 0))
    # Cut by usable steps, not by time, so that a long gap leaves neither part empty.
    before = int(signal.valid.sum()) * (1 - parameters.validation_share)
    split = int(np.searchsorted(np.cumsum(signal.valid), before)) + 1
    target = np.clip(scaling.apply(signal.values, TARGET_LIMIT)[:, 0], -INPUT_LIMIT, INPUT_LIMIT)
    return Lesson(Series(inputs[:, columns], target, signal.valid, split), columns, scaling)


def held_against(
    signal: Signal, outputs: Floats, *, learned: Learned, parameters: ForecastingParameters, warmup: int
) -> Scores:
    """Hold each reading against the mean of the predictions made for it up to `averaged` steps before.

    Parameters
    ----------
    signal
        What was predicted.
    outputs
        (n, horizon) scaled predictions made at each step.
    learned, parameters
        Of the detector.
    warmup
        Steps at the start that are not judged.
    """
    n, averaged = len(signal), parameters.averaged
    # Without a reading for that long, the network sees a stand-in and predicts nothing to be shown.
    blind = np.isnan(hold_last(signal.target, parameters.hold))
    made = np.full((averaged, n), np.nan)
    for ahead in range(1, averaged + 1):
        made[ahead - 1, ahead:] = np.where(blind, np.nan, outputs[:, ahead - 1])[:-ahead]
    known = np.isfinite(made)
    total, counts = np.where(known, made, 0).sum(axis=0), known.sum(axis=0)
    predicted = np.where(counts > 0, total / np.maximum(counts, 1), np.nan)
    predicted[:warmup] = np.nan
    errors = np.abs(learned.scaled(signal) - predicted)
    errors[~signal.valid] = np.nan
    expected = predicted * learned.scaling.scale[0] + learned.scaling.centre[0]
    return Scores(
        timestamps=signal.timestamps,
        values=ewma(errors, parameters.smoothing_span).astype(np.float32),
        expected=expected.astype(np.float32),
        shares=None,
        mode="causal",
    )


def _filled(signal: Signal, scaling: Scaling, hold: int) -> Floats:
    return np.nan_to_num(scaling.apply(hold_last(signal.values, hold), INPUT_LIMIT), nan=0.0)
