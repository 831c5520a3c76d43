"""A strip of coverage: bars where readings are, holes where they are not."""

import re
from urllib.parse import unquote

import pytest

from app.charts.coverage import coverage_strip, height, mean_coverage
from app.theme import DARK, LIGHT


def _bars(cells) -> list[tuple[float, int]]:
    """Return place and height of each bar."""
    path = re.search(r'd="((?:M[\d.]+ \d+V\d+)*)" stroke="#', unquote(coverage_strip(cells, LIGHT)))
    assert path is not None
    found = re.findall(r"M([\d.]+) (\d+)V(\d+)", path[1])
    return [(float(x), int(foot) - int(top)) for x, foot, top in found]


def test_a_hole_is_a_bar_that_is_not_there():
    bars = _bars([1.0, 0.0, None, 1.0])
    assert len(bars) == 2
    assert bars[1][0] - bars[0][0] == pytest.approx(150 * 3 / 4, abs=0.2)


def test_a_share_is_a_height_and_something_is_neither_nothing_nor_all():
    assert height(1.0) > height(0.99) > height(0.5) > height(0.001) > 0


def test_a_long_strip_stays_short_and_follows_the_theme():
    strip = coverage_strip([1.0] * 60, DARK)
    assert len(strip) < 1200
    assert strip != coverage_strip([1.0] * 60, LIGHT)


def test_a_machine_is_the_mean_of_its_sensors_from_their_first_reading_on():
    assert mean_coverage([(1.0, 0.5), (None, 1.0), ()]) == (1.0, 0.75)
    assert mean_coverage([]) == ()
