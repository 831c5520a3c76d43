"""What a version records of itself: figures and parameters, as plain names and values."""

from dataclasses import asdict, is_dataclass
from typing import cast

from core.ensembles.raise_events import EventRaiser
from core.results import HeldOutFigures
from warehouse.documents import JSON


def figures(found: HeldOutFigures) -> dict[str, float]:
    """Return held-out figures by name, those that exist."""
    return {name: float(value) for name, value in asdict(found).items() if value is not None}


def parameters_of(raiser: EventRaiser) -> dict[str, JSON]:
    """Return the constructor parameters of detector and threshold, each under its part's name."""
    found: dict[str, JSON] = {}
    for part, owner in (("detector", raiser.detector), ("threshold", raiser.threshold)):
        parameters = getattr(owner, "parameters", None)
        if parameters is not None and is_dataclass(parameters):
            values = cast("dict[str, JSON]", asdict(cast("object", parameters)))  # type: ignore[call-overload]
            found |= {f"{part}.{name}": _plain(value) for name, value in values.items()}
    return found


def _plain(value: JSON) -> JSON:
    return [_plain(one) for one in value] if isinstance(value, tuple) else value
