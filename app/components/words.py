"""Figures and names in words: units, signs and escapes, the same on every page."""

import re
from typing import Final

_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>()#+!|~$:^])")


def escaped(text: str) -> str:
    """Return text from data with Streamlit's markdown marks made harmless."""
    return _SPECIAL.sub(r"\\\1", text.replace("\n", " "))


def percent(share: float) -> str:
    """Return a probability in [0, 1] as ``97 %``; an estimate is never shown as a certainty."""
    if share < 0.01:
        return "< 1 %"
    if share > 0.99:
        return "> 99 %"
    return f"{share * 100:.0f} %"


def figure(value: float | None, digits: int = 2, missing: str = "–") -> str:
    """Return a figure with so many digits after the point; a dash where there is none."""
    return missing if value is None else f"{value:.{digits}f}"


def short(value: float) -> str:
    """Return a score or reading with three digits that count."""
    return f"{value:.3g}"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return ``1 machine`` or ``3 machines``."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def grouped(number: int) -> str:
    """Return a count with its thousands apart: ``12 345``."""
    return f"{number:,}".replace(",", "\u202f")


def large(number: int) -> str:
    """Return a count in at most five characters: ``950``, ``12.3 k``, ``4.1 M``."""
    for size, sign in ((1_000_000_000, "G"), (1_000_000, "M"), (10_000, "k")):
        if number >= size:
            scale = size if sign != "k" else 1000
            return (
                f"{number / scale:.3g} {sign}" if number / scale < 999.5 else f"{number / scale:.0f} {sign}"
            )
    return grouped(number)
