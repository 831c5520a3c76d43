"""What every threshold is: calibrated on normal scores, it turns other scores into events."""

from pathlib import Path
from typing import ClassVar, Protocol, Self

from core.results import Scores, Thresholded
from core.signal import Floats


class Threshold(Protocol):
    """A rule that raises events from scores, whatever detector they come from.

    Its events carry the severity ``low``; `core.ensembles.severity` grades them.

    Attributes
    ----------
    name
        The rule in files and tables.
    """

    name: ClassVar[str]

    @property
    def memory(self) -> int:
        """Steps of past scores that the judgement of a step may depend on."""

    @property
    def usual(self) -> float:
        """Score that normal stretches hardly ever exceed: severity is told in multiples of it."""

    def fit(self, scores: Scores, values: Floats) -> Self:
        """Learn from scores of the calibration part what normal scores reach.

        Parameters
        ----------
        scores
            What a detector says of the calibration part. Steps without a score are left out, among them
            those that labels known by then call anomalous: they can't lift the bar.
        values
            (n,) the target in the unit of the score, from `Detector.scaled`.

        Raises
        ------
        InsufficientData
            Fewer judged steps than the rule needs.
        """

    def judge(self, scores: Scores, values: Floats) -> Thresholded:
        """Return the events in `scores`, and the bar that each step was held against.

        Raises
        ------
        NotFitted
            Before `fit` or `load`.
        """

    def save(self, folder: Path) -> None:
        """Write the rule and what it learned as JSON into `folder`."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; ArtifactError if it is missing or of another rule."""
