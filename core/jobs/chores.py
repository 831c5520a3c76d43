"""What the supervisor does beside its workers, each chore at its own times."""

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from core.errors import CoreError
from core.jobs.silence import Silences
from core.jobs.workers import doing
from core.workflows.reporting import Clock
from warehouse import watched
from warehouse.errors import WarehouseError
from warehouse.home import Warehouse
from warehouse.jobs import BACKGROUND, ENDED, URGENT, Job
from warehouse.living import is_alive

ACTOR: Final = "supervisor"
SCORE_KEY: Final = "score new data"
UNJUDGED_KEY: Final = "score unjudged"
WATCH_KEY: Final = "take what arrived"
COMPACTION_KEY: Final = "compaction"

MINUTE: Final = timedelta(minutes=1)
COMPACT_EVERY: Final = timedelta(hours=1)
WATCH_EVERY: Final = timedelta(seconds=5)

_SCHEDULES_EVERY: Final = timedelta(seconds=1)
_SWEEP_EVERY: Final = timedelta(seconds=0.5)
# After its lease ran out.
_SILENT_S: Final = 10.0
_SMALL_KEPT: Final = timedelta(days=7)
_JOIN_S: Final = 3.0

# Tells whether something arrived that a job should take.
Watch = Callable[[Warehouse, Clock], bool]

# Brings new readings and returns the ids of the sensors that got some.
Feed = Callable[[Warehouse, Clock], Sequence[int]]

_log = logging.getLogger(__name__)


class Chore:
    """Something that is done now and then.

    Parameters
    ----------
    task
        What is done.
    next_after
        Given this moment, when it is due again.
    aside
        In a thread of its own, one at a time, whose failures are told and tried again; else in the caller's,
        who gets them.
    first
        When it is due for the first time.
    """

    def __init__(
        self,
        name: str,
        task: Callable[[], None],
        next_after: Callable[[datetime], datetime],
        *,
        first: datetime,
        aside: bool,
    ) -> None:
        self._name, self._task, self._next_after, self._aside = name, task, next_after, aside
        self._due = first
        self._thread: threading.Thread | None = None

    def tend(self, now: datetime) -> None:
        """Do it if it is due."""
        if now < self._due or (self._thread is not None and self._thread.is_alive()):
            return
        if not self._aside:
            self._task()
            self._due = self._next_after(now)
            return
        self._due = self._next_after(now)
        self._thread = threading.Thread(target=self._try, name=self._name, daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait a little for it to be done."""
        if self._thread is not None:
            self._thread.join(_JOIN_S)

    def _try(self) -> None:
        try:
            self._task()
        except (CoreError, WarehouseError, OSError):
            _log.exception("%s failed; trying again", self._name)


class Chores:
    """All chores of one home.

    Parameters
    ----------
    feed
        Called once at the start and then at every full minute of `clock`; None to bring nothing.
    watch
        Asked every few seconds whether a watched folder has something to take; None to watch none.
    """

    def __init__(self, warehouse: Warehouse, clock: Clock, *, feed: Feed | None, watch: Watch | None) -> None:
        self._warehouse, self._jobs, self._clock = warehouse, warehouse.jobs, clock
        self._silences = Silences()
        start = clock()
        self._chores = [
            Chore("sweep", self._sweep, lambda at: at + _SWEEP_EVERY, first=start, aside=False),
            Chore("schedules", self._schedules, lambda at: at + _SCHEDULES_EVERY, first=start, aside=False),
            Chore("forgetting", self._forget, lambda at: at + COMPACT_EVERY, first=start, aside=True),
            Chore(
                "compaction",
                self._compact,
                lambda at: at + COMPACT_EVERY,
                first=start + COMPACT_EVERY,
                aside=True,
            ),
            # Once: from then on whoever brings readings queues their scoring.
            Chore("unjudged", self._unjudged, lambda at: at + timedelta(days=3650), first=start, aside=True),
        ]
        if feed is not None:
            self._chores.append(
                Chore("feed", lambda: self._bring(feed), minute_after, first=start, aside=True)
            )
        if watch is not None:
            look = lambda: self._look(watch)  # noqa: E731 - a chore takes nothing
            self._chores.append(Chore("watch", look, lambda at: at + WATCH_EVERY, first=start, aside=True))

    def tend(self) -> None:
        """Do what is due; to be called several times a second."""
        for one in self._chores:
            one.tend(self._clock())

    def end(self) -> None:
        """Wait a little for what is being done."""
        for one in self._chores:
            one.join()

    def _sweep(self) -> None:
        """Interrupt what an app or a command that is gone left running, so that it goes on.

        One whose process lives but gives no sign of life any more, such as a command that was paused, is
        taken from it as well, though not at first sight: a closed lid ends every lease.
        """
        abandoned = self._jobs.abandoned(self._clock())
        silent_s = self._silences.of(abandoned)
        for job in abandoned:
            if job.pid is None or not is_alive(job.pid, job.pid_mark):
                self._interrupt(job, "the process that ran it ended")
            elif silent_s[job.id] >= _SILENT_S:
                self._interrupt(job, f"process {job.pid}, which ran it, gave no sign of life")

    def _interrupt(self, job: Job, why: str) -> None:
        self._jobs.interrupt(job, f"{why} while {doing(job)}", self._clock())

    def _schedules(self) -> None:
        self._jobs.schedules.due(self._clock())

    def _forget(self) -> None:
        """Clear away small jobs that ended long ago."""
        before = self._clock() - _SMALL_KEPT
        for kind in ("score", "ingest", "compaction"):
            self._jobs.forget(kind, before)
        self._jobs.inbox.forget(before)

    def _compact(self) -> None:
        """Queue the merging of small files; a minute's append leaves one behind."""
        self._jobs.add(
            "compaction",
            {},
            actor=ACTOR,
            at=self._clock(),
            key=COMPACTION_KEY,
            exclusive=True,
            priority=BACKGROUND,
        )

    def _unjudged(self) -> None:
        """Queue the scoring of readings that a crash kept from being judged."""
        from core.workflows.unjudged import unjudged

        ids = unjudged(self._warehouse)
        if ids:
            self._score(ids, UNJUDGED_KEY)

    def _bring(self, feed: Feed) -> None:
        """Bring what is new and queue its scoring."""
        ids = feed(self._warehouse, self._clock)
        if ids:
            self._score(ids, SCORE_KEY)

    def _score(self, sensor_ids: Sequence[int], key: str) -> None:
        payload = {"sensor_ids": list(sensor_ids)}
        self._jobs.add("score", payload, actor=ACTOR, at=self._clock(), key=key, priority=URGENT)

    def _look(self, watch: Watch) -> None:
        """Queue one job for what arrived in watched folders, unless one is at it or failed a moment ago."""
        newest = self._jobs.list(kind="ingest", limit=1)
        if newest and newest[0].state not in ENDED:
            return
        ended = newest[0].finished_at if newest and newest[0].state == "failed" else None
        if ended is not None and self._clock() - ended < MINUTE:
            return
        if watch(self._warehouse, self._clock):
            self._jobs.add("ingest", {}, actor=ACTOR, at=self._clock(), key=WATCH_KEY, priority=URGENT)


def minute_after(moment: datetime) -> datetime:
    """Return the first full minute after `moment`."""
    return moment.replace(second=0, microsecond=0) + MINUTE


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
