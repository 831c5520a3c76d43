"""An engineer's way through a real browser: find the worst sensor, judge its event, take it back."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from running_app import App, Watched, require_clean, serve

from warehouse.state.published import read_labels

sys.path.insert(0, str(Path(__file__).parents[1] / "pages"))
import two_pumps


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Two pumps, one of them failing; the app runs on them."""
    home = tmp_path_factory.mktemp("journey") / "home"
    warehouse = two_pumps.build(home)
    yield from serve(warehouse)


def _type_hour(page: Page, field: str, hour: str, minute: str) -> None:
    page.get_by_role("spinbutton", name=f"hour, {field}, UTC").click()
    page.keyboard.type(hour + minute)
    page.keyboard.press("Escape")  # closes the calendar that opened beside the field


def _stored(home: Path) -> list[dict[str, object]]:
    from warehouse.home import Warehouse

    warehouse = Warehouse.open(home)
    try:
        return read_labels(warehouse).frame.to_dicts()
    finally:
        warehouse.close()


def test_find_judge_reload_undo(app: App, watched: Watched):
    page = watched.page
    page.goto(app.url)
    expect(page.get_by_text("1 of 2 machines needs attention")).to_be_visible()
    expect(page.get_by_text("1 critical")).to_be_visible()
    # The worst event is chosen and previewed without a click.
    expect(page.get_by_text("Pump 1 · outlet temperature").first).to_be_visible()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(f"event={two_pumps.WORST}"))
    expect(page.get_by_text("Is it real?", exact=True)).to_be_visible()
    why = "14.1 °C above expected for 9 h; cooling-water flow fell first"
    expect(page.get_by_role("paragraph").filter(has_text=why)).to_be_visible()

    _type_hour(page, "From", "04", "38")
    _type_hour(page, "To", "14", "17")
    page.get_by_text("Is it real?", exact=True).click()
    # While the page is drawn anew the figure of before may still stand beside the new one.
    expect(page.locator(".annotation-text").filter(has_text="your bounds").first).to_be_visible()
    page.keyboard.press("f")
    page.get_by_placeholder("Note: what did you see?").fill("the cooler was being cleaned")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Saved: false positive, Pump 1 · outlet temperature.")).to_be_visible()
    page.wait_for_url(re.compile(f"event={two_pumps.MILD}"))

    page.goto(f"{app.url}/anomalies?event={two_pumps.WORST}")
    expect(page.get_by_text("False positive · engineer A")).to_be_visible()
    expect(page.get_by_text("the cooler was being cleaned").last).to_be_visible()
    expect(page.get_by_role("spinbutton", name="hour, From, UTC")).to_have_text("04")
    expect(page.get_by_role("spinbutton", name="minute, From, UTC")).to_have_text("38")
    (label,) = _stored(app.home)
    assert label["verdict"] == "false_positive"
    assert f"{label['start']:%H:%M}" == "04:38"
    assert f"{label['end']:%H:%M}" == "14:17"
    assert label["actor"] == "engineer A"

    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Taken back.")).to_be_visible()
    expect(page.get_by_text("False positive · engineer A")).to_have_count(0)
    page.reload()
    expect(page.get_by_text("None yet.")).to_be_visible()
    require_clean(watched)


def test_a_range_drawn_on_the_chart_sets_the_bounds(app: App, watched: Watched):
    page = watched.page
    page.goto(f"{app.url}/anomalies?event={two_pumps.WORST}")
    page.get_by_text("Drag sets bounds").click()
    expect(page.locator(".selectionlayer path").first).to_be_attached()
    minutes = page.get_by_role("spinbutton", name="hour, From, UTC")
    before = minutes.inner_text()
    _drag(page, 0.2, 0.7)
    expect(minutes).not_to_have_text(before)
    require_clean(watched)


def test_a_range_drawn_on_the_chart_zooms_and_one_key_resets(app: App, watched: Watched):
    page = watched.page
    page.goto(f"{app.url}/anomalies?event={two_pumps.WORST}")
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    _drag(page, 0.4, 0.6)
    page.wait_for_url(re.compile("window=2024-05-20"))
    page.keyboard.press("0")
    page.wait_for_url(lambda url: "window" not in url)
    require_clean(watched)


@pytest.mark.parametrize("name", ["", "anomalies", "models", "training", "data"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_shown_without_an_error(app: App, watched: Watched, name: str, scheme: str):
    watched.page.emulate_media(color_scheme=scheme)
    watched.page.goto(f"{app.url}/{name}")
    expect(watched.page.get_by_role("heading", level=1)).to_be_visible()
    expect(watched.page.get_by_text("engineer A · admin")).to_be_visible()
    expect(watched.page.get_by_test_id("stSkeleton")).to_have_count(0)
    require_clean(watched)


def _drag(page: Page, start_at: float, end_at: float) -> None:
    box = page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * start_at, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * end_at, box["y"] + 90, steps=8)
    page.mouse.up()


def test_charts_and_fields_read_the_same_in_another_zone(app: App, chromium: Browser):
    context = chromium.new_context(viewport={"width": 1400, "height": 900}, timezone_id="Europe/Oslo")
    page = context.new_page()
    page.goto(f"{app.url}/anomalies?event={two_pumps.WORST}")
    # 05:32 UTC is 07:32 in Oslo, in the field as on the axis.
    expect(page.get_by_role("spinbutton", name="hour, From, Europe/Oslo")).to_have_text("07")
    expect(page.get_by_text("Times in Europe/Oslo.")).to_be_visible()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    shown = page.evaluate("document.querySelector('.js-plotly-plot')._fullLayout.xaxis.range")
    assert shown[1].startswith("2024-05-20 16:32")
    context.close()
