"""What a version records of itself: figures and parameters, as plain names and values."""

import math
from dataclasses import asdict, dataclass

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


def recorded(raiser: Raiser, *, preset: str = "") -> dict[str, JSON]:
    """Return what a version records: the parameters of its parts, and what `facts_of` reads."""
    own: dict[str, JSON] = {"title": raiser.title, "mode": raiser.mode, "remarks": list(raiser.remarks)}
    if preset:
        own["preset"] = preset
    return {**raiser.parameters(), **own}


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
