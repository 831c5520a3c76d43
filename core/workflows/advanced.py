"""What a person may change of a preset, and fitting what results.

Few parameters, and only those whose effect can be told in a sentence: the rest is the preset.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, cast

from core.detectors.telemanom import Telemanom, TelemanomParameters
from core.detectors.temporal_convolution import ConvolutionParameters, TemporalConvolution
from core.ensembles.contract import Raiser
from core.ensembles.members import fitted
from core.ensembles.panel import Panel
from core.ensembles.presets import new_raiser
from core.ensembles.raise_events import EventRaiser
from core.errors import ConstantSignal, InsufficientData
from core.networks.training import Progress, Stop
from core.results import Mode
from core.splits import Split, joined
from core.thresholds.dynamic import DynamicThreshold
from core.workflows.requests import ParameterField, TrainRequest
from warehouse.documents import JSON

HELD_OUT: Final = 0.2
"""Share of all steps that nothing learns from, where the source declares no test part."""

TRAINED: Final = 0.75
"""Share of the steps that are not held out from which is learned; the rest calibrates."""

NETWORK: Final = "convolution"
"""The network of the preset ``thorough``, as its panel calls it."""


def fields_of(preset: str, mode: Mode) -> tuple[ParameterField, ...]:
    """Return the parameters of a preset; defaults are those that the preset has."""
    held_out = ParameterField(
        "held_out",
        "Held-out share",
        "",
        HELD_OUT,
        0.05,
        0.5,
        "number",
        "Share of all readings, the latest, that the model is judged on and does not learn from. "
        "Where the source declares a test part, that one is held out instead.",
    )
    if preset == "telemanom":
        return (*_schedule(TelemanomParameters()), *_telemanom(TelemanomParameters()), held_out)
    panel = new_raiser(preset, mode=mode)
    assert isinstance(panel, Panel)  # noqa: S101 -- all other presets are panels
    network = _schedule(_network({})) if NETWORK in panel.panel.sources else ()
    return (*_voting(panel), *network, held_out)


def fractions_of(request: TrainRequest) -> tuple[float, float, float]:
    """Return the shares of train, calibrate and test where the source declares no test part."""
    held_out = float(cast("float", request.parameters.get("held_out", HELD_OUT)))
    train = round(TRAINED * (1 - held_out), 9)
    return train, round(1 - held_out - train, 9), held_out


def raiser_of(request: TrainRequest) -> Raiser:
    """Return what a request asks for, not fitted; a panel's network gets its parameters in `fit`."""
    given = request.parameters
    raiser = new_raiser(request.preset, mode=request.mode, seed=request.seed)
    if isinstance(raiser, Panel):
        voters = replace(raiser.panel.voters, **_those(given, "share", "lead"))
        parameters = replace(raiser.panel, voters=voters, **_those(given, "gap"))
        return Panel(parameters, seed=raiser.seed, title=raiser.title)
    own = _those(given, "epochs", "learning_rate", "dropout", "window")
    if not own:
        return raiser
    return EventRaiser(Telemanom(TelemanomParameters(**own), seed=request.seed), DynamicThreshold())


def fit(
    raiser: Raiser,
    request: TrainRequest,
    split: Split,
    *,
    progress: Progress,
    stop: Stop,
    checkpoints: Path | None,
) -> None:
    """Fit what `raiser_of` returned; see `Raiser.fit`."""
    own = _those(request.parameters, "epochs", "learning_rate")
    if not isinstance(raiser, Panel) or not own:
        raiser.fit(split.train, split.calibrate, progress=progress, stop=stop, checkpoints=checkpoints)
        return
    member = TemporalConvolution(_network(own), seed=request.seed)
    try:
        given = {
            NETWORK: fitted(
                member,
                joined(split.train, split.calibrate),
                progress=progress,
                stop=stop,
                checkpoints=checkpoints and checkpoints / NETWORK,
            )
        }
    except (ConstantSignal, InsufficientData):
        given = {}  # the panel finds that too, and says what it does without a network
    raiser.fit(
        split.train, split.calibrate, progress=progress, stop=stop, checkpoints=checkpoints, given=given
    )


def _network(own: Mapping[str, Any]) -> ConvolutionParameters:
    # A panel smooths the errors itself.
    return ConvolutionParameters(smoothing_span=1, **own)


def _those(given: Mapping[str, JSON], *names: str) -> dict[str, Any]:
    return {name: given[name] for name in names if name in given}


def _schedule(defaults: TelemanomParameters | ConvolutionParameters) -> tuple[ParameterField, ...]:
    return (
        ParameterField(
            "epochs",
            "Epochs at most",
            "",
            defaults.epochs,
            1,
            500,
            "whole",
            f"Rounds over the training part; it ends earlier after {defaults.patience} without a gain.",
        ),
        ParameterField(
            "learning_rate",
            "Learning rate",
            "",
            defaults.learning_rate,
            1e-5,
            0.1,
            "number",
            "Size of each correction of the network. Smaller learns slower and more steadily.",
        ),
    )


def _telemanom(defaults: TelemanomParameters) -> tuple[ParameterField, ...]:
    return (
        ParameterField(
            "dropout",
            "Dropout",
            "",
            defaults.dropout,
            0.0,
            0.9,
            "number",
            "Share of the network that is switched off at random while it learns. More of it memorizes less.",
        ),
        ParameterField(
            "window",
            "Window",
            "steps",
            defaults.window,
            20,
            2000,
            "whole",
            "Steps that the network reads at once, and at the start of every signal before it judges.",
        ),
    )


def _voting(panel: Panel) -> tuple[ParameterField, ...]:
    parameters = panel.panel
    return (
        ParameterField(
            "share",
            "Agreement",
            "",
            parameters.voters.share,
            0.05,
            1.0,
            "number",
            "Share of the panel's voters that makes an event. A higher one raises fewer alarms.",
        ),
        ParameterField(
            "gap",
            "Merge events closer than",
            "steps",
            parameters.gap,
            0,
            10_000,
            "whole",
            "Events that are at most so far apart are shown as one.",
        ),
        ParameterField(
            "lead",
            "Quiet start",
            "steps",
            parameters.voters.lead,
            0,
            10_000,
            "whole",
            "Steps at the start of a signal that raise nothing: what is usual is not known yet.",
        ),
    )
