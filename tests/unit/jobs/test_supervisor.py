import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from core.jobs.parent import ORPHANED, end, spawn
from core.jobs.supervisor import SCORE_KEY, Supervisor, minute_after, supervisor_alive
from warehouse.lock import ProcessLock

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
WORKER = Path(__file__).with_name("programs.py")


def real_clock() -> datetime:
    return datetime.now(UTC)


@contextmanager
def supervising(warehouse, feed=None, clock=real_clock):
    command = [sys.executable, str(WORKER), "--home", str(warehouse.root)]
    supervisor = Supervisor(warehouse, clock=clock, worker=command, feed=feed)
    stop = threading.Event()
    thread = threading.Thread(target=supervisor.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def state(warehouse, job) -> str:
    return warehouse.jobs.get(job.id).state


def test_jobs_run_in_a_spawned_process_with_pinned_threads(warehouse, wait_for):
    job = warehouse.jobs.add("echo", {"say": "hello"}, actor="ada", at=NOON)
    with supervising(warehouse):
        assert wait_for(lambda: state(warehouse, job) == "done")
    done = warehouse.jobs.get(job.id)
    assert done.result == {"heard": "hello", "threads": str(os.cpu_count())}
    assert done.pid != os.getpid()


def test_the_job_of_a_killed_worker_fails_and_the_next_one_runs(warehouse, wait_for, tmp_path):
    sign = tmp_path / "sign"
    hanging = warehouse.jobs.add("hang", {"sign": str(sign)}, actor="ada", at=NOON)
    waiting = warehouse.jobs.add("echo", {"say": "next"}, actor="ada", at=NOON)
    with supervising(warehouse):
        assert wait_for(lambda: sign.exists() and sign.read_text())
        os.kill(int(sign.read_text()), signal.SIGKILL)
        assert wait_for(lambda: state(warehouse, waiting) == "done")
    failed = warehouse.jobs.get(hanging.id)
    assert failed.state == "failed"
    assert failed.error == "the worker process ended (signal 9) while epoch 4 of 10; start it again"
    assert warehouse.jobs.get(waiting.id).pid != failed.pid


def test_a_job_that_ends_its_process_fails_with_the_status(warehouse, wait_for):
    job = warehouse.jobs.add("die", {}, actor="ada", at=NOON)
    with supervising(warehouse):
        assert wait_for(lambda: state(warehouse, job) == "failed")
    assert "(exit status 3) while it ran its die job" in warehouse.jobs.get(job.id).error


def test_stopping_ends_the_worker_and_fails_what_it_ran(warehouse, wait_for, tmp_path):
    sign = tmp_path / "sign"
    job = warehouse.jobs.add("hang", {"sign": str(sign)}, actor="ada", at=NOON)
    with supervising(warehouse):
        assert wait_for(lambda: sign.exists() and sign.read_text())
    assert warehouse.jobs.get(job.id).error == "the app was stopped while epoch 4 of 10; start it again"
    assert not psutil.pid_exists(int(sign.read_text()))


def test_what_a_killed_process_left_running_fails_at_the_start_and_every_minute(warehouse, wait_for):
    def left_running():
        gone = subprocess.Popen([sys.executable, "-c", ""])
        gone.wait()
        job = warehouse.jobs.add("train", {}, actor="ada", at=NOON)
        assert warehouse.jobs.claim(gone.pid, NOON, job_id=job.id)
        return job

    first = left_running()
    clock = [NOON]
    with supervising(warehouse, clock=lambda: clock[0]):
        assert wait_for(lambda: state(warehouse, first) == "failed")
        second = left_running()
        clock[0] = NOON + timedelta(minutes=1)
        assert wait_for(lambda: state(warehouse, second) == "failed")
    assert warehouse.jobs.get(first.id).error.startswith("the process that ran it ended while")


def test_new_minutes_are_fed_and_their_scoring_is_queued_once_and_first(warehouse, wait_for, tmp_path):
    """The worker is busy with something long, so what is queued can be looked at."""
    sign = tmp_path / "sign"
    warehouse.jobs.add("hang", {"sign": str(sign)}, actor="ada", at=NOON)
    clock = [NOON + timedelta(seconds=30)]
    fed = []

    def feed(_warehouse, moment):
        fed.append(moment())
        return [1, 2]

    with supervising(warehouse, feed, lambda: clock[0]):
        assert wait_for(sign.exists)
        assert wait_for(lambda: len(fed) == 1)  # at once, for what was missed
        warehouse.jobs.add("echo", {"say": "later"}, actor="ada", at=NOON)
        for minute in (1, 2):
            clock[0] = NOON + timedelta(minutes=minute)
            assert wait_for(lambda n=minute: len(fed) == 1 + n)
        queued = warehouse.jobs.list(("queued",))
        scoring = [job for job in queued if job.kind == "score"]
        assert [(job.key, job.payload) for job in scoring] == [(SCORE_KEY, {"sensor_ids": [1, 2]})]
        assert warehouse.jobs.claim(os.getpid(), NOON).kind == "score"


def test_a_feed_that_fails_is_tried_again_at_the_next_minute(warehouse, wait_for):
    clock = [NOON]
    calls = []

    def feed(_warehouse, _clock):
        calls.append(1)
        if len(calls) == 1:
            raise OSError(28, "No space left on device")
        return []

    with supervising(warehouse, feed, lambda: clock[0]):
        assert wait_for(lambda: len(calls) == 1)
        clock[0] = NOON + timedelta(minutes=1)
        assert wait_for(lambda: len(calls) == 2)
    assert not [job for job in warehouse.jobs.list() if job.kind == "score"]


def test_full_minutes():
    assert minute_after(NOON) == NOON + timedelta(minutes=1)
    assert minute_after(NOON + timedelta(seconds=59.9)) == NOON + timedelta(minutes=1)


def test_whether_a_supervisor_lives_shows_by_its_lock(warehouse):
    assert not supervisor_alive(warehouse.layout)
    lock = ProcessLock(warehouse.layout.supervisor_lock)
    lock.acquire()
    assert supervisor_alive(warehouse.layout)
    lock.release()
    assert not supervisor_alive(warehouse.layout)


CHILD = """
import sys, threading
from core.jobs.parent import exit_with_parent
exit_with_parent()
print("up", flush=True)
threading.Event().wait(60)
"""


def test_a_child_ends_when_its_parents_pipe_closes(tmp_path, wait_for):
    log = tmp_path / "child.log"
    child = spawn([sys.executable, "-c", CHILD], environment=os.environ, log=log)
    assert wait_for(lambda: "up" in log.read_text())
    child.stdin.close()
    assert child.wait(10) == ORPHANED
    assert "parent process is gone" in log.read_text()


def test_a_child_that_ignores_sigterm_is_killed(tmp_path, wait_for):
    log = tmp_path / "child.log"
    program = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + CHILD
    child = spawn([sys.executable, "-c", program], environment=os.environ, log=log)
    assert wait_for(lambda: "up" in log.read_text())
    assert end(child, grace_s=0.2) == -signal.SIGKILL


def test_a_log_that_grew_large_is_moved_aside(tmp_path):
    log = tmp_path / "child.log"
    log.write_bytes(b"x" * 5_000_001)
    end(spawn([sys.executable, "-c", "print('new')"], environment=os.environ, log=log), grace_s=10)
    assert log.with_name("child.log.1").stat().st_size == 5_000_001
    assert log.stat().st_size < 100


def test_the_house_is_tidied_every_hour(warehouse, wait_for):
    moments = [NOON]

    def clock() -> datetime:
        return moments[0]

    tidied = []
    object.__setattr__(warehouse, "tidy", lambda *, now: tidied.append(now))
    with supervising(warehouse, clock=clock):
        assert not tidied
        moments[0] = NOON + timedelta(hours=1, minutes=1)
        assert wait_for(lambda: len(tidied) == 1)
    assert tidied == [NOON + timedelta(hours=1, minutes=1)]
