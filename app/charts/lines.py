"""One panel of a stack: measured, min–max band, expected, threshold."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.charts.limits import draw_limits, far_limits, near_limits
from app.charts.rows import Parts, Row, capitalised, title
from app.charts.thinning import LIMIT, thin
from app.charts.zone import Zone
from app.queries.views import Floats, Line, Panel
from app.theme import Palette, translucent

_DOT_PX: Final = 4.0
_APART: Final = 0.02  # of a panel's height: as far as lines must part to be named where they do


def draw(parts: Parts, panel: Panel, row: Row, palette: Palette, zone: Zone) -> None:
    """Draw a panel into its row; the first row holds the signal, with its lines named."""
    main, dashed = row.axis == 1, ""
    limit = LIMIT if main else LIMIT // 2  # the low panels have no room for more
    strong = main or panel.threshold is not None
    unit = f" {panel.unit}" if panel.unit else ""
    line = panel.measured
    if line.low is not None and line.high is not None:
        _min_max(parts, line, row, palette, limit=limit)
    if panel.threshold is not None:
        parts.traces.append(
            _trace(
                _corners(panel.threshold.times_ms, panel.threshold.values),
                row,
                name="threshold",
                hover=f"%{{y:.3~g}}{unit}",
                colour=palette.muted,
                dash="dot",
                width=1.2,
            )
        )
    if panel.expected is not None and np.isfinite(panel.expected.values).any():
        parts.traces.append(
            _trace(
                thin(panel.expected.times_ms, panel.expected.values, limit),
                row,
                name="expected",
                hover=f"%{{y:.4~g}}{unit}",
                colour=palette.muted,
                dash="dash",
            )
        )
        if not _name_lines(parts, panel, row, palette):
            dashed = "dashed: expected"
    draw_limits(parts, panel, row, palette)
    x, y = thin(line.times_ms, line.values, limit)
    trace = _trace(
        (x, y),
        row,
        name="measured" if main else panel.name,
        hover=f"%{{y:.4~g}}{unit}",
        colour=palette.ink if strong else palette.muted,
        width=1.6 if main else 1.2,
    )
    if main and not zone.is_utc:
        trace["customdata"] = [_utc(instant) for instant in x]
        trace["hovertemplate"] = f"%{{y:.4~g}}{unit}<br>%{{customdata}} UTC"
    parts.traces.append(trace)
    name = f"<b>{capitalised(panel.name)}</b>" if strong else capitalised(panel.name)
    notes = [panel.note, dashed, *far_limits(panel, row)]
    suffix = (f", {panel.unit}" if panel.unit else "") + "".join(f" · {note}" for note in notes if note)
    title(parts, row, name + suffix, palette, strong=strong)
    parts.layout.update(
        {
            f"yaxis{row.axis if row.axis > 1 else ''}": {
                "domain": [row.bottom, row.top],
                "anchor": "x",
                "nticks": 6 if main else 4,
                "fixedrange": True,
                "range": [row.low, row.high],
            }
        }
    )


def _trace(
    points: tuple[Floats, Floats],
    row: Row,
    *,
    name: str,
    hover: str,
    colour: str,
    dash: str = "solid",
    width: float = 1.4,
) -> dict[str, Any]:
    x, y = points
    alone = _alone(y)
    dots: dict[str, Any] = {"mode": "lines"}
    if alone.any():
        # A line needs two readings: one between two gaps would not be seen.
        size = np.where(alone, _DOT_PX, 0.0)
        dots = {"mode": "lines+markers", "marker": {"size": size, "color": colour, "line": {"width": 0}}}
    return {
        "type": "scatter",
        "x": x,
        "y": y.astype(np.float32),  # half as much to send, and finer than any screen
        "yaxis": row.y,
        **dots,
        "name": name,
        "line": {"color": colour, "width": width, "dash": dash},
        "hovertemplate": hover,
        "connectgaps": False,
    }


def _corners(times_ms: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Return a line thinned; where it is steady, without the points inside its level stretches."""
    if values.size < 3:
        return thin(times_ms, values)
    level = (values[1:-1] == values[:-2]) & (values[1:-1] == values[2:])
    kept = np.concatenate([[True], ~level, [True]])
    steps = np.diff(times_ms)
    if kept.sum() > LIMIT or steps.max() > 2.5 * np.median(steps):  # a gap is to be seen as one
        return thin(times_ms, values)
    return times_ms[kept], values[kept]


