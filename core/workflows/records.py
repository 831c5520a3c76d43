"""What a version records of itself: figures and parameters, as plain names and values."""

import math
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any

from core.ensembles.contract import Raiser
from core.results import HeldOutFigures, Mode
from warehouse.catalog import Version
from warehouse.documents import JSON


@dataclass(frozen=True)
class VersionFacts:
    """What a version says of itself beside the parameters of its parts.

    Parameters
    ----------
    title
        The method on screen; None where the version does not say it, as those of release 0.1.0.
    preset
        What was asked for; empty for a version that was not trained.
    mode
        Whether it judges a step from the past alone.
    remarks
        Sentences that a person must see about what was fitted.
    parameters
        Those of its parts, by name.
    """

    title: str | None
    preset: str
    mode: Mode
    remarks: tuple[str, ...]
    parameters: tuple[tuple[str, JSON], ...]


def figures(found: HeldOutFigures) -> dict[str, float]:
    """Return held-out figures by name, those that exist."""
    return {
        name: float(value)
        for name, value in asdict(found).items()
        if value is not None and math.isfinite(value)
    }


def figures_of(version: Version) -> HeldOutFigures:
    """Return the held-out figures that a version recorded."""
    return figures_from(version.metrics)


def figures_from(said: Mapping[str, float | None]) -> HeldOutFigures:
    """Return figures by name as held-out figures; one that must be there and is missing is NaN."""
    needed = {one.name for one in fields(HeldOutFigures) if one.default is MISSING}
    values: dict[str, Any] = dict.fromkeys(needed, math.nan) | {
        one.name: said[one.name] for one in fields(HeldOutFigures) if said.get(one.name) is not None
    }
    steps = said.get("steps")
    return HeldOutFigures(**{**values, "steps": 0 if steps is None else int(steps)})


def recorded(
    raiser: Raiser, *, preset: str = "", chosen: Mapping[str, JSON] | None = None
) -> dict[str, JSON]:
    """Return what a version records: the parameters of its parts, and what `facts_of` reads.

    Parameters
    ----------
    preset
        What was asked for; empty for a version that was not trained.
    chosen
        What a person changed of the preset, by name; recorded as ``chosen.<name>``.
    """
    own: dict[str, JSON] = {"title": raiser.title, "mode": raiser.mode, "remarks": list(raiser.remarks)}
    if preset:
        own["preset"] = preset
    return {
        **raiser.parameters(),
        **{f"chosen.{name}": value for name, value in (chosen or {}).items()},
        **own,
    }


def facts_of(version: Version) -> VersionFacts:
    """Return what a version recorded of itself."""
    rest = dict(version.parameters)
    title, preset, mode = (rest.pop(name, None) for name in ("title", "preset", "mode"))
    remarks = rest.pop("remarks", None)
    return VersionFacts(
        title=None if title is None else str(title),
        preset="" if preset is None else str(preset),
        # Release 0.1.0 knew no other mode and did not record it.
        mode="review" if mode == "review" else "causal",
        remarks=tuple(str(one) for one in remarks) if isinstance(remarks, list | tuple) else (),
        parameters=tuple(sorted(rest.items())),
    )
