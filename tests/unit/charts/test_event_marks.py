"""Other events of a sensor are marked with shape and words, and the opened one where it is too narrow."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import plotly.graph_objects as go

from app.charts.stack import event_stack
from app.charts.zone import Zone, epoch_ms
from app.queries.neighbours import MARKED, neighbours
from app.queries.views import Band, EventRow, Fleet, Line, Panel, Story, Verdict
from app.theme import LIGHT

END = datetime(2024, 5, 20, 14, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _verdict(said: str) -> Verdict:
    return Verdict(1, 1, END, END + HOUR, said, "", "", "Ada", END, "")


def _event(
    name: str, hours_ago: float, *, said: str = "", sensor: int = 1, severity: str = "high"
) -> EventRow:
    start = END - timedelta(hours=hours_ago)
    return EventRow(
        event_id=name,
        sensor_id=sensor,
        version_id=1,
        asset_id=1,
        machine="Pump 7",
        sensor="outlet temperature",
        unit="°C",
        start=start,
        end=start + timedelta(minutes=38),
        open=False,
        peak_at=start,
        peak_score=2.0,
        threshold=1.0,
        probability=0.9,
        severity=severity,
        why="",
        mode="causal",
        drivers=(),
        detector="",
        trained=False,
        historical=False,
        as_of=END,
        verdict=_verdict(said) if said else None,
        acknowledged_by=None,
    )


def _fleet(*events: EventRow, held: tuple[EventRow, ...] = ()) -> Fleet:
    return Fleet(END, (), events, held)


def _drawn(opened: EventRow, others: tuple[EventRow, ...], days: float) -> go.Figure:
    n = 500
    start = END - timedelta(days=days)
    times = np.linspace(epoch_ms(start), epoch_ms(END), n)
    line = Line(times, np.sin(np.arange(n) / 9))
    story = Story(start, END, Panel("x", "°C", line), Panel("score", "", line), (), (), (), "readings")
    band = Band(opened.start, opened.end, "")
    return event_stack(story, band, opened.severity, LIGHT, Zone(), others=others)


def _marks(figure: go.Figure) -> go.Scatter:
    return next(trace for trace in figure.data if trace.name == "events")


def test_neighbours_are_the_events_of_the_same_sensor_before_and_after_in_time() -> None:
    a, b, c = _event("a", 30), _event("b", 20), _event("c", 10)
    elsewhere = _event("other", 15, sensor=2)
    found = neighbours(_fleet(c, a, elsewhere, b), b, END - 48 * HOUR, END)
    assert (found.previous, found.following) == (a, c)
    assert (found.place, found.count) == (2, 3)
    assert found.within == (a, c)
    first = neighbours(_fleet(c, a, b), a, END - 48 * HOUR, END)
    assert first.previous is None
    assert first.following == b


def test_what_verdicts_hold_back_is_a_neighbour_too() -> None:
    shown, held = _event("shown", 10), _event("held", 20)
    assert neighbours(_fleet(shown, held=(held,)), shown, END - HOUR, END).previous == held


def test_only_events_of_the_window_are_marked_and_of_many_the_nearest() -> None:
    opened = _event("opened", 500)
    many = tuple(_event(f"e{k}", 2 * k) for k in range(1, 200))
    whole = neighbours(_fleet(opened, *many), opened, END - 1000 * HOUR, END)
    assert len(whole.within) == MARKED
    assert min(abs(one.start - opened.start) for one in many if one not in whole.within) >= max(
        abs(one.start - opened.start) for one in whole.within
    )
    near = neighbours(_fleet(opened, *many), opened, END - 5 * HOUR, END)
    assert {one.event_id for one in near.within} == {"e1", "e2"}


def test_a_mark_has_the_severitys_shape_and_colour_and_says_what_was_said() -> None:
    opened = _event("opened", 5)
    told = _event("told", 10, said="false_positive", severity="medium")
    marks = _marks(_drawn(opened, (told,), 0.6))
    assert list(marks.marker.symbol) == ["square"]
    assert list(marks.marker.color) == [LIGHT.medium]
    assert marks.customdata[0] == "■ Medium, 20 May 2024 04:00, 38 min, false positive"
    assert _marks(_drawn(opened, (replace(told, verdict=None),), 0.6)).customdata[0].endswith("no verdict")


def test_the_opened_event_is_marked_where_its_interval_would_not_be_seen() -> None:
    opened = _event("opened", 5)
    year = _marks(_drawn(opened, (), 365))
    assert list(year.customdata) == ["this event"]
    assert year.x[0] == (epoch_ms(opened.start) + epoch_ms(opened.end)) / 2
    day = _drawn(opened, (), 1)
    assert "events" not in {trace.name for trace in day.data}


def test_a_mark_lies_inside_the_panel_above_the_signal() -> None:
    figure = _drawn(_event("opened", 5), (_event("other", 10),), 1)
    low, high = figure.layout.yaxis.range
    assert low < _marks(figure).y[0] < high
