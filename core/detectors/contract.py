"""What every detector is: fitted on a signal, it says how strange each step of another one is."""

from pathlib import Path
from typing import ClassVar, Protocol, Self, runtime_checkable

from core.networks.checkpoints import Checkpoints
from core.networks.training import Epoch, Progress, Stop
from core.results import Mode, Scores
from core.signal import Floats, Signal


class Detector(Protocol):
    """A method whose constructor stores parameters only, and which holds no threshold.

    Attributes
    ----------
    name, title
        The method in files and tables, and on screen.
    """

    name: ClassVar[str]
    title: ClassVar[str]

    @property
    def mode(self) -> Mode:
        """Whether a step is judged from the past alone."""

    @property
    def needed(self) -> int:
        """Usable steps that fitting needs."""

    @property
    def warmup(self) -> int:
        """Steps at the start of a signal that are not judged."""

    @property
    def memory(self) -> int:
        """Steps of past after which a score no longer depends on where the signal was cut."""

    def fit(self, signal: Signal, *, progress: Progress | None = None, stop: Stop | None = None) -> Self:
        """Learn what is normal.

        Parameters
        ----------
        signal
            The training part; invalid steps are not learned from.
        progress
            Called after each epoch by methods that have epochs.
        stop
            Asked at each update, after each epoch and in long loops. What it raises ends the fit at once;
            True ends a training after its epoch, with what was learned so far.

        Raises
        ------
        InsufficientData
            Fewer usable steps than `needed`.
        ConstantSignal
            The method learns from changes and there are none.
        """

    def score(self, signal: Signal) -> Scores:
        """Say how strange each step is; NaN while warming up and where the target is not valid.

        Raises
        ------
        NotFitted
            Before `fit` or `load`.
        InsufficientData
            The signal is no longer than `warmup`.
        ParameterError
            The signal has other channels than the one it was fitted on.
        """

    def scaled(self, signal: Signal) -> Floats:
        """Return the (n,) target in the unit of the score."""

    def save(self, folder: Path) -> None:
        """Write what was learned into `folder`, without pickle."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        ArtifactError
            A file is missing or is not of this method.
        """


@runtime_checkable
class LooksFarBack(Protocol):
    """A detector that compares with a long past, and need not do so for steps that were judged before."""

    def score_newest(self, signal: Signal, first: int) -> Scores:
        """Say how strange the steps from `first` on are, as `Detector.score` does; NaN for those before."""


@runtime_checkable
class KeepsCheckpoints(Protocol):
    """A detector whose training is kept after each epoch, so that an interrupted one goes on from there."""

    @property
    def history(self) -> tuple[Epoch, ...]:
        """The whole loss curve of the last `fit`, with the epochs before it was interrupted."""

    def keep(self, checkpoints: Checkpoints) -> None:
        """Keep the next fits there, and let them go on from what is there.

        A fit that goes on tells `progress` only of the epochs that it makes itself. On one machine, what it
        learns is what a fit learns that was never interrupted, bit for bit. A checkpoint of other data,
        parameters or seed is ignored with a line in the log.
        """
