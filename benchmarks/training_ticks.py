"""What a tick of the Training page costs the server, drawing included: CPU time of the real web process.

    python -m benchmarks.training_ticks --sensors 61 --ticks 40 --json OUT.json

The home is that of `benchmarks.training_page`: a batch over all sensors of which two run, one training beside
it, many jobs that are over. A session opens the page as a browser does, over a websocket, and asks for each
live part as often as `--ticks` says, one after the other. What the process takes while nobody asks is told as
well, and not subtracted; so is its memory after the first tick of each part and after the last.
"""

import argparse
import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from app import settings
from app.launcher import streamlit_flags, url_of
from benchmarks.tables import show, write
from benchmarks.training_page import BOUND_MS, fill

ROOT: Final = Path(__file__).parents[1]
IDLE_S: Final = 5.0

_START_S: Final = 120.0
_ANSWER_S: Final = 60.0
_GRACE_S: Final = 20.0


@dataclass(frozen=True)
class Ticked:
    """What one live part costs.

    Parameters
    ----------
    every_s
        Seconds between two ticks of an open page.
    cpu_ms
        CPU milliseconds of the web process a tick.
    first_mb, last_mb
        Its resident memory after the first tick and after the last.
    """

    every_s: float
    cpu_ms: float
    first_mb: float
    last_mb: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=200, help="jobs that are over")
    parser.add_argument("--sensors", type=int, default=61, help="sensors of the batch")
    parser.add_argument("--ticks", type=int, default=40)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="telltale-") as folder:
        home = Path(folder) / "home"
        fill(home, jobs=options.jobs, sensors=options.sensors).close()
        with _web(home) as (process, address):
            ticked = asyncio.run(_ticked(process, address, "", options.ticks))
            alone = asyncio.run(_ticked(process, address, "batch=1", options.ticks))
            before, begun = _cpu_s(process), time.monotonic()
            time.sleep(IDLE_S)
            idle_ms = 1000 * (_cpu_s(process) - before) / (time.monotonic() - begun)
    # Two parts tick every five seconds: history and sensors.
    parts = [(f"all training, part {number}", one) for number, one in enumerate(ticked, start=1)]
    parts += [("one batch alone", one) for one in alone[:1]]
    rows = [
        (name, f"{one.every_s:g}", f"{one.cpu_ms:.1f}", f"{one.first_mb:.0f}", f"{one.last_mb:.0f}")
        for name, one in parts
    ]
    rows += [
        ("a second without a visitor", "", f"{idle_ms:.1f}", "", ""),
        ("bound of the live part", "", f"{BOUND_MS:g}", "", ""),
    ]
    title = f"CPU of the web process, {options.ticks} ticks a part, a batch of {options.sensors} that runs"
    show(title, ("part", "every s", "CPU ms a tick", "MB first", "MB last"), rows)
    figures: dict[str, float | int | str] = {"ticks_count": options.ticks, "idle_second_cpu_ms": idle_ms}
    for name, one in parts:
        key = name.replace(",", "").replace(" ", "_")
        figures |= {f"{key}_cpu_ms": one.cpu_ms, f"{key}_every_s": one.every_s}
        figures |= {f"{key}_first_mb": one.first_mb, f"{key}_last_mb": one.last_mb}
    write(options.json, figures)


async def _ticked(process: psutil.Process, address: str, query: str, ticks: int) -> list[Ticked]:
    """Return what each live part of the page costs, those that tick most often first."""
    stream = websockets.connect(
        f"{address.replace('http', 'ws', 1)}/_stcore/stream",
        origin=websockets.Origin(address),
        subprotocols=[websockets.Subprotocol("streamlit")],
        proxy=None,
        max_size=None,
    )
    async with stream as session:
        opening = BackMsg()
        opening.rerun_script.page_name = "training"
        opening.rerun_script.query_string = query
        parts = {
            one.auto_rerun.fragment_id: one.auto_rerun.interval
            for one in await _asked(session, opening)
            if one.WhichOneof("type") == "auto_rerun"
        }
        found = []
        for fragment, every_s in sorted(parts.items(), key=lambda part: part[1]):
            tick = BackMsg()
            tick.rerun_script.page_name = "training"
            tick.rerun_script.query_string = query
            tick.rerun_script.fragment_id = fragment
            tick.rerun_script.is_auto_rerun = True
            await _asked(session, tick)
            before, first_mb = _cpu_s(process), _memory_mb(process)
            for _ in range(ticks):
                await _asked(session, tick)
            cpu_ms = 1000 * (_cpu_s(process) - before) / ticks
            found.append(Ticked(every_s, cpu_ms, first_mb, _memory_mb(process)))
        return found


async def _asked(session: websockets.ClientConnection, message: BackMsg) -> list[ForwardMsg]:
    """Send a message and return the answers up to the end of the run that it causes."""
    await session.send(message.SerializeToString())
    answers: list[ForwardMsg] = []
    async with asyncio.timeout(_ANSWER_S):
        while not answers or answers[-1].WhichOneof("type") != "script_finished":
            data = await session.recv()
            answers.append(ForwardMsg.FromString(data if isinstance(data, bytes) else data.encode()))
    return answers


@contextmanager
def _web(home: Path) -> Iterator[tuple[psutil.Process, str]]:
    """Start the web process of a home, without a supervisor, and give it with its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    own = {"TELLTALE_HOME": str(home), "TELLTALE_PORT": str(port), "TELLTALE_PROFILE": "ada"}
    address, flags = url_of(settings.load(own)), streamlit_flags(settings.load(own))
    log = home.parent / "web.log"
    with log.open("wb") as output:
        web = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(ROOT / "app" / "server.py"), *flags],
            env={**kept, "PYTHONPATH": str(ROOT), **own},
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + _START_S
        while not _answers(address):
            if web.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the app did not start:\n{log.read_text('utf-8', errors='replace')}")
            time.sleep(0.1)
        yield psutil.Process(web.pid), address
    finally:
        web.terminate()
        web.communicate(timeout=_GRACE_S)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as answer:  # noqa: S310 -- our own
            return bool(answer.status == 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


def _memory_mb(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1024**2


def _cpu_s(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)


if __name__ == "__main__":
    main()
