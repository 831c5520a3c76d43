"""What the running processes connect to and import, seen by an audit hook in each and by the system."""

import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from running import ROOT, Telltale, bare_environment, visit, wait_for

from warehouse.home import Warehouse

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


@pytest.mark.timeout(400)
def test_no_process_sends_anything_off_the_host(tmp_path, out):
    """Without the variables of CI, in which some libraries fall silent by themselves."""
    seen: list[str] = []
    with Telltale(tmp_path / "home", "--demo", **watched(out)) as telltale:
        telltale.up()
        warehouse = Warehouse.open(telltale.home)

        def all_ended() -> bool:
            seen.extend(connected_elsewhere(telltale.family()))
            jobs = warehouse.jobs.list()
            return bool(jobs) and all(job.finished_at is not None for job in jobs)

        assert wait_for(all_ended, 200)
        assert {job.state for job in warehouse.jobs.list()} == {"done"}, warehouse.jobs.list()
        for page in PAGES:
            assert visit(telltale.port, page)[-1].WhichOneof("type") == "script_finished"
            seen += connected_elsewhere(telltale.family())
        assert telltale.command("status").returncode == 0
        warehouse.close()
    assert noted(out, "net") == []
    assert seen == []


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
