"""`telltale audit`: who did what and when, for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from app.clock import now
from app.commands.console import desk, out
from core.workflows.audit import export_audit

app = typer.Typer(no_args_is_help=True, help="Who did what and when.")


@app.callback()
def group() -> None:
    """Who did what and when."""


@app.command("export")
def export(
    file: Annotated[Path, typer.Option("--out", help="The csv to write, safe to open in a spreadsheet.")],
) -> None:
    """Write every act of a person, and every verdict that was given or taken back, oldest first."""
    place = desk()
    done = export_audit(file, warehouse=place.warehouse, actor=place.profile.name, clock=now)
    out.print(f"Wrote {done.rows:,} rows to {file}.", markup=False)
