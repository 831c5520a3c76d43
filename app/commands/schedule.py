"""`telltale schedule`: trainings that are queued again and again."""

from typing import Annotated

import typer

from app.actions import schedules
from app.commands.console import desk, out
from core.workflows.requests import PRESET_NAMES
from core.workflows.train_all import ONLY

app = typer.Typer(no_args_is_help=True, help="Train sensors at certain times, while the app runs.")

Number = Annotated[int, typer.Argument(metavar="N", help="Number of the schedule.")]


@app.command("list")
def list_command() -> None:
    """Show the schedules."""
    found = desk().warehouse.jobs.schedules.list()
    if not found:
        out.print("Nothing is scheduled; `telltale schedule add` does it.")
    for one in found:
        due = f"next {one.next_at:%Y-%m-%d %H:%M} UTC" if one.enabled else "paused"
        last = "" if one.last_job_id is None else f", last as job {one.last_job_id}"
        out.print(f"{one.id}  {one.title}: {one.words} ({one.zone}), {due}{last}, {one.actor}", markup=False)


@app.command()
def add(
    cron: Annotated[str, typer.Argument(help="Minute, hour, day, month, weekday: '0 2 * * SUN'.")],
    sensors: Annotated[
        list[str] | None, typer.Argument(metavar="SENSOR…", help="Those to choose from; all by default.")
    ] = None,
    *,
    title: Annotated[str, typer.Option(help="What it is called.")] = "Scheduled training",
    zone: Annotated[str, typer.Option(help="Time zone that the hours are of.")] = "UTC",
    only: Annotated[str, typer.Option(help=f"Which to train when it is due: {', '.join(ONLY)}.")] = "all",
    preset: Annotated[str, typer.Option(help=f"One of {', '.join(PRESET_NAMES)}.")] = "standard",
    mode: Annotated[str, typer.Option(help="causal or review.")] = "causal",
) -> None:
    """Train sensors whenever a cron expression says so."""
    place = desk()
    schedules.require_times(cron, zone)
    added = schedules.add_training_schedule(
        place.profile,
        place.warehouse,
        title=title,
        cron=cron,
        zone=zone,
        preset=preset,
        mode=mode,
        only=only,
        sensor_ids=[place.warehouse.catalog.find_sensor(one).id for one in sensors or ()],
    )
    out.print(
        f"Schedule {added.id}: {added.words} ({added.zone}), next {added.next_at:%Y-%m-%d %H:%M} UTC, "
        "while the app runs.",
        markup=False,
    )


@app.command()
def pause(schedule_id: Number) -> None:
    """Let a schedule rest until it is told to go on."""
    place = desk()
    paused = schedules.pause_schedule(place.profile, place.warehouse, schedule_id, paused=True)
    out.print(f"{paused.title} rests.", markup=False)


@app.command()
def resume(schedule_id: Number) -> None:
    """Let a paused schedule go on; what was due meanwhile is not made up for."""
    place = desk()
    again = schedules.pause_schedule(place.profile, place.warehouse, schedule_id, paused=False)
    out.print(f"{again.title} goes on, next {again.next_at:%Y-%m-%d %H:%M} UTC.", markup=False)


@app.command()
def remove(schedule_id: Number) -> None:
    """Delete a schedule; the jobs that it queued stay."""
    place = desk()
    schedules.remove_schedule(place.profile, place.warehouse, schedule_id)
    out.print(f"Schedule {schedule_id} is gone.")
