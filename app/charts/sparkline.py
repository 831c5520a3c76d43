"""A day of one sensor as a small SVG image, with its event shaded."""

from urllib.parse import quote

import numpy as np

from app.charts.thinning import thin
from app.queries.views import Line
from app.theme import Palette

WIDTH, HEIGHT = 108, 46
_POINTS = 96


def sparkline(
    line: Line, window: tuple[float, float], event: tuple[float, float], *, severity: str, palette: Palette
) -> str:
    """Return a data URI for a table's image column; see `sparkline_svg`."""
    svg = sparkline_svg(line, window, event, severity=severity, palette=palette)
    return "data:image/svg+xml;utf8," + quote(svg, safe=" ='/:")


def sparkline_svg(
    line: Line, window: tuple[float, float], event: tuple[float, float], *, severity: str, palette: Palette
) -> str:
    """Return a line with its event shaded, as SVG.

    Parameters
    ----------
    line
        The readings.
    window
        Start and end of what is shown, in milliseconds since 1970, UTC.
    event
        Start and end of the event, in the same.
    severity
        Whose tint shades the event.
    """
    start_ms, end_ms = window
    span = max(end_ms - start_ms, 1.0)
    times, values = thin(line.times_ms, line.values, _POINTS)
    size = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    body = [f'<svg xmlns="http://www.w3.org/2000/svg" {size}>']
    left = WIDTH * min(max((event[0] - start_ms) / span, 0.0), 1.0)
    right = WIDTH * min(max((event[1] - start_ms) / span, 0.0), 1.0)
    if right > left:
        body.append(
            f'<rect x="{left:.1f}" y="0" width="{max(right - left, 1.5):.1f}" height="{HEIGHT}" '
            f'fill="{palette.fill(severity)}" fill-opacity="0.24"/>'
        )
    shown = values[np.isfinite(values)]
    if shown.size:
        low, high = float(shown.min()), float(shown.max())
        scale = (HEIGHT - 8) / (high - low) if high > low else 0.0
        middle = 0.0 if high > low else HEIGHT / 2 - 4
        path, pen = [], "M"
        for instant, value in zip(times, values, strict=True):
            if not np.isfinite(value):
                pen = "M"
                continue
            x = WIDTH * (instant - start_ms) / span
            y = HEIGHT - 4 - (value - low) * scale - middle
            path.append(f"{pen}{x:.1f} {y:.1f}")
            pen = "L"
        body.append(
            f'<path d="{"".join(path)}" fill="none" stroke="{palette.ink}" stroke-width="1.3" '
            'stroke-linejoin="round"/>'
        )
    body.append("</svg>")
    return "".join(body)
