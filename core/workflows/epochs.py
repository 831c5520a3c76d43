"""What a person sees while networks learn: how far it is, and the curve of each one's losses."""

from collections.abc import Iterable, Sequence
from typing import Final

from core.networks.training import Epoch
from core.workflows.reporting import Metric, Progress

_BEGIN: Final = 0.05
_SPAN: Final = 0.8


class EpochLog:
    """Takes the epochs of a fit; called for each of them that this fit makes.

    A fit that goes on where another was interrupted begins with the epoch after; `complete` adds those
    before.

    Parameters
    ----------
    sensor
        Named in every message.
    networks
        How many networks the fit trains, one after the other; a further one begins where the count of epochs
        begins again.

    Attributes
    ----------
    curves
        (epoch, name, value) of all points so far.
    """

    def __init__(self, sensor: str, networks: int, *, progress: Progress, metric: Metric) -> None:
        self.curves: list[tuple[int, str, float]] = []
        self._sensor, self._networks = sensor, max(networks, 1)
        self._progress, self._metric = progress, metric
        self._network, self._last, self._done = 1, 0, 0.0

    def __call__(self, one: Epoch) -> None:
        """Take one epoch."""
        if one.number <= self._last:
            self._network += 1
        self._last = one.number
        for point in _points(one, self._network):
            self.curves.append(point)
            self._metric(*point)
        done = (min(self._network, self._networks) - 1 + one.number / one.of) / self._networks
        self._done = max(self._done, done)
        self._progress(
            _BEGIN + _SPAN * self._done,
            f"{self._sensor}: epoch {one.number} of at most {one.of}{_which(self._network)}, "
            f"validation loss {one.validation_loss:.4g}",
        )

    def complete(self, curves: Iterable[Sequence[Epoch]]) -> None:
        """Take the whole curves of all networks, in order, once the fit is over.

        Parameters
        ----------
        curves
            As from `core.ensembles.members.loss_curves`.
        """
        self.curves = [
            point
            for network, curve in enumerate(curves, start=1)
            for epoch in curve
            for point in _points(epoch, network)
        ]


def _which(network: int) -> str:
    return f" of network {network}" if network > 1 else ""


def _points(one: Epoch, network: int) -> tuple[tuple[int, str, float], ...]:
    """Return what one epoch adds to the curves."""
    told = (("train loss", one.loss), ("validation loss", one.validation_loss))
    return tuple((one.number, name + _which(network), value) for name, value in told)
