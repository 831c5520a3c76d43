"""The trainings of a batch as bars side by side: how far each is, and which of them failed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import plotly.graph_objects as go

from app.charts.template import template
from app.theme import Palette

MARKS: Final = {
    "queued": "·",
    "running": "▸",
    "done": "✓",
    "failed": "✖",
    "cancelled": "⊘",
    "interrupted": "‖",
}
"""A sign for each state of a job, beside its word or its bar: colour alone says nothing."""

ROW_PX: Final = 19
_PAD_PX: Final = 6
_CHARACTER_PX: Final = 5.5
_NAME_PX: Final = 12
_GAP_PX: Final = 16
_HALF: Final = 0.24


@dataclass(frozen=True)
class Bar:
    """One training of a batch.

    Parameters
    ----------
    label
        Short name of the sensor.
    done
        In [0, 1].
    state
        One of `MARKS`.
    words
        What it does now, what came of it, or why it failed.
    """

    label: str
    done: float
    state: str
    words: str


def batch_bars(bars: Sequence[Bar], palette: Palette, *, width: int) -> go.Figure:
    """Draw bars in columns, from top to bottom and then to the right; each can be selected.

    The index of a selected point is that of `bars`. Whatever has not failed is grey; what failed is red and
    bears a cross.

    Parameters
    ----------
    width
        Of the place that the figure gets, in pixels; decides how many columns fit.
    """
    return _figure(tuple(bars), palette, width)


# Between two steps of a training a live page asks for the same picture again and again.
@lru_cache(maxsize=32)
def _figure(bars: tuple[Bar, ...], palette: Palette, width: int) -> go.Figure:
    columns = columns_of(bars, width)
    rows = max(math.ceil(len(bars) / columns), 1)
    column_px = width / columns
    share = min((_name_characters(bars) * _CHARACTER_PX + _NAME_PX) / column_px, 0.7)
    full = max(1.0 - share - _GAP_PX / column_px, 0.1)
    spots = [divmod(number, rows) for number in range(len(bars))]
    line = [row for _, row in spots]
    begin = [column + share for column, _ in spots]
    return go.Figure(
        [
            _bar_trace(begin, line, [full] * len(bars), [palette.raised] * len(bars)),
            _bar_trace(
                begin, line, [full * _drawn(bar) for bar in bars], [_fill(bar, palette) for bar in bars]
            ),
            go.Scatter(
                x=[column for column, _ in spots],
                y=line,
                mode="text",
                text=[_name(bar) for bar in bars],
                textposition="middle right",
                textfont={"size": 11, "color": [_ink(bar, palette) for bar in bars]},
                customdata=[[bar.label, bar.words] for bar in bars],
                hovertemplate="%{customdata[0]}: %{customdata[1]}<extra></extra>",
                cliponaxis=False,
            ),
            go.Scatter(
                x=[start + full / 2 for start in begin],
                y=line,
                mode="markers",
                # Nothing to see: what is hovered over and clicked.
                marker={"symbol": "square", "size": ROW_PX - 2, "color": "rgba(0,0,0,0)"},
                customdata=[[bar.label, bar.words] for bar in bars],
                hovertemplate="%{customdata[0]}: %{customdata[1]}<extra></extra>",
                unselected={"marker": {"opacity": 1.0}},
                selected={"marker": {"opacity": 1.0}},
            ),
        ],
        {
            "template": template(palette),
            "height": rows * ROW_PX + 2 * _PAD_PX,
            "margin": {"l": 2, "r": 2, "t": _PAD_PX, "b": _PAD_PX},
            "barmode": "overlay",
            "dragmode": False,
            "hovermode": "closest",
            "hoverdistance": int(column_px / 2),
            "clickmode": "event+select",
            "uirevision": "bars",
            "xaxis": {"range": [0, columns], "visible": False, "fixedrange": True},
            "yaxis": {"range": [rows - 0.5, -0.5], "visible": False, "fixedrange": True},
        },
    )


def columns_of(bars: Sequence[Bar], width: int) -> int:
    """Return in how many columns bars are drawn on a width in pixels; few bars need but one or two."""
    fitting = int(width // (_name_characters(bars) * _CHARACTER_PX + _NAME_PX + 54))
    return max(min(fitting, math.ceil(len(bars) / 6), 6), 1)


def _name_characters(bars: Sequence[Bar]) -> int:
    return max((len(bar.label) for bar in bars), default=1) + 2


def _bar_trace(
    begin: Sequence[float], line: Sequence[int], length: Sequence[float], colours: Sequence[str]
) -> go.Bar:
    return go.Bar(
        base=begin,
        x=length,
        y=line,
        orientation="h",
        width=2 * _HALF,
        marker={"color": colours, "line": {"width": 0}},
        hoverinfo="skip",
        unselected={"marker": {"opacity": 1.0}},
    )


def _drawn(bar: Bar) -> float:
    """Return how much of a bar is filled; one that failed stands out whatever it had reached."""
    return 1.0 if bar.state in {"failed", "done"} else min(max(bar.done, 0.0), 1.0)


def _fill(bar: Bar, palette: Palette) -> str:
    if bar.state == "failed":
        return palette.critical
    return palette.ink if bar.state == "running" else palette.normal


def _ink(bar: Bar, palette: Palette) -> str:
    if bar.state == "failed":
        return palette.critical_text
    return palette.muted if bar.state in {"queued", "cancelled"} else palette.ink


def _name(bar: Bar) -> str:
    # A name comes from data, and Plotly reads tags in text.
    return f"{MARKS.get(bar.state, '?')} {bar.label}".replace("<", "‹").replace(">", "›")
