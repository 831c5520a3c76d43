"""`telltale label` and `telltale unlabel`: verdicts without a browser."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

import polars as pl
import typer

from app.actions.label import set_label, undo_label
from app.actions.writers import through
from app.commands.console import Desk, desk, out
from core.errors import ParameterError
from warehouse.state.labels import NewLabel

VERDICTS = {"true": "true_anomaly", "false-positive": "false_positive", "unsure": "unsure"}


def label(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[EVENT] VERDICT",
            help="Id of the event, as the link in the browser shows it, and true, false-positive or unsure. "
            "With --sensor the verdict alone, on an interval where no event was raised.",
        ),
    ],
    start: Annotated[
        datetime | None, typer.Option("--from", "--start", help="UTC; the event's own start when not given.")
    ] = None,
    end: Annotated[
        datetime | None, typer.Option("--to", "--end", help="UTC; the event's own end when not given.")
    ] = None,
    sensor: Annotated[
        str | None, typer.Option(help="Sensor of an interval without an event; --from and --to say when.")
    ] = None,
    fault: Annotated[str, typer.Option(help="Class of the fault, in your words.")] = "",
    note: Annotated[str, typer.Option(help="What you saw.")] = "",
) -> None:
    """Say whether an event was real, or mark one that was missed; stored when this returns."""
    place = desk()
    *events, verdict = words
    if len(events) != (sensor is None):
        raise ParameterError("name an event and a verdict, or a verdict with --sensor, --from and --to")
    if verdict not in VERDICTS:
        raise ParameterError(f"verdict must be one of {', '.join(VERDICTS)}, not {verdict!r}")
    begin, finish = (None if one is None else one.replace(tzinfo=UTC) for one in (start, end))
    if sensor is None:
        new = _on_event(place, events[0], verdict, begin, finish)
    elif begin is None or finish is None:
        raise ParameterError("an interval without an event needs --from and --to")
    else:
        found = place.warehouse.catalog.find_sensor(sensor)
        new = NewLabel(sensor_id=found.id, start=begin, end=finish, verdict=VERDICTS[verdict])
    label_id = set_label(
        place.profile, replace(new, fault_class=fault, note=note), writer=through(place.warehouse)
    )
    out.print(f"Stored as label {label_id}; `telltale unlabel {label_id}` takes it back.")


def unlabel(label_id: Annotated[int, typer.Argument(help="Number of the label.")]) -> None:
    """Take a verdict back; the log keeps both."""
    place = desk()
    undo_label(place.profile, label_id, writer=through(place.warehouse))
    out.print(f"Label {label_id} is taken back.")


def _on_event(
    place: Desk, event_id: str, verdict: str, start: datetime | None, end: datetime | None
) -> NewLabel:
    events = place.warehouse.results.events_current().filter(pl.col("event_id") == event_id)
    if events.is_empty():
        raise ParameterError(f"there is no event {event_id!r}; `telltale export events` lists them")
    sensor_id, version_id, first, last = events.select("sensor_id", "version_id", "start", "end").row(0)
    return NewLabel(
        sensor_id=sensor_id,
        start=start or first,
        end=end or last,
        verdict=VERDICTS[verdict],
        event_id=event_id,
        version_id=version_id,
    )
