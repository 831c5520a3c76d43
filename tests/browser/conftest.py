"""A Chromium that is installed on this machine, and a page in it that notes what goes wrong."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, sync_playwright
from running_app import Watched

QUIET = (
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
# On a page below the root Streamlit's front end asks for its server there first, then at the root.
PROBES = ("/_stcore/health", "/_stcore/host-config")


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
    context = chromium.new_context(viewport={"width": 1400, "height": 900}, timezone_id="UTC")
    context.set_default_timeout(30_000)
    found = Watched(context.new_page())

    def request(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.hostname not in {
            "127.0.0.1",
            "localhost",
        }:
            found.off_host.append(url)

    def console(kind: str, text: str, where: str) -> None:
        if kind == "error" and not urlsplit(where).path.endswith(PROBES):
            found.errors.append(f"{text} ({where})")

    found.page.on("request", lambda one: request(one.url))
    found.page.on("websocket", lambda one: request(one.url))
    found.page.on("console", lambda one: console(one.type, one.text, one.location.get("url", "")))
    found.page.on("pageerror", lambda error: found.errors.append(str(error)))
    yield found
    context.close()
