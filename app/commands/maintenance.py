"""`telltale maintenance`: when a machine is worked on, so that its alarms are held apart."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from app.actions.triage import end_maintenance, set_maintenance
from app.actions.writers import through
from app.commands.console import Desk, desk, out
from core.errors import ParameterError

app = typer.Typer(no_args_is_help=True, help="Say when a machine is worked on, so that its alarms wait.")


@app.callback()
def group() -> None:
    """Say when a machine is worked on, so that its alarms wait."""


@app.command("set")
def plan(
    machine: Annotated[str, typer.Argument(help="Name of the machine, as the screens show it.")],
    start: Annotated[datetime, typer.Option("--from", "--start", help="UTC.")],
    end: Annotated[datetime, typer.Option("--to", "--end", help="UTC.")],
    reason: Annotated[str, typer.Option(help="What is done, for who finds the alarms missing.")],
) -> None:
    """Suppress a machine's alarms in a window of time; they stay stored, counted and listed."""
    place = desk()
    window_id = set_maintenance(
        place.profile,
        _asset_id(place, machine),
        start.replace(tzinfo=UTC),
        end.replace(tzinfo=UTC),
        reason,
        writer=through(place.warehouse),
    )
    out.print(f"Stored as window {window_id}; `telltale maintenance end {window_id}` takes it back.")


@app.command("end")
def end(window_id: Annotated[int, typer.Argument(help="Number of the window.")]) -> None:
    """Take a window back: the alarms in it are shown again; the log keeps both."""
    place = desk()
    end_maintenance(place.profile, window_id, writer=through(place.warehouse))
    out.print(f"Window {window_id} is taken back.")


def _asset_id(place: Desk, machine: str) -> int:
    known = {one.name: one.id for one in place.warehouse.catalog.assets()}
    if machine not in known:
        raise ParameterError(f"there is no machine {machine!r}")
    return known[machine]
