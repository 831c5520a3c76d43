"""Loss curves of a training."""

import math
from collections.abc import Sequence
from typing import Final

import plotly.graph_objects as go

from app.charts.template import template
from app.theme import Palette

_SMALLEST: Final = 1e-12
_MOST_TICKS: Final = 12


def loss_curves(losses: Sequence[tuple[str, Sequence[tuple[int, float]]]], palette: Palette) -> go.Figure:
    """Draw each curve over its steps and name it where it ends; the first is in ink, others dashed.

    Parameters
    ----------
    losses
        (name, ((epoch, loss), …)) pairs.
    """
    figure = go.Figure()
    last = max((points[-1][0] for _, points in losses if points), default=1)
    ends = [points[-1][1] for _, points in losses if points]
    for number, (name, points) in enumerate(losses):
        if not points:
            continue
        colour = palette.ink if number == 0 else palette.muted
        x, y = [step for step, _ in points], [value for _, value in points]
        figure.add_trace(
            go.Scatter(
                x=x,
                y=y,
                name=name,
                mode="lines+markers" if len(x) < 40 else "lines",
                marker={"size": 4, "color": colour},
                line={"color": colour, "width": 1.5, "dash": "solid" if number == 0 else "dash"},
                hovertemplate="%{y:.4~g}",
            )
        )
        figure.add_annotation(
            x=x[-1],
            y=math.log10(max(y[-1], _SMALLEST)),
            text=name,
            xanchor="left",
            xshift=6,
            # Curves that end together are named one above the other.
            yshift=7 if y[-1] >= max(ends) else -7,
            showarrow=False,
            font={"size": 11, "color": colour},
        )
    figure.update_layout(
        template=template(palette),
        height=150,
        margin={"l": 52, "r": 96, "t": 8, "b": 34},
        dragmode=False,
        hovermode="x unified",
        xaxis={
            "title": {"text": "epoch", "standoff": 2, "font": {"size": 11}},
            "fixedrange": True,
            "tickformat": "d",
            "tick0": 0,
            "dtick": max(1, math.ceil(last / _MOST_TICKS)),
        },
        # Losses fall by orders of magnitude; what happens late is what a person looks for.
        yaxis={"type": "log", "nticks": 5, "fixedrange": True, "exponentformat": "none", "dtick": "D2"},
    )
    return figure
