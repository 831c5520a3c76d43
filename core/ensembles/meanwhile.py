"""What a target's context did while an event ran: steady, moving as before, or changed."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.ensembles.wording import amount, listed, name_of, span
from core.results import Event
from core.signal import Floats, Signal

Doubles = NDArray[np.float64]

SHORTEST: Final = 120
LONGEST: Final = 1440
"""Fewest and most steps before an event that it is held against; in between, as many as it has."""

_LEAST: Final = 10
_BLOCKS: Final = 8
_ALIKE: Final = 0.02
"""Share of a level within which a difference is none that an engineer would call a change."""

_NAMED: Final = 3


@dataclass(frozen=True)
class _Channel:
    """What one channel did: ``steady``, ``moving`` or ``changed``, how much, and the same in words."""

    name: str
    did: str
    size: float = 0.0
    told: str = ""


def before(event: Event, signal: Signal) -> Floats:
    """Return the (k, channels) readings before an event that it is held against; k is 0 at the beginning."""
    steps = min(max(event.end - event.start, SHORTEST), LONGEST)
    return signal.values[max(0, event.start - steps) : event.start]


def meanwhile(event: Event, signal: Signal, earlier: Floats) -> str:
    """Return what the context did, such as ``while load was steady``; empty where nothing is known of it.

    Parameters
    ----------
    event
        Its indices refer to `signal`.
    earlier
        (k, channels) readings before it.
    """
    inside = signal.values[event.start : event.end]
    found = [
        told
        for channel in range(1, len(signal.channels))
        if (told := _did(signal, channel, earlier[:, channel], inside[:, channel])) is not None
    ]
    if not found:
        return ""
    changed = sorted((one for one in found if one.did == "changed"), key=lambda one: -one.size)
    if changed:
        others = len(changed) - 1
        more = f", and {others} more of its context changed" if others else ""
        return f"while {changed[0].told}{more}"
    moving = [one.name for one in found if one.did == "moving"]
    if not moving:
        names = [one.name for one in found]
        if len(names) > _NAMED:
            return f"while all {len(names)} context channels were steady"
        return f"while {listed(names)} {'was' if len(names) == 1 else 'were'} steady"
    if len(moving) > _NAMED:
        return "while its context moved as before"
    return f"while {listed(moving)} moved as before"


def _did(signal: Signal, channel: int, earlier: Floats, inside: Floats) -> _Channel | None:
    """Return what one channel did; None where it has too few readings to tell."""
    was = earlier[np.isfinite(earlier)].astype(np.float64)
    now = inside[np.isfinite(inside)].astype(np.float64)
    if was.size < _LEAST or now.size == 0:
        return None
    name, unit = name_of(signal.channels[channel]), signal.units[channel]
    if np.isin(was, (0.0, 1.0)).all() and np.isin(now, (0.0, 1.0)).all():
        return _switched(name, was, now)
    old, new = float(np.median(was)), float(np.median(now))
    usual = max(_swing(was), _ALIKE * abs(old) / 2)
    if abs(new - old) > 2 * usual:
        verb = "rose" if new > old else "fell"
        size = abs(new - old) / max(usual, 1e-12)
        return _Channel(name, "changed", size, f"{name} {verb} from {span(old, new, unit)}")
    if now.size >= _LEAST and _swing(now) > 2 * max(usual, 1e-12):
        low, high = np.quantile(now, (0.05, 0.95))
        size = _swing(now) / max(usual, 1e-12)
        reach = span(float(low), float(high), unit)
        return _Channel(name, "changed", size, f"{name} varied from {reach} (±{amount(usual, unit)} before)")
    return _Channel(name, "steady" if _steady(np.concatenate([was, now])) else "moving")


def _switched(name: str, was: Doubles, now: Doubles) -> _Channel:
    """Return what a channel did that reads 0 or 1."""
    times = int((np.diff(np.concatenate([was[-1:], now])) != 0).sum())
    if times == 0:
        return _Channel(name, "steady")
    if (np.diff(was) != 0).any():
        return _Channel(name, "moving")
    often = "once" if times == 1 else "twice" if times == 2 else f"{times} times"
    return _Channel(name, "changed", float("inf"), f"{name} switched {often}")


def _steady(values: Doubles) -> bool:
    """Return whether a channel kept its level: medians of parts differ by no more than noise within them."""
    parts = np.array_split(values, min(_BLOCKS, values.size // 4 or 1))
    levels = np.array([np.median(part) for part in parts])
    noise = float(np.median([_swing(part) for part in parts]))
    moved = float(np.ptp(levels))
    return moved <= max(2 * noise, _ALIKE * abs(float(np.median(values))))


def _swing(values: Doubles) -> float:
    """Return half the distance within which nine readings in ten lie."""
    low, high = np.quantile(values, (0.05, 0.95))
    return float(high - low) / 2
