"""What detection returns: scores, events and held-out figures, as frozen values."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import ParameterError
from core.signal import Floats, Times

Severity = Literal["low", "medium", "high", "critical"]
Mode = Literal["causal", "review"]


@dataclass(frozen=True, eq=False)
class Scores:
    """How strange each step is.

    Parameters
    ----------
    timestamps
        (n,) datetime64[us], UTC.
    values
        (n,) float32, higher is stranger; NaN while the detector warms up or nothing was read.
    expected
        (n,) float32 prediction of the target in its own unit, NaN where there is none.
    shares
        (n, channels) float32 share of each channel in the score, rows sum to 1; None if not available.
    mode
        ``causal``: judged from the past alone; ``review``: later steps were seen too.
    """

    timestamps: Times
    values: Floats
    expected: Floats
    shares: Floats | None
    mode: Mode

    def __post_init__(self) -> None:
        n = self.timestamps.shape[0]
        if self.values.shape != (n,) or self.expected.shape != (n,):
            raise ParameterError(
                f"scores: {n} timestamps, values {self.values.shape}, expected {self.expected.shape}"
            )
        if self.shares is not None and (self.shares.ndim != 2 or self.shares.shape[0] != n):
            raise ParameterError(f"scores: {n} timestamps, shares of shape {self.shares.shape}")

    def __len__(self) -> int:
        return int(self.timestamps.shape[0])


@dataclass(frozen=True)
class Event:
    """A detected anomalous interval of one signal.

    Parameters
    ----------
    start, end
        Half-open step indices ``[start, end)`` into the scores that raised it.
    peak
        Index of the strangest step.
    peak_score, threshold
        Score at the peak and the threshold it is held against, in units of the score.
    probability
        In [0, 1]: share of equally long normal stretches whose highest score stays below this peak.
    severity
        By the rule stated in `core.ensembles.severity`.
    drivers
        (channel index, share) pairs, largest first; empty if the detector has no shares.
    open
        True when it still runs at the last step.
    """

    start: int
    end: int
    peak: int
    peak_score: float
    threshold: float
    probability: float
    severity: Severity
    drivers: tuple[tuple[int, float], ...]
    open: bool

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.peak < self.end:
            raise ParameterError(
                f"event: start {self.start}, peak {self.peak}, end {self.end} are out of order"
            )
        if not 0.0 <= self.probability <= 1.0:
            raise ParameterError(f"event: probability {self.probability} is outside [0, 1]")


@dataclass(frozen=True, eq=False)
class Thresholded:
    """What a threshold says of scores.

    Parameters
    ----------
    events
        In order of time, not overlapping.
    level
        (n,) float32, the bar each step was held against; NaN where none was set.
    """

    events: tuple[Event, ...]
    level: NDArray[np.float32]


@dataclass(frozen=True)
class HeldOutFigures:
    """Figures on steps that neither fitting nor calibration saw.

    Parameters
    ----------
    steps
        Number of judged steps.
    normalised_error
        Root mean squared one-step error divided by the standard deviation of the target while training.
    persistence_error
        The same for the forecast "as before", the reference of the same run.
    alarms_per_week
        Events divided by the judged time in weeks of the data's own clock.
    flagged_share
        Share of judged steps inside events, in [0, 1].
    precision, recall, f1
        Against labels, by event overlap (Hundman et al., KDD 2018); None without labels.
    """

    steps: int
    normalised_error: float
    persistence_error: float
    alarms_per_week: float
    flagged_share: float
    precision: float | None = None
    recall: float | None = None
    f1: float | None = None
