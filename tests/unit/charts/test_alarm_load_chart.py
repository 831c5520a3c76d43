"""The chart of the alarm load shows every peak, and floods in more than colour."""

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.charts.alarm_load import actors_chart, load_chart, worst_of
from app.charts.zone import Zone
from app.queries.triage_views import BadActor, LoadView
from app.theme import LIGHT

START = datetime(2024, 5, 1, tzinfo=UTC)


def load(counts: list[int], *, operators: int = 1) -> LoadView:
    n = np.array(counts, dtype=np.int64)
    end = START + timedelta(minutes=10 * n.size)
    return LoadView(
        start=START,
        end=end,
        starts_ms=START.timestamp() * 1000 + np.arange(n.size) * 600_000.0,
        counts=n,
        operators=operators,
        alarms=int(n.sum()),
        average=float(n.mean()) / operators,
        said="manageable",
        worst=float(n.max()) / operators,
        worst_at=START,
        floods=((START, end, int(n.sum())),) if n.max() > 10 else (),
        flood_share=0.0,
        standing=(),
        actors=(BadActor("Pump <b>7</b> · flow", 3, 0.75), BadActor("Pump 1 · flow", 1, 0.25)),
        actors_share=1.0,
        cut=False,
    )


@settings(max_examples=30)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=4500), st.integers(1, 4))
def test_the_worst_ten_minutes_are_always_among_the_bars(counts: list[int], operators: int):
    shown = load(counts, operators=operators)
    rates, each = worst_of(shown)
    assert rates.size <= 180
    assert rates.size == len(shown.starts_ms[::each])
    assert rates.max() == shown.worst


def test_a_flood_is_shaded_and_its_bar_is_named():
    figure = load_chart(load([0, 12, 3]), LIGHT, Zone())
    assert [shape["type"] for shape in figure.layout.shapes] == ["line", "line", "rect"]
    assert [note["text"] for note in figure.layout.annotations] == ["goal 1", "flood above 10"]
    assert list(figure.data[0].marker.color) == [LIGHT.normal, LIGHT.critical, LIGHT.normal]


def test_a_quiet_time_is_grey_and_names_the_goal_alone():
    figure = load_chart(load([0, 1, 0]), LIGHT, Zone())
    assert [note["text"] for note in figure.layout.annotations] == ["goal 1"]
    assert set(figure.data[0].marker.color) == {LIGHT.normal}


def test_bad_actors_are_named_with_their_share_and_no_markup_of_theirs():
    figure = actors_chart(load([1, 3]), LIGHT)
    assert list(figure.layout.yaxis.ticktext) == ["Pump ‹b›7‹/b› · flow", "Pump 1 · flow"]
    assert list(figure.data[0].text) == ["3 · 75 %", "1 · 25 %"]
