"""The first start: an empty home, the demo fleet, and its first events on the first screen."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from playwright.sync_api import expect
from running_app import App, Watched, start, stop

from warehouse.home import Warehouse

PROMISED_S = 90


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    running = start(tmp_path_factory.mktemp("fresh") / "home", "--demo")
    yield running
    stop(running)


def test_the_demo_fleet_fills_the_first_screen_by_itself(fresh: App, watched: Watched) -> None:
    began, page = time.monotonic(), watched.page
    page.goto(fresh.url)
    # Nobody reloads: what is found appears while it is found.
    sentence = page.get_by_text(re.compile(r"\d+ of 12 machines needs? attention"))
    expect(sentence).to_be_visible(timeout=(PROMISED_S - (time.monotonic() - began)) * 1000)
    assert watched.errors == []
    assert watched.off_host == []
    home = Warehouse.open(fresh.home, create=False)
    events = home.results.events_current()
    assert events.filter(pl.col("open")).height > 0
    newest = home.telemetry.spans()["last_ts"].max()
    home.close()
    assert newest is not None
    assert Path(fresh.home / "state.duckdb").is_file()
