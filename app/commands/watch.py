"""`telltale watch`: folders whose files are taken as they arrive."""

from pathlib import Path
from typing import Annotated

import typer

from app.clock import now
from app.commands.console import desk, out, progress
from app.commands.ingest import judge
from app.commands.mapping_options import takes_mapping
from app.roles import require
from core.workflows.watch import take
from warehouse import watched
from warehouse.sources.table_mapping import TableMapping

app = typer.Typer(
    no_args_is_help=True,
    help="Take files as they arrive in a folder: within seconds while the app runs, or by `watch now`.",
)

Folder = Annotated[Path, typer.Argument(help="A watched folder.")]


@app.command("add")
@takes_mapping()
def add(
    folder: Annotated[Path, typer.Argument(help="The folder; folders in it are not looked into.")],
    mapping: TableMapping,
    pattern: Annotated[str, typer.Option(help="What the names of its files match.")] = "*.csv",
) -> None:
    """Watch a folder: each CSV or Parquet file in it is stored by this mapping, again when it changes."""
    place = desk()
    require(place.profile, "trainer", "watch a folder")
    added = watched.add(
        place.warehouse.database,
        folder,
        pattern,
        mapping,
        home=place.warehouse.root,
        actor=place.profile.name,
        at=now(),
    )
    out.print(f"Watching {added.path} for {added.pattern}.", markup=False)
    out.print("Files are taken while the app runs, or at once by `telltale watch now`.")


@app.command("list")
def list_command() -> None:
    """Show the watched folders and what became of their files."""
    place = desk()
    found = watched.folders(place.warehouse.database)
    if not found:
        out.print("No folder is watched; `telltale watch add` one.")
    for folder in found:
        state = "paused" if folder.paused else "watched" if folder.path.is_dir() else "not there now"
        files = watched.files(place.warehouse.database, folder.id)
        taken = [one for one in files if one.outcome == "taken"]
        out.print(f"{folder.path}  {folder.pattern}  {state}  {len(taken)} files taken", markup=False)
        for file in files:
            if file.outcome == "waiting":
                out.print(f"  {file.name}: waits until it is written to its end", markup=False)
            elif file.error is not None:
                out.print(f"  {file.outcome} {file.seen_at:%Y-%m-%d %H:%M} UTC: {file.error}", markup=False)


@app.command("remove")
def remove(folder: Folder) -> None:
    """Watch a folder no longer; what was taken from it stays."""
    place = desk()
    require(place.profile, "trainer", "watch a folder")
    watched.remove(place.warehouse.database, folder)
    out.print(f"{folder} is no longer watched.", markup=False)


@app.command("pause")
def pause(folder: Folder) -> None:
    """Leave a folder alone until `telltale watch resume`."""
    _set_paused(folder, paused=True)


@app.command("resume")
def resume(folder: Folder) -> None:
    """Go on with a folder that was paused."""
    _set_paused(folder, paused=False)


@app.command("now")
def now_command() -> None:
    """Take what arrived, in one pass; files that were refused or failed before are tried again."""
    place = desk()
    require(place.profile, "trainer", "ingest telemetry")
    with progress("Taking what arrived") as report:
        done = take(place.warehouse, clock=now, progress=report, again=True)
    for file in done.files:
        what = file.error or f"{file.name}: {file.added:,} new readings, {file.replaced:,} replaced"
        out.print(what, markup=False)
    out.print(done.summary if done.files else "Nothing arrived.", markup=False)
    if done.scoring is not None:
        judge(place, done.scoring)


def _set_paused(folder: Path, *, paused: bool) -> None:
    place = desk()
    require(place.profile, "trainer", "watch a folder")
    watched.pause(place.warehouse.database, folder, paused=paused)
    out.print(f"{folder} is {'paused' if paused else 'watched again'}.", markup=False)
