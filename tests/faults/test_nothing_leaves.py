"""What the running processes connect to and import, seen by an audit hook in each and by the system."""

import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import psutil
import pytest
from running import ROOT, Telltale, bare_environment, visit

from warehouse import schema
from warehouse.assets import AssetSpec, SensorSpec
from warehouse.home import Warehouse

MONDAY = datetime(2024, 4, 29, tzinfo=UTC)

WATCHED = Path(__file__).with_name("watched")
PAGES = ("", "anomalies", "models", "training")


def watched(out: Path) -> dict[str, str]:
    return {"PYTHONPATH": f"{WATCHED}:{ROOT}", "WATCHED_OUT": str(out)}


def noted(out: Path, kind: str) -> list[str]:
    """Return (process, what) of every note of a kind."""
    lines = out.read_text().splitlines() if out.exists() else []
    return [line.split("\t", 2)[2] for line in lines if line.startswith(f"{kind}\t")]


def connected_elsewhere(family: list[psutil.Process]) -> list[str]:
    """Return the remote ends outside this machine that the system knows, also those of C libraries."""
    found = []
    for one in family:
        try:
            found += [f"{one.pid} {end.raddr.ip}" for end in one.net_connections("inet") if end.raddr]
        except psutil.NoSuchProcess:
            continue
    return [one for one in found if not one.split()[1].startswith(("127.", "::1", "::ffff:127."))]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "noted"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A pump with six days of readings: enough to learn from, quick to learn."""
    root = tmp_path / "home"
    warehouse = Warehouse.open(root)
    pump = AssetSpec("Pump 7", "pump", sensors=(SensorSpec("temperature", "°C", interval_s=60.0),))
    (sensor_id,) = warehouse.catalog.put_assets("csv", [pump]).values()
    steps = 6 * 24 * 60
    step = pl.int_range(steps, eager=True)
    readings = pl.DataFrame(
        {
            "sensor_id": pl.repeat(sensor_id, steps, eager=True),
            "ts": pl.datetime_range(
                MONDAY, MONDAY + timedelta(minutes=steps - 1), "1m", time_unit="us", eager=True
            ),
            "value": (step * 0.02).sin() * 10 + (step % 7),
            "quality": pl.repeat(0, steps, eager=True),
        }
    )
    readings = readings.cast(dict(schema.READINGS.items()))
    warehouse.telemetry.write(readings, note="test", at=MONDAY + timedelta(days=7))
    warehouse.close()
    return root


@pytest.mark.learned
@pytest.mark.timeout(400)
def test_no_process_sends_anything_off_the_host(home, out):
    """Without the variables of CI, in which some libraries fall silent by themselves."""
    seen: list[str] = []
    with Telltale(home, **watched(out)) as telltale:
        telltale.up()
        with ThreadPoolExecutor(1) as pool:
            command = ("train", "Pump 7/temperature", "--preset", "telemanom", "--set", "epochs=2")
            trained = pool.submit(telltale.command, *command)
            while not trained.done():
                seen += connected_elsewhere(telltale.family())
                wait([trained], timeout=0.2)
        assert "registered as version 1" in trained.result().stdout, trained.result()
        for page in PAGES:
            assert visit(telltale.port, page)[-1].WhichOneof("type") == "script_finished"
            seen += connected_elsewhere(telltale.family())
        assert telltale.command("status").returncode == 0
    loaded = {one.rsplit("\t", 1)[1] for one in noted(out, "import")}
    assert loaded == {"tensorflow", "keras", "mlflow"}  # what could talk was there
    assert noted(out, "net") == []
    assert seen == []


def test_control_mlflow_would_talk_if_it_were_let(tmp_path, out):
    program = (
        "import mlflow, sys, time\n"
        f"mlflow.set_tracking_uri('sqlite:///{tmp_path}/mlflow.db')\n"
        "mlflow.create_experiment('x')\n"
        "import pathlib\n"
        "for _ in range(200):\n"
        "    time.sleep(0.05)\n"
        "    if 'net' in pathlib.Path(sys.argv[1]).read_text(): break\n"
    )
    environment = {**bare_environment(tmp_path / "home", 1), **watched(out)}
    subprocess.run(
        [sys.executable, "-c", program, str(out)], env=environment, check=True, capture_output=True
    )
    assert "mlflow" in noted(out, "net")[0].rsplit("\t", 1)[1]


def test_control_the_hook_and_the_system_see_a_connection(tmp_path, out):
    program = (
        "import socket\n"
        "s = socket.socket(); s.setblocking(False)\n"
        "try: s.connect(('192.0.2.1', 443))\n"  # a documentation address: nobody answers
        "except BlockingIOError: pass\n"
        "except OSError: pass\n"
        "try: socket.getaddrinfo('telemetry.invalid', 443)\n"
        "except OSError: pass\n"
        "socket.create_connection(('127.0.0.1', {port})).close()\n"
    )
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        environment = {**bare_environment(tmp_path / "home", 1), **watched(out)}
        subprocess.run(
            [sys.executable, "-c", program.format(port=server.getsockname()[1])], env=environment, check=True
        )
    found = [one.rsplit("\t", 1)[1] for one in noted(out, "net")]
    assert found == ["socket.connect 192.0.2.1", "socket.getaddrinfo telemetry.invalid"]


def test_the_web_process_draws_every_page_without_tensorflow(tmp_path, out):
    with Telltale(tmp_path / "home", **watched(out)) as telltale:
        telltale.up()
        for page in PAGES:
            assert visit(telltale.port, page)[-1].WhichOneof("type") == "script_finished"
        maps = Path(f"/proc/{telltale.child('streamlit').pid}/maps")
        if maps.exists():
            assert "tensorflow" not in maps.read_text()
    by_web = [one for one in noted(out, "import") if "streamlit" in one.split("\t")[0]]
    assert by_web == []


def test_control_the_hook_sees_an_import(tmp_path, out):
    environment = {**bare_environment(tmp_path / "home", 1), **watched(out)}
    program = (
        "import sys; sys.modules['mlflow.x'] = None\ntry: import keras.nothing\nexcept ImportError: pass"
    )
    stub = tmp_path / "keras.py"
    stub.write_text("")
    environment["PYTHONPATH"] += f":{tmp_path}"
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
    assert [one.rsplit("\t", 1)[1] for one in noted(out, "import")] == ["keras"]
