"""A threshold that follows the stream: its bar comes from a window of the newest normal scores.

Source: Siffer et al., Anomaly Detection in Streams with Extreme Value Theory, KDD 2017, with a window of
fixed size in place of all that was seen, so that it also follows a slow change. Scores above the bar, and
those near them, never enter the window: an anomaly does not lift the bar that judges it or the next. The
price is that a lasting change of level stays flagged until the threshold is fitted again.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from core.errors import ArtifactError, NotFitted, ParameterError
from core.results import Scores, Thresholded
from core.signal import Floats, Mask
from core.thresholds.extent import raised
from core.thresholds.files import read_rule, write_rule
from core.thresholds.intervals import widened
from core.thresholds.pareto import ParetoTail
from core.thresholds.peaks_over_threshold import PeaksOverThresholdParameters, tail_of
from core.thresholds.tails import LEAST_STEPS, without_outstanding

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class MovingThresholdParameters(PeaksOverThresholdParameters):
    """Parameters of the threshold, besides those of `PeaksOverThresholdParameters`.

    Parameters
    ----------
    window
        Newest normal steps that the bar is set from.
    every
        Judged steps after which the bar is set anew.
    buffer
        Steps before and after one above the bar that stay out of the window too. A step enters it only
        when that many later ones were judged.

    Raises
    ------
    ParameterError
        A parameter is outside its range.
    """

    window: int = 2000
    every: int = 100
    buffer: int = 50

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.window < LEAST_STEPS or self.every < 1 or self.buffer < 0:
            raise ParameterError(f"moving threshold: window, every or buffer out of range: {self}")


@dataclass(frozen=True, eq=False)
class MovingState:
    """What is kept between calls.

    Parameters
    ----------
    normal
        (k,) the newest normal scores in order of time, at most `window`.
    recent, flagged
        (m,) the newest judged scores in order of time, and which exceeded their bar.
    decided
        How many of `recent` entered the window or never will; the others wait for the next setting.
    since
        Judged steps since the bar was set.

    Raises
    ------
    ParameterError
        The parts disagree, or a score is not finite.
    """

    normal: Doubles
    recent: Doubles
    flagged: Mask
    decided: int
    since: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "normal", np.asarray(self.normal, dtype=np.float64))
        object.__setattr__(self, "recent", np.asarray(self.recent, dtype=np.float64))
        object.__setattr__(self, "flagged", np.asarray(self.flagged, dtype=bool))
        finite = np.isfinite(self.normal).all() and np.isfinite(self.recent).all()
        if not finite or self.recent.shape != self.flagged.shape or not 0 <= self.decided <= self.recent.size:
            raise ParameterError("moving threshold: the parts of its state disagree")

    def stored(self) -> dict[str, Any]:
        """Return the state as JSON takes it."""
        arrays = {"normal": self.normal, "recent": self.recent, "flagged": self.flagged}
        return {key: each.tolist() for key, each in arrays.items()} | {
            "decided": self.decided,
            "since": self.since,
        }

    def seeing(self, scores: Doubles, flagged: Mask) -> "MovingState":
        """Return the state after some more steps under the same bar."""
        recent = np.concatenate([self.recent, scores])
        return MovingState(
            self.normal,
            recent,
            np.concatenate([self.flagged, flagged]),
            self.decided,
            self.since + scores.size,
        )

    def settled(self, p: MovingThresholdParameters) -> "MovingState":
        """Return the state in which the steps that are decided by now have entered the window."""
        upto = max(self.decided, self.recent.size - p.buffer)
        fresh = self.recent[self.decided : upto]
        if self.flagged.any():
            near = widened(np.flatnonzero(self.flagged), p.buffer, self.recent.size)
            fresh = fresh[~near[self.decided : upto]]
        # An undecided step may still lie near a flagged one that many steps before it.
        first = max(0, upto - p.buffer)
        normal = np.concatenate([self.normal, fresh])[-p.window :]
        return MovingState(normal, self.recent[first:], self.flagged[first:], upto - first, 0)


class MovingThreshold:
    """Judges each step by a bar that was known before it.

    A threshold does not change when it judges: `advanced` returns the one that knows what was judged.

    Parameters
    ----------
    parameters
        See `MovingThresholdParameters`.
    """

    name: ClassVar[str] = "moving"

    def __init__(self, parameters: MovingThresholdParameters | None = None) -> None:
        self.parameters = parameters or MovingThresholdParameters()
        self._state: MovingState | None = None
        self._tail: ParetoTail | None = None  # of the state's normal scores

    @property
    def memory(self) -> int:
        """A window and its buffer; what was flagged meanwhile reaches back further, see `advanced`."""
        return self.parameters.window + self.parameters.buffer

    @property
    def level(self) -> float:
        """The bar of the next step, in units of the score.

        Raises
        ------
        NotFitted
            Before `fit` or `load`.
        """
        return self._bar(self._fitted()[1])

    @property
    def usual(self) -> float:
        """The bar of the next step."""
        return self.level

    def fit(self, scores: Scores, values: Floats) -> Self:
        """Fill the window with the newest normal scores; see `Threshold.fit`."""
        del values
        p = self.parameters
        normal = without_outstanding(scores.values, p.contamination)[-p.window :]
        return self.at(MovingState(normal, np.empty(0), np.empty(0, bool), 0, 0))

    def at(self, state: MovingState, tail: ParetoTail | None = None) -> Self:
        """Continue from a state, whose tail need not be fitted again where it is known."""
        self._state, self._tail = state, tail or tail_of(state.normal, self.parameters)
        return self

    def judge(self, scores: Scores, values: Floats) -> Thresholded:
        """Return the events of steps that follow the calibration part or what was judged last.

        See `Threshold.judge`; a step without a score is told the bar that it would have been held against.
        """
        return self.advanced(scores, values)[0]

    def advanced(self, scores: Scores, values: Floats) -> tuple[Thresholded, Self]:
        """Return what `judge` returns, and the threshold that continues after the last step.

        Judging a stretch piece by piece gives each step the bar that it has when all is judged at once. An
        event that lasts beyond its piece is open there and goes on as another in the next.
        """
        del values
        p, (state, tail) = self.parameters, self._fitted()
        finite = np.isfinite(scores.values)
        seen = scores.values[finite].astype(np.float64)
        # Number of the setting in force at each step; 0 is the one that was in force before.
        setting = (state.since + np.cumsum(finite) - finite) // p.every
        tails = [tail]
        bars = [self._bar(tails[0])]
        done = 0
        while done < seen.size:
            block = seen[done : done + p.every - state.since]
            state = state.seeing(block, block > bars[-1])
            done += block.size
            if state.since == p.every:
                state = state.settled(p)
                tails.append(tail_of(state.normal, p))
                bars.append(self._bar(tails[-1]))
        level = np.array(bars)[setting]
        starts = np.array([tail.start for tail in tails])[setting]
        ends = np.minimum(np.maximum(p.release * level, starts), level)

        def probability(at: int, peak: float, steps: int) -> float:
            return tails[int(setting[at])].share_below(peak, steps)

        events = raised(scores, level, ends, p, probability)
        after = type(self)(p).at(state, tails[-1])
        return Thresholded(events, level.astype(np.float32)), after

    def save(self, folder: Path) -> None:
        """Write ``threshold.json``, with the state."""
        write_rule(folder, self.name, asdict(self.parameters), [self._fitted()[0].stored()])

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; see `Threshold.load`."""
        parameters, (state,) = read_rule(folder, cls.name, MovingThresholdParameters, MovingState)
        if not 0 <= state.since < parameters.every or state.normal.size < LEAST_STEPS:
            raise ArtifactError(f"{folder}: the state does not fit its parameters; train the sensor again")
        return cls(parameters).at(state)

    def _bar(self, tail: ParetoTail) -> float:
        return max(tail.level(self.parameters.steps_per_alarm), self.parameters.least)

    def _fitted(self) -> tuple[MovingState, ParetoTail]:
        if self._state is None or self._tail is None:
            raise NotFitted("the moving threshold was not fitted on a calibration part")
        return self._state, self._tail
