"""What is known of the demo fleet: every fault and every routine event, by sensor."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from warehouse.assets import sensor_key
from warehouse.sources.demo.faults import faults
from warehouse.sources.demo.fleet import MACHINES
from warehouse.sources.demo.happenings import Kind, Stop
from warehouse.sources.demo.routine import stops, treatments
from warehouse.sources.demo.simulator import minute_at_least, minute_of, moment_at


@dataclass(frozen=True)
class TruthInterval:
    """What happened to one sensor.

    Parameters
    ----------
    key
        ``"asset/sensor"``.
    kind
        What it looks like: a fault's shape, or ``start-up``, ``cleaning``, ``calibration``.
    cause
        Why it happened.
    start, end
        Half-open, UTC. A fault that still runs ends in the future; the end that the simulator will give it
        is stated.
    benign
        True for what belongs to running the machine.
    """

    key: str
    kind: Kind
    cause: str
    start: datetime
    end: datetime
    benign: bool


def truth(seed: int, anchor: datetime, start: datetime, end: datetime) -> tuple[TruthInterval, ...]:
    """Return all that happens in the half-open ``[start, end)``, in order of time, then sensor."""
    origin, first, last = minute_of(anchor), minute_at_least(start), minute_at_least(end)
    if first >= last:
        return ()
    found = [
        TruthInterval(
            sensor_key(one.machine, one.sensor),
            one.kind,
            one.cause,
            moment_at(one.start),
            moment_at(one.end),
            one.benign,
        )
        for one in (*faults(seed, origin, first, last), *treatments(seed, origin, first, last))
    ]
    # A start-up shows for a while after the machine stood still.
    for stop in stops(seed, origin, first - Stop.SETTLES, last):
        if stop.settled > first:
            found += _of_stop(stop)
    return tuple(sorted(found, key=lambda one: (one.start, one.key, one.kind)))


def _of_stop(stop: Stop) -> Iterator[TruthInterval]:
    for gauge in MACHINES[stop.machine].gauges:
        if gauge.role == "target":
            key = sensor_key(stop.machine, gauge.name)
            begin, settled = moment_at(stop.start), moment_at(stop.settled)
            yield TruthInterval(key, stop.kind, stop.cause, begin, settled, benign=True)
