"""The app as `telltale run` starts it, and a page that notes what goes wrong on it."""

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from warehouse.home import Warehouse
from warehouse.state.owner import StateOwner

sys.path.insert(0, str(Path(__file__).parents[1] / "pages"))
import two_pumps

ROOT = Path(__file__).parents[2]
# On a page below the root Streamlit's front end asks for its server there first, then at the root.
PROBES = ("/_stcore/health", "/_stcore/host-config")


@dataclass
class Watched:
    """A page, and what went wrong on it."""

    page: Page
    off_host: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def watch(chromium: Browser) -> Iterator[Watched]:
    """Yield a fresh page of 1400 × 900 that notes every error and every request off this host."""
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


def require_clean(watched: Watched) -> None:
    """Require that the page shows no exception, said nothing wrong, and asked for nothing off this host."""
    expect(watched.page.locator("[data-testid=stException]")).to_have_count(0)
    assert watched.errors == []
    assert watched.off_host == []


@dataclass(frozen=True)
class App:
    """A running app."""

    url: str
    home: Path
    process: subprocess.Popen[bytes]
    log: Path


def start(home: Path, *arguments: str) -> App:
    """Start `telltale run` on a free port and wait until it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    log = home.parent / "launcher.out"
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.commands.entry", "run", "--no-browser", *arguments],
            env={
                **kept,
                "HOME": str(home.parent),
                "PYTHONPATH": str(ROOT),
                "TELLTALE_HOME": str(home),
                "TELLTALE_PORT": str(port),
                "TELLTALE_PROFILE": "engineer A",
            },
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            cwd=home.parent,
        )
    app = App(f"http://127.0.0.1:{port}", home, process, log)
    deadline, pause = time.monotonic() + 60, threading.Event()
    while not _answers(app.url):
        if process.poll() is not None or time.monotonic() > deadline:
            stop(app)
            pytest.fail(f"the app did not start: {log.read_text(encoding='utf-8', errors='replace')}")
        pause.wait(0.1)
    return app


def serve(warehouse: Warehouse) -> Iterator[App]:
    """Close a home of `two_pumps`, run the app on it, and stop it in the end."""
    with StateOwner(warehouse, clock=lambda: two_pumps.NOW) as owner:
        owner.write("fleet.refresh", {}, actor="test", write_id="refresh")
    warehouse.close()
    running = start(warehouse.root)
    yield running
    stop(running)


def stop(app: App) -> None:
    """Stop it as Ctrl+C does."""
    app.process.terminate()
    try:
        app.process.wait(30)
    except subprocess.TimeoutExpired:
        app.process.kill()
        app.process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:  # noqa: S310 -- our own host
            return bool(answer.status == 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False
