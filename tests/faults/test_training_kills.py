"""Workers and supervisors are killed in the midst of real trainings; each training ends once, and whole."""

import os
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import psutil
import pytest
from running import ROOT, Telltale, gone, times, wait_for
from training_batch import (
    EPOCHS,
    ask_trainings,
    began,
    half_registered,
    home_with_pumps,
    lines,
    processes_of,
    real_clock,
    repeated,
    require_whole,
    trainings,
)

from core.jobs.supervisor import Supervisor
from warehouse.home import Warehouse
from warehouse.jobs import Batch, Job, JobLine

PUMPS = times(4, 12)
WORKER_KILLS = times(2, 20)
SUPERVISOR_KILLS = times(1, 3)
REACHED = 0.75
"""Share of the epochs of a batch that are learned when the last kill comes, at most."""


@dataclass(frozen=True)
class Kill:
    """A kill that took a job from its process."""

    job_id: int
    attempt: int
    at: datetime


class Killer:
    """Kills processes that are at work on a batch and notes what they were doing."""

    def __init__(
        self, telltale: Telltale, warehouse: Warehouse, made: Batch, rng: random.Random, kills: int
    ) -> None:
        self.kills: list[Kill] = []
        self._telltale, self._warehouse, self._made, self._rng = telltale, warehouse, made, rng
        self._kept: dict[int, list[int | None]] = {}
        # Random places in the batch, not in time: however fast the machine, the last one meets work to kill.
        self._places = sorted(rng.uniform(0, REACHED / 2 * PUMPS * EPOCHS) for _ in range(kills))

    def kill_worker(self, *, at_registration: bool) -> None:
        """Kill a worker at a random moment of a training, or while it registers what it learned.

        A registration that ended before the signal came is not waited for again: each one that is missed
        is a training less for the kills to come.
        """
        self._pause()
        while True:
            found = partial(self._victims, at_registration)
            assert wait_for(found, 120), "no training is left to be killed"
            victim = self._rng.choice(found() or self._victims(False))
            at = real_clock()
            os.kill(victim.pid, signal.SIGKILL)
            if self._was_hit(victim, at):
                self._kept.setdefault(victim.id, []).append(victim.checkpoint)
                return
            at_registration = False

    def kill_supervisor(self) -> None:
        """Kill the supervisor; its workers end with it, and the launcher starts another one."""
        self._pause()
        assert wait_for(lambda: self._victims(False), 120), "no training is left to be killed"
        supervisor = self._telltale.child("core.jobs.supervisor")
        workers = supervisor.children(recursive=True)
        running = self._running()
        at = real_clock()
        supervisor.kill()
        assert [one for one in running if self._was_hit(one, at)]
        assert wait_for(lambda: gone(workers), 20), workers
        assert wait_for(lambda: self._telltale.child("core.jobs.supervisor"), 20)

    def _pause(self) -> None:
        """Wait until the batch has come to the place of the next kill, and a random moment more.

        A fast machine learns a training in less than that moment, so it ends where the batch must not
        come any further.
        """
        place = self._places.pop(0)
        assert wait_for(lambda: self._epochs() >= place, 600)
        wait_for(lambda: self._epochs() >= REACHED * PUMPS * EPOCHS, self._rng.uniform(0, 2))

    def _epochs(self) -> int:
        jobs = trainings(self._warehouse, self._made)
        return sum(EPOCHS if job.ended else job.checkpoint or 0 for job in jobs)

    def _running(self) -> list[Job]:
        return [job for job in trainings(self._warehouse, self._made) if job.state == "running"]

    def _victims(self, at_registration: bool) -> list[Job]:
        """Return the jobs to choose from; two attempts of one that came no further are enough of a fault."""
        found = [job for job in self._running() if self._kept.get(job.id, [])[-2:] != [job.checkpoint] * 2]
        return [job for job in found if "registering" in job.message] if at_registration else found

    def _was_hit(self, job: Job, at: datetime) -> bool:
        now = self._warehouse.jobs.get(job.id)
        if now.state == "done" and now.attempt == job.attempt:
            return False
        self.kills.append(Kill(job.id, job.attempt, at))
        return True


@pytest.mark.learned
@pytest.mark.timeout(3600)
def test_every_training_of_a_batch_ends_once_whoever_is_killed(tmp_path: Path, record_property) -> None:
    rng = random.Random(5)
    warehouse = home_with_pumps(tmp_path / "home", PUMPS)
    warehouse.close()
    faults = ["worker"] * WORKER_KILLS + ["supervisor"] * SUPERVISOR_KILLS
    rng.shuffle(faults)
    with Telltale(tmp_path / "home", TELLTALE_WORKERS="2") as telltale:
        telltale.up()
        made, _ = ask_trainings(warehouse)
        killer = Killer(telltale, warehouse, made, rng, len(faults))
        for number, fault in enumerate(faults):
            if fault == "worker":
                killer.kill_worker(at_registration=number % 4 == 1)
            else:
                killer.kill_supervisor()
        assert wait_for(lambda: {job.ended for job in trainings(warehouse, made)} == {True}, 1200)
        jobs = trainings(warehouse, made)
        assert [(job.state, job.error) for job in jobs] == [("done", None)] * PUMPS
        after = [job for job in map(warehouse.jobs.get, made.job_ids) if job.kind == "score"]
        assert wait_for(lambda: {warehouse.jobs.get(job.id).state for job in after} == {"done"}, 120)
        loading_s = seconds_to_load()
        family = telltale.family()
        assert telltale.stop() == 0
    assert wait_for(lambda: gone(family), 10), family
    assert processes_of(tmp_path / "home") == []
    require_whole(warehouse, jobs)
    again = [max(repeated(lines(warehouse, job.id)), default=0) for job in jobs]
    assert max(again) <= 1, again
    restarts_s = [restart_s(warehouse, kill) for kill in killer.kills]
    warehouse.close()
    record_property("workers killed in a training", WORKER_KILLS)
    record_property("supervisors killed in a batch", SUPERVISOR_KILLS)
    record_property("trainings, each registered once", len(jobs))
    record_property("epochs repeated after a kill at most", max(again))
    record_property("a job runs again after, median s", f"{statistics.median(restarts_s):.2f}")
    record_property("a job runs again after, at most s", f"{max(restarts_s):.2f}")
    record_property("a bare worker's modules load here in, s", f"{loading_s:.2f}")
    # On a machine that does much else, a process takes long to start whoever starts it.
    assert statistics.median(restarts_s) < max(2.0, 4 * loading_s)


