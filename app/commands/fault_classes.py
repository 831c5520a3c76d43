"""`telltale fault-classes`: the list of faults that a verdict can name."""

from typing import Annotated

import typer

from app.actions.triage import add_fault_class, retire_fault_class
from app.actions.writers import through
from app.commands.console import desk, out

app = typer.Typer(no_args_is_help=True, help="Edit the list of faults that a verdict can name.")

Name = Annotated[str, typer.Argument(help="As it will stand in the list.")]


@app.callback()
def group() -> None:
    """Edit the list of faults that a verdict can name."""


@app.command("add")
def add(name: Name) -> None:
    """Add a class to the list."""
    place = desk()
    add_fault_class(place.profile, name, writer=through(place.warehouse))
    out.print(f"{name} is on the list.", markup=False)


@app.command("retire")
def retire(name: Name) -> None:
    """Take a class off the list; verdicts that name it keep it."""
    place = desk()
    retire_fault_class(place.profile, name, writer=through(place.warehouse))
    out.print(f"{name} is off the list.", markup=False)
