"""Second runs, busy ports, homes that can't be written, and processes that die: a clear line, no orphan."""

import os
import socket
import subprocess
from pathlib import Path

import pytest
from running import Telltale, bare_environment, free_port, gone, run, wait_for

from warehouse.lock import ProcessLock, is_held


@pytest.fixture
def telltale(tmp_path: Path):
    with Telltale(tmp_path / "home") as one:
        yield one.up()


def one_line(finished: subprocess.CompletedProcess[str]) -> str:
    """Return what a refused command said: one line, and no trace."""
    assert finished.returncode == 1, finished
    (line,) = finished.stderr.splitlines()
    assert line.startswith("telltale: ")
    return line


def test_a_second_run_in_the_same_home_names_the_first(telltale):
    environment = bare_environment(telltale.home, free_port())
    line = one_line(run(environment, "run", "--no-browser"))
    assert f"runs already for {telltale.home} (process {telltale.process.pid})" in line
    assert telltale.process.poll() is None


def test_a_busy_port_is_named_with_a_way_out(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        line = one_line(run(bare_environment(tmp_path / "home", port), "run", "--no-browser"))
    assert f"port {port} of 127.0.0.1 is taken" in line
    assert f"TELLTALE_PORT={port + 1}" in line


def below_a_file(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("not a folder")
    return tmp_path / "file" / "home"


def a_file(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("not a folder")
    return tmp_path / "file"


def in_a_kernel_file_system(_tmp_path: Path) -> Path:
    # Even root can't make a folder there.
    if not Path("/proc/self").exists():
        pytest.skip("no /proc here")
    return Path("/proc/telltale")


def without_permission(tmp_path: Path) -> Path:
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    (tmp_path / "home").mkdir(mode=0o500)
    return tmp_path / "home"


@pytest.mark.parametrize("place", [below_a_file, a_file, in_a_kernel_file_system, without_permission])
def test_a_home_that_cant_be_written_is_named_with_a_way_out(tmp_path, place):
    home = place(tmp_path)
    environment = {**bare_environment(tmp_path / "x", free_port()), "TELLTALE_HOME": str(home)}
    line = one_line(run(environment, "run", "--no-browser"))
    assert str(home) in line
    assert "set TELLTALE_HOME to a folder you can write to" in line


def test_a_home_on_a_read_only_disk_is_named_with_a_way_out(tmp_path):
    home = tmp_path / "disk"
    home.mkdir()
    if os.geteuid() != 0:
        pytest.skip("mounting takes root")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", home], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("mounting is not allowed here")
    try:
        line = one_line(run(bare_environment(home, free_port()), "run", "--no-browser"))
        assert f"{home} can't be written to (Read-only file system)" in line
    finally:
        subprocess.run(["umount", home], check=True)


def test_stopping_ends_everything_and_says_so(telltale):
    family = telltale.family()
    assert telltale.stop() == 0
    assert gone(family)
    assert "telltale stopped" in telltale.output
    for lock in ("launcher.lock", "supervisor.lock", "state.lock"):
        assert not is_held(telltale.home / lock)


def test_a_killed_launcher_leaves_no_orphan_and_its_home_can_be_opened_again(telltale):
    family = telltale.family()
    assert len(family) >= 5  # launcher, web, supervisor, light worker, worker
    telltale.process.kill()
    assert wait_for(lambda: gone(family), 10), family
    with Telltale(telltale.home, port=telltale.port) as again:
        again.up()


def test_a_killed_web_process_ends_the_rest_with_one_line(telltale):
    family = telltale.family()
    telltale.child("streamlit").kill()
    assert telltale.process.wait(30) == 1
    assert wait_for(lambda: gone(family), 10), family
    assert "telltale: the web process ended (signal 9)" in telltale.output.splitlines()[-1]


def test_a_killed_supervisor_is_started_again_and_the_screens_stay(telltale):
    web, supervisor = telltale.child("streamlit"), telltale.child("core.jobs.supervisor")
    workers = supervisor.children(recursive=True)
    assert len(workers) >= 2
    supervisor.kill()
    assert wait_for(lambda: gone(workers), 10), workers
    assert wait_for(lambda: telltale.child("core.jobs.worker"))
    assert telltale.child("core.jobs.supervisor").pid != supervisor.pid
    assert telltale.child("streamlit").pid == web.pid
    said = [line for line in telltale.output.splitlines() if "started the supervisor again" in line]
    assert len(said) == 1
    assert "which had ended (signal 9): work goes on; its log is" in said[0]


def test_a_supervisor_that_keeps_dying_ends_the_app_with_one_line(telltale):
    family = telltale.family()

    def another() -> bool:
        supervisor = telltale.child("core.jobs.supervisor")
        if supervisor is not None:
            supervisor.kill()
        return telltale.process.poll() is not None

    assert wait_for(another)
    assert telltale.process.wait(30) == 1
    assert wait_for(lambda: gone(family), 10), family
    assert (
        "the supervisor process ended (signal 9, again after 5 new starts)"
        in telltale.output.splitlines()[-1]
    )


def test_a_supervisor_that_says_why_it_cant_work_is_not_started_again(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    lock = ProcessLock(home / "supervisor.lock")
    lock.acquire()
    try:
        with Telltale(home) as telltale:
            assert telltale.process.wait(60) == 1
            said = telltale.output.splitlines()
    finally:
        lock.release()
    assert "the supervisor process ended (exit status 3): another supervisor is at work" in said[-1]
    assert not [line for line in said if "again, which" in line]


def test_a_killed_worker_is_replaced(telltale):
    worker = telltale.child("core.jobs.worker")
    worker.kill()
    assert wait_for(lambda: (telltale.child("core.jobs.worker") or worker).pid != worker.pid)
    assert telltale.process.poll() is None


def test_a_web_process_that_cant_start_says_why(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "state.duckdb").write_bytes(b"not a database" * 1000)
    with Telltale(home) as telltale:
        assert telltale.process.wait(60) == 1
        last = telltale.output.splitlines()[-1]
    assert last.startswith("telltale: the web process ended (exit status 3)")
    assert f"{home / 'state.duckdb'} can't be opened" in last
    assert "restore it from a backup; all of it is in" in last
