"""What can be asked of a workflow, checked before anything is queued."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from core.errors import JobError, ParameterError
from core.results import Mode
from warehouse.documents import JSON

PRESET_NAMES: Final = ("quick", "standard", "thorough", "telemanom")
MODE_NAMES: Final[tuple[Mode, ...]] = get_args(Mode)
FOLDS: Final = 5
MOST_FOLDS: Final = 20
"""Folds of a backtest: as usual, and at most."""
PAST_ALONE: Final = frozenset({"telemanom"})
"""Presets that know no other mode than ``causal``."""


@dataclass(frozen=True)
class ParameterField:
    """A parameter that a person may set for a training of their own.

    Parameters
    ----------
    name
        As in `TrainRequest.parameters`.
    title, help
        On screen.
    unit
        Of the value; empty where it has none.
    default
        What the preset does without it.
    low, high
        Range, both ends included.
    kind
        ``whole``: whole numbers alone; ``number``: any.
    """

    name: str
    title: str
    unit: str
    default: float
    low: float
    high: float
    kind: Literal["whole", "number"]
    help: str

    def checked(self, value: JSON) -> float:
        """Return a value as this parameter takes it.

        Raises
        ------
        ParameterError
            It is no such number, or out of range; the error names the field.
        """
        wanted = "a whole number" if self.kind == "whole" else "a number"
        problem = f"{self.title} must be {wanted} from {self.low:g} to {self.high:g}, not {value!r}"
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ParameterError(problem, field=self.name)
        if not self.low <= value <= self.high or (self.kind == "whole" and value != int(value)):
            raise ParameterError(problem, field=self.name)
        return int(value) if self.kind == "whole" else float(value)


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
    parameters
        Values by name that differ from the preset's; see `advanced_of`.

    Raises
    ------
    ParameterError
        There is no such preset, mode or parameter, the preset does not know the mode, or a number is out of
        range.
    """

    sensor_id: int
    preset: str = "standard"
    seed: int = 0
    actor: str = "telltale"
    mode: Mode = "causal"
    parameters: Mapping[str, JSON] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checked_preset(self.preset, self.mode)
        if not 0 <= self.seed < 2**31:
            raise ParameterError(f"seed must be from 0 to {2**31 - 1}, not {self.seed}", field="seed")
        object.__setattr__(
            self, "parameters", checked_parameters(self.preset, self.parameters, mode=self.mode)
        )


def checked_preset(preset: str, mode: str) -> Mode:
    """Return the mode if the preset knows it.

    Raises
    ------
    ParameterError
        There is no such preset or mode, or the preset does not know the mode.
    """
    if preset not in PRESET_NAMES:
        raise ParameterError(
            f"preset must be one of {', '.join(PRESET_NAMES)}, not {preset!r}", field="preset"
        )
    found = next((name for name in MODE_NAMES if name == mode), None)
    if found is None:
        raise ParameterError(f"mode must be {' or '.join(MODE_NAMES)}, not {mode!r}", field="mode")
    if found not in modes_of(preset):
        raise ParameterError(
            f"the preset {preset} judges from the past alone: choose the mode causal, or another preset",
            field="mode",
        )
    return found


def modes_of(preset: str) -> tuple[Mode, ...]:
    """Return the modes that a preset knows, the usual one first."""
    return ("causal",) if preset in PAST_ALONE else MODE_NAMES


def checked_parameters(preset: str, given: Mapping[str, JSON], *, mode: Mode = "causal") -> dict[str, JSON]:
    """Return the values that differ from the preset's, each checked.

    Raises
    ------
    ParameterError
        The preset has no such parameter, or a value is out of range; the error names the field.
    """
    known = {one.name: one for one in advanced_of(preset, mode=mode)} if given else {}
    checked: dict[str, JSON] = {}
    for name, value in given.items():
        if name not in known:
            raise ParameterError(
                f"the preset {preset} has no parameter {name!r}; it has {', '.join(known)}", field=name
            )
        said = known[name].checked(value)
        if said != known[name].default:
            checked[name] = said
    return checked


def advanced_of(preset: str, *, mode: Mode = "causal") -> tuple[ParameterField, ...]:
    """Return the parameters of a preset that a person may set, those that matter most first.

    Raises
    ------
    ParameterError
        There is no such preset.
    """
    # Late, so that a page that only names presets does not load detectors.
    from core.workflows.advanced import fields_of

    checked_preset(preset, mode)
    return fields_of(preset, mode)


def payload_of(request: TrainRequest) -> dict[str, JSON]:
    """Return what a training job carries."""
    return {
        "sensor_ids": [request.sensor_id],
        "preset": request.preset,
        "mode": request.mode,
        "seed": request.seed,
        "actor": request.actor,
        **({"parameters": dict(request.parameters)} if request.parameters else {}),
    }


def request_of(payload: Mapping[str, JSON]) -> TrainRequest:
    """Return what the payload of a training job asks for.

    Raises
    ------
    JobError
        It does not name exactly one sensor, or something is of the wrong type.
    ParameterError
        As `TrainRequest` says.
    """
    ids = sensor_ids_of(payload, "a training")
    if len(ids) != 1:
        raise JobError(f"a training needs exactly one sensor, not {list(ids)}")
    return request_for(ids[0], payload)


def request_for(sensor_id: int, payload: Mapping[str, JSON]) -> TrainRequest:
    """Return what a payload asks for, for the sensor `sensor_id`.

    Raises
    ------
    JobError
        Something is of the wrong type.
    ParameterError
        As `TrainRequest` says.
    """
    seed, preset = payload.get("seed", 0), payload.get("preset", "standard")
    mode, parameters = payload.get("mode", "causal"), payload.get("parameters") or {}
    if (
        not isinstance(preset, str)
        or not isinstance(mode, str)
        or type(seed) is not int
        or not isinstance(parameters, Mapping)
    ):
        raise JobError(
            "a training needs a preset, a mode, a whole number as seed and parameters by name, "
            f"not {preset!r}, {mode!r}, {seed!r} and {parameters!r}"
        )
    actor = str(payload.get("actor") or "telltale")
    return TrainRequest(sensor_id, preset, seed, actor, checked_preset(preset, mode), parameters)


def sensor_ids_of(payload: Mapping[str, JSON], what: str) -> tuple[int, ...]:
    """Return the sensors that a payload names, each once.

    Raises
    ------
    JobError
        It names none.
    """
    return ids_of(payload.get("sensor_ids"), f"{what} needs sensor_ids")


def ids_of(given: JSON, needs: str) -> tuple[int, ...]:
    """Return a list of ids, each once.

    Parameters
    ----------
    needs
        What needs them, as the beginning of the message.

    Raises
    ------
    JobError
        It is no list of whole numbers, or empty.
    """
    found = list(given) if isinstance(given, Iterable) and not isinstance(given, str | Mapping) else []
    ids = [one for one in found if type(one) is int]
    if not found or len(ids) != len(found):
        raise JobError(f"{needs}, a list of whole numbers, not {given!r}")
    return tuple(dict.fromkeys(ids))