def _alone(values: Floats) -> NDArray[np.bool_]:
    """Return which values have none before and none after them."""
    there = np.isfinite(values)
    before = np.concatenate([[False], there[:-1]])[: there.size]
    after = np.concatenate([there[1:], [False]])[: there.size]
    alone: NDArray[np.bool_] = there & ~before & ~after
    return alone


def _min_max(parts: Parts, line: Line, row: Row, palette: Palette, *, limit: int) -> None:
    """Fill between the smallest and largest value of each bucket, so that a spike survives the means."""
    if line.low is None or line.high is None:
        return
    step = max(1, -(-line.times_ms.size // limit))
    low = _pooled(line.low, step, np.fmin)
    high = _pooled(line.high, step, np.fmax)
    x = line.times_ms[::step]
    edge: dict[str, Any] = {"type": "scatter", "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    edge |= {"x": x, "yaxis": row.y}
    fill = {"fill": "tonexty", "fillcolor": translucent(palette.normal, 0.32)}
    parts.traces.append({**edge, "y": low.astype(np.float32), "name": "min"})
    parts.traces.append({**edge, **fill, "y": high.astype(np.float32), "name": "max"})


def _pooled(values: Floats, step: int, merge: np.ufunc) -> Floats:
    if step == 1:
        return values
    return np.asarray(merge.reduceat(values, np.arange(0, values.size, step)), dtype=np.float64)


def _name_lines(parts: Parts, panel: Panel, row: Row, palette: Palette) -> bool:
    """Name measured and expected where they run furthest apart, one above and one below.

    Return whether there was room: where they never stay apart, words would stand on both.
    """
    expected = panel.expected
    if expected is None:
        return True
    there = np.interp(expected.times_ms, panel.measured.times_ms, panel.measured.values)
    apart = np.nan_to_num(np.abs(there - expected.values))
    # The words end at a point before which the lines stay apart, so that neither runs through them.
    width = max(1, apart.size // 8)
    clear = np.lib.stride_tricks.sliding_window_view(apart, width).min(axis=1)
    if clear.max() < _APART * (row.high - row.low):
        return False
    at = width - 1 + int(np.argmax(clear))
    x = float(expected.times_ms[at])
    room = 0.1 * (row.high - row.low)  # for the words themselves
    above = bool(there[at] >= expected.values[at])
    for text, value, up in (("measured", there[at], above), ("expected", expected.values[at], not above)):
        if np.isfinite(value):
            parts.annotations.append(
                {
                    "text": text,
                    "x": x,
                    "y": min(max(float(value), row.low + room), row.high - room),
                    "xref": "x",
                    "yref": row.y,
                    # Before the point rather than on it: where they part most, a line is steep.
                    "xanchor": "right",
                    "xshift": -4,
                    "showarrow": False,
                    "yshift": 11 if up else -11,
                    "font": {"size": 11, "color": palette.ink if text == "measured" else palette.muted},
                }
            )
    return True


def y_range(panel: Panel) -> tuple[float, float]:
    """Return a range in which every extreme is visible, with a little air."""
    parts = [panel.measured.values, panel.measured.low, panel.measured.high]
    parts += [line.values for line in (panel.expected, panel.threshold) if line is not None]
    found = np.concatenate([part[np.isfinite(part)] for part in parts if part is not None])
    if found.size == 0:
        return 0.0, 1.0
    low, high = float(found.min()), float(found.max())
    air = 0.06 * (high - low) or max(abs(high) * 0.05, 0.5)
    near = [one.value for one in near_limits(panel, low - air, high + air)]
    if near:
        # The words of a limit stand between its line and the edge.
        low, high = min(low, *near), max(high, *near)
        air = max(air, 0.13 * (high - low))
    return low - air, high + air


def _utc(epoch_ms: float) -> str:
    return str(np.datetime64(int(epoch_ms), "ms").astype("datetime64[m]")).replace("T", " ")
