"""The dispatcher process: sends trainings to the workers of a Dask cluster, and alone registers them.

It claims as many trainings as there are workers without one; each is held here, in a thread, as if it ran
here: plan, heartbeat, progress, registration. Learning alone happens there. A worker that is lost interrupts
its training, which goes on from its last checkpoint on another one.
"""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from core.errors import JobError
from core.jobs.cluster_client import Cluster, ClusterGone, Keys
from core.jobs.cluster_errand import Errand
from core.jobs.parent import SAID, exit_with_parent
from core.jobs.run import Kind
from core.jobs.worker import Post, run_claimed
from core.workflows.reporting import Clock, Task
from warehouse.clock import now
from warehouse.documents import JSON
from warehouse.errors import WarehouseError
from warehouse.home import Warehouse
from warehouse.jobs import Job

KIND: Final = "train"

_TICK_S: Final = 0.1
_LOOK_EVERY: Final = 5
"""Ticks between two looks at the workers."""
_HELD_A_WORKER: Final = 2
"""Trainings that are held at once, for each worker: one is learned while another is registered."""
_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 30.0

_log = logging.getLogger(__name__)


class Dispatcher:
    """Keeps the workers of a cluster at work for one home.

    Parameters
    ----------
    warehouse
        The home, whose folder the workers see at the same path.
    address, keys
        Of the scheduler, see `Cluster`.
    tracking
        Address of MLflow's server; empty for the home's own store.
    log
        The file that a job's unexpected failure refers to.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        *,
        clock: Clock,
        address: str,
        keys: Keys | None = None,
        tracking: str = "",
        log: Path | None = None,
    ) -> None:
        self._warehouse, self._clock = warehouse, clock
        self._address, self._keys = address, keys
        self._post = Post("the cluster's dispatcher", log=log, tracking=tracking)
        self._errands: dict[str, Errand] = {}
        self._threads: list[threading.Thread] = []
        self._last: dict[str, int] = {}
        self._sent = 0

    def run(self, stop: threading.Event) -> None:
        """Send trainings until `stop` is set; while nobody answers they wait.

        Raises
        ------
        JobError
            distributed is not installed.
        """
        pause_s, told = _FIRST_PAUSE_S, ""
        while not stop.is_set():
            try:
                with Cluster(self._address, self._keys) as cluster:
                    _log.info("connected to the Dask scheduler at %s", self._address)
                    pause_s, told = _FIRST_PAUSE_S, ""
                    try:
                        self._serve(cluster, stop)
                    finally:
                        self._recall("the app was stopped" if stop.is_set() else "the cluster was lost")
            except ClusterGone as error:
                if str(error) != told:  # it may be gone for a night
                    _log.warning("%s", error)
                told = str(error)
                stop.wait(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _serve(self, cluster: Cluster, stop: threading.Event) -> None:
        """Send what waits to whoever is free, until `stop` or the cluster is lost."""
        ticks = 0
        workers: tuple[str, ...] = ()
        while not stop.wait(_TICK_S if ticks else 0):
            if ticks % _LOOK_EVERY == 0:
                workers = cluster.workers()
            ticks += 1
            self._tidy(workers)
            # Who had one longest ago comes first: a training that one worker can't do goes to another.
            free = sorted(set(workers) - self._errands.keys(), key=lambda one: (self._last.get(one, 0), one))
            for worker in free[: max(0, _HELD_A_WORKER * len(workers) - len(self._threads))]:
                job = self._warehouse.jobs.claim(os.getpid(), self._clock(), kinds=[KIND])
                if job is None:
                    break
                self._send(cluster, worker, job)

    def _tidy(self, workers: Sequence[str]) -> None:
        """Give up what lost workers had, and forget what is over."""
        for worker, errand in list(self._errands.items()):
            if worker not in workers:
                errand.recall(f"{worker} is gone")
            if errand.over or worker not in workers:
                errand.forget()
                del self._errands[worker]
        for thread in [one for one in self._threads if not one.is_alive()]:
            thread.join()
            self._threads.remove(thread)

    def _send(self, cluster: Cluster, worker: str, job: Job) -> None:
        self._sent += 1
        self._last[worker] = self._sent
        errand = self._errands[worker] = Errand(cluster, worker)
        thread = threading.Thread(target=self._hold, args=(errand, job), name=f"job {job.id} on {worker}")
        self._threads.append(thread)
        thread.start()

    def _hold(self, errand: Errand, job: Job) -> None:
        kinds = {KIND: Kind(partial(_train, errand), heavy=True, title="Training")}
        try:
            run_claimed(job, self._warehouse, self._clock, kinds, self._post, usage=errand.usage)
        finally:
            errand.leave()

    def _recall(self, why: str) -> None:
        """End what was sent; it waits to go on."""
        for errand in self._errands.values():
            errand.recall(why)
        for thread in self._threads:
            thread.join()
        for errand in self._errands.values():
            errand.forget()
        self._errands.clear()
        self._threads.clear()


def _train(errand: Errand, payload: Mapping[str, JSON], task: Task) -> Mapping[str, JSON]:
    from core.workflows.train import train_job

    return train_job(payload, task, partial(errand.learn, attempt=task.attempt))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the dispatcher of one home until SIGTERM or the supervisor's end."""
    exit_with_parent()
    parser = argparse.ArgumentParser(prog="core.jobs.cluster", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--scheduler", required=True)
    parser.add_argument("--tracking", default="")
    for name in ("ca", "cert", "key"):
        parser.add_argument(f"--{name}", default="", help="PEM file for a scheduler at tls://")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    keys = Keys(options.ca, options.cert, options.key) if options.ca else None
    try:
        warehouse = Warehouse.open(options.home, create=False)
        Dispatcher(
            warehouse,
            clock=now,
            address=options.scheduler,
            keys=keys,
            tracking=options.tracking,
            log=warehouse.layout.logs / "cluster.log",
        ).run(stop)
    except (JobError, WarehouseError) as error:
        sys.stderr.write(f"{SAID}{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
