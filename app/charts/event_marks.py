"""Other events of a sensor, marked on its signal, and the opened one where its interval is too narrow to see.

Each is a faint tint of its severity with the severity's shape above it; its words are on hover.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from app.charts.marks import shade
from app.charts.rows import Parts, Row
from app.charts.zone import Zone, epoch_ms, lasting
from app.queries.views import Band, EventRow
from app.theme import SYMBOLS, VERDICT_WORDS, Palette, shaped, translucent

NARROW: Final = 0.008
"""Share of the window below which an interval is too narrow to be seen."""


@dataclass(frozen=True)
class Mark:
    """An event as it is marked; the opened one has a larger shape and no tint of its own."""

    band: Band
    severity: str
    opened: bool = False

    @classmethod
    def of(cls, event: EventRow, zone: Zone) -> Self:
        """Return an event with its words: severity, start, length and what was said of it."""
        said = VERDICT_WORDS[event.verdict.verdict].lower() if event.verdict else "no verdict"
        length = lasting(event.end - event.start)
        words = ", ".join((shaped(event.severity), zone.stamp(event.start), length, said))
        return cls(Band(event.start, event.end, words), event.severity)


def event_marks(
    others: Sequence[EventRow], opened: Band, severity: str, window_ms: float, zone: Zone
) -> tuple[Mark, ...]:
    """Return the marks of other events, and that of the opened one in a window in which it is narrow."""
    marks = [Mark.of(one, zone) for one in others]
    if epoch_ms(opened.end) - epoch_ms(opened.start) < NARROW * window_ms:
        marks.append(Mark(Band(opened.start, opened.end, "this event"), severity, opened=True))
    return tuple(marks)


def draw_marks(parts: Parts, marks: Sequence[Mark], row: Row, palette: Palette) -> None:
    """Draw marks into the row of the signal."""
    if not marks:
        return
    for mark in marks:
        if not mark.opened:
            shade(parts, mark.band, row, translucent(palette.fill(mark.severity), 0.10))
    parts.traces.append(
        {
            "type": "scatter",
            "x": [(epoch_ms(mark.band.start) + epoch_ms(mark.band.end)) / 2 for mark in marks],
            "y": [row.high - 0.05 * (row.high - row.low)] * len(marks),
            "yaxis": row.y,
            "mode": "markers",
            "name": "events",
            "marker": {
                "symbol": [SYMBOLS.get(mark.severity, "circle-open") for mark in marks],
                "color": [palette.fill(mark.severity) for mark in marks],
                "size": [12 if mark.opened else 8 for mark in marks],
                "line": {"width": [1.6 if mark.opened else 0.0 for mark in marks], "color": palette.ink},
            },
            "customdata": [mark.band.text for mark in marks],
            "hovertemplate": "%{customdata}<extra></extra>",
        }
    )
