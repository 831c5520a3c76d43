"""A temporal convolution network: the target predicted by causal convolutions, strange where that fails.

Source: Bai, Kolter and Koltun, "An Empirical Evaluation of Generic Convolutional and Recurrent Networks
for Sequence Modeling", 2018, https://arxiv.org/abs/1803.01271, used as Hundman et al. (KDD 2018) use an
LSTM. A prediction depends on a fixed number of steps, so a score is the same wherever the signal was cut.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from core.detectors.folders import read_arrays, write_arrays
from core.detectors.forecasting import ForecastingDetector
from core.detectors.forecasting_parameters import ForecastingParameters
from core.errors import ArtifactError
from core.networks.convolution import ConvolutionNetwork
from core.networks.stack import Weights


@dataclass(frozen=True)
class ConvolutionParameters(ForecastingParameters):
    """Parameters of the convolutions and of their training, besides those of `ForecastingParameters`.

    The training was chosen by validation loss on NASA's training parts: without dropout, with a high
    rate that falls, and many small updates.

    Parameters
    ----------
    filters, kernel, levels
        Channels of each level, taps of each convolution, and levels: 6 of them with 3 taps reach
        over 127 steps.
    skip
        Whether the present value is added to each prediction, so that the network learns the change.

    Raises
    ------
    ParameterError
        A parameter is outside its range.
    """

    method: ClassVar[str] = "temporal-convolution"

    filters: int = 32
    kernel: int = 3
    levels: int = 6
    skip: bool = True
    dropout: float = 0.0
    window: int = 256
    epochs: int = 12
    patience: int = 4
    batch: int = 1
    learning_rate: float = 1e-2
    final_rate: float = 0.05
    coverage: float = 10.0
    least_crops: int = 80
    most_crops: int = 80

    def out_of_range(self) -> list[str]:
        """Return the names of the parameters outside their range."""
        wrong = [name for name in ("filters", "levels") if getattr(self, name) < 1]
        wrong += ["kernel"] if self.kernel < 2 else []
        return super().out_of_range() + wrong


class TemporalConvolution(ForecastingDetector[ConvolutionParameters]):
    """The convolution detector; its score is the smoothed absolute error in scaled units."""

    name: ClassVar[str] = "temporal-convolution"
    title: ClassVar[str] = "Temporal convolution"
    noun: ClassVar[str] = "convolution network"
    parameters_of = ConvolutionParameters

    def network(self) -> ConvolutionNetwork:
        """Return the shape of the network."""
        p = self.parameters
        return ConvolutionNetwork(p.filters, p.kernel, p.levels, p.horizon, p.dropout, p.skip)

    @property
    def warmup(self) -> int:
        """Steps at the start that are not judged: what the first judged step is predicted from."""
        return self.network().reach + self.parameters.averaged - 1

    def _save_weights(self, weights: Weights, folder: Path) -> None:
        write_arrays(folder / "network.npz", {f"weights_{i}": each for i, each in enumerate(weights)})

    def _load_weights(self, folder: Path) -> Weights:
        path, shapes = folder / "network.npz", self.network().shapes
        arrays = read_arrays(path, tuple(f"weights_{i}" for i in range(len(shapes))))
        weights = list(arrays.values())
        for each, shape in zip(weights, shapes, strict=True):
            same = len(shape) == each.ndim and all(
                a in {b, None} for a, b in zip(shape, each.shape, strict=True)
            )
            if not same or each.dtype != np.float32:
                raise ArtifactError(
                    f"{path}: the network is not the one its parameters name; train the sensor again"
                )
        return weights
