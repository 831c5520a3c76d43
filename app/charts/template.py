"""The look of every chart, for a light and a dark page."""

from functools import cache
from typing import Any, Final

import plotly.graph_objects as go

from app.theme import Palette

FONT: Final = '"Source Sans", "Source Sans 3", "Source Sans Pro", sans-serif'
CONFIG: Final[dict[str, Any]] = {"displayModeBar": False, "doubleClick": "reset", "showTips": False}


def picture_config(name: str) -> dict[str, Any]:
    """Return `CONFIG` with one button, which saves the chart as ``name.png`` without asking a server."""
    return {
        **CONFIG,
        "displayModeBar": True,
        "displaylogo": False,
        "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": {"format": "png", "filename": name, "scale": 2},
    }


@cache
def template(palette: Palette) -> go.layout.Template:
    """Return Plotly's template of a palette: no legend, quiet grid, ink lines."""
    axis = {
        "gridcolor": palette.grid,
        "linecolor": palette.grid,
        "zeroline": False,
        "ticks": "",
        "tickfont": {"size": 11, "color": palette.muted},
        "automargin": False,
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 12, "color": palette.ink},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "showlegend": False,
            "xaxis": axis,
            "yaxis": axis,
            "hoverlabel": {
                "bgcolor": palette.background,
                "bordercolor": palette.grid,
                "font": {"family": FONT, "size": 12, "color": palette.ink},
            },
            "margin": {"l": 44, "r": 6, "t": 18, "b": 22},
        }
    )
