"""Which event is which: ids that survive a moving end, a new judgement and a new model version."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core.feedback.description import restated
from core.results import Mode, Severity


@dataclass(frozen=True)
class SensorEvent:
    """An event in the time and ids of the warehouse; fields as in `warehouse.schema.STORED_EVENTS`."""

    event_id: str
    sensor_id: int
    version_id: int
    start: datetime
    end: datetime
    open: bool
    peak_ts: datetime
    peak_score: float
    threshold: float
    probability: float
    severity: Severity
    why: str
    mode: Mode
    drivers: tuple[tuple[int, float], ...]
    traits: tuple[float, ...] | None = None
    shape: tuple[float, ...] | None = None

    def overlap_s(self, other: "SensorEvent") -> float:
        """Return the seconds that both cover, negative when they are apart."""
        return (min(self.end, other.end) - max(self.start, other.start)).total_seconds()


def renewed(
    found: Sequence[SensorEvent], stored: Sequence[SensorEvent], cut: datetime
) -> tuple[SensorEvent, ...]:
    """Return the events of a version after what lies from `cut` on was judged again.

    Parameters
    ----------
    found
        What the new judgement says; what it says of times before `cut` is disregarded.
    stored
        The same version's events so far.
    cut
        UTC. Events that ended by then stay as they are. One that ran across it goes on as the found
        event it overlaps or touches, and otherwise stays, closed.
    """
    settled = [event for event in stored if event.end <= cut]
    running = [event for event in stored if event.start < cut < event.end]
    fresh: list[SensorEvent] = []
    for event in found:
        if event.end <= cut:
            continue
        before = [old for old in running if event.overlap_s(old) >= 0]
        if before:
            fresh.append(_continued(before[0], event))
            running.remove(before[0])
        elif event.start < cut:
            fresh.append(replace(event, start=cut, peak_ts=max(cut, event.peak_ts)))
        else:
            fresh.append(event)
    left = [replace(event, open=False) for event in running]
    return tuple(sorted([*settled, *left, *fresh], key=lambda event: event.start))


def identified(events: Sequence[SensorEvent], known: Iterable[SensorEvent]) -> tuple[SensorEvent, ...]:
    """Return `events` with ids: inherited from the known event they overlap most, else their own.

    Each known id is inherited once, by the longest overlap; the sensor's events of every version are
    candidates, so a link to an event survives a new model.
    """
    pairs = [
        (event.overlap_s(old), position, old.event_id)
        for old in known
        for position, event in enumerate(events)
        if event.overlap_s(old) > 0
    ]
    ids: dict[int, str] = {}
    for _, position, event_id in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if position not in ids and event_id not in ids.values():
            ids[position] = event_id
    taken = {old.event_id for old in known} | set(ids.values())
    for position, event in enumerate(events):
        if position not in ids:
            ids[position] = _own_id(event, taken)
            taken.add(ids[position])
    return tuple(replace(event, event_id=ids[position]) for position, event in enumerate(events))


def _continued(old: SensorEvent, new: SensorEvent) -> SensorEvent:
    start = min(old.start, new.start)
    if old.peak_score > new.peak_score:
        new = replace(
            new,
            start=start,
            peak_ts=old.peak_ts,
            peak_score=old.peak_score,
            threshold=old.threshold,
            probability=max(old.probability, new.probability),
            severity=old.severity,
            drivers=old.drivers,
        )
    elif not new.drivers:
        # What went before it is no longer seen, so the new judgement can't tell what drove it.
        new = replace(new, drivers=old.drivers)
    if new.traits is None:
        return replace(new, start=start)
    # What it looks like is told by the part that was judged now; how strong and how long, by all of it.
    traits = restated(
        new.traits,
        peak_score=new.peak_score,
        threshold=new.threshold,
        minutes=(new.end - start).total_seconds() / 60,
    )
    return replace(new, start=start, traits=traits)


def _own_id(event: SensorEvent, taken: set[str]) -> str:
    """Return sensor and start as one short word, such as ``12-20261120T0508``."""
    base = f"{event.sensor_id}-{event.start:%Y%m%dT%H%M}"
    if base not in taken:
        return base
    return next(f"{base}-{n}" for n in range(2, len(taken) + 3) if f"{base}-{n}" not in taken)
