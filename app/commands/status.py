"""`telltale status`: what is stored, what runs, what was refused."""

from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from app.commands.console import Desk, desk, out
from core.jobs.supervisor import supervisor_alive
from warehouse.lock import is_held
from warehouse.state.published import read_labels


def status(
    quarantine: Annotated[
        bool, typer.Option("--quarantine", help="List refused rows with their reasons.")
    ] = False,
    limit: Annotated[int, typer.Option(help="Refused rows to list.")] = 50,
) -> None:
    """Show what is stored, which jobs wait or run, and what was refused."""
    place = desk()
    if quarantine:
        _quarantine(place, limit)
        return
    home = place.warehouse
    sensors = home.catalog.sensors()
    targets = [one for one in sensors if one.role == "target"]
    spans = home.telemetry.spans()
    versions = home.catalog.versions()
    trained = {one.sensor_id for one in versions if one.kind == "trained"}
    current = home.results.events_current()
    newest = spans["last_ts"].max()
    facts = {
        "home": str(home.root),
        "app": "running" if is_held(home.layout.launcher_lock) else "stopped",
        "worker": "running" if supervisor_alive(home.layout) else "stopped",
        "machines": f"{len(home.catalog.assets()):,}",
        "sensors": f"{len(sensors):,}, {len(targets):,} of them judged",
        "readings": f"{int(spans['rows'].sum() or 0):,}",
        "data as of": f"{newest:%Y-%m-%d %H:%M} UTC" if isinstance(newest, datetime) else "no data",
        "trained models": f"{len(trained):,} of {len(targets):,} targets, a statistical fit has the rest",
        "events": f"{current.height:,}, {int(current['open'].sum() or 0):,} still open",
        "verdicts": f"{read_labels(home).frame.height:,}",
        "refused rows": f"{sum(home.quarantine.counts().values()):,}",
    }
    for name, value in facts.items():
        out.print(f"{name:15} {value}", markup=False)
    waiting = home.jobs.list(states=("queued", "running", "interrupted"))
    if waiting:
        table = Table("job", "kind", "state", "progress", "by", "what", box=None)
        for job in waiting:
            table.add_row(str(job.id), job.kind, job.state, f"{job.progress:.0%}", job.actor, job.message)
        out.print(table)


def _quarantine(place: Desk, limit: int) -> None:
    rows = place.warehouse.quarantine.list(limit)
    if not rows:
        out.print("Nothing was refused.")
        return
    for row in rows:
        refusal = row.refusal
        where = refusal.file if refusal.row is None else f"{refusal.file}:{refusal.row}"
        out.print(f"{where}: {refusal.reason} | {refusal.content}", markup=False)
    left = sum(place.warehouse.quarantine.counts().values()) - len(rows)
    if left > 0:
        out.print(f"… and {left:,} more; --limit shows them.")
