"""The detectors a panel can hold, by name, and the tier each belongs to."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Literal

from core.detectors.contract import Detector
from core.detectors.discords import DiscordParameters, Discords
from core.detectors.neighbours import Neighbours, NeighboursParameters
from core.detectors.range_check import RangeCheck, RangeCheckParameters
from core.detectors.reservoir import Reservoir, ReservoirParameters
from core.detectors.robust_regression import RobustRegression
from core.detectors.telemanom import Telemanom, TelemanomParameters
from core.detectors.temporal_convolution import ConvolutionParameters, TemporalConvolution
from core.errors import ArtifactError, ParameterError
from core.results import Mode

Tier = Literal["instant", "similarity", "learned"]
"""``instant``: closed form, without comparing shapes; ``similarity``: windows compared step by step;
``learned``: networks that are trained."""

LOADERS: Final[Mapping[str, Callable[[Path], Detector]]] = {
    Discords.name: Discords.load,
    Neighbours.name: Neighbours.load,
    RangeCheck.name: RangeCheck.load,
    Reservoir.name: Reservoir.load,
    RobustRegression.name: RobustRegression.load,
    Telemanom.name: Telemanom.load,
    TemporalConvolution.name: TemporalConvolution.load,
}


def make(name: str, seed: int) -> Detector:
    """Return a new detector.

    Parameters
    ----------
    name
        ``<view>-<window>-<seeing>`` for windows unlike any other, such as ``figures-50-past``;
        ``neighbours`` for windows that end at a step, ``neighbours-around`` for those that cover it;
        ``reservoir``, ``standstill``, ``convolution`` or ``lstm``. Networks and reservoirs give plain
        errors here: a panel smooths them.
    seed
        Of those that draw random numbers.

    Raises
    ------
    ParameterError
        There is no such detector.
    """
    if name == "reservoir":
        return Reservoir(ReservoirParameters(span=1.0), seed=seed)
    if name == "standstill":
        return RangeCheck(RangeCheckParameters(checks=("standstill",)))
    if name in {"neighbours", "neighbours-around"}:
        around: Mode = "review" if name == "neighbours-around" else "causal"
        return Neighbours(NeighboursParameters(mode=around, lengths=(40, 80, 160, 240)), seed=seed)
    if name == "convolution":
        return TemporalConvolution(ConvolutionParameters(smoothing_span=1), seed=seed)
    if name == "lstm":
        return Telemanom(TelemanomParameters(smoothing_span=1), seed=seed)
    view, _, rest = name.partition("-")
    window, _, seeing = rest.partition("-")
    if not window.isdigit():
        raise ParameterError(f"panel: no detector is called {name!r}")
    return Discords(
        DiscordParameters(
            view=view,  # type: ignore[arg-type] # checked by the parameters
            window=int(window),
            seeing=seeing,  # type: ignore[arg-type] # checked by the parameters
            mode="review" if seeing == "whole" else "causal",
        )
    )


def load(folder: Path, method: str) -> Detector:
    """Read a detector that a panel saved.

    Raises
    ------
    ArtifactError
        A file is missing or damaged, or this release does not know the method.
    """
    loader = LOADERS.get(method)
    if loader is None:
        raise ArtifactError(f"{folder}: of the method {method!r}, which no panel of this release holds")
    return loader(folder)


def tier(name: str) -> Tier:
    """Return the tier of a detector by its name."""
    if name in {"convolution", "lstm"}:
        return "learned"
    return (
        "similarity" if name.partition("-")[0] in {"values", "shape", "levelled", "neighbours"} else "instant"
    )
