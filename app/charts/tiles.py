"""Machines × days as tiles: the worst event of each day, grey when healthy."""

from collections.abc import Sequence
from datetime import datetime

import plotly.graph_objects as go

from app.charts.rows import Parts
from app.charts.template import template
from app.queries.views import DayTile
from app.theme import SYMBOLS, WORST_FIRST, Palette

_ROW_PX = 19
_HEAD_PX = 20
_TILE = (0.47, 0.42)  # half width and half height in parts of a cell
_UNSEEN = "rgba(0,0,0,0)"


def day_tiles(tiles: Sequence[DayTile], palette: Palette) -> go.Figure:
    """Draw tiles; each is a point that can be selected, its index being that of `tiles`.

    Parameters
    ----------
    tiles
        One a machine and day; machines from top to bottom in the order of their first tile.
    """
    machines = list(dict.fromkeys(tile.machine for tile in tiles))
    days = sorted({tile.day for tile in tiles})
    column = {day: number for number, day in enumerate(days)}
    line = {machine: number for number, machine in enumerate(machines)}
    parts = Parts()
    for tile in tiles:
        x, y = column[tile.day], line[tile.machine]
        parts.shapes.append(
            {
                "type": "rect",
                "x0": x - _TILE[0],
                "x1": x + _TILE[0],
                "y0": y - _TILE[1],
                "y1": y + _TILE[1],
                "fillcolor": _colour(tile, palette),
                "line": {"width": 0},
                "layer": "below",
            }
        )
    parts.traces.append(
        go.Scatter(
            x=[column[tile.day] for tile in tiles],
            y=[line[tile.machine] for tile in tiles],
            mode="markers",
            marker={
                "symbol": [SYMBOLS.get(tile.severity or "", "square") for tile in tiles],
                "size": [7 if tile.severity else 16 for tile in tiles],
                # A tile without a mark is still there to be clicked.
                "color": [palette.on_fill(tile.severity) if tile.severity else _UNSEEN for tile in tiles],
                "line": {"width": 0},
            },
            customdata=[
                [tile.machine, f"{tile.day:%a} {tile.day.day} {tile.day:%b}", _words(tile)] for tile in tiles
            ],
            hovertemplate="%{customdata[0]}, %{customdata[1]}: %{customdata[2]}<extra></extra>",
            unselected={"marker": {"opacity": 1.0}},
            selected={"marker": {"opacity": 1.0}},
        )
    )
    newest = days[-1] if days else None
    parts.layout.update(
        template=template(palette),
        height=_HEAD_PX + _ROW_PX * max(len(machines), 1) + 6,
        margin={"l": 96, "r": 4, "t": _HEAD_PX, "b": 4},
        dragmode=False,
        hovermode="closest",
        clickmode="event+select",
        xaxis={
            "side": "top",
            "tickvals": list(column.values()),
            "ticktext": [_day(day, newest) for day in days],
            "range": [-0.5, len(days) - 0.5],
            "showgrid": False,
            "fixedrange": True,
        },
        yaxis={
            "tickvals": list(line.values()),
            "ticktext": machines,
            "tickfont": {"color": palette.ink},
            "range": [len(machines) - 0.5, -0.5],
            "showgrid": False,
            "fixedrange": True,
        },
    )
    return parts.figure()


def worst(severities: Sequence[str]) -> str:
    """Return the worst of some severities, ``""`` for none."""
    return min(severities, key=WORST_FIRST.index, default="")


def _colour(tile: DayTile, palette: Palette) -> str:
    if tile.severity is None:
        return palette.empty
    return palette.fill(tile.severity) if tile.severity else palette.raised


def _words(tile: DayTile) -> str:
    if tile.severity is None:
        return "no data"
    if not tile.severity:
        return "no events"
    return f"{tile.severity}, {tile.events} event{'s' if tile.events != 1 else ''}"


def _day(day: datetime, newest: datetime | None) -> str:
    return "Latest" if day == newest else f"{day:%a} {day.day}"
