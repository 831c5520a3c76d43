"""What every ensemble is, be it one detector or a panel of them: fitted on a sensor, it raises its events."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, Self

from core.detectors.contract import Detector
from core.ensembles.parameters import Plain
from core.ensembles.raise_events import Detection
from core.networks.training import Progress, Stop
from core.results import Mode
from core.signal import Signal
from core.thresholds.said import Said


class Raiser(Protocol):
    """A composition of detectors and thresholds whose constructor stores parameters only."""

    @property
    def name(self) -> str:
        """The method in files, in the registry and in tables."""

    @property
    def title(self) -> str:
        """The method on screen."""

    @property
    def mode(self) -> Mode:
        """Whether it judges a step from the past alone."""

    @property
    def memory(self) -> int:
        """Steps of past that a judgement may depend on: read that many before the first that matters."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """Sentences that a person must see about what was fitted; empty if all went as the preset says."""

    @property
    def detectors(self) -> Mapping[str, Detector]:
        """Its detectors by name, in the order in which `fit` fits them."""

    def fit(
        self,
        train: Signal,
        calibrate: Signal,
        *,
        progress: Progress | None = None,
        stop: Stop | None = None,
        checkpoints: Path | None = None,
    ) -> Self:
        """Learn from `train` what is normal, and from `calibrate`, which follows it, where to set the bars.

        Parameters
        ----------
        progress
            Called after each epoch by members that have epochs.
        stop
            Asked between members, at each update, after each epoch and in long loops. What it raises ends the
            fit at once; True ends a training after its epoch, with what was learned so far.
        checkpoints
            Folder in which trainings are kept after each epoch and from which they go on after an
            interruption, see `core.detectors.contract.KeepsCheckpoints`; None keeps nothing.

        Raises
        ------
        InsufficientData, ConstantSignal
            What none of its members can learn from.
        """

    def detect(self, signal: Signal, *, said: Said | None = None) -> Detection:
        """Score a signal and raise its events.

        Parameters
        ----------
        said
            What people said of its steps: what they confirmed lifts no bar that is set from what was judged
            before.

        Raises
        ------
        NotFitted
            Before `fit`.
        InsufficientData
            The signal is no longer than the warm-up.
        """

    def save(self, folder: Path) -> None:
        """Write what was learned into `folder`, without pickle."""

    def parameters(self) -> Mapping[str, Plain]:
        """Return the constructor parameters of all parts by name, as a registry records them."""
