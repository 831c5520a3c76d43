"""The checks that a panel trusts alone: a target that stands still, and one that leaves its context.

A standstill is trusted on every sensor. The relation of a target to its context (of a temperature to load and
speed, say) is trusted where what is learned from shows that there is one; see `seated`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from core.detectors.contract import Detector
from core.detectors.robust_regression import RobustRegression
from core.ensembles.raise_events import EventRaiser
from core.ensembles.votes import covered
from core.errors import ArtifactError, InsufficientData
from core.networks.training import Stop
from core.results import Event, Scores
from core.signal import Mask, Signal
from core.splits import joined
from core.thresholds.record import RecordParameters, broken
from core.thresholds.robust import RobustThreshold
from core.thresholds.said import Said

Doubles = NDArray[np.float64]
Steps = NDArray[np.int64]

STANDSTILL: Final = "standstill"
RELATION: Final = "relation"
TRUSTED: Final = (STANDSTILL, RELATION)
"""The checks by the names that their detectors have on a panel."""

MEASURED: Final = 20
"""Distinct training readings above which a context channel is a measurement: commands, states and modes of
operation have fewer."""

CALM: Final = 0.75
"""Share of the calibration part that is looked at by itself, as a fault may lie in the rest."""

_BAR: Final = "relation-bar"


@dataclass(frozen=True, eq=False)
class Relation:
    """The relation check of one sensor.

    Parameters
    ----------
    detector, threshold
        The statistical detector, fitted on the training part, and its bar, set on the calibration part.
    explained
        Share of the target's variance in the calibration part that the context explains.
    """

    detector: RobustRegression
    threshold: RobustThreshold
    explained: float

    def save_bar(self, folder: Path) -> None:
        """Write the threshold into a folder inside `folder`."""
        self.threshold.save(folder / _BAR)

    @classmethod
    def of(cls, detector: Detector, folder: Path, explained: float) -> Self:
        """Return the check of a detector that was loaded, with the bar that `save_bar` wrote.

        Raises
        ------
        ArtifactError
            The detector is of another method, or the bar is missing or damaged.
        """
        if not isinstance(detector, RobustRegression):
            raise ArtifactError(f"{folder}: {detector.name} can't be the check against context")
        return cls(detector, RobustThreshold.load(folder / _BAR), explained)


@dataclass(frozen=True, eq=False)
class Alarms:
    """What a check raises by itself.

    Parameters
    ----------
    spans
        Half-open spans of judged steps.
    ratios
        (n,) its score in multiples of its bar where it raises and exceeds it, 0 elsewhere.
    found
        The events of its own threshold, one a span; empty if it grades none.
    """

    spans: tuple[tuple[int, int], ...]
    ratios: Doubles
    found: tuple[Event, ...] = ()

    @property
    def inside(self) -> Mask:
        """(n,) True where it raises."""
        return covered(list(self.spans), self.ratios.size)

    def graded(self, at: int, peak: float, bar: float) -> Event | None:
        """Return the event of its own threshold at a judged step; None if it did not make the peak there."""
        if self.ratios[at] * bar < peak:
            return None
        holding = (one for one, (low, high) in zip(self.found, self.spans, strict=True) if low <= at < high)
        return next(holding, None)


def seated(
    train: Signal, calibrate: Signal, least: float, *, stop: Stop | None = None
) -> tuple[Relation | None, tuple[str, ...]]:
    """Return the relation check of a sensor, if its context tells what the target should read, and remarks.

    Three things are asked for, of what is learned from alone. A context channel is a measurement: it has more
    than `MEASURED` distinct training readings. The training part has more steps than are plenty for the
    regression's columns. And the regression explains at least `least` of the target's variance in the
    calibration part, or of that in its calmer three quarters. The former knows rare and large changes, such
    as stops of the machine; a fault in the calibration part does not spoil the latter.

    A remark is made of a context that is measured and does not suffice; where none is, none is missed.
    """
    if not measured(train):
        return None, ()
    detector, threshold = RobustRegression(), RobustThreshold()
    try:
        EventRaiser(detector, threshold).fit(train, calibrate, stop=stop)
    except InsufficientData as error:
        return None, _left_out(str(error))
    steps = int(train.valid.sum())
    if steps <= detector.plenty:
        return None, _left_out(
            f"it needs more than {detector.plenty} usable steps to learn from, found {steps}"
        )
    lead = train.slice(max(0, len(train) - detector.memory), len(train))
    expected = detector.score(joined(lead, calibrate)).expected[len(lead) :]
    explained = _explained(calibrate, expected.astype(np.float64))
    if explained < least:
        return None, _left_out(f"context explains {explained:.0%} of the target, and {least:.0%} is needed")
    return Relation(detector, threshold, explained), ()


def _left_out(reason: str) -> tuple[str, ...]:
    return (f"The check against context was left out: {reason}.",)


def measured(train: Signal) -> bool:
    """Return whether a context channel is a measurement rather than a command or a state."""
    context = train.context[train.valid]
    return any(np.unique(one[np.isfinite(one)]).size > MEASURED for one in context.T)


def _explained(calibrate: Signal, expected: Doubles) -> float:
    """Return the share of variance that (n,) predictions explain, of all steps or of the calmer ones."""
    known = calibrate.valid & np.isfinite(calibrate.target) & np.isfinite(expected)
    target = calibrate.target[known].astype(np.float64)
    left = (target - expected[known]) ** 2
    shares = []
    for kept, centre in ((1.0, target.mean()), (CALM, np.median(target))):
        count = int(np.ceil(kept * target.size))
        around, beside = (np.sort(one)[:count].sum() for one in ((target - centre) ** 2, left))
        shares.append(1.0 - float(beside / around) if around > 0 else 0.0)
    return max(*shares, 0.0)


def standing_still(
    said: Scores, judged: Steps, times: float, *, longest: int, reach: int, people: Said | None = None
) -> Alarms:
    """Return where a target repeats itself longer than it ever did.

    Parameters
    ----------
    said
        Of the standstill check.
    judged
        (m,) steps that are judged.
    times
        How many times the longest standstill known makes an event.
    longest, reach
        Steps of an event at most, and in which a longer standstill is looked for.
    people
        What people said of the judged steps.
    """
    still = np.nan_to_num(said.values[judged].astype(np.float64))
    # A standstill grows by one a step: without a lag it would be its own record and never break one.
    rule = RecordParameters(times, 1.0, 0, 0.5, longest=longest, reach=reach, lag=longest // 2)
    found, bars = broken(still, 1.0, rule, people)
    spans = tuple((one.start, one.end) for one in found)
    return Alarms(spans, np.where(covered(list(spans), still.size), still / bars, 0.0))


def leaving_context(said: Scores, judged: Steps, threshold: RobustThreshold) -> Alarms:
    """Return where the relation check raises events, each from the step on at which it is known.

    The threshold tells of an event from where its score began to rise; a panel's events keep the start that
    they were raised with.
    """
    scores, bar, extent = said.values.astype(np.float64), threshold.level, threshold.parameters
    spans, found = [], threshold.judge(said, said.values).events
    for one in found:
        inside = scores[one.start : one.end]
        loud = inside > bar
        enough = (np.cumsum(loud) >= extent.shortest) | (inside >= extent.brief_factor * bar)
        known = one.start + int(np.argmax(loud & enough))
        low, high = np.searchsorted(judged, (known, one.end))
        spans.append((int(low), int(high)))
    ratios = np.nan_to_num(scores[judged]) / bar
    # Below the bar it is known only later whether the event goes on.
    raising = covered(spans, judged.size) & (ratios > 1.0)
    return Alarms(tuple(spans), np.where(raising, ratios, 0.0), found)
