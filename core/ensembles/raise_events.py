"""A detector and a threshold composed: what raises events."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

import numpy as np

from core.detectors.contract import Detector
from core.ensembles.members import fitted
from core.ensembles.parameters import Plain, parameters_of
from core.ensembles.severity import grade
from core.errors import InsufficientData
from core.networks.training import Progress, Stop
from core.results import Event, Mode, Scores, Thresholded
from core.signal import Floats, Signal
from core.splits import joined
from core.thresholds.contract import Threshold
from core.thresholds.said import Said

DRIVERS: Final = 3
"""Channels named as driving an event."""


@dataclass(frozen=True, eq=False)
class Detection:
    """What was found in one signal.

    Parameters
    ----------
    scores
        How strange each step is.
    events
        Graded events, in order of time.
    level
        (n,) the bar each step was held against; NaN where none was set.
    """

    scores: Scores
    events: tuple[Event, ...]
    level: Floats


class EventRaiser:
    """One detector with one threshold; see `core.ensembles.contract.Raiser`.

    Parameters
    ----------
    detector, threshold
        Fitted or not; `fit` fits both.
    """

    def __init__(self, detector: Detector, threshold: Threshold) -> None:
        self.detector = detector
        self.threshold = threshold

    @property
    def detectors(self) -> dict[str, Detector]:
        """The detector, by its name."""
        return {self.detector.name: self.detector}

    @property
    def name(self) -> str:
        """The detector's."""
        return self.detector.name

    @property
    def title(self) -> str:
        """The detector's."""
        return self.detector.title

    @property
    def mode(self) -> Mode:
        """The detector's."""
        return self.detector.mode

    @property
    def remarks(self) -> tuple[str, ...]:
        """Nothing: a detector that can't be fitted refuses, and no other takes its place."""
        return ()

    @property
    def memory(self) -> int:
        """Steps of past that a judgement may depend on: read that many before the first that matters."""
        return self.detector.memory + self.threshold.memory

    def fit(
        self,
        train: Signal,
        calibrate: Signal,
        *,
        progress: Progress | None = None,
        stop: Stop | None = None,
        checkpoints: Path | None = None,
    ) -> Self:
        """Fit the detector on `train` and the threshold on the scores of `calibrate`, which follows it.

        See `Raiser.fit` for the parameters.

        Raises
        ------
        InsufficientData, ConstantSignal
            What the detector or the threshold can't learn from.
        """
        fitted(self.detector, train, progress=progress, stop=stop, checkpoints=checkpoints)
        lead = train.slice(max(0, len(train) - self.detector.memory), len(train))
        whole = joined(lead, calibrate)
        scores = self.detector.score(whole)
        part = slice(len(lead), len(whole))
        try:
            self.threshold.fit(_cut(scores, part), self.detector.scaled(whole)[part])
        except InsufficientData as error:
            name = train.channels[0]
            raise InsufficientData(
                f"{name}: calibrating the threshold", needed=error.needed, found=error.found
            ) from error
        return self

    def detect(self, signal: Signal, *, said: Said | None = None) -> Detection:
        """Score a signal and raise its events; see `Raiser.detect`.

        Raises
        ------
        NotFitted
            Before `fit`.
        InsufficientData
            The signal is no longer than the detector's warm-up.
        """
        scores = self.detector.score(signal)
        judged = self._judged(scores, self.detector.scaled(signal), said)
        usual = self.threshold.usual
        events = tuple(
            replace(
                event,
                severity=grade(event, usual, signal.interval),
                drivers=_drivers(scores, event),
            )
            for event in judged.events
        )
        return Detection(scores, events, judged.level)

    def _judged(self, scores: Scores, scaled: Floats, said: Said | None) -> Thresholded:
        """Return what the threshold says; true anomalies are no part of the windows that judge other steps.

        False positives stay in these windows, as everything does that was not confirmed.
        """
        found = self.threshold.judge(scores, scaled)
        if said is None or not said.abnormal.any() or not self.threshold.memory:
            return found
        others = replace(scores, values=np.where(said.abnormal, np.float32(np.nan), scores.values))
        cleared = self.threshold.judge(others, scaled)
        kept = [one for one in found.events if said.abnormal[one.start : one.end].any()]
        inside = said.abnormal.copy()
        for one in kept:
            inside[one.start : one.end] = True
        kept += [one for one in cleared.events if not inside[one.start : one.end].any()]
        level = np.where(inside, found.level, cleared.level)
        return Thresholded(tuple(sorted(kept, key=lambda one: one.start)), level)

    def save(self, folder: Path) -> None:
        """Write the detector into ``detector/`` and the threshold into ``threshold/``."""
        self.detector.save(folder / "detector")
        self.threshold.save(folder / "threshold")

    def parameters(self) -> dict[str, Plain]:
        """Return the constructor parameters of detector and threshold, each under its part's name."""
        return parameters_of("detector", self.detector) | parameters_of("threshold", self.threshold)


def _drivers(scores: Scores, event: Event) -> tuple[tuple[int, float], ...]:
    """Return the channels with the largest mean shares in an event; none if the detector tells no shares."""
    if scores.shares is None:
        return ()
    inside = scores.shares[event.start : event.end]
    inside = inside[np.isfinite(inside).all(axis=1)]
    if inside.shape[0] == 0:
        return ()
    mean = inside.mean(axis=0)
    order = np.argsort(mean)[::-1][:DRIVERS]
    return tuple((int(channel), float(mean[channel])) for channel in order if mean[channel] > 0)


def _cut(scores: Scores, part: slice) -> Scores:
    return Scores(
        timestamps=scores.timestamps[part],
        values=scores.values[part],
        expected=scores.expected[part],
        shares=None if scores.shares is None else scores.shares[part],
        mode=scores.mode,
    )
