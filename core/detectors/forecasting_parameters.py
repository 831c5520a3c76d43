"""Parameters that every detector has which predicts the target from the past."""

from dataclasses import dataclass
from typing import ClassVar, Final

from core.errors import ParameterError
from core.networks.training import Schedule

_AT_LEAST_ONE: Final = (
    "horizon",
    "averaged",
    "window",
    "smoothing_span",
    "epochs",
    "patience",
    "batch",
    "least_crops",
)


@dataclass(frozen=True)
class ForecastingParameters:
    """Parameters of prediction, training and score.

    Parameters
    ----------
    dropout, horizon, window
        Share dropped while training, next values predicted at each step, steps of one training crop.
    averaged
        Predictions whose mean a reading is held against: those made 1 to `averaged` steps before it.
    smoothing_span
        Span of the moving average over errors, in steps; 1 leaves them as they are.
    epochs, patience, least_gain, batch, learning_rate, final_rate
        Of the training; see `core.networks.training.Schedule`.
    validation_share
        The validation tail is that share of the training part's usable steps.
    coverage, least_crops, most_crops
        Crops per epoch: so many that each step is seen `coverage` times, within these bounds.
    hold
        Steps for which the last reading stands in for a missing one.

    Raises
    ------
    ParameterError
        A parameter is outside its range.
    """

    method: ClassVar[str]

    dropout: float = 0.3
    horizon: int = 10
    averaged: int = 1
    window: int = 250
    smoothing_span: int = 105
    epochs: int = 40
    patience: int = 10
    least_gain: float = 1e-5
    batch: int = 16
    learning_rate: float = 2e-3
    final_rate: float = 1.0
    validation_share: float = 0.2
    coverage: float = 25.0
    least_crops: int = 256
    most_crops: int = 640
    hold: int = 30

    def __post_init__(self) -> None:
        wrong = self.out_of_range()
        if wrong:
            values = ", ".join(f"{name}={getattr(self, name)}" for name in wrong)
            raise ParameterError(f"{self.method}: out of range: {values}")

    def out_of_range(self) -> list[str]:
        """Return the names of the parameters outside their range."""
        wrong = [name for name in _AT_LEAST_ONE if getattr(self, name) < 1]
        wrong += [name for name in ("least_gain", "hold") if not getattr(self, name) >= 0]
        wrong += [name for name in ("learning_rate", "coverage") if not getattr(self, name) > 0]
        wrong += ["dropout"] if not 0 <= self.dropout < 1 else []
        wrong += ["final_rate"] if not 0 <= self.final_rate <= 1 else []
        wrong += ["validation_share"] if not 0 < self.validation_share < 1 else []
        wrong += ["averaged"] if self.averaged > self.horizon else []
        wrong += ["most_crops"] if self.most_crops < self.least_crops else []
        return wrong

    def schedule(self, steps: int) -> Schedule:
        """Return the training schedule for that many steps before the validation tail."""
        crops = round(self.coverage * steps / self.window)
        return Schedule(
            epochs=self.epochs,
            patience=self.patience,
            least_gain=self.least_gain,
            crops=min(max(crops, self.least_crops), self.most_crops),
            batch=self.batch,
            window=self.window,
            learning_rate=self.learning_rate,
            final_rate=self.final_rate,
        )
