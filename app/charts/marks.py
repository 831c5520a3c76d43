"""What is marked on a stack: detected interval, stored verdicts, a person's bounds, operating state.

Each looks different, and the same on every page: a detected interval is a tint of its severity, a
verdict grey with dotted edges, bounds an outlined box.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from app.charts.rows import Parts, Row, title
from app.charts.zone import epoch_ms
from app.queries.views import Band
from app.theme import Palette, translucent

_WORDS_SHARE: Final = 0.16
"""Of the window's length: how much room the words of a verdict take."""

_WORD_SHARE: Final = 0.11
"""The same of a state's word."""


def shade(parts: Parts, band: Band, row: Row, colour: str) -> None:
    """Shade a detected interval behind a panel."""
    parts.shapes.append(
        {
            "type": "rect",
            "xref": "x",
            "yref": f"{row.y} domain",
            "x0": epoch_ms(band.start),
            "x1": epoch_ms(band.end),
            "y0": 0,
            "y1": 1,
            "fillcolor": colour,
            "line": {"width": 0},
            "layer": "below",
        }
    )


def mark_verdicts(
    parts: Parts, bands: Sequence[Band], rows: list[Row], palette: Palette, *, length_ms: float
) -> None:
    """Mark stored verdicts, with words where there is room for them beside those before.

    Parameters
    ----------
    length_ms
        Of the window.
    """
    free_from = float("-inf")
    for band in sorted(bands, key=lambda one: one.start):
        worded = bool(band.text) and epoch_ms(band.start) >= free_from
        mark_verdict(parts, band, rows, palette, worded=worded)
        if worded:
            free_from = epoch_ms(band.start) + _WORDS_SHARE * length_ms


def mark_verdict(parts: Parts, band: Band, rows: list[Row], palette: Palette, *, worded: bool = True) -> None:
    """Mark a stored verdict: grey with dotted edges, so that it can't be taken for a detected interval."""
    for row in rows:
        parts.shapes.append(
            {
                "type": "rect",
                "xref": "x",
                "yref": f"{row.y} domain",
                "x0": epoch_ms(band.start),
                "x1": epoch_ms(band.end),
                "y0": 0,
                "y1": 1,
                "fillcolor": translucent(palette.normal, 0.18),
                "line": {"width": 1, "color": palette.normal, "dash": "dot"},
                "layer": "below",
            }
        )
    if not worded:
        return
    parts.annotations.append(
        {
            "text": band.text,
            "xref": "x",
            "yref": f"{rows[0].y} domain",
            "x": epoch_ms(band.start),
            "y": 1,
            "xanchor": "left",
            "yanchor": "top",
            "showarrow": False,
            "font": {"size": 11, "color": palette.muted},
        }
    )


def draw_bounds(parts: Parts, band: Band, row: Row, palette: Palette, *, movable: bool) -> None:
    """Draw the bounds that are about to be stored, as a selection that can be dragged when `movable`."""
    start, end = epoch_ms(band.start), epoch_ms(band.end)
    line = {"width": 1.4, "color": palette.ink}
    if movable:
        parts.selections.append(
            {
                "type": "rect",
                "xref": "x",
                "yref": row.y,
                "x0": start,
                "x1": end,
                "y0": row.low,
                "y1": row.high,
                "line": {**line, "dash": "solid"},
            }
        )
    else:
        parts.shapes.append(
            {
                "type": "rect",
                "xref": "x",
                "yref": f"{row.y} domain",
                "x0": start,
                "x1": end,
                "y0": 0.03,
                "y1": 0.97,
                "line": line,
                "fillcolor": "rgba(0,0,0,0)",
            }
        )
    parts.annotations.append(
        {
            "text": band.text,
            "xref": "x",
            "yref": f"{row.y} domain",
            "x": start,
            "y": 0.97,
            "xanchor": "right",
            "yanchor": "top",
            "xshift": -4,
            "showarrow": False,
            "font": {"size": 11, "color": palette.ink},
        }
    )


def draw_states(parts: Parts, states: tuple[Band, ...], row: Row, palette: Palette) -> None:
    """Draw the operating state as a strip of stretches with their words."""
    # A stretch that holds two states, told as "stopped and running", lies between them.
    words = sorted({state.text for state in states if " and " not in state.text})
    colours = [
        translucent(palette.normal, 0.42)
        if state.text not in words
        else palette.raised
        if words.index(state.text) % 2 == 0
        else translucent(palette.normal, 0.55)
        for state in states
    ]
    starts = np.array([epoch_ms(state.start) for state in states])
    # One trace: Plotly checks every shape by itself, and there may be many stretches.
    parts.traces.append(
        {
            "type": "bar",
            "x": starts,
            "y": np.ones(starts.size),
            "width": np.array([epoch_ms(state.end) for state in states]) - starts,
            "offset": 0,
            "yaxis": row.y,
            "name": "state",
            "marker": {"color": colours, "line": {"width": 0}},
            "customdata": [state.text for state in states],
            "hovertemplate": "%{customdata}",
        }
    )
    title(parts, row, "Operating state", palette, strong=False)
    whole = states[-1].end - states[0].start
    for state in states:
        if state.end - state.start > _WORD_SHARE * whole:
            parts.annotations.append(
                {
                    "text": state.text,
                    "xref": "x",
                    "yref": f"{row.y} domain",
                    "x": (epoch_ms(state.start) + epoch_ms(state.end)) / 2,
                    "y": 0.5,
                    "showarrow": False,
                    "font": {"size": 11, "color": palette.ink},
                }
            )
    parts.layout.update(
        {
            f"yaxis{row.axis}": {
                "domain": [row.bottom, row.top],
                "anchor": "x",
                "visible": False,
                "range": [0, 1],
                "fixedrange": True,
            }
        }
    )
