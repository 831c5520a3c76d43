"""Jobs on a full disk: each says why it failed, and the supervisor waits and goes on."""

import os
import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from core.jobs.supervisor import Supervisor
from core.jobs.worker import work
from warehouse.jobs import Jobs
from warehouse.room import disk_full

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
WORKER = Path(__file__).with_name("programs.py")


def test_work_goes_on_once_there_is_room(warehouse, wait_for, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("core.jobs.supervisor._TROUBLED_S", 0.05)
    sign = tmp_path / "sign"
    hanging = warehouse.jobs.add("hang", {"sign": str(sign)}, actor="ada", at=NOON)
    waiting = warehouse.jobs.add("echo", {"say": "next"}, actor="ada", at=NOON)
    met, stop = threading.Semaphore(0), threading.Event()

    def full(*_: object, **__: object) -> None:
        met.release()
        raise disk_full(warehouse.layout.jobs)

    command = [sys.executable, str(WORKER), "--home", str(warehouse.root)]
    supervisor = Supervisor(warehouse, clock=lambda: datetime.now(UTC), worker=command, feed=None)
    thread = threading.Thread(target=supervisor.run, args=(stop,))
    thread.start()
    try:
        assert wait_for(lambda: sign.exists() and sign.read_text())
        with monkeypatch.context() as patched:
            patched.setattr(Jobs, "fail_abandoned", full)
            os.kill(int(sign.read_text()), signal.SIGKILL)
            assert met.acquire(timeout=20)
        assert wait_for(lambda: warehouse.jobs.get(waiting.id).state == "done")
        assert thread.is_alive()
        # The sweep of abandoned jobs comes once a minute; the end of the supervisor is one too.
        supervisor._next_sweep = datetime.now(UTC)
        assert wait_for(lambda: warehouse.jobs.get(hanging.id).state == "failed")
    finally:
        stop.set()
        thread.join()
    told = [record.getMessage() for record in caplog.records if "work waits" in record.getMessage()]
    assert len(told) == 1
    assert "is full" in told[0]


def test_a_job_that_finds_no_room_says_so(warehouse, wait_for, monkeypatch):
    def no_room(payload, **_: object) -> None:
        raise OSError(28, "No space left on device")

    job = warehouse.jobs.add("train", {}, actor="ada", at=NOON)
    stop = threading.Event()
    options = {"clock": lambda: NOON, "stop": stop, "kinds": {"train": no_room}}
    worker = threading.Thread(target=work, args=(warehouse,), kwargs=options)
    worker.start()
    try:
        assert wait_for(lambda: warehouse.jobs.get(job.id).state == "failed")
    finally:
        stop.set()
        worker.join()
    assert warehouse.jobs.get(job.id).error.startswith(f"the disk of {warehouse.root} is full: ")
