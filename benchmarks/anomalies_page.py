"""What a rerun of the Anomalies page costs on a sensor with ten million points, at every window.

    python -m benchmarks.anomalies_page --json OUT.json

Builds a home of its own. The server part is the page's script, run as Streamlit runs it, on a window that was
not drawn before; ``event`` comes first, so it is of an event that was not opened before. Files were read
before: each is verified once a process. The browser's part is from the click to the new figure on the screen,
with the script at rest, in headless Chromium on this machine.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import islice
from pathlib import Path
from threading import Event
from types import CodeType
from typing import TYPE_CHECKING, Final

from benchmarks.anomalies_home import END, Plan, event_ids, fill
from benchmarks.tables import show, write
from warehouse.home import Warehouse
from warehouse.state.owner import StateOwner, install

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT: Final = Path(__file__).parents[1]
POINTS: Final = 10_000_000
EVENTS: Final = 40
WINDOWS: Final = ("event", "day", "week", "all")
SERVER_MS: Final = 200.0
BROWSER_MS: Final = 1000.0
START_S: Final = 90
WAIT_MS: Final = 60_000

# As Streamlit runs a page: its code is compiled once. What the test driver does around it is not counted.
_SCRIPT: Final = """
import time
import streamlit as st
from benchmarks.anomalies_page import page_code
begun, used = time.perf_counter(), time.process_time()
exec(page_code(), {"__name__": "__main__"})
st.session_state["took_ms"] = tuple(
    (now - then) * 1000 for now, then in ((time.perf_counter(), begun), (time.process_time(), used))
)
"""

_AT_REST: Final = """(before) => {
  const app = document.querySelector('[data-testid=stApp]');
  const plot = document.querySelector('.js-plotly-plot');
  if (!app || app.dataset.testScriptState !== 'notRunning' || !plot || !plot._fullLayout) return false;
  if (document.querySelector('[data-stale=true]')) return false;
  return JSON.stringify(plot._fullLayout.xaxis.range) !== before;
}"""
_RANGE: Final = "JSON.stringify(document.querySelector('.js-plotly-plot')._fullLayout.xaxis.range)"

Times = dict[str, list[float]]


@cache
def page_code() -> CodeType:
    """Return the page's script, compiled."""
    path = ROOT / "pages" / "anomalies.py"
    return compile(path.read_text("utf-8"), str(path), "exec")


