"""What the upload shows, as frozen values."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Column:
    """A column of a table: what it looks like (``time``, ``number``, ``text``, ``empty``), and some cells."""

    name: str
    looks: str
    sample: tuple[str, ...]


@dataclass(frozen=True)
class FirstLook:
    """The beginning of a table, and what it probably means.

    Parameters
    ----------
    kind
        ``csv`` or ``parquet``.
    rows
        The first rows as text, each as wide as `columns`.
    time, time_format, layout, sensor_column, value_column, asset_column
        Guesses, to be confirmed.
    time_formats
        Formats that fit equally well, of which a person must choose one; empty where there is no doubt.
    needs_zone
        Whether the times have no offset of their own.
    """

    kind: str
    delimiter: str
    decimal: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    time: str | None
    time_format: str | None
    time_formats: tuple[str, ...]
    needs_zone: bool
    layout: str
    sensor_column: str | None
    value_column: str | None
    asset_column: str | None


@dataclass(frozen=True)
class SensorCheck:
    """What storing a table would do to one sensor; see `core.workflows.rehearse.SensorRehearsal`."""

    machine: str
    name: str
    unit: str
    role: str
    readings: int
    empty: int
    doubled: int
    start: datetime
    end: datetime
    interval_s: float | None
    gaps: int
    longest_gap: timedelta
    known: bool
    new: int
    same: int
    replaced: int


@dataclass(frozen=True)
class Refused:
    """A row that would go to quarantine, with its line as a person counts it."""

    line: int | None
    reason: str
    content: str


@dataclass(frozen=True)
class TableCheck:
    """What storing a table would do."""

    sensors: tuple[SensorCheck, ...]
    refused: tuple[Refused, ...]
    notes: tuple[str, ...]

    @property
    def start(self) -> datetime:
        """The first time, UTC."""
        return min(one.start for one in self.sensors)

    @property
    def end(self) -> datetime:
        """The last time, UTC."""
        return max(one.end for one in self.sensors)
