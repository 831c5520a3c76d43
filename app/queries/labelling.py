"""What people said, whole: each person's voice on an event, a sensor's log with what was taken back."""

import csv
import io
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import streamlit as st

from app.queries import house
from app.queries.failure import answered
from app.queries.house import Stamp
from app.queries.verdict_rows import verdict_of
from app.queries.views import EventRow, Verdict
from core.workflows.export import safe_cell

_AUDIT: Final = (
    "seq",
    "action",
    "label_id",
    "recorded_at_utc",
    "by",
    "machine",
    "sensor",
    "start_utc",
    "end_utc",
    "verdict",
    "fault_class",
    "note",
    "event_id",
    "version_id",
)


@dataclass(frozen=True)
class LogRow:
    """One verdict of the log, whether it still counts or not.

    Parameters
    ----------
    verdict
        As it was given.
    in_force
        Neither taken back nor replaced by a later verdict of the same person.
    taken_back_by, taken_back_at
        Who took it back; empty and None where nobody did.
    """

    verdict: Verdict
    in_force: bool
    taken_back_by: str
    taken_back_at: datetime | None


@answered
def voices(made: Stamp, event: EventRow) -> tuple[Verdict, ...]:
    """Return what each person says of an event, the newest first; a person's latest counts."""
    return _voices(made, event.event_id, event.sensor_id)


@answered
def log(made: Stamp, sensor_id: int) -> tuple[LogRow, ...]:
    """Return every verdict that was ever given on a sensor, newest first."""
    return _log(made, sensor_id)


@answered
def fault_classes(made: Stamp) -> tuple[str, ...]:
    """Return the names of the fault classes that can be picked, in the order in which they were added."""
    return _fault_classes(made)


@answered
def audit_csv(made: Stamp, sensor_id: int | None) -> bytes:
    """Return the label log of one sensor or of all as a csv, oldest first; no cell reads as a formula."""
    rows = house.owner().label_history(sensor_id).reverse()
    sensors = {sensor.id: sensor for sensor in house.opened(made).catalog.sensors()}
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_AUDIT)
    for row in rows.iter_rows(named=True):
        sensor = sensors.get(row["sensor_id"])
        cells = (
            str(row["seq"]),
            row["action"],
            str(row["label_id"]),
            row["recorded_at"].isoformat(),
            row["actor"],
            sensor.asset_name if sensor else "",
            sensor.name if sensor else str(row["sensor_id"]),
            row["start"].isoformat(),
            row["end"].isoformat(),
            row["verdict"],
            row["fault_class"] or "",
            row["note"] or "",
            row["event_id"] or "",
            "" if row["version_id"] is None else str(row["version_id"]),
        )
        writer.writerow([safe_cell(cell) for cell in cells])
    return text.getvalue().encode("utf-8")


@st.cache_data(show_spinner=False, max_entries=64)
def _voices(made: Stamp, event_id: str, sensor_id: int) -> tuple[Verdict, ...]:
    del made  # only makes the cache exact
    rows = house.owner().voices(event_id).reverse().iter_rows(named=True)
    return tuple(
        Verdict(
            label_id=row["label_id"],
            sensor_id=sensor_id,
            start=row["label_start"],
            end=row["label_end"],
            verdict=row["verdict"],
            fault_class=row["fault_class"] or "",
            note=row["note"] or "",
            actor=row["label_actor"],
            recorded_at=row["label_at"],
            event_id=event_id,
        )
        for row in rows
    )


@st.cache_data(show_spinner=False, max_entries=16)
def _log(made: Stamp, sensor_id: int) -> tuple[LogRow, ...]:
    del made  # only makes the cache exact
    rows = house.owner().label_history(sensor_id).to_dicts()
    undone = {row["label_id"]: row for row in rows if row["action"] == "undo"}
    counting = set(house.owner().labels_for(sensor_id)["label_id"])
    return tuple(
        LogRow(
            verdict=verdict_of(row),
            in_force=row["label_id"] in counting,
            taken_back_by=undone[row["label_id"]]["actor"] if row["label_id"] in undone else "",
            taken_back_at=undone[row["label_id"]]["recorded_at"] if row["label_id"] in undone else None,
        )
        for row in rows
        if row["action"] == "set"
    )


@st.cache_data(show_spinner=False, max_entries=4)
def _fault_classes(made: Stamp) -> tuple[str, ...]:
    del made  # only makes the cache exact
    return tuple(house.owner().fault_classes()["name"])
