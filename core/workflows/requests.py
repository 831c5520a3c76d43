"""What can be asked of a workflow, checked before anything is queued."""

from dataclasses import dataclass
from typing import Final

from core.errors import ParameterError

PRESET_NAMES: Final = ("quick", "standard", "thorough")


@dataclass(frozen=True)
class TrainRequest:
    """What to train.

    Parameters
    ----------
    sensor_id
        A target.
    preset
        One of `PRESET_NAMES`.
    seed
        The same seed gives the same model on one machine.
    actor
        Who asked.
    """

    sensor_id: int
    preset: str = "standard"
    seed: int = 0
    actor: str = "telltale"

    def __post_init__(self) -> None:
        if self.preset not in PRESET_NAMES:
            raise ParameterError(f"preset must be one of {', '.join(PRESET_NAMES)}, not {self.preset!r}")
        if not 0 <= self.seed < 2**31:
            raise ParameterError(f"seed must be from 0 to {2**31 - 1}, not {self.seed}")
