"""Jobs on a full disk: each is tried again and then says why it failed, and the supervisor goes on."""

import os
import signal
import threading
from datetime import timedelta

from supervising import NOON, state, supervising

from core.jobs.run import Kind
from core.jobs.worker import work
from warehouse.jobs import Jobs
from warehouse.room import disk_full


def test_work_goes_on_once_there_is_room(warehouse, wait_for, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("core.jobs.supervisor._TROUBLED_S", 0.05)
    sign = tmp_path / "sign"
    hanging = warehouse.jobs.add("hang", {"sign": str(sign)}, actor="ada", at=NOON)
    met = threading.Semaphore(0)

    def full(*_: object, **__: object) -> None:
        met.release()
        raise disk_full(warehouse.layout.jobs)

    with supervising(warehouse):
        assert wait_for(lambda: sign.exists() and sign.read_text())
        with monkeypatch.context() as patched:
            patched.setattr(Jobs, "interrupt", full)
            os.kill(int(sign.read_text()), signal.SIGKILL)
            for _ in range(5):
                assert met.acquire(timeout=20)
            assert state(warehouse, hanging) == "running"
        assert wait_for(lambda: warehouse.jobs.get(hanging.id).attempt == 2)
    told = [record.getMessage() for record in caplog.records if "work waits" in record.getMessage()]
    assert len(told) == 1
    assert "is full" in told[0]


def test_a_job_that_finds_no_room_says_so(warehouse, wait_for):
    def no_room(payload, task) -> None:
        raise OSError(28, "No space left on device")

    job = warehouse.jobs.add("train", {}, actor="ada", at=NOON)
    clock, stop = [NOON], threading.Event()
    kinds = {"train": Kind(no_room, heavy=True, title="Training")}
    options = {"clock": lambda: clock[0], "stop": stop, "kinds": kinds}
    worker = threading.Thread(target=work, args=(warehouse,), kwargs=options)
    worker.start()
    try:
        for attempt in (1, 2):
            assert wait_for(lambda n=attempt: warehouse.jobs.get(job.id).retries == n)
            clock[0] += timedelta(minutes=2)
        assert wait_for(lambda: state(warehouse, job) == "failed")
    finally:
        stop.set()
        worker.join()
    assert warehouse.jobs.get(job.id).error.startswith(f"the disk of {warehouse.root} is full: ")
