"""What the screens show, as frozen values: made by queries, drawn by charts and components."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Line:
    """Values over time, not yet thinned for a chart.

    Parameters
    ----------
    times_ms
        (n,) increasing milliseconds since 1970 in UTC.
    values
        (n,) values in the panel's unit, NaN where there is none; means where `low` is given.
    low, high
        (n,) smallest and largest value of each bucket; None when the values are the readings themselves.
    """

    times_ms: Floats
    values: Floats
    low: Floats | None = None
    high: Floats | None = None


@dataclass(frozen=True)
class Limit:
    """An engineering alarm limit in the unit of its panel, with its word, such as ``high``."""

    word: str
    value: float


@dataclass(frozen=True, eq=False)
class Panel:
    """One quantity of a stack of charts that share their time axis.

    Parameters
    ----------
    name, unit
        What is measured; the unit is empty where there is none.
    note
        Stands behind the name, such as ``drives 46 %``; may be empty.
    limits
        Alarm limits, the lowest first.
    """

    name: str
    unit: str
    measured: Line
    expected: Line | None = None
    threshold: Line | None = None
    note: str = ""
    limits: tuple[Limit, ...] = ()


@dataclass(frozen=True)
class Band:
    """An interval to mark: half-open ``[start, end)``, both UTC, with the words that stand on it."""

    start: datetime
    end: datetime
    text: str


@dataclass(frozen=True)
class Driver:
    """A channel that drove an event, with its share of the score in [0, 1]."""

    sensor_id: int
    name: str
    unit: str
    share: float


@dataclass(frozen=True)
class Verdict:
    """A stored verdict of a person."""

    label_id: int
    sensor_id: int
    start: datetime
    end: datetime
    verdict: str
    fault_class: str
    note: str
    actor: str
    recorded_at: datetime
    event_id: str


@dataclass(frozen=True)
class EventRow:
    """One event of a queue.

    Parameters
    ----------
    start, end
        Half-open, UTC; `end` still moves while `open`.
    peak_score, threshold
        In units of the detector's score.
    probability
        In [0, 1].
    mode
        ``causal`` or ``review``.
    detector
        The version in words; a baseline says that it is a statistical detector, no trained model.
    trained
        Whether a trained model raised it.
    historical
        The machine's data has ended long ago.
    as_of
        Time of the machine's newest reading.
    verdict
        What a person last said of it; None if nobody did.
    acknowledged_by
        Who took note of it; None if nobody did.
    disagree
        Whether some people call it a true anomaly and others a false positive.
    voices
        How many people said something of it.
    """

    event_id: str
    sensor_id: int
    version_id: int
    asset_id: int
    machine: str
    sensor: str
    unit: str
    start: datetime
    end: datetime
    open: bool
    peak_at: datetime
    peak_score: float
    threshold: float
    probability: float
    severity: str
    why: str
    mode: str
    drivers: tuple[Driver, ...]
    detector: str
    trained: bool
    historical: bool
    as_of: datetime
    verdict: Verdict | None
    acknowledged_by: str | None
    disagree: bool = False
    voices: int = 0

    @property
    def title(self) -> str:
        """Machine and sensor, such as ``Pump 7 · outlet temperature``."""
        return f"{self.machine} · {self.sensor}"

    @property
    def dismissed(self) -> bool:
        """Whether it was called a false positive and nobody who judged it calls it a true anomaly."""
        return self.verdict is not None and self.verdict.verdict == "false_positive" and not self.disagree


@dataclass(frozen=True)
class Machine:
    """An asset as the fleet's summary sees it.

    Parameters
    ----------
    as_of
        Time of its newest reading; None before the first.
    sensors
        Ids of its sensors, of every role.
    silent
        Names of sensors that stopped while the machine's others went on.
    trained
        Whether any of its targets has a trained champion.
    """

    asset_id: int
    name: str
    kind: str
    historical: bool
    as_of: datetime | None
    sensors: tuple[int, ...]
    targets: tuple[int, ...]
    silent: tuple[str, ...]
    trained: bool


@dataclass(frozen=True)
class Fleet:
    """The state of everything at one moment of the data.

    Parameters
    ----------
    as_of
        Time of the newest reading of a live machine, of any machine if none is live; None without data.
    events
        Open events and those that ended in the asked window, worst first.
    held
        Events that verdicts hold back, worst first: not among `events`, and no alarms.
    """

    as_of: datetime | None
    machines: tuple[Machine, ...]
    events: tuple[EventRow, ...]
    held: tuple[EventRow, ...] = ()

    @property
    def live(self) -> tuple[Machine, ...]:
        """The machines whose data still arrives."""
        return tuple(machine for machine in self.machines if not machine.historical)


@dataclass(frozen=True)
class DayTile:
    """One machine on one day (UTC): the worst severity, ``""`` when healthy, None without data."""

    machine: str
    day: datetime
    severity: str | None
    event_id: str | None
    events: int


@dataclass(frozen=True, eq=False)
class Story:
    """All that one event's chart needs.

    Parameters
    ----------
    window_start, window_end
        What the time axis shows, UTC.
    signal, score
        The target with what was expected, and how strange each step was.
    context
        The driving channels, or context channels when the detector has no shares.
    states
        Stretches of the operating state in words; empty when the machine has none.
    verdicts
        Stored verdicts of the sensor inside the window.
    resolution
        How the lines were made: ``readings``, or ``means of 1 h``.
    """

    window_start: datetime
    window_end: datetime
    signal: Panel
    score: Panel
    context: tuple[Panel, ...]
    states: tuple[Band, ...]
    verdicts: tuple[Verdict, ...]
    resolution: str


@dataclass(frozen=True)
class ModelRow:
    """One model version with its held-out figures; None where a figure does not exist.

    Parameters
    ----------
    preset
        What was asked for; empty for a version that was not trained.
    mode
        ``causal`` or ``review``.
    remarks
        Sentences about what was fitted that a person must see.
    """

    version_id: int
    sensor_id: int
    machine: str
    sensor: str
    method: str
    preset: str
    mode: str
    remarks: tuple[str, ...]
    trained: bool
    number: int
    champion: bool
    created_at: datetime
    normalised_error: float | None
    persistence_error: float | None
    alarms_per_week: float | None
    f1: float | None


@dataclass(frozen=True)
class Lineage:
    """Where a version comes from, as (what, value) rows in the order in which they are shown."""

    title: str
    snapshot_id: int
    remarks: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    spans: tuple[tuple[str, datetime, datetime], ...]
    parameters: tuple[tuple[str, str], ...]
    metrics: tuple[tuple[str, float], ...]
    artifacts: tuple[tuple[str, str], ...]
