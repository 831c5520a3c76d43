"""The place of one panel in a stack, and its title."""

from dataclasses import dataclass, field
from typing import Any

import plotly.graph_objects as go

from app.theme import Palette


@dataclass(frozen=True)
class Row:
    """A panel's place.

    Parameters
    ----------
    axis
        Number of its y axis.
    bottom, top
        Its domain in parts of the figure's height.
    low, high
        Its range in the unit of its values.
    """

    axis: int
    bottom: float
    top: float
    low: float = 0.0
    high: float = 1.0

    @property
    def y(self) -> str:
        """Plotly's name of the axis."""
        return "y" if self.axis == 1 else f"y{self.axis}"


@dataclass(frozen=True)
class Parts:
    """What a figure is made of, as plain values: Plotly checks all once, and not anew with each one added."""

    traces: list[dict[str, Any]] = field(default_factory=list)
    shapes: list[dict[str, Any]] = field(default_factory=list)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    selections: list[dict[str, Any]] = field(default_factory=list)
    layout: dict[str, Any] = field(default_factory=dict)

    def figure(self) -> go.Figure:
        """Return the figure."""
        return go.Figure(
            self.traces,
            {
                **self.layout,
                "shapes": self.shapes,
                "annotations": self.annotations,
                "selections": self.selections,
            },
        )


def title(parts: Parts, row: Row, text: str, palette: Palette, *, strong: bool) -> None:
    """Write a panel's title above it, in the ink when `strong`."""
    parts.annotations.append(
        {
            "text": text,
            "xref": "paper",
            "yref": "paper",
            "x": 0,
            "y": row.top,
            "xanchor": "left",
            "yanchor": "bottom",
            "showarrow": False,
            "font": {"size": 12, "color": palette.ink if strong else palette.muted},
        }
    )


def capitalised(text: str) -> str:
    """Return a name with a capital first letter and the rest as it is."""
    return text[:1].upper() + text[1:]
