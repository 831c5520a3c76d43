"""Verdicts in a real browser: by keyboard, drawn, by several people, of an incident, and what they change.

Each journey says how many actions it takes: a key or chord that is pressed, a click, a drag, a text typed.
"""

import re
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from running_app import App, Watched, require_clean, start, stop, watch

from warehouse.home import Warehouse
from warehouse.state.published import read_labels

sys.path.insert(0, str(Path(__file__).parents[1] / "pages"))
import two_pumps
from many_events import ALIKE, EVENTS, JUDGED, LENGTH, build, name

THIRTY = 30
IN_A_GLANCE_S = 20.0
"""From something red to a verdict, as an engineer may expect it."""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Two pumps with many events, and three people who share the screens."""
    home = tmp_path_factory.mktemp("labelling") / "home"
    build(home)
    people = 'people = ["engineer A:admin", "Ana:labeller", "Ben:trainer"]\n'
    (home / "telltale.toml").write_text(people, encoding="utf-8")
    running = start(home)
    yield running
    stop(running)


@pytest.fixture(scope="module")
def screen(chromium: Browser) -> Iterator[Watched]:
    """One browser for all journeys: each opens its own address in it."""
    yield from watch(chromium)


def _stored(app: App, actor: str) -> pl.DataFrame:
    warehouse = Warehouse.open(app.home)
    try:
        return read_labels(warehouse).frame.filter(pl.col("actor") == actor)
    finally:
        warehouse.close()


def _open(page: Page, app: App, event_id: str, *, person: str = "") -> None:
    who = f"&person={person}" if person else ""
    page.goto(f"{app.url}/anomalies?span=All+time&event={event_id}{who}")
    _opened(page, event_id)


def _opened(page: Page, event_id: str) -> None:
    """Wait until the card of an event is there, with nothing left of the one before."""
    expect(page.locator("[class*=st-key-card_from_]")).to_have_count(1)
    expect(page.locator(f".st-key-card_from_{event_id}")).to_be_visible()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    expect(page.locator("body[data-keys=on]")).to_be_attached()
    _idle(page)


def _idle(page: Page) -> None:
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def _chosen(page: Page, verdict: str) -> Locator:
    return page.locator(f".st-key-card_{verdict} [data-testid=stBaseButton-primary]").first


def _listed(page: Page) -> Locator:
    return page.locator("[class*=st-key-event_list] input[type=radio]")


def test_from_overview_to_a_verdict_in_three_actions(app: App, screen: Watched) -> None:
    """Three actions: Enter on the worst row, T, Ctrl+Enter; a fourth, Z, takes it back."""
    page = screen.page
    page.goto(app.url)
    expect(page.get_by_role("button", name="Investigate")).to_be_visible()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    _idle(page)
    began = time.monotonic()
    page.keyboard.press("Enter")
    _opened(page, two_pumps.WORST)
    page.keyboard.press("t")
    expect(_chosen(page, "true_anomaly")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Saved: true anomaly, Pump 1 · outlet temperature.")).to_be_visible()
    assert time.monotonic() - began < IN_A_GLANCE_S
    assert _stored(app, "engineer A")["event_id"].to_list() == [two_pumps.WORST]
    page.keyboard.press("z")
    expect(page.get_by_text("Taken back.")).to_be_visible()
    require_clean(screen)


def test_a_preview_is_applied_and_undone_and_the_list_follows(app: App, screen: Watched) -> None:
    """Four actions from the page: open the dialog, apply; open it again, undo."""
    page = screen.page
    _open(page, app, name(EVENTS - 4), person="Ben")
    before = _listed(page).count()
    page.get_by_role("button", name="Learn from verdicts…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text(re.compile(r"Would have removed \d+ of the last 30 days"))).to_be_visible()
    dialog.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("button", name=re.compile(r"held back"))).to_be_visible()
    expect(_listed(page)).not_to_have_count(before)
    assert _listed(page).count() <= before - ALIKE // 2
    page.get_by_role("button", name=re.compile(r"held back")).click()
    dialog.get_by_role("button", name="Undo").click()
    expect(_listed(page)).to_have_count(before)
    require_clean(screen)


def test_one_verdict_for_an_incident_is_stored_at_once_and_undone_at_once(app: App, screen: Watched) -> None:
    """Four actions: I, T, Ctrl+Enter; Z."""
    page = screen.page
    _open(page, app, name(EVENTS - 2), person="Ana")
    page.keyboard.press("i")
    expect(page.get_by_text("Stored with it, each with its own bounds")).to_be_visible()
    page.keyboard.press("t")
    expect(_chosen(page, "true_anomaly")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Saved: true anomaly, 3 events of Pump 2.")).to_be_visible()
    found = _stored(app, "Ana")
    assert sorted(found["event_id"]) == [name(number) for number in range(EVENTS - 3, EVENTS)]
    assert found["recorded_at"].n_unique() == 1
    assert (found["end"] - found["start"]).unique().to_list() == [LENGTH]
    expect(page.get_by_role("button", name="Undo all 3")).to_be_visible()
    page.keyboard.press("z")
    expect(page.get_by_text("Taken back: 3 verdicts.")).to_be_visible()
    assert _stored(app, "Ana").is_empty()
    require_clean(screen)


def test_the_second_of_two_people_sees_what_the_first_said_and_nothing_is_overwritten(
    app: App, screen: Watched, chromium: Browser
) -> None:
    """Seven actions: Ana F, Ctrl+Enter; Ben T, Ctrl+Enter, 2; Ana Z to take hers back; Ben Z."""
    ana, event = screen.page, name(EVENTS - 5)
    context = chromium.new_context(viewport={"width": 1400, "height": 900}, timezone_id="UTC")
    ben = context.new_page()
    _open(ana, app, event, person="Ana")
    _open(ben, app, event, person="Ben")
    ana.keyboard.press("f")
    expect(_chosen(ana, "false_positive")).to_be_visible()
    ana.keyboard.press("Control+Enter")
    expect(ana.get_by_text("Saved: false positive")).to_be_visible()

    ben.keyboard.press("t")
    expect(_chosen(ben, "true_anomaly")).to_be_visible()
    _idle(ben)
    ben.keyboard.press("Control+Enter")
    expect(ben.get_by_text(re.compile(r"Ana said False positive \d\d:\d\d"))).to_be_visible()
    assert _stored(app, "Ben").is_empty()
    expect(ben.get_by_role("button", name="Store mine beside it")).to_be_visible()
    _idle(ben)
    ben.keyboard.press("2")
    expect(ben.get_by_text("Saved: true anomaly")).to_be_visible()
    assert _stored(app, "Ana")["verdict"].to_list() == ["false_positive"]
    assert _stored(app, "Ben")["verdict"].to_list() == ["true_anomaly"]

    # Each of them sees that they disagree: on the card, in the list and on the chart.
    _open(ana, app, event, person="Ana")
    expect(ana.get_by_text("People disagree: it teaches nothing until they agree.")).to_be_visible()
    expect(ana.get_by_text("Ben: True anomaly")).to_be_visible()
    expect(ana.locator("[class*=st-key-event_list]").get_by_text("Disputed")).to_be_visible()
    mark = ana.locator(".annotation-text").filter(has_text="people disagree")
    expect(mark.filter(has_text="false positive, Ana").filter(has_text="true anomaly, Ben")).to_be_visible()
    ana.keyboard.press("z")
    expect(ana.get_by_text("Taken back.")).to_be_visible()
    expect(ana.get_by_text("People disagree")).to_have_count(0)
    ben.keyboard.press("z")
    expect(ben.get_by_text("Taken back.")).to_be_visible()
    context.close()
    require_clean(screen)


def test_who_is_at_the_screen_is_chosen_in_the_top_line(app: App, screen: Watched) -> None:
    page = screen.page
    page.goto(f"{app.url}/anomalies?span=All+time")
    page.get_by_role("button", name="engineer A · admin").click()
    page.get_by_text("Ben", exact=True).click()
    page.wait_for_url(re.compile("person=Ben"))
    expect(page.get_by_role("button", name="Ben · trainer")).to_be_visible()
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Overview")
    expect(page.get_by_role("button", name="Ben · trainer")).to_be_visible()
    page.goto(f"{app.url}/anomalies?person=Zoe")
    expect(page.get_by_text("Zoe is not one of the people who work here")).to_be_visible()
    page.get_by_text("Ana", exact=True).click()
    expect(page.get_by_role("button", name="Ana · labeller")).to_be_visible()
    page.wait_for_url(re.compile("person=Ana"))
    require_clean(screen)


def test_a_box_that_is_dragged_becomes_the_bounds(app: App, screen: Watched) -> None:
    """Four actions: choose what dragging does, drag, T, Ctrl+Enter."""
    page = screen.page
    _open(page, app, two_pumps.WORST)
    page.get_by_text("Drag sets bounds").click()
    expect(page.locator(".selectionlayer path").first).to_be_attached()
    field = page.locator(f".st-key-card_from_{two_pumps.WORST} input")
    before = field.input_value()
    _drag(page, 0.2, 0.7)
    expect(field).not_to_have_value(before)
    start = field.input_value()
    page.keyboard.press("t")
    expect(_chosen(page, "true_anomaly")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Saved: true anomaly")).to_be_visible()
    (label,) = _stored(app, "engineer A").to_dicts()
    assert f"{label['start']:%Y-%m-%dT%H:%M}" == start[:16]
    page.keyboard.press("z")
    expect(page.get_by_text("Taken back.")).to_be_visible()
    require_clean(screen)


def test_a_missed_anomaly_is_drawn_seen_in_the_history_and_undone(app: App, screen: Watched) -> None:
    """Six actions: M, drag, Ctrl+Enter; Y, Esc; Z."""
    page = screen.page
    _open(page, app, two_pumps.SPIKE)
    page.keyboard.press("m")
    expect(page.get_by_role("heading", name="A missed anomaly")).to_be_visible()
    expect(page.locator(".selectionlayer path").first).to_be_attached()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Drag a box over it on the chart, or type From and To.").last).to_be_visible()
    assert _stored(app, "engineer A").is_empty()
    field = page.locator("[class*=st-key-card_from_missed_] input")
    before = field.input_value()
    _drag(page, 0.05, 0.2)
    expect(field).not_to_have_value(before)
    expect(page.locator(".annotation-text").filter(has_text="missed anomaly").first).to_be_visible()
    _idle(page)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Saved: a missed anomaly, Pump 1 · outlet temperature.")).to_be_visible()
    expect(field).to_have_count(0)
    (label,) = _stored(app, "engineer A").to_dicts()
    assert (label["verdict"], label["event_id"], label["version_id"]) == ("true_anomaly", None, None)
    mark = page.locator(".annotation-text").filter(has_text="true anomaly, engineer A")
    expect(mark.first).to_be_visible()
    page.keyboard.press("y")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("engineer A: True anomaly").first).to_be_visible()
    expect(dialog.get_by_text(", drawn")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.keyboard.press("z")
    expect(page.get_by_text("Taken back.")).to_be_visible()
    expect(mark).to_have_count(0)
    assert _stored(app, "engineer A").is_empty()
    require_clean(screen)


def test_the_keys_are_listed(app: App, screen: Watched) -> None:
    page = screen.page
    _open(page, app, two_pumps.WORST)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog").get_by_text("save and open the next event")).to_be_visible()
    # Those of the page behind it press nothing while they are only listed.
    before = _stored(app, "engineer A").height
    page.keyboard.press("f")
    page.keyboard.press("Control+Enter")
    page.keyboard.press("j")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    _idle(page)
    assert f"event={two_pumps.WORST}" in page.url
    expect(_chosen(page, "false_positive")).to_have_count(0)
    assert _stored(app, "engineer A").height == before
    page.keyboard.press("t")
    expect(_chosen(page, "true_anomaly")).to_be_visible()
    require_clean(screen)


def test_thirty_events_are_labelled_by_keyboard_alone(app: App, screen: Watched) -> None:
    """Two actions an event, T or F and Ctrl+Enter; the first with class, bounds and note takes 18 more."""
    page = screen.page
    _open(page, app, name(JUDGED))
    actions, opened = 0, name(JUDGED)

    def press(*keys: str) -> None:
        nonlocal actions
        for key in keys:
            page.keyboard.press(key)
        actions += len(keys)

    began = time.monotonic()
    # The class by its first letters, the start five minutes earlier, and a note.
    press("g")
    page.keyboard.type("block")
    expect(page.get_by_role("option", name="blockage")).to_be_visible()
    press("ArrowDown", "Enter")
    expect(page.locator(f".st-key-card_class_{opened} input")).to_have_value("blockage")
    _idle(page)
    press("b", *["ArrowRight"] * 4, *["ArrowDown"] * 5, "Escape")
    expect(page.locator(".annotation-text").filter(has_text="your bounds").first).to_be_visible()
    press("n")
    page.keyboard.type("seen while cleaning")
    press("Escape")
    expect(page.locator(f".st-key-card_note_{opened} textarea")).not_to_be_focused()
    _idle(page)
    actions += 2  # the two texts
    for number in range(THIRTY):
        verdict, key = ("true_anomaly", "t") if number % 3 else ("false_positive", "f")
        press(key)
        expect(_chosen(page, verdict)).to_be_visible()
        press("Control+Enter")
        opened = name(JUDGED + number + 1)
        _opened(page, opened)
    seconds = time.monotonic() - began
    stored = _stored(app, "engineer A").sort("start")
    assert stored["event_id"].to_list() == [name(JUDGED + number) for number in range(THIRTY)]
    first = stored.row(0, named=True)
    assert (first["fault_class"], first["note"]) == ("blockage", "seen while cleaning")
    assert first["end"] - first["start"] == LENGTH + timedelta(minutes=5)
    assert stored["verdict"].to_list() == ["false_positive", "true_anomaly", "true_anomaly"] * (THIRTY // 3)
    assert actions == 2 * THIRTY + 18
    assert seconds / THIRTY < IN_A_GLANCE_S
    require_clean(screen)


def _drag(page: Page, start_at: float, end_at: float) -> None:
    box = page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * start_at, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * end_at, box["y"] + 90, steps=8)
    page.mouse.up()
