"""The stack of one event: signal, score, context and operating state over one time axis."""

from collections.abc import Sequence
from typing import Final

import plotly.graph_objects as go

from app.charts.event_marks import draw_marks, event_marks
from app.charts.lines import draw, y_range
from app.charts.marks import draw_bounds, draw_states, mark_verdicts, shade
from app.charts.opinions import opinions
from app.charts.rows import Parts, Row
from app.charts.template import template
from app.charts.zone import Zone, epoch_ms
from app.queries.views import Band, EventRow, Story
from app.theme import Palette

SIGNAL_PX: Final = 150
SCORE_PX: Final = 66
CONTEXT_PX: Final = 52
STATES_PX: Final = 18
_TITLE_PX: Final = 19
_FOOT_PX: Final = 36
_HEAD_PX: Final = 6  # so that the button of the picture does not stand on the newest reading


def event_stack(
    story: Story,
    event: Band,
    severity: str,
    palette: Palette,
    zone: Zone,
    *,
    bounds: Band | None = None,
    with_score: bool = True,
    movable: bool | None = None,
    others: Sequence[EventRow] | None = None,
) -> go.Figure:
    """Draw one event.

    Parameters
    ----------
    story
        The lines; each is thinned to at most 2,000 points.
    event, severity
        The detected interval, shaded in every panel in the severity's tint.
    zone
        The viewer's. Plotly shows epoch milliseconds in the browser's own zone; another one than UTC gets
        UTC on hover.
    bounds
        The interval that a person is about to store, drawn as a box on the signal.
    with_score
        Whether the score is a panel of the stack.
    movable
        Whether the bounds are a selection that can be drawn and dragged; None: nothing can be selected.
    others
        Other events of the sensor, to be marked; None marks none, nor the opened one where it is narrow.
    """
    panels = [story.signal, *([story.score] if with_score else []), *story.context]
    heights = [SIGNAL_PX, *([SCORE_PX] if with_score else []), *[CONTEXT_PX] * len(story.context)]
    if story.states:
        heights.append(STATES_PX)
    total = _HEAD_PX + sum(heights) + _TITLE_PX * len(heights) + _FOOT_PX
    parts = Parts()
    rows = _places(heights, total, [y_range(panel) for panel in panels])
    for panel, row in zip(panels, rows, strict=False):
        draw(parts, panel, row, palette, zone)
        shade(parts, event, row, palette.tint(severity))
    span = (epoch_ms(story.window_start), epoch_ms(story.window_end))
    told = opinions(story.verdicts)
    mark_verdicts(parts, told, rows[: 2 if with_score else 1], palette, length_ms=span[1] - span[0])
    if others is not None:
        draw_marks(parts, event_marks(others, event, severity, span[1] - span[0], zone), rows[0], palette)
    if bounds is not None:
        draw_bounds(parts, bounds, rows[0], palette, movable=bool(movable))
    if story.states:
        draw_states(parts, story.states, rows[-1], palette)
    parts.layout.update(
        template=template(palette),
        paper_bgcolor=palette.background,  # a picture of it has no other behind it
        height=total,
        margin={"l": 44, "r": 6, "t": _HEAD_PX + _TITLE_PX, "b": _FOOT_PX},
        dragmode=False if movable is None else "select",
        newselection={"line": {"color": palette.ink, "width": 1.4, "dash": "solid"}},
        selectdirection="h",
        hovermode="x unified",
        hoversubplots="axis",
        xaxis={
            "type": "date",
            "range": list(span),
            "anchor": rows[len(heights) - 1].y,
            "hoverformat": "%a %-d %b %Y %H:%M",
            "tickformatstops": _TICKS,
            # Without the score it stands in a narrow column; turned labels would be cut off.
            "nticks": 9 if with_score else 5,
            "tickangle": 0,
            "fixedrange": True,
        },
    )
    return parts.figure()


_TICKS: Final = [
    {"dtickrange": [None, 60_000], "value": "%H:%M:%S"},
    {"dtickrange": [60_000, 43_200_000], "value": "%H:%M\n%-d %b"},
    {"dtickrange": [43_200_000, "M1"], "value": "%-d %b"},
    {"dtickrange": ["M1", None], "value": "%b %Y"},
]


def _places(heights: list[int], total: int, ranges: list[tuple[float, float]]) -> list[Row]:
    # The figure's margins hold the first title and the tick labels; domains are parts of what is between.
    inner = total - _HEAD_PX - _TITLE_PX - _FOOT_PX
    rows: list[Row] = []
    top = 0.0
    for number, height in enumerate(heights, start=1):
        low, high = ranges[number - 1] if number <= len(ranges) else (0.0, 1.0)
        rows.append(Row(number, 1.0 - (top + height) / inner, 1.0 - top / inner, low, high))
        top += height + _TITLE_PX
    return rows
