"""What the Data page shows, as frozen values: made by queries, drawn by components."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class SensorData:
    """What is stored of one sensor.

    Parameters
    ----------
    unit, stated_unit
        As it is shown, and as its source states it.
    rows
        Readings, those without a value included.
    first, last
        Its first and last reading, UTC; None where nothing is stored.
    interval_s
        Nominal seconds between readings; estimated from how many there are where `nominal` is False.
    coverage
        Share of the expected readings in each cell of its machine's time; None before its first reading.
    missing
        Share of the expected readings that are not there or hold no value; None without an interval.
    empty_days
        Longest run of whole UTC days without a value, between first and last.
    status
        ``ok``, ``open events``, ``silent`` or ``historical``; empty where the fleet does not know it yet.
    damaged
        Damaged files that hold, or may hold, readings of it.
    """

    sensor_id: int
    machine: str
    name: str
    unit: str
    stated_unit: str
    role: str
    rows: int
    first: datetime | None
    last: datetime | None
    interval_s: float | None
    nominal: bool
    coverage: tuple[float | None, ...]
    missing: float | None
    empty_days: int
    status: str
    damaged: int = 0

    @property
    def title(self) -> str:
        """Machine and sensor, such as ``Pump 7 · outlet temperature``."""
        return f"{self.machine} · {self.name}"


@dataclass(frozen=True)
class MachineData:
    """A machine with what is stored of its sensors.

    Parameters
    ----------
    first, last
        Of all its sensors; None where nothing is stored.
    cell_days
        UTC days that one cell of a coverage strip stands for.
    """

    asset_id: int
    name: str
    kind: str
    source: str
    historical: bool
    first: datetime | None
    last: datetime | None
    cell_days: int
    sensors: tuple[SensorData, ...]

    @property
    def rows(self) -> int:
        """Readings of all its sensors."""
        return sum(sensor.rows for sensor in self.sensors)


@dataclass(frozen=True)
class DamagedFile:
    """A file that is not what was written, and what is missing because of it.

    Parameters
    ----------
    what
        ``readings``, ``scores``, …
    live
        False where only pinned snapshots need it.
    sensors
        Names of the sensors that it may hold.
    """

    path: str
    what: str
    rows: int
    start: datetime
    end: datetime
    live: bool
    reason: str
    found_at: datetime
    sensors: tuple[str, ...]


@dataclass(frozen=True)
class Gap:
    """A stretch without values between two readings, UTC."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.end - self.start


@dataclass(frozen=True)
class SensorFacts:
    """What the picked sensor's panel shows beside the tree's row.

    Parameters
    ----------
    low, mean, high
        Over everything stored; None without a value.
    gaps
        The longest ones, the longest first.
    gaps_above_s
        Shorter gaps than this are not looked for.
    limits
        Alarm limits by name (``low_low``, ``low``, ``high``, ``high_high``); None where there is none.
    """

    low: float | None
    mean: float | None
    high: float | None
    gaps: tuple[Gap, ...]
    gaps_above_s: float
    limits: Mapping[str, float | None]


@dataclass(frozen=True)
class Edit:
    """One edit of limits or of the shown unit.

    Parameters
    ----------
    kind
        ``limits.set`` or ``sensor.unit``.
    what
        What became what, in words.
    former_limits, former_unit
        What a further write takes to undo it; a unit of None is the one that the source states.
    newest
        Whether it is the newest of its kind, which alone can be undone.
    """

    seq: int
    kind: str
    what: str
    actor: str
    at: datetime
    former_limits: Mapping[str, float | None]
    former_unit: str | None
    newest: bool


@dataclass(frozen=True)
class IngestRow:
    """One ingest that changed something, or a feed's ingests one after the other.

    Parameters
    ----------
    at
        Of the newest one.
    origin
        The file as the person knows it; empty where there was none.
    count
        How many ingests the row stands for.
    """

    batch_id: int
    source: str
    origin: str
    actor: str
    at: datetime
    snapshot_id: int | None
    added: int
    replaced: int
    unchanged: int
    duplicates: int
    refused: int
    count: int = 1

    @property
    def title(self) -> str:
        """The file as the person knows it, else the kind of source."""
        if self.count > 1:
            return f"{self.source}, {self.count} times in a row"
        return self.origin or self.source


@dataclass(frozen=True)
class RefusedRow:
    """A row that was not taken: where it stood, why, and what it said."""

    file: str
    line: int | None
    reason: str
    kind: str
    content: str
    at: datetime
    batch_id: int
    actor: str


@dataclass(frozen=True)
class SnapshotRow:
    """A state of the data that can still be read.

    Parameters
    ----------
    readings
        How many it holds.
    people
        Names of those who keep it.
    versions
        Ids of the model versions that were made from it.
    """

    snapshot_id: int
    digest: str
    at: datetime
    note: str
    readings: int
    people: tuple[str, ...]
    versions: tuple[int, ...]


@dataclass(frozen=True)
class MadeFrom:
    """A model version that was made from a snapshot."""

    version_id: int
    title: str
    champion: bool
    trained: bool


@dataclass(frozen=True)
class SensorChange:
    """What differs between two snapshots on one sensor, in readings."""

    title: str
    added: int
    removed: int
    changed: int


@dataclass(frozen=True)
class Compared:
    """What differs between two snapshots."""

    files_added: int
    files_ended: int
    rows_before: int
    rows_after: int
    sensors: tuple[SensorChange, ...]
