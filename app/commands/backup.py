"""`telltale backup`: everything the home holds, copied while the app goes on."""

from pathlib import Path
from typing import Annotated

import typer

from app.actions.keeping import take_backup
from app.clock import now
from app.commands.console import desk, err, out, progress
from app.commands.sizes import in_words
from core.errors import ParameterError


def backup(
    target: Annotated[
        Path | None, typer.Argument(help="The folder to make; it must not exist, or be empty.")
    ] = None,
    *,
    into: Annotated[
        Path | None,
        typer.Option(
            "--into", metavar="FOLDER", help="Make a folder in FOLDER that is named for the time, UTC."
        ),
    ] = None,
    link: Annotated[
        bool,
        typer.Option(
            "--link",
            help="Hard links instead of copies of readings and results, where backup and home share a disk: "
            "quick and small, and no help when that disk fails.",
        ),
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at a damaged file instead of backing up the rest.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace what an interrupted backup to this place left.")
    ] = False,
) -> None:
    """Back up the home, models and MLflow included; ends with 1 when a damaged file is missing in it."""
    if (target is None) == (into is None):
        raise ParameterError("name the folder to make, or --into and a folder to make it in (not both)")
    started = now()
    place = into / f"telltale-{started:%Y%m%dT%H%M%SZ}" if into is not None else target
    if place is None:
        raise ParameterError("name the folder to make")
    with progress("Backing up") as report:
        done = take_backup(
            desk().profile,
            desk().settings.home,
            place,
            progress=report,
            link=link,
            strict=strict,
            force=force,
        )
    document = done.document
    linked = f", {done.linked:,} of them linked" if done.linked else ""
    out.print(
        f"Backed up {document.counts} to {done.target}: {len(document.files):,} files{linked}, "
        f"{in_words(done.size)}, {(now() - started).total_seconds():.1f} s.",
        markup=False,
    )
    if document.damaged:
        for one in document.damaged:
            err.print(f"telltale: not in the backup: {one.path} ({one.reason})", markup=False)
        err.print("telltale: it has all but these; run `telltale repair`, then back up again", markup=False)
        raise typer.Exit(1)
