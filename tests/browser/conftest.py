"""A Chromium that is installed on this machine, and a page in it that notes what goes wrong."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from running_app import Watched, watch

# One for all: it holds for the process, whichever module set it last. A busy machine draws slowly.
expect.set_options(timeout=60_000)
QUIET = (
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


# Playwright keeps an event loop running in this thread while it is open, and other tests need theirs.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    names = (os.environ.get("TELLTALE_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if name and (found := shutil.which(name))), None)
    if path is None:
        pytest.fail("browser tests need Chromium: install it or set TELLTALE_CHROMIUM to its path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def watched(chromium: Browser) -> Iterator[Watched]:
    """A fresh page of 1400 × 900 that notes every error and every request off this host."""
    yield from watch(chromium)
