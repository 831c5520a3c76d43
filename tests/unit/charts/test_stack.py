"""The stack of one event shows what it is given, thinned, marked and in the viewer's zone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import plotly.graph_objects as go
import pytest

from app.charts.stack import event_stack
from app.charts.zone import Zone, epoch_ms
from app.queries.views import Band, Line, Panel, Story, Verdict
from app.theme import DARK, LIGHT, Palette

END = datetime(2024, 5, 20, 14, 0, tzinfo=UTC)
UTC_ZONE = Zone()


def _story(n: int = 1440, *, banded: bool = False, states: tuple[Band, ...] = (), verdicts=()) -> Story:
    start = END - timedelta(minutes=n)
    times = epoch_ms(start) + np.arange(n) * 60_000.0
    values = np.sin(np.arange(n) / 100)
    values[n // 2] = 40.0
    extremes = {"low": values - 1, "high": values + 1} if banded else {}
    return Story(
        window_start=start,
        window_end=END,
        signal=Panel(
            "outlet temperature", "°C", Line(times, values, **extremes), expected=Line(times, values * 0)
        ),
        score=Panel("anomaly score", "", Line(times, np.abs(values)), threshold=Line(times, np.full(n, 0.6))),
        context=(Panel("flow", "m³/h", Line(times, values), note="drives 46 %"),),
        states=states,
        verdicts=tuple(verdicts),
        resolution="readings",
    )


def _event(hours: float = 3) -> Band:
    return Band(END - timedelta(hours=hours), END, "")


def _draw(story: Story, zone: Zone = UTC_ZONE, palette: Palette = LIGHT, **more) -> go.Figure:
    return event_stack(story, _event(), "critical", palette, zone, **more)


def _trace(figure: go.Figure, name: str) -> go.Scatter:
    return next(trace for trace in figure.data if trace.name == name)


def test_no_trace_has_more_than_two_thousand_points_and_the_spike_is_there():
    figure = _draw(_story(130_000, banded=True))
    assert all(len(trace.x) <= 2000 for trace in figure.data)
    assert max(_trace(figure, "measured").y) == 40.0
    assert max(_trace(figure, "max").y) == 41.0
    assert figure.layout.yaxis.range[1] > 41.0


def test_lines_are_svg_over_one_shared_time_axis():
    figure = _draw(_story())
    assert all(isinstance(trace, go.Scatter) for trace in figure.data)
    assert {trace.xaxis for trace in figure.data} <= {None, "x"}
    assert figure.layout.xaxis.type == "date"
    assert len({trace.yaxis for trace in figure.data}) == 3


def test_the_event_is_shaded_in_every_panel():
    figure = _draw(_story())
    shaded = [shape for shape in figure.layout.shapes if shape.fillcolor == LIGHT.tint("critical")]
    assert {shape.yref for shape in shaded} == {"y domain", "y2 domain", "y3 domain"}
    assert shaded[0].x0 == epoch_ms(END - timedelta(hours=3))
    assert shaded[0].x1 == epoch_ms(END)


def test_times_stand_upright_and_are_fewer_where_it_is_narrow():
    wide, narrow = _draw(_story()), _draw(_story(), with_score=False)
    assert wide.layout.xaxis.tickangle == narrow.layout.xaxis.tickangle == 0
    assert narrow.layout.xaxis.nticks < wide.layout.xaxis.nticks


def test_without_the_score_its_panel_is_gone():
    figure = _draw(_story(), with_score=False)
    assert "threshold" not in {trace.name for trace in figure.data}
    assert len({trace.yaxis for trace in figure.data}) == 2


def test_bounds_look_unlike_the_event_and_can_be_dragged_when_asked():
    bounds = Band(END - timedelta(hours=2), END - timedelta(hours=1), "your bounds")
    fixed = _draw(_story(), bounds=bounds, movable=False)
    box = next(shape for shape in fixed.layout.shapes if shape.x0 == epoch_ms(bounds.start))
    assert box.fillcolor == "rgba(0,0,0,0)"
    assert box.line.width > 0
    dragged = _draw(_story(), bounds=bounds, movable=True)
    assert dragged.layout.dragmode == "select"
    assert (dragged.layout.selections[0].x0, dragged.layout.selections[0].x1) == (
        epoch_ms(bounds.start),
        epoch_ms(bounds.end),
    )
    assert _draw(_story()).layout.dragmode is False


def test_a_stored_verdict_is_marked_with_what_was_said_and_by_whom():
    said = Verdict(
        1, 1, END - timedelta(hours=9), END - timedelta(hours=8), "false_positive", "", "", "Ada", END, ""
    )
    figure = _draw(_story(verdicts=[said]))
    assert "false positive, Ada" in {note.text for note in figure.layout.annotations}
    marked = [shape for shape in figure.layout.shapes if shape.line.dash == "dot"]
    assert marked
    assert all(shape.fillcolor != LIGHT.tint("critical") for shape in marked)


def test_the_operating_state_is_a_strip_with_words():
    states = (
        Band(END - timedelta(hours=24), END - timedelta(hours=10), "running"),
        Band(END - timedelta(hours=10), END, "stopped"),
    )
    texts = {note.text for note in _draw(_story(states=states)).layout.annotations}
    assert {"Operating state", "running", "stopped"} <= texts


def test_a_viewer_outside_utc_has_utc_on_hover():
    figure = _draw(_story(), Zone("Asia/Kolkata"))
    assert figure.layout.xaxis.range[1] == epoch_ms(END)
    measured = _trace(figure, "measured")
    assert measured.customdata[-1] == "2024-05-20 13:59"
    assert "UTC" in measured.hovertemplate


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_an_empty_window_is_drawn_without_lines(palette: Palette):
    none = np.empty(0)
    empty = Story(
        window_start=END - timedelta(hours=1),
        window_end=END,
        signal=Panel("flow", "", Line(none, none)),
        score=Panel("score", "", Line(none, none)),
        context=(),
        states=(),
        verdicts=(),
        resolution="readings",
    )
    assert _draw(empty, palette=palette).layout.height > 100


def test_a_state_that_changed_within_a_bucket_looks_unlike_both():
    states = (
        Band(END - timedelta(hours=24), END - timedelta(hours=10), "running"),
        Band(END - timedelta(hours=10), END - timedelta(hours=9), "stopped and running"),
        Band(END - timedelta(hours=9), END, "stopped"),
    )
    strip = _trace(_draw(_story(states=states)), "state")
    assert len(set(strip.marker.color)) == 3
    assert list(strip.width) == [14 * 3.6e6, 3.6e6, 9 * 3.6e6]
    assert list(strip.customdata) == ["running", "stopped and running", "stopped"]


def test_a_reading_between_two_gaps_is_seen():
    story = _story(1440)
    values = np.full(1440, np.nan)
    values[[100, 700]] = 1.0, 9.0
    values[900:1000] = 2.0
    line = Line(story.signal.measured.times_ms, values)
    measured = _trace(_draw(replace(story, signal=Panel("x", "", line))), "measured")
    sizes = dict(zip(measured.y, measured.marker.size, strict=True))
    assert sizes[9.0] > 0
    assert sizes[1.0] > 0
    assert sizes[2.0] == 0
    assert _trace(_draw(_story()), "measured").mode == "lines"


def test_verdicts_that_lie_close_share_one_line_of_words():
    said = [
        Verdict(
            k,
            1,
            END - timedelta(hours=9, minutes=-k),
            END - timedelta(hours=8),
            "unsure",
            "",
            "",
            f"A{k}",
            END,
            "",
        )
        for k in range(3)
    ]
    far = Verdict(9, 1, END - timedelta(hours=2), END - timedelta(hours=1), "unsure", "", "", "Far", END, "")
    texts = [note.text for note in _draw(_story(verdicts=[*said, far])).layout.annotations]
    worded = [text for text in texts if "unsure" in text]
    assert len(worded) == 2
    assert any("Far" in text for text in worded)


def test_a_level_threshold_is_two_points_a_changing_one_keeps_its_corners_and_a_gap_stays():
    story = _story(1440)
    assert list(_trace(_draw(story), "threshold").y) == pytest.approx([0.6, 0.6])
    times = story.score.measured.times_ms
    stepped = np.where(np.arange(1440) < 700, 0.6, 0.8)
    score = replace(story.score, threshold=Line(times, stepped))
    drawn = _trace(_draw(replace(story, score=score)), "threshold")
    assert list(drawn.y) == pytest.approx([0.6, 0.6, 0.8, 0.8])
    assert list(drawn.x) == [times[0], times[699], times[700], times[-1]]
    kept = np.r_[0:500, 900:1440]
    score = replace(story.score, threshold=Line(times[kept], stepped[kept]))
    assert np.isnan(_trace(_draw(replace(story, score=score)), "threshold").y).sum() == 1
