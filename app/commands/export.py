"""`telltale export`: what was found, for other programs."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from app.commands.console import desk, out
from app.commands.score import chosen
from core.workflows.export import export_events, export_smap_msl

app = typer.Typer(no_args_is_help=True, help="Write what was found to a file.")


class Format(StrEnum):
    """Forms of the events' file."""

    CSV = "csv"
    SMAP_MSL = "smap-msl"


@app.callback()
def group() -> None:
    """Write what was found to a file."""


@app.command("events")
def events(
    sensors: Annotated[
        list[str] | None, typer.Argument(metavar="[SENSOR…]", help="Only these; all when none is named.")
    ] = None,
    *,
    file: Annotated[Path, typer.Option("--out", help="The csv to write.")],
    form: Annotated[
        Format,
        typer.Option(
            "--format",
            help="csv: one row an event, safe to open in a spreadsheet. smap-msl: channel and inclusive "
            "indices into the test part; only channels with a trained model unless named.",
        ),
    ] = Format.CSV,
) -> None:
    """Write the current events of each sensor's champion."""
    place = desk()
    named = [one.id for one in chosen(place, sensors, everything=False)] if sensors else None
    write = export_smap_msl if form is Format.SMAP_MSL else export_events
    done = write(file, warehouse=place.warehouse, sensor_ids=named)
    out.print(f"Wrote {done.rows:,} events of {done.sensors:,} sensors to {file}.", markup=False)
    for note in done.notes:
        out.print(note, markup=False)
