"""An engineer brings a table: maps it, stores it, sees it judged, finds the bad row, sets a limit."""

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect
from running_app import App, Watched, require_clean, start, stop

from warehouse.home import Warehouse

BERLIN = ZoneInfo("Europe/Berlin")
# The clocks of Berlin were set back on 26 October 2025 at 01:00 UTC.
FIRST, LAST = datetime(2025, 10, 20, tzinfo=UTC), datetime(2025, 10, 30, tzinfo=UTC)
GAP = (datetime(2025, 10, 22, 5, tzinfo=UTC), datetime(2025, 10, 22, 11, 30, tzinfo=UTC))
HOT = (datetime(2025, 10, 29, 2, tzinfo=UTC), datetime(2025, 10, 29, 10, tzinfo=UTC))
TWICE = 12  # readings in the hour that the clocks showed twice


def _table(path: Path) -> int:
    """Write a wide table in local time, with a gap, a hot stretch and a bad row; return its line."""
    lines = ["Zeit;outlet temperature [°C];flow [m³/h];remark"]
    at, number, bad = FIRST, 0, 0
    while at < LAST:
        if not GAP[0] <= at < GAP[1]:
            local = f"{at.astimezone(BERLIN):%Y-%m-%d %H:%M:%S}"
            value = 60 + 3 * math.sin(number / 40) + (14 if HOT[0] <= at < HOT[1] else 0)
            if number == 500:
                local, bad = "in the night", len(lines) + 1
            lines.append(f"{local};{value:.2f};{200 + 4 * math.cos(number / 30):.1f};ok".replace(".", ","))
        number += 1
        at += timedelta(minutes=10)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return bad


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An empty home with the app and its supervisor running on it."""
    running = start(tmp_path_factory.mktemp("upload") / "home")
    yield running
    stop(running)


def _choose(page: Page, field: str, text: str) -> None:
    box = page.get_by_role("combobox", name=field)
    box.click()
    page.keyboard.type(text)
    page.get_by_role("option", name=text).first.click()
    expect(box).to_have_value(text)


def _limit(page: Page, field: str, value: str) -> None:
    page.get_by_label(field, exact=True).fill(value)
    page.keyboard.press("Tab")


def test_a_table_is_mapped_stored_judged_and_its_bad_row_found(
    app: App, watched: Watched, tmp_path: Path
) -> None:
    page = watched.page
    bad_line = _table(tmp_path / "October.csv")
    page.goto(f"{app.url}/data")
    expect(page.get_by_text("No machines yet.")).to_be_visible()
    page.locator("input[type=file]").set_input_files(tmp_path / "October.csv")

    # The guesses are filled in; what can't be guessed is asked for at its field.
    expect(page.get_by_text("split at semicolons")).to_be_visible()
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_text("Choose the zone in which these clocks ran.")).to_be_visible()
    _choose(page, "Zone of the times", "Europe/Berlin")
    _choose(page, "Machine", "Pump 9")
    expect(page.get_by_text("Choose the zone in which these clocks ran.")).to_have_count(0)
    expect(page.get_by_text("Name the machine that these readings belong to.")).to_have_count(0)
    page.get_by_role("button", name="Check").click()

    readings = (10 * 144 - 39 - TWICE - 1) * 2
    expect(page.get_by_text(f"{readings:,} new readings".replace(",", "\u202f"))).to_be_visible()
    expect(page.get_by_text("20 Oct 2025 00:00 to 29 Oct 2025 23:50 UTC")).to_be_visible()
    expect(page.get_by_text(f"{TWICE + 1} rows or cells would be refused")).to_be_visible()
    assert _assets(app.home) == []

    page.get_by_role("button", name="Store").click()
    expect(page.get_by_text("Stored October.csv")).to_be_visible()
    assert list((app.home / "uploads").iterdir()) == []
    page.get_by_role("button", name="Show on Overview").click()
    page.wait_for_url(re.compile(r"asset=Pump(\+|%20)9"))
    # The supervisor judges it; Overview shows the hot stretch without a reload.
    expect(page.get_by_text("1 historical machine")).to_be_visible()
    title = page.locator("strong").filter(has_text="Pump 9 · outlet temperature")
    expect(title).to_be_visible(timeout=90_000)
    expect(page.locator(".js-plotly-plot").first).to_be_visible()

    page.goto(f"{app.url}/data?section=Quarantine")
    expect(page.get_by_text(f"Refused rows · {TWICE + 1}, newest first")).to_be_visible()
    (row,) = _refused(app.home, "in the night")
    assert row.refusal.row == bad_line
    assert row.refusal.file == "October.csv"
    require_clean(watched)


def test_a_limit_is_set_seen_on_the_chart_and_taken_back(app: App, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{app.url}/data")
    expect(page.get_by_text("Pump 9 · outlet temperature [°C]")).to_be_visible()
    expect(page.get_by_text(re.compile("6 h 40 min from 22 Oct 2025 04:50 to 11:30"))).to_be_visible()
    _limit(page, "High", "70")
    _limit(page, "High-high", "65")
    expect(page.get_by_text("High-high must lie above the high limit 70")).to_be_visible()
    _limit(page, "High-high", "500")
    expect(page.get_by_text("High-high must lie above the high limit 70")).to_have_count(0)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved: limits of Pump 9")).to_be_visible()

    page.goto(f"{app.url}/anomalies?asset=Pump+9&span=All+time")
    marks = page.locator(".annotation-text")
    expect(marks.filter(has_text="high limit 70 °C").first).to_be_visible()
    # One that is far away is told in words: the signal keeps its height.
    expect(marks.filter(has_text="high-high limit 500 °C, above").first).to_be_visible()
    top = page.evaluate("document.querySelector('.js-plotly-plot')._fullLayout.yaxis.range[1]")
    assert top < 100

    page.goto(f"{app.url}/data")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone: high none → 70, high-high none → 500.")).to_be_visible()
    page.goto(f"{app.url}/anomalies?asset=Pump+9&span=All+time")
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    expect(marks.filter(has_text="limit")).to_have_count(0)
    require_clean(watched)


@pytest.mark.parametrize("section", ["Sensors", "Upload", "Quarantine", "Snapshots"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_section_is_shown_without_an_error_and_without_sideways_scrolling(
    app: App, watched: Watched, section: str, scheme: str
) -> None:
    page = watched.page
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{app.url}/data?section={section}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    width = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
    assert width <= page.evaluate("document.querySelector('[data-testid=stMain]').clientWidth")
    require_clean(watched)


def _assets(home: Path) -> list[str]:
    warehouse = Warehouse.open(home, create=False)
    try:
        return [one.name for one in warehouse.catalog.assets()]
    finally:
        warehouse.close()


def _refused(home: Path, content: str) -> list:
    warehouse = Warehouse.open(home, create=False)
    try:
        return [one for one in warehouse.quarantine.list() if content in one.refusal.content]
    finally:
        warehouse.close()
