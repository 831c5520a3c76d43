"""`telltale train`: an ensemble a sensor, registered on held-out figures."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import typer

from app.actions.work import Started, start_training
from app.commands.console import Desk, desk, out
from app.commands.outcomes import follow
from app.commands.score import chosen
from core.errors import ParameterError
from core.workflows.requests import MODE_NAMES, PRESET_NAMES
from core.workflows.status import sensor_statuses
from core.workflows.train_all import ONLY
from warehouse.catalog import Sensor
from warehouse.documents import JSON

_STATUS_WORDS: Final = {
    "never": "without a trained model",
    "trained": "trained and up to date",
    "stale": "stale",
    "failing": "failing",
}


def train(
    sensors: Annotated[
        list[str] | None, typer.Argument(metavar="SENSOR…", help="P-1, 'Pump 7/outlet temperature' or #12.")
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Every target sensor.")] = False,
    only: Annotated[str, typer.Option(help=f"Of these, those of one status: {', '.join(ONLY)}.")] = "all",
    preset: Annotated[str, typer.Option(help=f"One of {', '.join(PRESET_NAMES)}.")] = "standard",
    mode: Annotated[
        str,
        typer.Option(
            help=f"One of {', '.join(MODE_NAMES)}: judge from the past alone, or see later steps too."
        ),
    ] = "causal",
    seed: Annotated[int, typer.Option(help="The same seed gives the same model on one machine.")] = 0,
    own: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the preset, such as epochs=20."),
    ] = None,
    wait: Annotated[bool, typer.Option(help="Stay until all of it is done.")] = True,
) -> None:
    """Train a model a sensor; it is registered only with figures on steps it never saw."""
    place = desk()
    targets = _of_status(place, chosen(place, sensors, everything=everything), only)
    if not targets:
        out.print(f"Nothing to train: none of these sensors is {_STATUS_WORDS[only]}.", markup=False)
        return
    started = _start(place, targets, assigned(own or ()), preset=preset, mode=mode, seed=seed)
    for sentence in started.told:
        out.print(sentence, markup=False)
    title = f"Training {targets[0].key}" if len(targets) == 1 else f"Training {len(targets)} sensors"
    jobs = (*started.job_ids, *started.already_ids)
    follow(place, jobs, title, wait=wait, batch_id=started.batch_id)


def assigned(pairs: Sequence[str]) -> dict[str, JSON]:
    """Return ``name=value`` pairs as numbers by name.

    Raises
    ------
    ParameterError
        One has no name, no number, or a name that was given before; the error names the field.
    """
    found: dict[str, JSON] = {}
    for pair in pairs:
        name, sign, text = (part.strip() for part in pair.partition("="))
        if not name or not sign:
            raise ParameterError(f"--set takes NAME=VALUE, such as epochs=20, not {pair!r}")
        if name in found:
            raise ParameterError(f"--set {name} was given twice", field=name)
        try:
            found[name] = int(text) if text.lstrip("+-").isdigit() else float(text)
        except ValueError as error:
            raise ParameterError(f"--set {name}: {text!r} is no number", field=name) from error
    return found


def _start(
    place: Desk,
    targets: Sequence[Sensor],
    parameters: Mapping[str, JSON],
    *,
    preset: str,
    mode: str,
    seed: int,
) -> Started:
    ids = [one.id for one in targets]
    try:
        return start_training(
            place.profile, place.warehouse, ids, preset=preset, mode=mode, seed=seed, parameters=parameters
        )
    except ParameterError as error:
        if error.field in parameters:
            raise ParameterError(f"--set {error.field}: {error}", field=error.field) from error
        raise


def _of_status(place: Desk, targets: Sequence[Sensor], only: str) -> Sequence[Sensor]:
    if only not in ONLY:
        raise ParameterError(f"--only must be one of {', '.join(ONLY)}, not {only!r}", field="only")
    if only == "all":
        return targets
    those = {one.sensor_id for one in sensor_statuses(place.warehouse) if one.status == only}
    return [one for one in targets if one.id in those]
