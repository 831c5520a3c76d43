"""Telemanom's LSTM: the target predicted from itself and its context, strange where the prediction fails.

Source: Hundman et al., "Detecting Spacecraft Anomalies Using LSTMs and Nonparametric Dynamic
Thresholding", KDD 2018, https://arxiv.org/abs/1802.04431. Layers, dropout, horizon, window and smoothing
are the published ones. Trained sequence to sequence, as `core.networks.recurrent` says.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from core.detectors.forecasting import ForecastingDetector
from core.detectors.forecasting_parameters import ForecastingParameters
from core.networks.keras_files import load_recurrent, save_recurrent
from core.networks.recurrent import RecurrentNetwork
from core.networks.stack import Weights


@dataclass(frozen=True)
class TelemanomParameters(ForecastingParameters):
    """Parameters of the LSTM and of its training, besides those of `ForecastingParameters`.

    Parameters
    ----------
    hidden
        Units of each layer. As published, as are `dropout`, `horizon`, `window` and `smoothing_span`,
        0.05 x 70 x 30 steps.

    Raises
    ------
    ParameterError
        A parameter is outside its range.
    """

    method: ClassVar[str] = "telemanom"

    hidden: tuple[int, ...] = (80, 80)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", tuple(self.hidden))
        super().__post_init__()

    def out_of_range(self) -> list[str]:
        """Return the names of the parameters outside their range."""
        return super().out_of_range() + ([] if self.hidden and min(self.hidden) >= 1 else ["hidden"])


class Telemanom(ForecastingDetector[TelemanomParameters]):
    """The LSTM detector; its score is the smoothed absolute error in scaled units."""

    name: ClassVar[str] = "telemanom"
    title: ClassVar[str] = "LSTM (Telemanom)"
    noun: ClassVar[str] = "LSTM"
    parameters_of = TelemanomParameters

    def network(self) -> RecurrentNetwork:
        """Return the shape of the network; the first window of a signal is read before outputs count."""
        p = self.parameters
        return RecurrentNetwork(p.hidden, p.horizon, lead=p.window, dropout=p.dropout)

    def _save_weights(self, weights: Weights, folder: Path) -> None:
        save_recurrent(self.network(), weights, folder / "network.keras")

    def _load_weights(self, folder: Path) -> Weights:
        return load_recurrent(self.network(), folder / "network.keras")
