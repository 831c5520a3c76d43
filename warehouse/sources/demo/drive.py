"""How each machine of the demo fleet is run: demand, set points, switching."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from warehouse.sources.demo.chance import BLOCK, DAY, LOAD, Floats, generator, lag, wander, white
from warehouse.sources.demo.faults import HISTORY_DAYS
from warehouse.sources.demo.fleet import FLEET, GAUGES, Machine
from warehouse.sources.demo.happenings import Stop
from warehouse.sources.demo.physics import Drive
from warehouse.sources.demo.site import Site

_CHANGES: Final = 6
_NIGHTLY: Final = "Pump 4"  # a two-shift machine
_LOWEST, _HIGHEST = 0.70, 1.02
_LONG_AGO: Final = 10_000
# Rows of a day's noise: one a gauge for its own, one a machine for its load, six a machine for its process.
_LOAD_ROW: Final = len(GAUGES)
_PROCESS_ROW: Final = _LOAD_ROW + len(FLEET)
_PROCESS_ROWS: Final = 6


def drive(seed: int, anchor: int, day: int, place: int, *, shared: Site, stops: Sequence[Stop]) -> Drive:
    """Return how the machine at `place` in the fleet is run in the block that ends with `day`.

    Parameters
    ----------
    anchor, day
        Minutes and days since 1970.
    stops
        All stops of the block.
    """
    machine = FLEET[place]
    running = _running(seed, day, machine, stops)
    wanted = np.clip(shared.demand + _setpoint(seed, day, place), _LOWEST, _HIGHEST)
    unsteady = 1.0 + 0.002 * wander(white(seed, day, _LOAD_ROW + place), 5.0)
    since = np.arange(BLOCK)
    began = np.flatnonzero(running[1:] & ~running[:-1]) + 1
    since_start = np.full(BLOCK, float(_LONG_AGO))
    for start in began:
        since_start[start:] = since[start:] - start
    first = _PROCESS_ROW + _PROCESS_ROWS * place
    noise = np.stack([white(seed, day, row) for row in range(first, first + _PROCESS_ROWS)])
    age = day - (anchor // DAY - HISTORY_DAYS)
    wear = float(1.0 - np.exp(-max(0, age) / 150.0))
    load = lag(wanted * running, 4.0) * unsteady
    return Drive(shared, running, load, since_start, wear, noise, machine.rated)


def _running(seed: int, day: int, machine: Machine, stops: Sequence[Stop]) -> NDArray[np.bool_]:
    running = np.ones(BLOCK, dtype=bool)
    start = (day - 1) * DAY
    for stop in stops:
        if stop.machine == machine.name:
            running[max(0, stop.start - start) : max(0, stop.end - start)] = False
    if machine.name == _NIGHTLY:
        for shift in (0, 1):
            on, off = generator(seed, LOAD, day - 1 + shift, 98).integers(-9, 10, 2)
            running[shift * DAY : shift * DAY + 5 * 60 + on] = False
            running[shift * DAY + 22 * 60 + off : (shift + 1) * DAY] = False
    return running


@lru_cache(maxsize=64)
def _changes(seed: int, day: int, place: int) -> tuple[NDArray[np.int64], Floats]:
    random = generator(seed, LOAD, day, place)
    return np.sort(random.integers(0, DAY, _CHANGES)), np.clip(
        0.035 * random.standard_normal(_CHANGES), -0.08, 0.08
    )


def _setpoint(seed: int, day: int, place: int) -> Floats:
    """Return (BLOCK,) what operators add to demand: levels held for hours, the last one into the next day."""
    level = _changes(seed, day - 2, place)[1][-1]
    setpoint = np.empty(BLOCK)
    for shift in (0, 1):
        times, levels = _changes(seed, day - 1 + shift, place)
        held = np.concatenate([[level], levels])
        lengths = np.diff(np.concatenate([[0], times, [DAY]]))
        setpoint[shift * DAY : (shift + 1) * DAY] = np.repeat(held, lengths)
        level = levels[-1]
    return setpoint
