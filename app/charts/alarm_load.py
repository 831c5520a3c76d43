"""The alarm load over time against its goal, and the sensors that raise most of it."""

from typing import Final

import numpy as np
import plotly.graph_objects as go

from app.charts.template import template
from app.charts.zone import Zone, epoch_ms
from app.queries.triage_views import LoadView
from app.theme import Palette

HEIGHT_PX: Final = 170
ROW_PX: Final = 21
_MOST_BARS: Final = 180
_GOAL: Final = 1.0
_FLOOD: Final = 10.0
_PERIOD_MS: Final = 600_000.0


def load_chart(load: LoadView, palette: Palette, zone: Zone) -> go.Figure:
    """Draw alarms per operator in 10 minutes, floods shaded.

    In a long time each bar is the worst ten minutes of a stretch, so that no peak is lost.
    """
    rates, each = worst_of(load)
    starts = load.starts_ms[::each]
    width = each * _PERIOD_MS
    top = max(float(rates.max(initial=0.0)) * 1.15, 1.6)
    lines = [_line(_GOAL, "goal 1", palette)]
    if top > _FLOOD:
        lines.append(_line(_FLOOD, "flood above 10", palette))
    figure = go.Figure(
        go.Bar(
            x=starts + width / 2,
            y=rates,
            width=width,
            marker={
                "color": [palette.critical if rate > _FLOOD else palette.normal for rate in rates.tolist()],
                "line": {"width": 0},
            },
            hovertemplate="%{y:.3g} alarms in 10 min<extra></extra>",
        )
    )
    figure.update_layout(
        template=template(palette),
        height=HEIGHT_PX,
        margin={"l": 26, "r": 6, "t": 8, "b": 34},
        bargap=0,
        dragmode=False,
        hovermode="x",
        shapes=[
            *[line for line, _ in lines],
            *[_flood(epoch_ms(start), epoch_ms(end), palette) for start, end, _ in load.floods],
        ],
        annotations=[text for _, text in lines],
        xaxis={
            "type": "date",
            "range": [load.starts_ms[0], load.starts_ms[-1] + _PERIOD_MS],
            "hoverformat": "%a %-d %b %Y %H:%M",
            "showgrid": False,
            "fixedrange": True,
            "title": {"text": zone.label, "font": {"size": 11, "color": palette.muted}, "standoff": 2},
        },
        yaxis={"range": [0, top], "fixedrange": True, "nticks": 4},
    )
    return figure


def worst_of(load: LoadView) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], int]:
    """Return the rate of each bar, and of how many ten-minute periods a bar is the worst."""
    each = max(-(-load.counts.size // _MOST_BARS), 1)
    padded = np.zeros(-(-load.counts.size // each) * each)
    padded[: load.counts.size] = load.counts / load.operators
    return np.asarray(padded.reshape(-1, each).max(axis=1), dtype=np.float64), each


def actors_chart(load: LoadView, palette: Palette) -> go.Figure:
    """Draw the sensors with most alarms, those with most on top, each with its share of all."""
    # Names come from data, and Plotly reads tags in text.
    names = [actor.title.replace("<", "‹").replace(">", "›") for actor in load.actors]
    counts = [actor.alarms for actor in load.actors]
    figure = go.Figure(
        go.Bar(
            x=counts,
            y=list(range(len(names))),
            orientation="h",
            marker={"color": palette.normal, "line": {"width": 0}},
            text=[f"{actor.alarms} · {actor.share * 100:.0f} %" for actor in load.actors],
            textposition="outside",
            textfont={"size": 11, "color": palette.muted},
            cliponaxis=False,
            hoverinfo="skip",
        )
    )
    figure.update_layout(
        template=template(palette),
        height=ROW_PX * max(len(names), 1) + 8,
        margin={"l": 200, "r": 60, "t": 4, "b": 4},
        bargap=0.4,
        dragmode=False,
        xaxis={"visible": False, "fixedrange": True, "range": [0, max(counts, default=1)]},
        yaxis={
            "tickvals": list(range(len(names))),
            "ticktext": names,
            "tickfont": {"size": 11, "color": palette.ink},
            "range": [len(names) - 0.5, -0.5],
            "showgrid": False,
            "fixedrange": True,
        },
    )
    return figure


def _line(at: float, text: str, palette: Palette) -> tuple[dict[str, object], dict[str, object]]:
    line = {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": at,
        "y1": at,
        "line": {"color": palette.muted, "width": 1, "dash": "dot"},
    }
    words = {
        "text": text,
        "xref": "paper",
        "x": 1,
        "y": at,
        "xanchor": "right",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 11, "color": palette.muted},
    }
    return line, words


def _flood(start: float, end: float, palette: Palette) -> dict[str, object]:
    return {
        "type": "rect",
        "yref": "paper",
        "x0": start,
        "x1": end,
        "y0": 0,
        "y1": 1,
        "fillcolor": palette.tint("critical"),
        "line": {"width": 0},
        "layer": "below",
    }
