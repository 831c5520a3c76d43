"""An engineer looks into an event in a browser: neighbours, raw table, csv, picture, years, and a link."""

import csv
import re
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from playwright.sync_api import Page, expect
from running_app import App, Watched, require_clean, serve

from warehouse import schema

sys.path.insert(0, str(Path(__file__).parents[1] / "pages"))
import two_pumps

HIGHEST = 131.0
# Of the chart as it is drawn.
_DAYS = "plot._fullLayout.xaxis.range.map(one => new Date(one)).reduce((a, b) => (b - a) / 864e5)"
_TOP = "plot._fullLayout.yaxis.range[1]"
_HIGHEST = "Math.max(...plot._fullData.find(one => one.name === 'max').y)"
_DRAWN_PX = "Math.max(...[...plot.querySelectorAll('.js-line')].map(one => one.getBBox().width))"
_MARKS = "plot.querySelectorAll('.points path').length"
PNG = b"\x89PNG\r\n"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Two pumps, one of which has two more years of readings, an hour apart, with a single high one."""
    home = tmp_path_factory.mktemp("investigation") / "home"
    warehouse = two_pumps.build(home)
    sensor = warehouse.catalog.find_sensor("Pump 1/outlet temperature").id
    n = 2 * 365 * 24
    values = 60 + np.random.default_rng(2).normal(0, 0.2, n)
    values[n // 2] = HIGHEST
    times = [two_pumps.START - timedelta(hours=k + 1) for k in range(n)]
    years = pl.DataFrame({"sensor_id": sensor, "ts": times, "value": values, "quality": 0})
    warehouse.telemetry.write(schema.conform(years, schema.READINGS, "test"), note="years", at=two_pumps.NOW)
    yield from serve(warehouse)


def _open(app: App, page: Page, **address: str) -> None:
    asked = "&".join(f"{name}={value}" for name, value in address.items())
    page.goto(f"{app.url}/anomalies?{asked}")
    expect(page.locator(".js-plotly-plot").first).to_be_visible()


def _shown(page: Page, script: str) -> float:
    return float(page.evaluate(f"(plot => {script})(document.querySelector('.js-plotly-plot'))"))


def test_from_event_to_event_to_its_readings_and_to_a_link(
    app: App, watched: Watched, tmp_path: Path
) -> None:
    page = watched.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=app.url)
    _open(app, page, event=two_pumps.WORST)
    expect(page.get_by_text("Driven by cooling-water flow 46 %, speed 12 %")).to_be_visible()

    # The one before on this sensor and back, by key.
    page.keyboard.press("q")
    page.wait_for_url(re.compile(f"event={two_pumps.SPIKE}"))
    expect(page.get_by_text("Event 1 of 2 on this sensor.")).to_be_visible()
    page.keyboard.press("w")
    page.wait_for_url(re.compile(f"event={two_pumps.WORST}"))
    expect(page.get_by_text("Event 2 of 2 on this sensor.")).to_be_visible()

    # Its readings, and the same as csv.
    page.keyboard.press("d")
    page.wait_for_url(re.compile("table=1"))
    expect(page.get_by_text("Raw readings of the window")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name=re.compile("^Csv")).click()
    file = tmp_path / "window.csv"
    download.value.save_as(file)
    assert download.value.suggested_filename == f"telltale-{two_pumps.WORST}.csv"
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0])[:5] == ["time_utc", "outlet temperature [°C]", "expected [°C]", "score", "threshold"]
    assert rows[-1]["time_utc"] == "2024-05-20T14:32:00Z"
    assert float(rows[-1]["outlet temperature [°C]"]) - float(rows[-1]["expected [°C]"]) > 14

    # The chart as a picture, made in the browser.
    with page.expect_download() as picture:
        page.locator(".modebar-btn").first.click()
    picture.value.save_as(tmp_path / "chart.png")
    assert picture.value.suggested_filename == f"telltale-{two_pumps.WORST}.png"
    assert (tmp_path / "chart.png").read_bytes().startswith(PNG)

    # A link opens the same event, window and table.
    page.get_by_text("Day", exact=True).click()
    page.wait_for_url(re.compile("window=day"))
    page.get_by_role("button", name=re.compile("^Copy link")).click()
    expect(page.get_by_text("Link copied.")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == page.url
    page.goto(f"{app.url}/")
    page.goto(link)
    expect(page.get_by_role("radio", name="Day", exact=True)).to_be_checked()
    expect(page.get_by_text("Raw readings of the window")).to_be_visible()
    expect(page.get_by_text("Event 2 of 2 on this sensor.")).to_be_visible()
    require_clean(watched)


def test_years_are_no_blank_chart_and_their_extreme_is_in_sight(app: App, watched: Watched) -> None:
    page = watched.page
    _open(app, page, event=two_pumps.WORST, window="all")
    expect(page.get_by_text("Drawn from means of")).to_be_visible()
    assert _shown(page, _DAYS) > 700
    assert _shown(page, _TOP) > HIGHEST
    assert _shown(page, _HIGHEST) == HIGHEST
    assert _shown(page, _DRAWN_PX) > 300
    # Half a day of event in two years is too narrow to be seen: it has a mark of its own.
    assert _shown(page, _MARKS) >= 1
    require_clean(watched)
