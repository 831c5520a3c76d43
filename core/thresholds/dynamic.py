"""The nonparametric dynamic threshold of Telemanom.

Source: Hundman et al., KDD 2018, https://arxiv.org/abs/1802.04431, sections 3.2 and 3.3, with the
constants of the published experiments. A sliding window of errors is held against the bar
``mean + z sd`` whose removal of what lies above it lowers mean and deviation most, for few and short
sequences; sequences that stand out little from the highest normal error are pruned. Errors mirrored
at their mean are judged the same way, so that unusually small ones are found too.
"""

from dataclasses import asdict
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from core.errors import NotFitted
from core.results import Event, Scores, Thresholded
from core.signal import Floats
from core.thresholds.error_windows import DynamicParameters, Marks, flag
from core.thresholds.files import read_rule, write_rule
from core.thresholds.intervals import event, runs
from core.thresholds.tails import Tail

__all__ = ["DynamicParameters", "DynamicThreshold"]


class DynamicThreshold:
    """Judges the errors of each window by themselves; calibration serves the probabilities alone.

    Parameters
    ----------
    parameters
        See `DynamicParameters`.
    """

    name: ClassVar[str] = "dynamic"

    def __init__(self, parameters: DynamicParameters | None = None) -> None:
        self.parameters = parameters or DynamicParameters()
        self._tails: tuple[Tail, Tail] | None = None

    @property
    def memory(self) -> int:
        """One window."""
        return self.parameters.batch * self.parameters.batches

    @property
    def usual(self) -> float:
        """What normal scores exceed once in ten thousand steps; the bars follow each window instead."""
        return self._fitted()[0].level(10_000)

    def fit(self, scores: Scores, values: Floats) -> Self:
        """Learn how high and how low normal scores get; see `Threshold.fit`."""
        del values  # the bar itself is set anew in each window
        self._tails = Tail.of(scores.values), Tail.of(-scores.values)
        return self

    def judge(self, scores: Scores, values: Floats) -> Thresholded:
        """Return the events; see `Threshold.judge`.

        Steps without a score are skipped over, and fewer judged steps than one batch raise nothing.
        """
        tails = self._fitted()
        judged = np.flatnonzero(np.isfinite(scores.values) & np.isfinite(values))
        level = np.full(len(scores), np.nan, dtype=np.float32)
        if judged.size < self.parameters.batch:
            return Thresholded((), level)
        marks = flag(
            scores.values[judged].astype(np.float64), values[judged].astype(np.float64), self.parameters
        )
        level[judged] = marks.upper
        spans = [(low, high) for low, high in runs(marks.high | marks.low) if high - low > 1]
        events = tuple(
            self._event(scores, marks, judged, (int(low), int(high)), tails) for low, high in spans
        )
        return Thresholded(events, level)

    def save(self, folder: Path) -> None:
        """Write ``threshold.json``."""
        tails = [asdict(tail) for tail in self._fitted()]
        write_rule(folder, self.name, asdict(self.parameters), tails)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; see `Threshold.load`."""
        rule = cls()
        rule.parameters, tails = read_rule(folder, cls.name, DynamicParameters, Tail, parts=2)
        rule._tails = tails[0], tails[1]
        return rule

    def _fitted(self) -> tuple[Tail, Tail]:
        if self._tails is None:
            raise NotFitted("the dynamic threshold was not fitted on a calibration part")
        return self._tails

    @staticmethod
    def _event(
        scores: Scores,
        marks: Marks,
        judged: NDArray[np.int64],
        span: tuple[int, int],
        tails: tuple[Tail, Tail],
    ) -> Event:
        low, high = span
        seen = scores.values[judged[low:high]]
        loud = bool(marks.high[low:high].any())
        at = low + int(np.argmax(seen) if loud else np.argmin(seen))
        peak = float(scores.values[judged[at]])
        # The windows that raised it met an error above their bar, here or a buffer away: the lowest counts.
        bar = min(float(np.nanmin(marks.upper[low:high])), peak) if loud else float(marks.lower[at])
        # A quiet event is held against the mirrored bar, and its probability is that of so low a minimum.
        share = tails[0].share_below(peak, high - low) if loud else tails[1].share_below(-peak, high - low)
        return event(
            int(judged[low]),
            int(judged[high - 1]) + 1,
            int(judged[at]),
            peak_score=peak,
            threshold=bar,
            probability=share,
            last=int(judged[-1]) + 1,
        )
