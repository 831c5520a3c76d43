"""The supervisor process: keeps one worker alive, feeds the demo its minutes, queues scoring."""

import argparse
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from core.errors import CoreError
from core.jobs.parent import SAID, end, exit_with_parent, how_it_ended, spawn
from core.jobs.worker import threads_environment
from core.workflows.reporting import Clock
from warehouse import watched
from warehouse.clock import now
from warehouse.errors import WarehouseError
from warehouse.home import Warehouse
from warehouse.layout import Layout
from warehouse.lock import LockHeld, ProcessLock, is_held

ACTOR: Final = "supervisor"
SCORE_KEY: Final = "score new data"
WATCH_KEY: Final = "take what arrived"

TIDY_EVERY: Final = timedelta(hours=1)
WATCH_EVERY: Final = timedelta(seconds=5)

_TICK_S: Final = 0.2
_TROUBLED_S: Final = 2.0
_MINUTE: Final = timedelta(minutes=1)
_SHORT_LIFE: Final = timedelta(seconds=10)
_LONGEST_PAUSE_S: Final = 30.0
_GRACE_S: Final = 3.0
_LOCK_S: Final = 5.0
_SCORING_KEPT: Final = timedelta(days=7)

# Tells whether something arrived that a job should take.
Watch = Callable[[Warehouse, Clock], bool]

# Brings new readings and returns the ids of the sensors that got some.
Feed = Callable[[Warehouse, Clock], Sequence[int]]

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
        The command line of the worker process.
    feed
        Called once at the start and then at every full minute of `clock`; None to bring nothing.
    watch
        Asked every few seconds whether a watched folder has something to take; None to watch none.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        *,
        clock: Clock,
        worker: Sequence[str],
        feed: Feed | None,
        watch: Watch | None = None,
    ) -> None:
        self._warehouse = warehouse
        self._clock = clock
        self._command = tuple(worker)
        self._feed = feed
        self._log_file = warehouse.layout.logs / "worker.log"
        self._worker: subprocess.Popen[bytes] | None = None
        self._born = clock()
        self._not_before = clock()
        self._pause_s = 0.0
        self._feeding: threading.Thread | None = None
        self._next_feed = clock()
        self._watch = watch
        self._watching: threading.Thread | None = None
        self._next_look = clock()
        self._tidying: threading.Thread | None = None
        self._next_tidy = clock() + TIDY_EVERY
        self._next_sweep = clock()
        self._trouble = ""

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set, then end the worker."""
        try:
            self._despite_trouble(self._forget)
            while not stop.is_set():
                well = self._despite_trouble(self._tend)
                stop.wait(_TICK_S if well else _TROUBLED_S)
        finally:
            self._despite_trouble(self._end_worker)
            for thread in (self._feeding, self._watching, self._tidying):
                if thread is not None:
                    thread.join(_GRACE_S)

    def _despite_trouble(self, task: Callable[[], None]) -> bool:
        """Do `task`; where the disk is full or fails, say so once and return False: it is tried again."""
        try:
            task()
        except (WarehouseError, OSError) as error:
            if str(error) != self._trouble:
                _log.warning("work waits: %s", error)
            self._trouble = str(error)
            return False
        self._trouble = ""
        return True

    def _forget(self) -> None:
        for kind in ("score", "ingest"):
            self._warehouse.jobs.forget(kind, self._clock() - _SCORING_KEPT)
        self._warehouse.jobs.inbox.forget(self._clock() - _SCORING_KEPT)

    def _tend(self) -> None:
        self._tend_worker()
        self._tend_feed()
        self._tend_watch()
        self._tend_house()
        self._tend_abandoned()

    def _tend_worker(self) -> None:
        if self._worker is not None:
            status = self._worker.poll()
            if status is None:
                return
            self._bury(self._worker, status)
        if self._clock() < self._not_before:
            return
        self._born = self._clock()
        environment = {**threads_environment(os.cpu_count() or 1), **os.environ}
        self._worker = spawn(self._command, environment=environment, log=self._log_file)

    def _bury(self, worker: subprocess.Popen[bytes], status: int) -> None:
        """Fail what the worker was running; one that keeps dying young waits longer each time."""
        end(worker, grace_s=0)
        self._worker = None
        how = how_it_ended(status)
        self._warehouse.jobs.fail_abandoned(
            self._clock(),
            error=f"the worker process ended ({how}) while {{message}}; start it again",
            pid=worker.pid,
            dead=[worker.pid],
        )
        if status == 0 or self._clock() - self._born >= _SHORT_LIFE:
            self._pause_s = 0.0
        else:
            _log.warning("the worker ended (%s); its log is %s", how, self._log_file)
            self._pause_s = min(max(0.5, self._pause_s * 2), _LONGEST_PAUSE_S)
        self._not_before = self._clock() + timedelta(seconds=self._pause_s)

    def _end_worker(self) -> None:
        worker, self._worker = self._worker, None
        if worker is None:
            return
        end(worker, grace_s=_GRACE_S)
        self._warehouse.jobs.fail_abandoned(
            self._clock(),
            error="the app was stopped while {message}; start it again",
            pid=worker.pid,
            dead=[worker.pid],
        )

    def _tend_feed(self) -> None:
        if self._feed is None or self._clock() < self._next_feed:
            return
        if self._feeding is not None and self._feeding.is_alive():
            return
        self._next_feed = minute_after(self._clock())
        self._feeding = threading.Thread(target=self._bring, args=(self._feed,), name="feed", daemon=True)
        self._feeding.start()

    def _tend_watch(self) -> None:
        if self._watch is None or self._clock() < self._next_look:
            return
        if self._watching is not None and self._watching.is_alive():
            return
        self._next_look = self._clock() + WATCH_EVERY
        self._watching = threading.Thread(target=self._look, args=(self._watch,), name="watch", daemon=True)
        self._watching.start()

    def _tend_abandoned(self) -> None:
        """Fail what an app or a command that was killed left running."""
        if self._clock() < self._next_sweep:
            return
        self._next_sweep = self._clock() + _MINUTE
        self._warehouse.jobs.fail_abandoned(
            self._clock(), error="the process that ran it ended while {message}; start it again"
        )

    def _tend_house(self) -> None:
        """Merge small files and remove replaced ones now and then; a minute's append leaves one behind."""
        if self._clock() < self._next_tidy or (self._tidying is not None and self._tidying.is_alive()):
            return
        self._next_tidy = self._clock() + TIDY_EVERY
        self._tidying = threading.Thread(target=self._tidy, name="tidy", daemon=True)
        self._tidying.start()

    def _tidy(self) -> None:
        try:
            self._warehouse.tidy(now=self._clock())
        except (WarehouseError, OSError):
            _log.exception("files were not tidied; trying again in an hour")

    def _look(self, watch: Watch) -> None:
        """Queue one job for what arrived in watched folders, unless one is at it or failed a moment ago."""
        try:
            newest = self._warehouse.jobs.list(kind="ingest", limit=1)
            if newest and newest[0].state in {"queued", "running"}:
                return
            ended = newest[0].finished_at if newest and newest[0].state == "failed" else None
            if ended is not None and self._clock() - ended < _MINUTE:
                return
            if watch(self._warehouse, self._clock):
                self._warehouse.jobs.add(
                    "ingest", {}, actor=ACTOR, at=self._clock(), key=WATCH_KEY, urgent=True
                )
        except (CoreError, WarehouseError, OSError):
            _log.exception("watched folders could not be looked at; trying again")

    def _bring(self, feed: Feed) -> None:
        """Bring what is new and queue its scoring; a failure is told and tried again at the next minute."""
        try:
            sensor_ids = feed(self._warehouse, self._clock)
            if sensor_ids:
                self._warehouse.jobs.add(
                    "score",
                    {"sensor_ids": list(sensor_ids)},
                    actor=ACTOR,
                    at=self._clock(),
                    key=SCORE_KEY,
                    urgent=True,
                )
        except (CoreError, WarehouseError, OSError):
            _log.exception("the demo fleet got no new minute; trying again at the next")


