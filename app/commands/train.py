"""`telltale train`: an ensemble a sensor, registered on held-out figures."""

from typing import Annotated

import typer

from app.actions.work import start_training
from app.commands.console import desk, err, out
from app.commands.score import chosen
from app.commands.watching import see_through
from core.errors import JobError
from core.workflows.reporting import remarks_of
from core.workflows.requests import MODE_NAMES, PRESET_NAMES


def train(
    sensors: Annotated[
        list[str] | None, typer.Argument(metavar="SENSOR…", help="P-1, 'Pump 7/outlet temperature' or #12.")
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Every target sensor.")] = False,
    preset: Annotated[str, typer.Option(help=f"One of {', '.join(PRESET_NAMES)}.")] = "standard",
    mode: Annotated[
        str,
        typer.Option(
            help=f"One of {', '.join(MODE_NAMES)}: judge from the past alone, or see later steps too."
        ),
    ] = "causal",
    seed: Annotated[int, typer.Option(help="The same seed gives the same model on one machine.")] = 0,
    wait: Annotated[bool, typer.Option(help="Stay until it is done.")] = True,
) -> None:
    """Train a model a sensor; it is registered only with figures on steps it never saw."""
    place = desk()
    targets = chosen(place, sensors, everything=everything)
    ids = [one.id for one in targets]
    jobs = start_training(place.profile, place.warehouse, ids, preset=preset, mode=mode, seed=seed)
    failures = 0
    for target, job in zip(targets, jobs, strict=True):
        try:
            ended = see_through(place, job, f"Training {target.key}", wait=wait)
        except JobError as error:
            failures += 1
            err.print(f"telltale: {error}", markup=False)
            continue
        if ended.state == "done":
            result = ended.result or {}
            out.print(f"{target.key}: {result.get('summary', '')}", markup=False)
            for remark in remarks_of(result):
                out.print(f"{target.key}: note: {remark}", markup=False)
            failures += result.get("registered") is False
        else:
            out.print(f"{target.key}: queued as job {ended.id}", markup=False)
    if failures:
        err.print(f"telltale: {failures} of {len(jobs)} trainings registered no version", markup=False)
        raise typer.Exit(1)
