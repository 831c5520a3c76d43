"""`telltale repair`: damaged files brought back, computed again, or given up with their loss written down."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from app.actions.repair import carry_out, judge_again, plan_repair, publish_labels_again
from app.actions.writers import through
from app.commands.console import Desk, desk, out
from app.commands.watching import see_through
from core.errors import ParameterError
from warehouse.catalog import Sensor
from warehouse.damage import Damaged
from warehouse.remedies import Remedy
from warehouse.repair import Repaired

_NAMED = 3


def repair(
    backup: Annotated[
        Path | None,
        typer.Option(help="Folder of a backup; files with the hash that was written come from it."),
    ] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
) -> None:
    """Repair what `telltale doctor --verify` found: say what is done with each file, then do it."""
    place = desk()
    home = place.warehouse
    remedies = plan_repair(place.profile, home, backup=backup)
    labels = [one for one in home.damage() if one.file.kind == "labels"]
    if not remedies and not labels:
        out.print("No damaged file is known; `telltale doctor --verify` reads every one.")
        return
    for remedy in remedies:
        out.print(f"{described(place, remedy.damaged)}: {remedy.sentence}", markup=False)
    for one in labels:
        out.print(f"{described(place, one)}: the labels are published again from the state", markup=False)
    if any(remedy.outcome == "lost" and remedy.damaged.file.kind == "readings" for remedy in remedies):
        more = "" if backup is not None else "; if you have a backup, give its folder with --backup"
        out.print(f"What is lost can come back by repeating its ingest{more}.")
    _ask(yes=yes)
    if labels:
        publish_labels_again(place.profile, writer=through(home))
    done = [carry_out(place.profile, home, remedy) for remedy in remedies]
    _tell(done, remedies)
    job = judge_again(place.profile, home, done)
    if job is not None:
        see_through(place, job, "Judging again what was repaired", wait=False)


def described(place: Desk, damaged: Damaged) -> str:
    """Return a damaged file's kind, sensors, days and rows in one line."""
    file = damaged.file
    sensors = _names(place.warehouse.catalog.sensors(), damaged.sensors)
    days = (
        f"{file.start:%Y-%m-%d}"
        if file.start.date() == file.end.date()
        else f"{file.start:%Y-%m-%d} … {file.end:%Y-%m-%d}"
    )
    return f"{file.kind} of {sensors}, {days}, {file.rows:,} rows ({file.path})"


def _names(known: Sequence[Sensor], ids: tuple[int, ...]) -> str:
    names = [one.key for one in known if one.id in ids]
    if not names:
        return "no sensor"
    rest = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {rest:,} more sensors" if rest > 0 else "")


def _ask(*, yes: bool) -> None:
    if not yes and not typer.confirm("Do this?", default=False):
        raise ParameterError("nothing was changed; `telltale repair --yes` does it without asking")


def _tell(done: Sequence[Repaired], remedies: Sequence[Remedy]) -> None:
    lost = sum(one.lost for one in done if one.file.kind == "readings")
    out.print(f"{len(done)} of {len(remedies)} files are settled; {lost:,} readings are lost.")
    again = {batch.id: batch for one in done for batch in one.ingests}
    for batch in sorted(again.values(), key=lambda one: one.id, reverse=True):
        what = f"{batch.origin} ({batch.source})" if batch.origin else batch.source
        out.print(
            f"repeat the ingest of {what} that {batch.actor} made on {batch.at:%Y-%m-%d %H:%M} UTC",
            markup=False,
        )