def seconds_to_load() -> float:
    """Return how long an interpreter takes here and now until it has what a worker needs."""
    begun = time.monotonic()
    subprocess.run([sys.executable, "-c", "import core.jobs.worker"], cwd=ROOT, check=True)
    return time.monotonic() - begun


def restart_s(warehouse: Warehouse, kill: Kill) -> float:
    """Return how many seconds after a kill the job ran again."""
    at = began(lines(warehouse, kill.job_id), kill.attempt + 1)
    assert at is not None
    return (at - kill.at).total_seconds()


REGISTERS = """
import sys
from pathlib import Path
from core.registry.tracking import Tracking
print(Tracking(Path(sys.argv[1])).discard("job 1", keep=None))
"""


@pytest.mark.timeout(3600)
def test_a_store_whose_making_was_killed_can_be_made_again(tmp_path: Path, record_property) -> None:
    """The first registration of a home makes MLflow's tables, some hundred statements."""
    rng, kills = random.Random(3), times(3, 20)
    for kill in range(kills):
        root = tmp_path / f"mlflow-{kill}"
        command = [sys.executable, "-c", REGISTERS, str(root)]
        making = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert wait_for(lambda at=root: [one for one in at.glob("mlflow.db*") if one.stat().st_size])
        threading.Event().wait(rng.uniform(0, 3))
        making.kill()
        making.wait()
        again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (again.returncode, again.stdout) == (0, "()\n"), again.stderr
        assert [one.name for one in root.glob("mlflow.db*")] == ["mlflow.db"]
    record_property("stores killed while they were made", kills)


def test_control_epochs_that_are_repeated_or_not_told_of_are_seen() -> None:
    def log(*told: tuple[int, int]) -> list[JobLine]:
        return [
            JobLine(seq, real_clock(), attempt, f"Pump 3/flow: epoch {epoch} of at most 8, loss 0.1")
            for seq, (attempt, epoch) in enumerate(told, start=1)
        ]

    assert repeated(log((1, 1), (1, 2), (3, 3), (3, 4))) == [0]
    assert repeated(log((1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3))) == [3]
    with pytest.raises(AssertionError, match="not told of"):
        repeated(log((1, 1), (1, 3)))
    with pytest.raises(AssertionError, match="skipped"):
        repeated(log((1, 1), (2, 3)))


def test_control_a_training_that_keeps_nothing_is_found_out(tmp_path: Path) -> None:
    """The same count, on work that begins anew each time it is killed."""
    with supervised(tmp_path, FORGETFUL) as warehouse:
        job = warehouse.jobs.add("train", {}, actor="ada", at=real_clock())
        assert wait_for(lambda: warehouse.jobs.get(job.id).progress >= 0.5)
        os.kill(warehouse.jobs.get(job.id).pid, signal.SIGKILL)
        assert wait_for(lambda: warehouse.jobs.get(job.id).ended)
        assert max(repeated(lines(warehouse, job.id))) >= 4


def test_control_an_orphan_is_found_out(tmp_path: Path) -> None:
    waiting = [sys.executable, "-c", "import sys; sys.stdin.read()", tmp_path / "home"]
    orphan = subprocess.Popen(waiting, stdin=subprocess.PIPE)
    try:
        assert [one.pid for one in processes_of(tmp_path / "home")] == [orphan.pid]
        assert not gone([psutil.Process(orphan.pid)])
    finally:
        orphan.communicate()
    assert processes_of(tmp_path / "home") == []


def test_control_half_a_registration_is_found_out(tmp_path: Path) -> None:
    warehouse = Warehouse.open(tmp_path / "home")
    warehouse.layout.tracking.mkdir()
    with closing(sqlite3.connect(warehouse.layout.tracking / "mlflow.db")) as store:
        store.execute("CREATE TABLE model_versions (run_id TEXT)")
        store.execute("INSERT INTO model_versions VALUES ('a run without a row in the catalogue')")
        store.commit()
    assert half_registered(warehouse) == {"a run without a row in the catalogue"}
    warehouse.close()


FORGETFUL = """
import sys, time
from core.jobs import worker
from core.jobs.run import Kind

def train(payload, task):
    for epoch in range(1, 9):
        time.sleep(0.4)
        task.progress(epoch / 8, f"Pump 1/flow: epoch {epoch} of at most 8")
    return {}

sys.exit(worker.main(kinds={"train": Kind(train, heavy=True, title="Training")}))
"""


@contextmanager
def supervised(folder: Path, program: str) -> Iterator[Warehouse]:
    """Give an empty home with a supervisor whose workers run a program."""
    warehouse = Warehouse.open(folder / "home")
    worker = [sys.executable, "-c", program, "--home", str(warehouse.root)]
    supervisor = Supervisor(warehouse, clock=real_clock, worker=worker, feed=None)
    stop = threading.Event()
    thread = threading.Thread(target=supervisor.run, args=(stop,))
    thread.start()
    try:
        yield warehouse
    finally:
        stop.set()
        thread.join()
        warehouse.close()
