"""`telltale restore`: a home made of a backup."""

from pathlib import Path
from typing import Annotated

import typer

from app.actions.keeping import restore_backup
from app.clock import now
from app.commands.console import desk, err, out, progress
from app.commands.sizes import in_words


def restore(
    backup: Annotated[Path, typer.Argument(help="The folder that `telltale backup` made.")],
    *,
    home: Annotated[
        Path | None,
        typer.Option("--home", help="The home to make, new or empty; TELLTALE_HOME when not given."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace what an interrupted restore to this place left.")
    ] = False,
) -> None:
    """Make a home of a backup, having compared every hash; a home that holds anything is refused."""
    started = now()
    settings = desk().settings
    with progress("Restoring") as report:
        done = restore_backup(desk().profile, backup, home or settings.home, progress=report, force=force)
    document = done.document
    out.print(
        f"Restored {document.counts} to {done.home}: the same as when it was backed up at "
        f"{document.created_at:%Y-%m-%d %H:%M} UTC. {len(document.files):,} files, "
        f"{in_words(document.size)}, "
        f"{(now() - started).total_seconds():.1f} s.",
        markup=False,
    )
    notes = (
        (done.addresses, "Addresses of MLflow that were rewritten to the new home"),
        (done.folded, "Writes that waited and were made"),
        (done.interrupted_jobs, "Jobs that ran during the backup and go on when the app runs"),
    )
    for number, what in notes:
        if number:
            out.print(f"{what}: {number:,}.", markup=False)
    for one in document.damaged:
        err.print(f"telltale: missing since before the backup: {one.path} ({one.reason})", markup=False)
    if done.home != settings.home.absolute():
        out.print(f"Start it with TELLTALE_HOME={done.home} and `telltale run`.", markup=False)
