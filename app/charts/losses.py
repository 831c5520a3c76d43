"""Loss curves of a training."""

from collections.abc import Sequence

import plotly.graph_objects as go

from app.charts.template import template
from app.theme import Palette


def loss_curves(losses: Sequence[tuple[str, Sequence[tuple[int, float]]]], palette: Palette) -> go.Figure:
    """Draw each curve over its steps and name it where it ends; the first is in ink, others dashed.

    Parameters
    ----------
    losses
        (name, ((epoch, loss), …)) pairs.
    """
    figure = go.Figure()
    tallest = max((value for _, points in losses for _, value in points), default=1.0)
    for number, (name, points) in enumerate(losses):
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
        if points:
            # Curves that end together are named one below the other.
            close = number > 0 and bool(losses[0][1]) and abs(y[-1] - losses[0][1][-1][1]) < 0.1 * tallest
            figure.add_annotation(
                x=x[-1],
                y=y[-1],
                text=name,
                xanchor="left",
                xshift=6,
                yshift=13 if close else 0,
                showarrow=False,
                font={"size": 11, "color": colour},
            )
    figure.update_layout(
        template=template(palette),
        height=150,
        margin={"l": 52, "r": 96, "t": 8, "b": 30},
        dragmode=False,
        hovermode="x unified",
        xaxis={"title": {"text": "epoch", "standoff": 4}, "fixedrange": True, "rangemode": "tozero"},
        yaxis={"nticks": 4, "fixedrange": True},
    )
    return figure
