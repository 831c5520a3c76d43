"""`telltale label` and `telltale unlabel`: verdicts without a browser."""

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
    event: Annotated[str, typer.Argument(help="Id of the event, as the link in the browser shows it.")],
    verdict: Annotated[str, typer.Argument(help="true, false-positive or unsure.")],
    start: Annotated[
        datetime | None, typer.Option("--from", help="UTC; the event's own start when not given.")
    ] = None,
    end: Annotated[datetime | None, typer.Option("--to", help="UTC; the event's own end.")] = None,
    fault: Annotated[str, typer.Option(help="Class of the fault, in your words.")] = "",
    note: Annotated[str, typer.Option(help="What you saw.")] = "",
) -> None:
    """Say whether an event was real; the verdict is stored when this returns."""
    place = desk()
    if verdict not in VERDICTS:
        raise ParameterError(f"verdict must be one of {', '.join(VERDICTS)}, not {verdict!r}")
    sensor_id, version_id, first, last = _event(place, event)
    new = NewLabel(
        sensor_id=sensor_id,
        start=first if start is None else start.replace(tzinfo=UTC),
        end=last if end is None else end.replace(tzinfo=UTC),
        verdict=VERDICTS[verdict],
        fault_class=fault,
        note=note,
        event_id=event,
        version_id=version_id,
    )
    label_id = set_label(place.profile, new, writer=through(place.warehouse))
    out.print(f"Stored as label {label_id}; `telltale unlabel {label_id}` takes it back.")


def unlabel(label_id: Annotated[int, typer.Argument(help="Number of the label.")]) -> None:
    """Take a verdict back; the log keeps both."""
    place = desk()
    undo_label(place.profile, label_id, writer=through(place.warehouse))
    out.print(f"Label {label_id} is taken back.")


def _event(place: Desk, event_id: str) -> tuple[int, int, datetime, datetime]:
    events = place.warehouse.results.events_current().filter(pl.col("event_id") == event_id)
    if events.is_empty():
        raise ParameterError(f"there is no event {event_id!r}; `telltale export events` lists them")
    sensor_id, version_id, start, end = events.select("sensor_id", "version_id", "start", "end").row(0)
    return sensor_id, version_id, start, end