def main(arguments: Sequence[str] | None = None) -> None:
    """Build a home, run the page on it, and report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, default=POINTS, help="readings of the target")
    parser.add_argument("--step", type=int, default=1, help="seconds between them")
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--reruns", type=int, default=25, help="of each window")
    parser.add_argument("--home", type=Path, help="where to keep the home, or find that of an earlier run")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="telltale-") as folder:
        root = given.home or Path(folder) / "home"
        made = root.exists()
        begun = time.perf_counter()
        home = Warehouse.open(root) if made else fill(root, Plan(given.points, given.events, given.step))
        built = time.perf_counter() - begun
        ids = event_ids(home)
        points = int(home.telemetry.spans()["rows"].to_numpy().max())
        server = serve(home, ids, given.reruns)
        home.close()
        browser = browse(root, ids, given.reruns)
    figures: dict[str, float | int | str] = {"points": points, "reruns_count": given.reruns}
    figures |= {"events_count": len(ids), "build_s": round(built, 1)}
    write(given.json, figures | report(points, server, browser))


def report(points: int, server: Times, browser: Times) -> dict[str, float | int | str]:
    """Print the table and return the figures."""
    figures: dict[str, float | int | str] = {}
    rows = []
    for name in WINDOWS:
        found = {"server": server[name], "browser": browser[name]}
        figures |= {f"{part}_{name}_p95_ms": round(p95(times), 1) for part, times in found.items()}
        rows.append((name, *(f"{figure(times):.0f}" for times in found.values() for figure in (median, p95))))
    for part, times in (("server", server), ("browser", browser)):
        every = [one for name in WINDOWS for one in times[name]]
        figures |= {f"{part}_median_ms": round(median(every), 1), f"{part}_p95_ms": round(p95(every), 1)}
    figures["server_cpu_p95_ms"] = round(p95(server["cpu"]), 1)
    figures["server_new_state_p95_ms"] = round(p95(server["new state"]), 1)
    rows.append(
        ("new state", f"{median(server['new state']):.0f}", f"{p95(server['new state']):.0f}", "", "")
    )
    rows.append(
        (
            "all windows",
            *(f"{figures[f'{a}_{b}_ms']:.0f}" for a in ("server", "browser") for b in ("median", "p95")),
        )
    )
    rows.append(("CPU", f"{median(server['cpu']):.0f}", f"{p95(server['cpu']):.0f}", "", ""))
    rows.append(("bound", "", f"{SERVER_MS:g}", "", f"{BROWSER_MS:g}"))
    show(
        f"Rerun of the Anomalies page, a sensor of {points:,} points, milliseconds",
        ("window", "server, median", "server, p95", "browser, median", "browser, p95"),
        rows,
    )
    return figures


def serve(home: Warehouse, ids: Sequence[str], reruns: int) -> Times:
    """Return milliseconds of the page's script for each window, each time on an event not drawn before.

    ``new state`` is of reruns after something was stored, when no earlier answer holds any more; ``cpu`` is
    CPU time of the whole process, which other work on the machine changes less.
    """
    os.environ["TELLTALE_HOME"] = str(home.root)
    os.environ["TELLTALE_PROFILE"] = "ada"
    os.environ["STREAMLIT_LOGGER_LEVEL"] = "error"  # it warns of a script that no browser asked for
    # Late: the settings of the home are read when these are used.
    import streamlit as st
    from streamlit.testing.v1 import AppTest

    owner = StateOwner(home, clock=lambda: END)
    owner.acquire()
    install(owner)
    times: Times = {name: [] for name in (*WINDOWS, "new state", "cpu")}

    def run(event_id: str, window: str) -> tuple[float, float]:
        page = AppTest.from_string(_SCRIPT, default_timeout=60)
        page.query_params["event"] = event_id
        page.query_params["window"] = window
        page.session_state["span"] = "All time"
        page.run()
        if page.exception or len(page.get("plotly_chart")) != 1:
            raise SystemExit(f"the page failed on {event_id}, {window}: {page.exception}")
        took, used = page.session_state["took_ms"]
        return float(took), float(used)

    try:
        for event_id in ids[::4]:
            run(event_id, "event")  # imports; and each file is verified when a process first opens it
        st.cache_data.clear()
        for name in WINDOWS:
            for event_id in _turns(ids, reruns):
                took, used = run(event_id, name)
                times[name].append(took)
                times["cpu"].append(used)
        for number, event_id in enumerate(_turns(ids, reruns)):
            owner.write("fleet.refresh", {}, actor="benchmark", write_id=f"again {number}")
            times["new state"].append(run(event_id, WINDOWS[number % len(WINDOWS)])[0])
    finally:
        install(None)
        owner.stop()
    return times


def browse(root: Path, ids: Sequence[str], reruns: int) -> Times:
    """Return milliseconds from a click on a window's button, in headless Chromium, to its figure at rest."""
    from playwright.sync_api import sync_playwright

    names = (os.environ.get("TELLTALE_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if name and (found := shutil.which(name))), None)
    if path is None:
        raise SystemExit("no Chromium was found: install it or set TELLTALE_CHROMIUM to its path")
    times: Times = {name: [] for name in WINDOWS}
    with running(root) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 900}, timezone_id="UTC")
        page.set_default_timeout(WAIT_MS)
        for number, event_id in enumerate(_turns(ids, reruns)):
            # No window is drawn twice, so that none is answered from what is kept of the first time.
            first, *others = ("week", "day") if number % 2 else ("day", "week")
            page.goto(f"{url}/anomalies?event={event_id}&span=All+time&window={first}")
            page.wait_for_function(_AT_REST, arg="")
            for name in (*others, "event", "all"):
                times[name].append(_click(page, name))
        browser.close()
    return times


def median(times: Sequence[float]) -> float:
    """Return the middle one."""
    return sorted(times)[len(times) // 2]


def p95(times: Sequence[float]) -> float:
    """Return the 95th percentile."""
    return sorted(times)[int(0.95 * (len(times) - 1))]


@contextmanager
def running(root: Path) -> Iterator[str]:
    """Run the app on a home, as `telltale run` does, and yield its address once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [sys.executable, "-m", "app.commands.entry", "run", "--no-browser"],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TELLTALE_HOME": str(root),
            "TELLTALE_PORT": str(port),
            "TELLTALE_PROFILE": "ada",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )
    try:
        deadline, pause = time.monotonic() + START_S, Event()
        while not _answers(url):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("the app did not start")
            pause.wait(0.1)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _click(page: "Page", name: str) -> float:
    before = page.evaluate(_RANGE)
    button = page.get_by_role("radio", name=name.capitalize(), exact=True)
    begun = time.perf_counter()
    button.click()
    page.wait_for_function(_AT_REST, arg=before, polling="raf")
    return (time.perf_counter() - begun) * 1000


def _turns(ids: Sequence[str], count: int) -> Iterator[str]:
    """Yield ids in turn, the newest first, as often as asked."""
    order = list(reversed(ids))
    return islice((order[k % len(order)] for k in range(count)), count)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:  # noqa: S310 -- our own host
            return bool(answer.status == 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


if __name__ == "__main__":
    main()
