"""`telltale demo`: a fleet to try things on."""

from typing import Annotated

import typer

from app.actions.work import start_demo
from app.commands.console import desk, out
from app.commands.watching import see_through


def demo(
    seed: Annotated[int | None, typer.Option(help="Seed of the fleet; TELLTALE_DEMO_SEED otherwise.")] = None,
) -> None:
    """Create the demo fleet: twelve simulated machines, 90 days up to now, judged at once."""
    place = desk()
    chosen = place.settings.demo_seed if seed is None else seed
    job = start_demo(place.profile, place.warehouse, seed=chosen)
    ended = see_through(place, job, "Building the demo fleet")
    out.print(str((ended.result or {}).get("summary", "")), markup=False)
    out.print("Look at it with `telltale run`.")
