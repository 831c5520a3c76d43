"""What can be asked of a workflow, checked before anything is queued."""

from dataclasses import dataclass
from typing import Final, get_args

from core.errors import ParameterError
from core.results import Mode

PRESET_NAMES: Final = ("quick", "standard", "thorough", "telemanom")
MODE_NAMES: Final[tuple[Mode, ...]] = get_args(Mode)
PAST_ALONE: Final = frozenset({"telemanom"})
"""Presets that know no other mode than ``causal``."""


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
    mode
        ``causal``: steps are judged from the past alone; ``review``: later steps are seen too.

    Raises
    ------
    ParameterError
        There is no such preset or mode, the preset does not know the mode, or the seed is out of range.
    """

    sensor_id: int
    preset: str = "standard"
    seed: int = 0
    actor: str = "telltale"
    mode: Mode = "causal"

    def __post_init__(self) -> None:
        checked_preset(self.preset, self.mode)
        if not 0 <= self.seed < 2**31:
            raise ParameterError(f"seed must be from 0 to {2**31 - 1}, not {self.seed}")


def checked_preset(preset: str, mode: str) -> Mode:
    """Return the mode if the preset knows it.

    Raises
    ------
    ParameterError
        There is no such preset or mode, or the preset does not know the mode.
    """
    if preset not in PRESET_NAMES:
        raise ParameterError(f"preset must be one of {', '.join(PRESET_NAMES)}, not {preset!r}")
    found = next((name for name in MODE_NAMES if name == mode), None)
    if found is None:
        raise ParameterError(f"mode must be {' or '.join(MODE_NAMES)}, not {mode!r}")
    if found not in modes_of(preset):
        raise ParameterError(
            f"the preset {preset} judges from the past alone: choose the mode causal, or another preset"
        )
    return found


def modes_of(preset: str) -> tuple[Mode, ...]:
    """Return the modes that a preset knows, the usual one first."""
    return ("causal",) if preset in PAST_ALONE else MODE_NAMES
