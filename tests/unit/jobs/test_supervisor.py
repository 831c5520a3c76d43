import os
import signal
import sys
import threading
import time
from datetime import UTC, datetime

import psutil
import pytest
from supervising import NOON, state, supervising

from core.jobs import workers
from core.jobs.cores import cores, share_of, usual_workers
from core.jobs.supervisor import supervisor_alive
from core.jobs.workers import Place, Workers
from warehouse.lock import ProcessLock


def said(warehouse, job) -> list[str]:
    return [line.text for line in warehouse.jobs.lines(job.id)]


def written(sign):
    return lambda: sign.exists() and sign.read_text()


def test_jobs_run_in_a_spawned_process_with_pinned_threads(warehouse, wait_for):
    job = warehouse.jobs.add("echo", {"say": "hello"}, actor="ada", at=NOON)
    with supervising(warehouse, workers=2):
        assert wait_for(lambda: state(warehouse, job) == "done")
    done = warehouse.jobs.get(job.id)
    assert done.result == {"heard": "hello", "threads": str(max(1, cores() // 2))}
    assert done.pid != os.getpid()


def test_threads_are_shared_among_workers_and_never_none():
    assert share_of(1)["OMP_NUM_THREADS"] == str(cores())
    assert share_of(10_000)["TF_NUM_INTRAOP_THREADS"] == "1"
    assert share_of(1)["OPENBLAS_NUM_THREADS"] == "1"
    assert 1 <= usual_workers() <= min(8, cores())


def test_trainings_run_beside_each_other_and_never_keep_short_work_waiting(warehouse, wait_for, tmp_path):
    signs = [tmp_path / f"sign-{number}" for number in range(3)]
    long = [warehouse.jobs.add("toil", {"sign": str(one)}, actor="ada", at=NOON) for one in signs]
    with supervising(warehouse, workers=2):
        assert wait_for(lambda: [state(warehouse, one) for one in long] == ["running", "running", "queued"])
        short = warehouse.jobs.add("echo", {"say": "now"}, actor="ada", at=NOON)
        assert wait_for(lambda: state(warehouse, short) == "done")
        assert state(warehouse, long[2]) == "queued"
        pids = {warehouse.jobs.get(one.id).pid for one in (*long[:2], short)}
        assert len(pids) == 3
    assert "begins in light worker, process" in said(warehouse, short)[1]
    assert not [pid for pid in pids if psutil.pid_exists(pid)]


def test_the_job_of_a_killed_worker_goes_on_at_once_from_what_it_kept(warehouse, wait_for):
    job = warehouse.jobs.add("count", {"to": 60, "pause_s": 0.05}, actor="ada", at=NOON)

    def seen():
        return warehouse.jobs.get(job.id)

    with supervising(warehouse):
        assert wait_for(lambda: (seen().checkpoint or 0) >= 3)
        os.kill(seen().pid, signal.SIGKILL)
        killed = time.monotonic()
        assert wait_for(lambda: seen().attempt == 2)
        restart_s = time.monotonic() - killed
        assert wait_for(lambda: seen().state == "done")
    assert restart_s < 6  # on a busy machine; the fault test has the figure
    assert seen().result["begun"] >= 3
    (told,) = [line for line in said(warehouse, job) if line.startswith("interrupted")]
    assert told.startswith("interrupted: the worker process ended (signal 9) while epoch ")


def test_a_job_that_ends_its_process_every_time_fails_with_the_status(warehouse, wait_for):
    job = warehouse.jobs.add("die", {}, actor="ada", at=NOON)
    with supervising(warehouse):
        assert wait_for(lambda: state(warehouse, job) == "failed", 40)
    failed = warehouse.jobs.get(job.id)
    assert failed.attempt == 3
    assert failed.error.startswith("the worker process ended (exit status 3) while it ran its die job")


def test_stopping_ends_the_workers_and_what_they_ran_waits(warehouse, wait_for, tmp_path):
    sign = tmp_path / "sign"
    job = warehouse.jobs.add("hang", {"sign": str(sign)}, actor="ada", at=NOON)
    with supervising(warehouse, workers=2) as supervisor:
        assert wait_for(written(sign))
        pids = supervisor._workers.pids
    assert state(warehouse, job) == "interrupted"
    assert "interrupted: the app was stopped while epoch 4 of 10" in said(warehouse, job)
    assert not [pid for pid in pids if psutil.pid_exists(pid)]


def test_an_app_that_is_stopped_early_again_and_again_never_fails_a_job(warehouse, wait_for, tmp_path):
    job = warehouse.jobs.add("hang", {"sign": str(tmp_path / "sign")}, actor="ada", at=NOON)
    for attempt in range(1, 5):
        with supervising(warehouse):
            assert wait_for(lambda n=attempt: warehouse.jobs.get(job.id).attempt == n)
        assert state(warehouse, job) == "interrupted"


def cancelled_after(warehouse, wait_for, kind, sign) -> tuple[float, int, int]:
    """Return for how many seconds a cancelled job of `kind` went on, and the workers before and after."""
    job = warehouse.jobs.add(kind, {"sign": str(sign)}, actor="ada", at=NOON)
    with supervising(warehouse):
        assert wait_for(written(sign))
        before = warehouse.jobs.get(job.id).pid
        asked = time.monotonic()
        warehouse.jobs.cancel(job.id, actor="bob", at=datetime.now(UTC))
        assert warehouse.jobs.get(job.id).cancel_asked_at is not None
        assert wait_for(lambda: state(warehouse, job) == "cancelled")
        took = time.monotonic() - asked
        after = warehouse.jobs.add("count", {"to": 1, "pause_s": 0}, actor="ada", at=NOON)
        assert wait_for(lambda: state(warehouse, after) == "done")
    assert warehouse.jobs.get(job.id).error == "cancelled by bob"
    return took, before, warehouse.jobs.get(after.id).pid


def test_a_job_that_asks_is_cancelled_within_two_seconds_by_itself(warehouse, wait_for, tmp_path):
    took, before, after = cancelled_after(warehouse, wait_for, "toil", tmp_path / "sign")
    assert took < 2
    assert before == after


@pytest.mark.parametrize("kind", ["hang", "cling"])
def test_a_job_that_never_asks_is_forced_within_five_seconds(warehouse, wait_for, tmp_path, kind):
    took, before, after = cancelled_after(warehouse, wait_for, kind, tmp_path / "sign")
    assert 2 <= took < 5
    assert before != after


def test_a_process_that_gives_no_sign_of_life_is_ended_and_its_job_goes_on(
    warehouse, wait_for, tmp_path, monkeypatch
):
    """A stopped process can neither beat nor be asked to end."""
    monkeypatch.setattr(workers, "_STUCK_S", 3.0)
    job = warehouse.jobs.add("count", {"to": 100, "pause_s": 0.05}, actor="ada", at=NOON)
    with supervising(warehouse):
        assert wait_for(lambda: (warehouse.jobs.get(job.id).checkpoint or 0) >= 3)
        os.kill(warehouse.jobs.get(job.id).pid, signal.SIGSTOP)
        assert wait_for(lambda: warehouse.jobs.get(job.id).attempt == 2)
    assert warehouse.jobs.get(job.id).checkpoint >= 3


def test_a_worker_that_keeps_dying_young_waits_longer_each_time(warehouse, wait_for):
    count = warehouse.root / "starts"
    program = f"open({str(count)!r}, 'a').write('x'); raise SystemExit(4)"
    place = Place("worker 1", [sys.executable, "-c", program], {}, warehouse.layout.logs / "w.log")
    pool = Workers(warehouse, [place], clock=lambda: NOON)
    begun, pause = time.monotonic(), threading.Event()
    while time.monotonic() - begun < 4:
        pool.tend()
        pause.wait(0.02)
    pool.end()
    assert 2 <= len(count.read_text()) <= 4  # at once, then after 1 s, then after 2 s


def test_the_cluster_takes_the_trainings_and_one_worker_the_rest(warehouse, wait_for):
    idle = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    training = warehouse.jobs.add("train", {"say": "x"}, actor="ada", at=NOON)
    other = warehouse.jobs.add("count", {"to": 1, "pause_s": 0}, actor="ada", at=NOON)
    with supervising(warehouse, cluster=idle, workers=5) as supervisor:
        assert wait_for(lambda: state(warehouse, other) == "done")
        assert state(warehouse, training) == "queued"
        assert len(supervisor._workers.pids) == 3


def test_whether_a_supervisor_lives_shows_by_its_lock(warehouse):
    assert not supervisor_alive(warehouse.layout)
    lock = ProcessLock(warehouse.layout.supervisor_lock)
    lock.acquire()
    assert supervisor_alive(warehouse.layout)
    lock.release()
    assert not supervisor_alive(warehouse.layout)
