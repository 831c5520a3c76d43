"""Numbers, amounts and lengths of time as an engineer says them."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from core.detectors.scaling import SCALED_UNIT


def duration(length: timedelta) -> str:
    """Return a length of time, such as ``9 h 10 min``."""
    minutes = max(1, round(length.total_seconds() / 60))
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    days, hours = divmod(hours, 24)
    named = "1 day" if days == 1 else f"{days} days"
    return f"{named} {hours} h" if hours and days < 7 else named


def number(value: float) -> str:
    """Return a value with three significant figures, never in powers of ten below a million."""
    if value == 0 or not 1e-4 <= abs(value) < 1e6:
        return f"{value:.3g}"
    decimals = max(0, 2 - int(np.floor(np.log10(abs(value)))))
    return f"{value:.{decimals}f}"


def amount(value: float, unit: str) -> str:
    """Return a value with its unit; a unit that only says "scaled" stands in brackets."""
    return _with_unit(signed(value), unit)


def span(low: float, high: float, unit: str) -> str:
    """Return two values with one unit, such as ``20.1 to 25.3 °C``."""
    return _with_unit(f"{signed(low)} to {signed(high)}", unit)


def signed(value: float) -> str:
    """Return a value without its unit, with a minus sign as it is printed."""
    return number(value).replace("-", "−")


def name_of(channel: str) -> str:
    """Return a channel's own name: what follows the machine's in ``Pump 7/outlet temperature``."""
    machine, slash, name = channel.partition("/")
    return name if slash else machine


def listed(names: Sequence[str]) -> str:
    """Return names as one says them: ``load``, ``load and speed``, ``load, speed and flow``."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def sentence(channel: str, told: str, meanwhile: str = "") -> str:
    """Return what a channel did as a sentence, with what its context did meanwhile."""
    name = name_of(channel)
    return " ".join(part for part in (name[:1].upper() + name[1:], told, meanwhile) if part)


def _with_unit(told: str, unit: str) -> str:
    return f"{told} ({unit})" if unit == SCALED_UNIT else f"{told} {unit}".strip()
