"""Loss curves of a training."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go

from app.charts.template import template
from app.charts.thinning import LIMIT, thin
from app.theme import Palette

Losses = Sequence[tuple[str, Sequence[tuple[int, float]]]]
SMALL_PX: Final = 150

_SMALLEST: Final = 1e-12
_MOST_TICKS: Final = 12
_MARKED: Final = 40
# Below this ratio a straight axis says more, and its figures read as they are.
_DECADE: Final = 10.0
_DASHES: Final = ("solid", "dash", "dot", "dashdot")


def loss_curves(losses: Losses, palette: Palette, *, height: int = SMALL_PX) -> go.Figure:
    """Draw each curve over its steps and name it where it ends; the first is in ink, others dashed.

    The axis is logarithmic where all losses are above zero and the largest is ten times the smallest. No
    more than 2,000 points are drawn in all.

    Parameters
    ----------
    losses
        (name, ((epoch, loss), …)) pairs.
    height
        In pixels.
    """
    return _figure(tuple((name, tuple(points)) for name, points in losses), palette, height)


# Between two epochs a live page asks for the same picture again and again.
@lru_cache(maxsize=64)
def _figure(losses: Losses, palette: Palette, height: int) -> go.Figure:
    curves = [(name, x, y) for name, points in losses for x, y in [_drawn(points, len(losses))] if x]
    values = [one for _, _, y in curves for one in y if math.isfinite(one)]
    logarithmic = bool(values) and min(values) > 0 and max(values) / min(values) >= _DECADE
    last = max((x[-1] for _, x, _ in curves), default=1)
    first = min((x[0] for _, x, _ in curves), default=0)
    highest = max((y[-1] for _, _, y in curves), default=0.0)
    inks = [palette.ink if number == 0 else palette.muted for number in range(len(curves))]
    # All in one go: a figure that is added to checks itself with each addition.
    return go.Figure(
        [
            go.Scatter(
                x=x,
                y=y,
                name=name,
                mode="lines+markers" if len(x) < _MARKED else "lines",
                marker={"size": 4, "color": ink},
                line={"color": ink, "width": 1.5, "dash": _DASHES[number % len(_DASHES)]},
                hovertemplate="%{y:.4~g}",
            )
            for number, ((name, x, y), ink) in enumerate(zip(curves, inks, strict=True))
        ],
        {
            "template": template(palette),
            "height": height,
            "margin": {"l": 52, "r": 96, "t": 8, "b": 34},
            "dragmode": False,
            "hovermode": "x unified",
            # While a curve grows it is drawn again every few seconds: what the viewer did to it stays.
            "uirevision": "losses",
            "annotations": [
                {
                    "x": x[-1],
                    "y": math.log10(max(y[-1], _SMALLEST)) if logarithmic else y[-1],
                    "text": name,
                    "xanchor": "left",
                    "xshift": 6,
                    # Curves that end together are named one above the other.
                    "yshift": 7 if y[-1] >= highest else -7,
                    "showarrow": False,
                    "font": {"size": 11, "color": ink},
                }
                for (name, x, y), ink in zip(curves, inks, strict=True)
            ],
            "xaxis": {
                "title": {"text": "epoch", "standoff": 2, "font": {"size": 11}},
                "fixedrange": True,
                "tickformat": "d",
                "tick0": 0,
                "dtick": max(1, math.ceil(last / _MOST_TICKS)),
                # Said here, as the names at the ends would else push it out.
                "range": [first - max((last - first) * 0.03, 0.2), last + max((last - first) * 0.02, 0.2)],
            },
            "yaxis": _axis(logarithmic=logarithmic),
        },
    )


def _axis(*, logarithmic: bool) -> dict[str, Any]:
    axis = {"nticks": 5, "fixedrange": True, "exponentformat": "none"}
    # What happens late, when losses have fallen by orders of magnitude, is what a person looks for.
    return {**axis, "type": "log", "dtick": "D2"} if logarithmic else axis


def _drawn(points: Sequence[tuple[int, float]], curves: int) -> tuple[list[float], list[float]]:
    """Return the steps and losses of a curve, thinned to its share of the points a chart may have."""
    steps = np.array([step for step, _ in points], dtype=np.float64)
    losses = np.array([value for _, value in points], dtype=np.float64)
    x, y = thin(steps, losses, limit=max(LIMIT // max(curves, 1), 16))
    return x.tolist(), y.tolist()
