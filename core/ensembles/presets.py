"""Named presets: which panel, or which single method, watches a sensor.

Members and voters of the panels are what `benchmarks.smap_search` chose on NASA's channels, by tier and mode.
"""

from itertools import product
from typing import Final, Literal, get_args

from core.detectors.telemanom import Telemanom
from core.ensembles.contract import Raiser
from core.ensembles.panel import Panel
from core.ensembles.panel_parameters import PanelParameters
from core.ensembles.raise_events import EventRaiser
from core.ensembles.votes import Voters
from core.errors import ParameterError
from core.results import Mode
from core.thresholds.dynamic import DynamicThreshold

Preset = Literal["quick", "standard", "thorough", "telemanom"]
"""``quick``: the instant tier alone; ``standard``: with comparisons of windows; ``thorough``: with a network
as well; ``telemanom``: the published LSTM and its dynamic threshold."""

PRESETS: Final[tuple[Preset, ...]] = get_args(Preset)

SUMS: Final = ("figures", "spread")
"""Views that sum a window up: the instant tier."""

SHAPES: Final = ("values", "shape", "levelled")
"""Views that compare step by step: the similarity tier."""

ERRORS: Final = ("reservoir@5", "reservoir@30", "reservoir@105")
NETWORK: Final = ("convolution@5", "convolution@30", "convolution@105")


def windows(seeing: str, longest: int, views: tuple[str, ...] = (*SHAPES, *SUMS)) -> tuple[str, ...]:
    """Return entries of windows of several lengths up to the longest.

    Windows of ten steps are for values and shapes looked back at: figures that sum up ten steps say little.
    """
    return tuple(
        f"{view}-{length}-{seeing}"
        for view, length in product(views, (10, 25, 50, 100, 200))
        if length <= longest and (length > 10 or (view in SHAPES and seeing != "whole"))
    )


def new_raiser(preset: str, *, mode: Mode = "causal", seed: int = 0) -> Raiser:
    """Return what a preset names, not fitted.

    Parameters
    ----------
    preset
        One of `PRESETS`.
    mode
        ``causal``: a step is judged from the past alone; ``review``: later steps are seen too.
    seed
        Of everything that draws random numbers.

    Raises
    ------
    ParameterError
        There is no such preset, or it has no review mode.
    """
    if preset == "telemanom":
        if mode == "review":
            raise ParameterError("telemanom predicts from the past alone: it has no review mode")
        return EventRaiser(Telemanom(seed=seed), DynamicThreshold())
    if preset not in PRESETS:
        raise ParameterError(f"no preset is called {preset!r}; there are {', '.join(PRESETS)}")
    parameters = _causal(preset) if mode == "causal" else _review(preset)
    return Panel(parameters, seed=seed, title=f"Panel ({preset})")


def _review(preset: str) -> PanelParameters:
    if preset == "quick":
        voters = Voters(smoothing=(30, 60, 100), factors=(1.1, 1.15, 1.2), share=0.6, lead=300)
        return PanelParameters("review", (*windows("whole", 200, SUMS), *ERRORS), voters)
    entries = (*windows("whole", 200), *windows("training", 200, SUMS), "neighbours-around")
    voters = Voters(smoothing=(60, 100, 150), factors=(1.05, 1.1, 1.15, 1.2), share=0.4, lead=100)
    network = NETWORK if preset == "thorough" else ()
    return PanelParameters("review", (*entries, *network), voters, gap=400)


def _causal(preset: str) -> PanelParameters:
    if preset == "quick":
        voters = _records(factors=(1.0, 1.03, 1.06, 1.1), share=0.4)
        return PanelParameters("causal", (*windows("past", 100, SUMS), *ERRORS), voters, gap=400)
    entries = (*windows("past", 100), *ERRORS, "neighbours")
    network = NETWORK if preset == "thorough" else ()
    voters = _records(factors=(1.03, 1.06, 1.1, 1.15), share=0.5)
    return PanelParameters("causal", (*entries, *network), voters, gap=400)


def _records(*, factors: tuple[float, ...], share: float) -> Voters:
    return Voters(
        smoothing=(5, 10, 30), factors=factors, releases=(0.8,), floors=(1.0, 1.2), share=share, lead=500
    )
