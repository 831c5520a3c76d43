"""Sparkline, day tiles and loss curves."""

from datetime import UTC, datetime, timedelta
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from app.charts.losses import loss_curves
from app.charts.sparkline import HEIGHT, WIDTH, sparkline
from app.charts.tiles import day_tiles
from app.queries.views import DayTile, Line
from app.theme import LIGHT

DAY = datetime(2024, 5, 20, tzinfo=UTC)
SVG = "{http://www.w3.org/2000/svg}"


def _svg(values: np.ndarray, event: tuple[float, float] = (600.0, 900.0)) -> ET.Element:
    uri = sparkline(
        Line(np.arange(values.size, dtype=np.float64), values),
        (0.0, float(values.size)),
        event,
        severity="critical",
        palette=LIGHT,
    )
    head, _, body = uri.partition(",")
    assert head == "data:image/svg+xml;utf8"
    return ET.fromstring(unquote(body))  # noqa: S314 -- our own


def test_a_sparkline_shades_its_event_and_keeps_its_spike():
    values = np.ones(1200)
    values[333] = 8.0
    svg = _svg(values)
    rect = svg.find(f"{SVG}rect")
    assert rect is not None
    assert float(rect.get("x")) == WIDTH * 0.5
    assert float(rect.get("width")) == WIDTH * 0.25
    path = svg.find(f"{SVG}path").get("d")
    heights = [float(point.split(" ")[1]) for point in path.replace("M", "L").split("L")[1:]]
    assert min(heights) == 4.0
    assert max(heights) == HEIGHT - 4


def test_a_sparkline_of_nothing_is_an_empty_picture():
    svg = _svg(np.full(10, np.nan))
    assert svg.find(f"{SVG}path") is None


def test_a_flat_sparkline_runs_in_the_middle():
    path = _svg(np.full(10, 5.0)).find(f"{SVG}path").get("d")
    assert path.startswith(f"M0.0 {HEIGHT / 2:.1f}")


def _tiles() -> list[DayTile]:
    days = [DAY + timedelta(days=n) for n in range(3)]
    severities = {"Pump 1": ("", "critical", None), "Pump 2": ("", "", "medium")}
    return [
        DayTile(machine, day, severity, f"{machine}-{day.day}" if severity else None, 2)
        for machine, row in severities.items()
        for day, severity in zip(days, row, strict=True)
    ]


def test_a_healthy_fleet_is_grey_and_colour_means_abnormal():
    figure = day_tiles(_tiles(), LIGHT)
    fills = [shape.fillcolor for shape in figure.layout.shapes]
    assert fills == [LIGHT.raised, LIGHT.critical, LIGHT.empty, LIGHT.raised, LIGHT.raised, LIGHT.medium]


def test_a_tile_says_by_shape_and_word_what_its_colour_says():
    points = day_tiles(_tiles(), LIGHT).data[0]
    assert points.marker.symbol[1] == "triangle-up"
    assert points.marker.symbol[5] == "square"
    assert [row[2] for row in points.customdata][:3] == ["no events", "critical, 2 events", "no data"]


def test_every_tile_can_be_clicked_in_the_order_given():
    tiles = _tiles()
    points = day_tiles(tiles, LIGHT).data[0]
    assert len(points.x) == len(tiles)
    assert list(points.y) == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize(("epochs", "step"), [(1, 1), (4, 1), (12, 1), (40, 4)])
def test_epochs_are_told_in_whole_numbers(epochs: int, step: int):
    points = tuple((number, 1.0 / number) for number in range(1, epochs + 1))
    assert loss_curves((("loss", points),), LIGHT).layout.xaxis.dtick == step


def test_loss_curves_are_named_where_they_end():
    figure = loss_curves((("loss", ((0, 1.0), (1, 0.5))), ("validation", ((0, 1.1), (1, 0.9)))), LIGHT)
    assert [note.text for note in figure.layout.annotations] == ["loss", "validation"]
    assert list(figure.data[0].y) == [1.0, 0.5]


def test_losses_are_drawn_on_a_logarithmic_axis_only_where_it_says_more():
    falling = loss_curves((("loss", ((1, 1.0), (2, 0.05))),), LIGHT)
    level = loss_curves((("loss", ((1, 0.5), (2, 0.4))),), LIGHT)
    below = loss_curves((("loss", ((1, 5.0), (2, -0.1))),), LIGHT)
    assert falling.layout.yaxis.type == "log"
    assert level.layout.yaxis.type is None
    assert below.layout.yaxis.type is None


def test_long_curves_are_thinned_together_and_keep_their_spike():
    points = [[(epoch, 1.0 / epoch) for epoch in range(1, 30_001)] for _ in range(2)]
    points[0][20_000] = (20_001, 7.5)
    figure = loss_curves((("loss", points[0]), ("validation", points[1])), LIGHT)
    assert sum(len(trace.x) for trace in figure.data) <= 2000
    assert max(figure.data[0].y) == 7.5
