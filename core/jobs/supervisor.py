"""The supervisor process: keeps the workers of one home at work, and does its chores."""

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from core.jobs.chores import Chores, Feed, Watch, demo_feed, folder_watch
from core.jobs.cores import share_of, usual_workers
from core.jobs.parent import SAID, exit_with_parent
from core.jobs.workers import Place, Workers
from core.workflows.reporting import Clock
from warehouse.clock import now
from warehouse.errors import WarehouseError
from warehouse.home import Warehouse
from warehouse.layout import Layout
from warehouse.lock import LockHeld, ProcessLock, is_held

# Exit status of one that said why it can't work here: to start it again would not help.
REFUSED: Final = 3

_TICK_S: Final = 0.1
_TROUBLED_S: Final = 2.0
_LOCK_S: Final = 5.0

_log = logging.getLogger(__name__)


def supervisor_alive(layout: Layout) -> bool:
    """Return whether a supervisor lives that will run what is queued."""
    return is_held(layout.supervisor_lock)


class Supervisor:
    """Keeps the work of one home going.

    Parameters
    ----------
    warehouse
        The home.
    clock
        Returns this moment, with a zone.
    worker
        The command line of a worker process, which knows the options of `core.jobs.worker`.
    workers
        How many workers take any kind of job. One more takes only what never lasts long.
    cluster
        The command line of a process that sends trainings to other machines; then one worker takes what else
        may last long. None to train here.
    feed, watch
        See `core.jobs.chores.Chores`.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        *,
        clock: Clock,
        worker: Sequence[str],
        workers: int = 1,
        cluster: Sequence[str] | None = None,
        feed: Feed | None,
        watch: Watch | None = None,
    ) -> None:
        places = _places(warehouse.layout, worker, workers, cluster)
        self._workers = Workers(warehouse, places, clock=clock)
        self._chores = Chores(warehouse, clock, feed=feed, watch=watch)
        self._trouble = ""

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set, then end the workers."""
        try:
            while not stop.is_set():
                well = self._despite_trouble(self._workers.tend) & self._despite_trouble(self._chores.tend)
                stop.wait(_TICK_S if well else _TROUBLED_S)
        finally:
            self._despite_trouble(self._workers.end)
            self._chores.end()

    def _despite_trouble(self, task: Callable[[], None]) -> bool:
        """Do `task`; where the disk is full or fails, say so once and return False: it is tried again."""
        try:
            task()
        except (WarehouseError, OSError) as error:
            if str(error) != self._trouble:
                _log.warning("work waits: %s", error)
            self._trouble = str(error)
            return False
        return True


def _places(
    layout: Layout, worker: Sequence[str], workers: int, cluster: Sequence[str] | None
) -> tuple[Place, ...]:
    def place(name: str, *options: str) -> Place:
        log = layout.logs / f"{name.replace(' ', '-')}.log"
        command = (*worker, "--name", name, "--log", str(log), *options)
        return Place(name, command, share_of(workers), log)

    light = place("light worker", "--light")
    if cluster is None:
        return (light, *(place(f"worker {number}") for number in range(1, workers + 1)))
    there = Place("cluster", cluster, share_of(1), layout.logs / "cluster.log", single=False)
    return (light, place("worker 1", "--without", "train"), there)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the supervisor of one home until SIGTERM or the launcher's end, and return the exit status."""
    exit_with_parent()
    parser = argparse.ArgumentParser(prog="core.jobs.supervisor", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=usual_workers())
    parser.add_argument(
        "--tracking", default="", help="address of MLflow's server; else the home's own store"
    )
    parser.add_argument(
        "--cluster", default="", help="address of a Dask scheduler; else training is done here"
    )
    for name in ("ca", "cert", "key"):
        parser.add_argument(f"--cluster-{name}", default="", help="for TLS with the cluster")
    options = parser.parse_args(arguments)
    home = options.home
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    lock = ProcessLock(Layout(home).supervisor_lock)
    try:
        warehouse = Warehouse.open(home, create=False)
        # A command that asks whether a supervisor lives holds the lock for a moment.
        lock.acquire(_LOCK_S)
    except WarehouseError as error:
        sys.stderr.write(f"{SAID}{error}\n")
        return REFUSED
    except LockHeld as error:
        sys.stderr.write(f"{SAID}another supervisor is at work: {error}\n")
        return REFUSED
    try:
        Supervisor(
            warehouse,
            clock=now,
            worker=_worker(options),
            workers=max(1, options.workers),
            cluster=_cluster(options),
            feed=demo_feed,
            watch=folder_watch,
        ).run(stop)
    finally:
        lock.release()
    return 0


def _worker(options: argparse.Namespace) -> list[str]:
    tracking = ["--tracking", options.tracking] if options.tracking else []
    return [sys.executable, "-m", "core.jobs.worker", "--home", str(options.home), *tracking]


def _cluster(options: argparse.Namespace) -> list[str] | None:
    if not options.cluster:
        return None
    command = [sys.executable, "-m", "core.jobs.cluster", "--home", str(options.home)]
    command += ["--scheduler", options.cluster]
    command += ["--tracking", options.tracking] if options.tracking else []
    for name in ("ca", "cert", "key"):
        file = getattr(options, f"cluster_{name}")
        command += [f"--{name}", file] if file else []
    return command


if __name__ == "__main__":
    sys.exit(main())
