"""What a network must offer so that those of many sensors train in one graph, stacked on a leading axis."""

from collections.abc import Sequence
from typing import Any, Protocol

from core.signal import Floats

Tensor = Any
"""A tensor of tensorflow, which publishes no types."""

Weights = list[Floats]
"""The weights of one sensor's network."""


class StackedNetwork(Protocol):
    """The shape of a network, apart from its weights; hashable, so that what was compiled is kept by it."""

    def __hash__(self) -> int:
        """Return the same for the same shape."""

    @property
    def horizon(self) -> int:
        """How many next values each step predicts."""

    @property
    def lead(self) -> int:
        """Steps that are read before a step's outputs count."""

    def initial(self, channels: int, width: int, seed: int) -> Weights:
        """Return untrained weights for that many channels, padded with zeros to `width` of them."""

    def trimmed(self, weights: Weights, channels: int) -> Weights:
        """Return weights from `initial` without what pads them beyond that many channels."""

    def outputs(self, weights: Sequence[Tensor], inputs: Tensor, seeds: Tensor) -> Tensor:
        """Return (sensors, crops, steps, horizon) predictions while training, inside a traced function.

        Parameters
        ----------
        weights
            As from `initial`, with sensors as first axis.
        inputs
            (sensors, crops, steps, width).
        seeds
            (sensors,) uint32 of this update's dropout.
        """

    def forward(
        self, weights: Sequence[Weights], inputs: Sequence[Floats], phases: Sequence[int] | None = None
    ) -> list[Floats]:
        """Return what the steps of each sensor's own inputs predict.

        Parameters
        ----------
        weights, inputs
            Of each sensor; inputs are (n, channels), n and channels its own.
        phases
            Position of each sensor's first step on an absolute grid, for networks that cut sequences.

        Returns
        -------
        list[Floats]
            (n, horizon) each; row t holds what was predicted at t for the steps t + 1, t + 2, …
        """
