"""Verdicts of people: what one must be, and which of the log's are in force."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

import polars as pl

from warehouse import schema
from warehouse.catalog import Catalog
from warehouse.documents import JSON
from warehouse.errors import CatalogError, LabelError
from warehouse.state.overlap import not_replaced
from warehouse.state.writes import integer, moment, optional_integer, text

MAX_NOTE: Final = 2000
MAX_FAULT_CLASS: Final = 80
MAX_EVENT_ID: Final = 200


@dataclass(frozen=True)
class NewLabel:
    """A verdict to be stored.

    Parameters
    ----------
    start, end
        Half-open, with a zone.
    verdict
        One of `schema.VERDICTS`.
    fault_class, note
        In the person's words; may be empty.
    event_id, version_id
        The event it was given to and the model version that raised it; None for a drawn interval.
    """

    sensor_id: int
    start: datetime
    end: datetime
    verdict: str
    fault_class: str = ""
    note: str = ""
    event_id: str | None = None
    version_id: int | None = None

    def payload(self) -> dict[str, JSON]:
        """Return it as the payload of a ``label.set`` write."""
        return {
            "sensor_id": self.sensor_id,
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "verdict": self.verdict,
            "fault_class": self.fault_class,
            "note": self.note,
            "event_id": self.event_id,
            "version_id": self.version_id,
        }

    @classmethod
    def checked(cls, payload: Mapping[str, JSON], catalog: Catalog, now: datetime) -> Self:
        """Return the label that a ``label.set`` payload states.

        Raises
        ------
        LabelError
            The verdict is unknown, the interval is empty, reversed or outside the allowed time, the sensor
            does not exist, or a text is too long.
        """
        verdict = text(payload, "verdict", 40)
        if verdict not in schema.VERDICTS:
            raise LabelError(f"verdict must be one of {', '.join(schema.VERDICTS)}, not {verdict!r}")
        start, end = moment(payload, "start"), moment(payload, "end")
        if start >= end:
            raise LabelError(f"a label must start before it ends, not {start:%Y-%m-%d %H:%M} to {end:%H:%M}")
        if start < schema.EARLIEST or end > schema.latest_allowed(now):
            raise LabelError(f"a label must lie between {schema.EARLIEST.year} and tomorrow, not at {start}")
        sensor_id = integer(payload, "sensor_id")
        try:
            catalog.sensor(sensor_id)
        except CatalogError as error:
            raise LabelError(f"the label's sensor {sensor_id} is unknown: {error}") from error
        return cls(
            sensor_id=sensor_id,
            start=start,
            end=end,
            verdict=verdict,
            fault_class=text(payload, "fault_class", MAX_FAULT_CLASS),
            note=text(payload, "note", MAX_NOTE),
            event_id=text(payload, "event_id", MAX_EVENT_ID) or None,
            version_id=optional_integer(payload, "version_id"),
        )


def current(log: pl.DataFrame) -> pl.DataFrame:
    """Return the labels in force, oldest first, with the columns of `schema.LABELS`.

    Parameters
    ----------
    log
        All rows of the table ``label_log``.
    """
    undone = log.filter(pl.col("action") == "undo").select("label_id")
    active = log.filter(pl.col("action") == "set").join(undone, on="label_id", how="anti")
    return not_replaced(schema.conform(active, schema.LABELS, "label_log")).sort("label_id")
