"""Alarm limits on a signal: seen, named, unlike other lines, and never at the cost of the signal."""

from datetime import UTC, datetime, timedelta

import numpy as np
import plotly.graph_objects as go
import pytest

from app.charts.stack import event_stack
from app.charts.zone import Zone, epoch_ms
from app.queries.views import Band, Limit, Line, Panel, Story
from app.theme import DARK, LIGHT, Palette

END = datetime(2024, 5, 20, 14, 0, tzinfo=UTC)


def _draw(*limits: Limit, palette: Palette = LIGHT, level: float = 60.0, swing: float = 3.0) -> go.Figure:
    start = END - timedelta(hours=10)
    times = epoch_ms(start) + np.arange(600) * 60_000.0
    line = Line(times, level + swing * np.sin(np.arange(600) / 50))
    story = Story(
        window_start=start,
        window_end=END,
        signal=Panel("outlet temperature", "°C", line, expected=line, limits=limits),
        score=Panel("anomaly score", "", line, threshold=line),
        context=(Panel("flow", "m³/h", line),),
        states=(),
        verdicts=(),
        resolution="readings",
    )
    return event_stack(story, Band(END - timedelta(hours=1), END, ""), "critical", palette, Zone())


def _lines(figure: go.Figure) -> dict[str, go.layout.Shape]:
    return {shape.name: shape for shape in figure.layout.shapes if shape.name}


def _words(figure: go.Figure) -> dict[str, go.layout.Annotation]:
    return {note.text: note for note in figure.layout.annotations}


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_a_limit_is_a_named_line_across_the_signal_alone(palette: Palette):
    figure = _draw(Limit("high", 64.0), palette=palette)
    (line,) = _lines(figure).values()
    assert (line.y0, line.y1, line.yref, line.xref) == (64.0, 64.0, "y", "x domain")
    assert "high limit 64 °C" in _words(figure)


def test_a_limit_looks_unlike_expectation_threshold_and_event():
    figure = _draw(Limit("high", 64.0))
    dash = _lines(figure)["high limit"].line.dash
    assert dash not in {trace.line.dash for trace in figure.data}
    assert all(shape.line.dash != dash for shape in figure.layout.shapes if not shape.name)


def test_a_near_limit_is_inside_the_axis_with_room_for_its_words():
    low, high = _draw(Limit("low", 55.0), Limit("high", 66.0)).layout.yaxis.range
    assert low < 55.0
    assert high > 66.0
    assert (high - 66.0) / (high - low) > 0.09


def test_a_far_limit_is_told_in_words_and_the_axis_stays_with_the_signal():
    figure = _draw(Limit("low-low", -40.0), Limit("high-high", 500.0))
    assert figure.layout.yaxis.range == _draw().layout.yaxis.range
    assert not _lines(figure)
    title = next(text for text in _words(figure) if text.startswith("<b>Outlet temperature"))
    assert "low-low limit -40 °C, below" in title
    assert "high-high limit 500 °C, above" in title


def test_the_words_of_limits_that_lie_close_stand_beside_each_other():
    words = _words(_draw(Limit("high", 64.0), Limit("high-high", 64.5)))
    assert words["high limit 64 °C"].x != words["high-high limit 64.5 °C"].x


def test_a_constant_signal_keeps_a_sensible_axis_with_limits():
    low, high = _draw(Limit("high", 61.0), level=60.0, swing=0.0).layout.yaxis.range
    assert low < 60.0
    assert 61.0 < high < 80.0
