"""An engineer trains a sensor in a real browser: launches, watches, cancels, resumes, opens the version."""

import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from running_app import App, Watched, require_clean, serve

from warehouse.home import Warehouse
from warehouse.jobs import Job

sys.path.insert(0, str(Path(__file__).parents[1] / "pages"))
import training_work
import two_pumps

PUMP_1, PUMP_2 = "Pump 1 · outlet temperature", "Pump 2 · outlet temperature"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Two pumps with the app and its supervisor running on them."""
    home = tmp_path_factory.mktemp("training") / "home"
    warehouse = two_pumps.build(home)
    yield from serve(warehouse)


def _jobs(app: App, kind: str = "train") -> tuple[Job, ...]:
    warehouse = Warehouse.open(app.home)
    try:
        return warehouse.jobs.list(kind=kind)
    finally:
        warehouse.close()


def _sensor(app: App, key: str) -> int:
    warehouse = Warehouse.open(app.home)
    try:
        return training_work.sensor_id(warehouse, key)
    finally:
        warehouse.close()


def _badge(page: Page, text: str) -> Locator:
    # A toast may say the same beside it.
    return page.get_by_test_id("stMainBlockContainer").locator(".stMarkdownBadge").filter(has_text=text)


def _preset(page: Page, name: str) -> None:
    page.get_by_role("dialog").get_by_text(name, exact=True).click()
    expect(page.get_by_role("radio", name=re.compile(f"^{name}"))).to_be_checked()
    # The last part of the form; on a machine with much else to do it comes long after the first.
    expect(page.get_by_role("dialog").get_by_role("button", name=re.compile("^Train"))).to_be_visible()


def test_launch_watch_cancel_resume_and_open_the_version(app: App, watched: Watched) -> None:
    page = watched.page
    # Two clicks from a sensor: its button, then the dialog's.
    page.goto(f"{app.url}/anomalies?event={two_pumps.WORST}")
    page.get_by_role("button", name="Train…").click()
    page.wait_for_url(re.compile("/training.*train="))
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text(PUMP_1)).to_be_visible()
    _preset(page, "Telemanom")
    dialog.get_by_role("button", name=re.compile("^Train 1 sensor")).click()
    expect(page.get_by_text("Queued: 1 training.")).to_be_visible()
    page.wait_for_url(lambda url: "train=" not in url)

    # Its card shows the bar and the last line; its own view the curves and the log.
    (job,) = _jobs(app)
    card = page.locator(f".st-key-card_{job.id}")
    expect(card.get_by_text(re.compile("epoch . of at most"))).to_be_visible()
    expect(card.locator(".js-plotly-plot")).to_be_visible()
    card.get_by_role("button", name="Open").click()
    page.wait_for_url(re.compile(f"job={job.id}"))
    expect(page.get_by_text(re.compile("MB of memory|GB of memory"))).to_be_visible()
    expect(page.get_by_text(re.compile("epoch 2 of at most")).first).to_be_visible()

    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_role("button", name="Cancelling…").or_(_badge(page, "⊘ Cancelled"))).to_be_visible(
        timeout=3_000
    )
    expect(_badge(page, "⊘ Cancelled")).to_be_visible(timeout=10_000)
    (cancelled,) = _jobs(app)
    assert cancelled.checkpoint is not None

    page.get_by_role("button", name=f"Resume after epoch {cancelled.checkpoint}").click()
    expect(page.get_by_text(re.compile("goes on"))).to_be_visible()
    expect(_badge(page, "✓ Done")).to_be_visible(timeout=180_000)
    (done,) = _jobs(app)
    assert (done.id, done.state) == (job.id, "done")
    # No epoch was learned twice.
    log = page.get_by_test_id("stCode").inner_text()
    epochs = [int(n) for n in re.findall(r"epoch (\d+) of", log)]
    assert len(epochs) == len(set(epochs))

    page.get_by_role("button", name="Open version").click()
    page.wait_for_url(re.compile(f"version={done.result['version_id']}"))
    expect(page.get_by_role("heading", name=re.compile(PUMP_1))).to_be_visible()
    require_clean(watched)


def test_the_end_is_told_on_another_page(app: App, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{app.url}/training?train={_sensor(app, training_work.PUMPS[1])}")
    _preset(page, "Quick")
    page.get_by_role("button", name=re.compile("^Train 1 sensor")).click()
    expect(page.get_by_text("Queued: 1 training.")).to_be_visible()
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Overview")
    expect(page.get_by_test_id("stToast").filter(has_text=PUMP_2).last).to_be_visible(timeout=90_000)
    # One notice: the scoring that follows runs by itself, and is told of only where it fails.
    page.get_by_test_id("stSidebar").get_by_role("link", name=re.compile(PUMP_2)).click()
    page.wait_for_url(re.compile(r"/training.*job=\d+"))
    expect(_badge(page, "✓ Done")).to_be_visible()
    scoring = _jobs(app, "score")[0]
    page.goto(f"{app.url}/training?job={scoring.id}")
    expect(_badge(page, "✓ Done")).to_be_visible()
    require_clean(watched)


def test_two_people_who_ask_for_one_sensor_see_the_first(
    app: App, watched: Watched, chromium: Browser
) -> None:
    number = _sensor(app, training_work.PUMPS[0])
    first, context = watched.page, chromium.new_context(viewport={"width": 1400, "height": 900})
    second = context.new_page()
    before = len(_jobs(app))
    for page in (first, second):
        page.goto(f"{app.url}/training?train={number}")
        _preset(page, "Telemanom")
    asked = time.monotonic()
    first.get_by_role("button", name=re.compile("^Train 1 sensor")).click()
    # The worker has loaded what it needs for the trainings before: 2 s on a machine with nothing else to do.
    expect(first.get_by_text(re.compile("TensorFlow|Reading|epoch")).first).to_be_visible()
    assert time.monotonic() - asked < 6
    expect(first.get_by_text("Queued: 1 training.")).to_be_visible()
    newest = _jobs(app)[0]
    second.get_by_role("button", name=re.compile("^Train 1 sensor")).click()
    second.wait_for_url(re.compile(f"job={newest.id}"))
    expect(second.get_by_text(re.compile(f"by engineer A: job {newest.id}"))).to_be_visible()
    assert len(_jobs(app)) == before + 1
    second.get_by_role("button", name="Cancel", exact=True).click()
    expect(_badge(second, "⊘ Cancelled")).to_be_visible(timeout=10_000)
    context.close()
    require_clean(watched)


def test_a_row_of_the_history_opens_its_job_and_the_way_back_does_not_open_it_again(
    app: App, watched: Watched
) -> None:
    page = watched.page
    page.goto(f"{app.url}/training?state=done")
    table = page.get_by_test_id("stDataFrame").filter(has=page.locator("canvas")).first
    expect(table).to_be_visible()
    box = table.locator("canvas").first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 16, box["y"] + 60)
    page.wait_for_url(re.compile(r"job=\d+"))
    page.get_by_role("button", name="All training").click()
    page.wait_for_url(lambda url: "job=" not in url)
    assert "state=done" in page.url
    expect(page.get_by_text("nothing runs and nothing waits")).to_be_visible()
    # What the browser still knows of the choice comes with the next thing that is clicked.
    page.get_by_role("button", name="Cancelled").click()
    page.wait_for_url(re.compile("state=done.*cancelled"))
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible()
    assert "job=" not in page.url
    require_clean(watched)


def test_a_form_keeps_what_was_chosen_while_more_is_chosen_and_says_what_is_wrong_at_its_field(
    app: App, watched: Watched
) -> None:
    page, before = watched.page, len(_jobs(app))
    page.goto(f"{app.url}/training?train=choose")
    dialog = page.get_by_role("dialog")
    _preset(page, "Telemanom")
    dialog.get_by_role("combobox").click()
    for name in (PUMP_1, PUMP_2):
        # How long each preset takes changes with what is chosen.
        page.get_by_role("option", name=name).click()
    page.keyboard.press("Tab")
    expect(dialog.get_by_role("button", name=re.compile("^Train 2 sensors"))).to_be_visible()
    dialog.get_by_text("Advanced").click()
    field = dialog.get_by_role("textbox", name=re.compile("^Epochs"))
    field.fill("many")
    dialog.get_by_role("button", name=re.compile("^Train 2 sensors")).click()
    expect(dialog.get_by_text("Write a number from 1 to 500, not 'many'.")).to_be_visible()
    expect(page.get_by_role("radio", name=re.compile("^Telemanom"))).to_be_checked()
    assert len(_jobs(app)) == before
    require_clean(watched)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("address", ["", "?job=1", "?train=choose"])
def test_every_part_fits_the_screen(app: App, watched: Watched, address: str, scheme: str) -> None:
    page = watched.page
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{app.url}/training{address}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    main = "document.querySelector('[data-testid=stMain]')"
    assert page.evaluate(f"{main}.scrollWidth") <= page.evaluate(f"{main}.clientWidth")
    require_clean(watched)
