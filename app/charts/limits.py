"""Alarm limits on a signal: thin dash-dotted lines with their words, never at the cost of the signal.

They look unlike what is expected (dashed), a threshold (dotted) and a detected interval (shaded).
"""

from typing import Final

from app.charts.rows import Parts, Row
from app.queries.views import Limit, Panel
from app.theme import Palette, translucent

# A limit farther from the data than the data reaches is told in words: its line would flatten the signal.
REACH: Final = 0.8
_CLOSE: Final = 0.13  # in parts of the panel: nearer words would stand on each other


def near_limits(panel: Panel, low: float, high: float) -> tuple[Limit, ...]:
    """Return the limits that can be drawn beside data between `low` and `high`."""
    reach = REACH * (high - low)
    return tuple(one for one in panel.limits if low - reach <= one.value <= high + reach)


def far_limits(panel: Panel, row: Row) -> tuple[str, ...]:
    """Return the limits outside a panel in words, such as ``high limit 82 °C, above``."""
    return tuple(
        f"{words(one, panel.unit)}, {'above' if one.value > row.high else 'below'}"
        for one in panel.limits
        if not row.low <= one.value <= row.high
    )


def words(limit: Limit, unit: str) -> str:
    """Return a limit as ``high limit 82 °C``."""
    return f"{limit.word} limit {limit.value:g}" + (f" {unit}" if unit else "")


def draw_limits(parts: Parts, panel: Panel, row: Row, palette: Palette) -> None:
    """Draw the limits that lie inside a panel."""
    taken: list[float] = []
    for limit in panel.limits:
        if not row.low <= limit.value <= row.high:
            continue
        parts.shapes.append(
            {
                "type": "line",
                "xref": "x domain",
                "yref": row.y,
                "x0": 0,
                "x1": 1,
                "y0": limit.value,
                "y1": limit.value,
                "line": {"width": 1, "color": translucent(palette.muted, 0.8), "dash": "longdashdot"},
                "layer": "below",
                "name": f"{limit.word} limit",
            }
        )
        beside = sum(abs(other - limit.value) < _CLOSE * (row.high - row.low) for other in taken)
        taken.append(limit.value)
        low = limit.word.startswith("low")
        parts.annotations.append(
            {
                "text": words(limit, panel.unit),
                "xref": "x domain",
                "yref": row.y,
                "x": 0.005 + 0.22 * beside,
                "y": limit.value,
                "xanchor": "left",
                "yanchor": "top" if low else "bottom",
                "showarrow": False,
                "font": {"size": 11, "color": palette.muted},
            }
        )
