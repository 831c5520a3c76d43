"""Events with a known truth as the learning sees them, of simulated fleets and of NASA's channels.

The fleets' events are those of the statistical detector, which watches a fleet from its first minute; NASA's
are those of our own causal panel of the preset ``quick``.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from benchmarks.learning_windows import SLACK, WAYS, Refit, refitted
from benchmarks.smap_channels import Channel, read_channels
from core.ensembles.presets import new_raiser
from core.ensembles.raise_events import Detection
from core.errors import ConstantSignal, InsufficientData
from core.feedback.description import describe
from core.feedback.verdicts import SeenEvent
from core.results import Event, Severity
from core.signal import Signal
from core.splits import chronological
from core.workflows.baseline import FRACTIONS
from core.workflows.ingest import ingest
from core.workflows.methods import new_baseline
from core.workflows.signals import load_signal
from warehouse.home import Warehouse
from warehouse.sources import demo

ANCHOR: Final = datetime(2026, 11, 1, tzinfo=UTC)
UNKNOWN: Final = "nothing"
"""Kind of an event where nothing happened."""


@dataclass(frozen=True, eq=False)
class Truth:
    """A raised event, and what it was.

    Parameters
    ----------
    kind
        What happened then; `UNKNOWN` if nothing did.
    real
        Whether that was a fault.
    severity
        As the detector grades it.
    """

    event: SeenEvent
    kind: str
    real: bool
    severity: Severity


@dataclass(frozen=True, eq=False)
class Fleet:
    """A demo fleet as the learning sees it.

    Parameters
    ----------
    events
        Raised by the statistical detector, in the order of their ends. It is fitted once, as when the fleet
        is created, and goes on unchanged.
    refits
        By way of `benchmarks.learning_windows.WAYS`, what a new fit on a time with faults in it finds later.
    """

    events: tuple[Truth, ...]
    refits: dict[str, Refit]


def fleet_events(seed: int, days: int) -> Fleet:
    """Return a demo fleet that goes on for `days` after it was made."""
    start, end = ANCHOR - timedelta(days=demo.HISTORY_DAYS), ANCHOR + timedelta(days=days)
    with tempfile.TemporaryDirectory(prefix="telltale-") as folder:
        home = Warehouse.open(Path(folder))
        ingest(
            demo.read(seed, ANCHOR, start, end),
            warehouse=home,
            clock=lambda: end,
            actor="benchmark",
            queue=False,
        )
        happened = demo.truth(seed, ANCHOR, start, end)
        found: list[Truth] = []
        refits = {way: Refit(0, 0, 0) for way in WAYS}
        for sensor in home.catalog.sensors(role="target"):
            own = [one for one in happened if one.key == sensor.key]
            split = chronological(load_signal(home, sensor, start, ANCHOR), fractions=FRACTIONS)
            raiser = new_baseline().fit(split.train, split.calibrate)
            signal = load_signal(home, sensor)
            detection = raiser.detect(signal)
            raised = [one for one in detection.events if one.end > len(split.train)]
            seen = [_seen(event, detection, signal, sensor.id) for event in raised]
            said = [_truth(one, event, signal, own) for one, event in zip(seen, raised, strict=True)]
            found += said
            confirmed, refuted = (
                [_interval(e, signal) for e, one in zip(raised, said, strict=True) if one.real is real]
                for real in (True, False)
            )
            if confirmed:
                again = refitted(signal, confirmed, refuted, own)
                refits = {way: refits[way] + again.get(way, Refit(0, 0, 0)) for way in WAYS}
        home.close()
    return Fleet(tuple(sorted(found, key=lambda one: (one.event.end_us, one.event.event_id))), refits)


def nasa_events(data: Path, labels: Path, names: Sequence[str] | None = None) -> list[Truth]:
    """Return the events that a causal panel raises on the channels' test parts."""
    found: list[Truth] = []
    for number, channel in enumerate(read_channels(data, labels, names)):
        try:
            raiser = new_raiser("quick", mode="causal").fit(channel.train, channel.calibrate)
            detection = raiser.detect(channel.test)
        except (ConstantSignal, InsufficientData):
            continue
        for event in detection.events:
            seen = _seen(event, detection, channel.test, number)
            real = _labelled(channel, event)
            found.append(Truth(seen, "labelled" if real else UNKNOWN, real, event.severity))
    # Channels have no common time: their events are taken in turn, by their place in the test part.
    return sorted(found, key=lambda one: (one.event.end_us, one.event.event_id))


def _labelled(channel: Channel, event: Event) -> bool:
    return any(event.start <= b and event.end > a for listed in channel.truth for a, b in listed)


def _seen(event: Event, detection: Detection, signal: Signal, sensor_id: int) -> SeenEvent:
    return SeenEvent(
        f"{sensor_id}-{event.start}",
        sensor_id,
        int(signal.timestamps[event.end - 1].astype("int64")),
        describe(
            signal.target,
            detection.scores.expected,
            start=event.start,
            end=event.end,
            peak_score=event.peak_score,
            threshold=event.threshold,
            interval_s=signal.interval.total_seconds(),
        ),
    )


def _interval(event: Event, signal: Signal) -> tuple[datetime, datetime]:
    times = signal.timestamps.astype("datetime64[us]").tolist()
    return times[event.start].replace(tzinfo=UTC), times[event.end - 1].replace(tzinfo=UTC) + signal.interval


def _truth(seen: SeenEvent, event: Event, signal: Signal, happened: Sequence[demo.TruthInterval]) -> Truth:
    """Return what an event was: a fault near it, else what else happened, else nothing."""
    times = signal.timestamps.astype("datetime64[us]").tolist()
    start, end = times[event.start].replace(tzinfo=UTC), times[event.end - 1].replace(tzinfo=UTC)
    near = [one for one in happened if start < one.end + SLACK and end > one.start - SLACK]
    faults = [one for one in near if not one.benign]
    known = [*faults, *near]
    return Truth(seen, known[0].kind if known else UNKNOWN, bool(faults), event.severity)
