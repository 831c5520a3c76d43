"""`telltale validate` and `telltale backtest`: how good models are on what they have not seen."""

from typing import Annotated

import typer

from app.actions.work import start_backtest, start_validation
from app.commands.console import desk
from app.commands.outcomes import follow
from app.commands.score import chosen
from core.errors import ParameterError
from core.workflows.requests import FOLDS, PRESET_NAMES


def validate(
    sensors: Annotated[
        list[str] | None, typer.Argument(metavar="SENSOR…", help="P-1, 'Pump 7/outlet temperature' or #12.")
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Every target sensor.")] = False,
    version: Annotated[
        list[int] | None, typer.Option("--version", metavar="ID", help="These versions instead.")
    ] = None,
    wait: Annotated[bool, typer.Option(help="Stay until it is done.")] = True,
) -> None:
    """Judge versions, or all trained ones of sensors, on readings that none of them learned from."""
    place = desk()
    if version and (sensors or everything):
        raise ParameterError("name versions, or sensors, not both")
    ids = list(version or ())
    if not ids:
        wanted = {one.id for one in chosen(place, sensors, everything=everything)}
        versions = place.warehouse.catalog.versions()
        ids = [one.id for one in versions if one.sensor_id in wanted and one.kind == "trained"]
    if not ids:
        raise ParameterError("none of these sensors has a trained version to validate: train one first")
    asked = start_validation(place.profile, place.warehouse, ids)
    follow(place, (asked.job.id,), f"Validating {len(ids)} versions", wait=wait)


def backtest(
    sensor: Annotated[str, typer.Argument(help="P-1, 'Pump 7/outlet temperature' or #12.")],
    *,
    preset: Annotated[str, typer.Option(help=f"One of {', '.join(PRESET_NAMES)}.")] = "standard",
    mode: Annotated[str, typer.Option(help="causal or review.")] = "causal",
    seed: Annotated[int, typer.Option(help="The same seed gives the same models on one machine.")] = 0,
    folds: Annotated[int, typer.Option(help="How often it is trained and judged.")] = FOLDS,
    wait: Annotated[bool, typer.Option(help="Stay until it is done.")] = True,
) -> None:
    """Train on ever more of a sensor's past and judge what came next each time; nothing is registered."""
    place = desk()
    target = place.warehouse.catalog.find_sensor(sensor)
    asked = start_backtest(
        place.profile, place.warehouse, target.id, preset=preset, mode=mode, seed=seed, folds=folds
    )
    follow(place, (asked.job.id,), f"Backtest of {target.key}", wait=wait)
