"""`telltale score`: judge what is new."""

from typing import Annotated

import typer

from app.actions.work import start_scoring
from app.commands.console import Desk, desk, err, out
from app.commands.watching import see_through
from core.errors import ParameterError
from warehouse.catalog import Sensor


def score(
    sensors: Annotated[
        list[str] | None, typer.Argument(metavar="SENSOR…", help="P-1, 'Pump 7/outlet temperature' or #12.")
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Every target sensor.")] = False,
    wait: Annotated[bool, typer.Option(help="Stay until it is done.")] = True,
) -> None:
    """Judge what is new with each sensor's champion; without one, with the statistical detector."""
    place = desk()
    targets = chosen(place, sensors, everything=everything)
    job = start_scoring(place.profile, place.warehouse, [one.id for one in targets])
    ended = see_through(place, job, f"Scoring {len(targets)} sensors", wait=wait)
    if ended.state != "done":
        out.print(f"queued as job {ended.id}", markup=False)
        return
    result = ended.result or {}
    out.print(str(result.get("summary", "")), markup=False)
    failed = result.get("failed")
    if isinstance(failed, dict) and failed:
        for name, reason in failed.items():
            err.print(f"telltale: {name}: {reason}", markup=False)
        raise typer.Exit(1)


def chosen(place: Desk, names: list[str] | None, *, everything: bool) -> tuple[Sensor, ...]:
    """Return the sensors that a command names, or every target.

    Raises
    ------
    ParameterError
        None was named, both were asked for, or there is no target.
    CatalogError
        A name matches none or several.
    """
    if bool(names) == everything:
        raise ParameterError("name at least one sensor, or give --all (not both)")
    if names:
        return tuple(dict.fromkeys(place.warehouse.catalog.find_sensor(one) for one in names))
    found = place.warehouse.catalog.sensors(role="target")
    if not found:
        raise ParameterError("nothing is stored yet: `telltale demo` or `telltale ingest` brings sensors")
    return found
