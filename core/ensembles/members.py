"""What every ensemble does with its detectors: fitting one, and telling the loss curves of the networks."""

from collections.abc import Iterable
from pathlib import Path

from core.detectors.contract import Detector, KeepsCheckpoints
from core.networks.checkpoints import Checkpoints
from core.networks.training import Epoch, Progress, Stop
from core.signal import Signal


def fitted(
    detector: Detector,
    signal: Signal,
    *,
    progress: Progress | None,
    stop: Stop | None,
    checkpoints: Path | None,
) -> Detector:
    """Fit a member and return it.

    Parameters
    ----------
    detector
        The member.
    signal, progress, stop
        As in `Detector.fit`; `stop` is asked before the member begins, too, so that what it raises ends a
        row of them.
    checkpoints
        Folder of this member's checkpoints, if it keeps any; None keeps none.
    """
    if stop is not None:
        stop()
    if checkpoints is not None and isinstance(detector, KeepsCheckpoints):
        detector.keep(Checkpoints(checkpoints))
    return detector.fit(signal, progress=progress, stop=stop)


def loss_curves(detectors: Iterable[Detector]) -> tuple[tuple[Epoch, ...], ...]:
    """Return the whole loss curve of each network that was trained, in order."""
    curves = (each.history for each in detectors if isinstance(each, KeepsCheckpoints))
    return tuple(curve for curve in curves if curve)