def minute_after(moment: datetime) -> datetime:
    """Return the first full minute after `moment`."""
    return moment.replace(second=0, microsecond=0) + _MINUTE


def demo_feed(warehouse: Warehouse, clock: Clock) -> Sequence[int]:
    """Append the minutes that the demo fleet lacks, if this home has one; return its fed sensors."""
    if warehouse.catalog.source_settings("demo") is None:
        return ()
    from core.workflows.demo import feed

    return feed(warehouse=warehouse, clock=clock)


def folder_watch(warehouse: Warehouse, clock: Clock) -> bool:
    """Tell whether a watched folder has a file to take."""
    if not watched.folders(warehouse.database):
        return False
    from core.workflows.watch import arrivals

    return bool(arrivals(warehouse, clock=clock))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the supervisor of one home until SIGTERM or the launcher's end."""
    exit_with_parent()
    parser = argparse.ArgumentParser(prog="core.jobs.supervisor", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    home = parser.parse_args(arguments).home
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
        return 1
    except LockHeld as error:
        sys.stderr.write(f"{SAID}another supervisor is at work: {error}\n")
        return 1
    worker = [sys.executable, "-m", "core.jobs.worker", "--home", str(home)]
    try:
        Supervisor(warehouse, clock=now, worker=worker, feed=demo_feed, watch=folder_watch).run(stop)
    finally:
        lock.release()
    return 0


if __name__ == "__main__":
    sys.exit(main())
