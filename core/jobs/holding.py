"""Holding a job that was claimed: signs of life while its work runs, and whether the work may go on."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Final, Literal, Self

import psutil

from core.errors import Cancelled
from core.workflows.reporting import Clock, Progress
from warehouse.errors import WarehouseError
from warehouse.jobs import LEASE, Job, Jobs

# An import of TensorFlow can keep every other thread waiting for seconds: a lease is many beats long, and who
# lets one run out while its process lives is given more time.
BEAT_S: Final = 1.0

_LOOK_S: Final = 0.2
_REPORT_EVERY: Final = timedelta(milliseconds=300)

Ending = Literal["cancelled", "lost"]

Usage = Callable[[], tuple[float | None, float | None]]
"""Returns the resident memory (MB) and the CPU time (s) of whoever does the work, None where not known."""

_log = logging.getLogger(__name__)


class Hold:
    """Beats for a claimed job from a thread of its own, and tells its work when it has to end.

    To be used as a context manager around the work.

    Parameters
    ----------
    job
        As `Jobs.claim` returned it.
    jobs
        The job table.
    clock
        Returns this moment.
    lease
        For how long each beat holds the job.
    every_s
        Seconds between beats.
    meanwhile
        Called before each beat.
    usage
        What the work takes; None where this process does it.
    """

    def __init__(
        self,
        job: Job,
        jobs: Jobs,
        clock: Clock,
        *,
        lease: timedelta = LEASE,
        every_s: float = BEAT_S,
        meanwhile: Callable[[], None] = lambda: None,
        usage: Usage | None = None,
    ) -> None:
        self._job, self._jobs, self._clock = job, jobs, clock
        self._lease, self._every_s, self._meanwhile = lease, every_s, meanwhile
        self._process = psutil.Process()
        self._before_s = self._cpu_s()
        self._usage = usage or self._own_usage
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"hold of job {job.id}", daemon=True)
        self._looked = time.monotonic()
        self._trouble = ""
        self.ending: Ending | None = None
        """Why the work has to end; None while it may go on."""

    def check(self) -> bool:
        """Return False while the work may go on; so cheap that it can be asked many times a second.

        Raises
        ------
        Cancelled
            Somebody cancelled the job, or it is no longer this process's.
        """
        if self.ending is None and time.monotonic() - self._looked >= _LOOK_S:
            self._looked = time.monotonic()
            self._look()
        if self.ending is not None:
            raise Cancelled(
                f"job {self._job.id} was cancelled"
                if self.ending == "cancelled"
                else f"job {self._job.id} is no longer run by this process"
            )
        return False

    def __enter__(self) -> Self:
        """Begin to beat."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Beat no more."""
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        now = self._jobs.get(self._job.id)
        if now is None or now.state != "running" or now.attempt != self._job.attempt:
            self.ending = "lost"
        elif now.cancel_asked_at is not None:
            self.ending = "cancelled"

    def _beat(self) -> None:
        while not self._over.wait(self._every_s):
            try:
                self._meanwhile()
                memory_mb, cpu_s = self._usage()
                until = self._clock() + self._lease
                held = self._jobs.beat(self._job, until, memory_mb=memory_mb, cpu_s=cpu_s)
            except (WarehouseError, OSError) as error:
                # The work goes on, and so do the beats once there is room again.
                if str(error) != self._trouble:
                    self._trouble = str(error)
                    _log.warning("job %d: no sign of life could be given: %s", self._job.id, error)
                continue
            self._trouble = ""
            if not held:
                self.ending = self.ending or "lost"

    def _own_usage(self) -> tuple[float | None, float | None]:
        return self._process.memory_info().rss / 1e6, self._cpu_s() - self._before_s

    def _cpu_s(self) -> float:
        used = self._process.cpu_times()
        return float(used.user + used.system)


class ProgressRow:
    """Progress into the job's row, a few times a second at most: each is a synced commit.

    What was held back is written by `flush`, so that the row does not go on telling of what is over.

    Parameters
    ----------
    job
        As `Jobs.claim` returned it.
    also
        Told every report as well.
    """

    def __init__(self, job: Job, jobs: Jobs, clock: Clock, also: Progress | None = None) -> None:
        self._job, self._jobs, self._clock, self._also = job, jobs, clock, also
        self._last: datetime | None = None
        self._held: tuple[float, str] | None = None
        self._lock = threading.Lock()

    def __call__(self, fraction: float, message: str, /) -> None:
        """Take one report."""
        if self._also is not None:
            self._also(fraction, message)
        now = self._clock()
        with self._lock:
            self._held = fraction, " ".join(message.split())
            if self._last is None or now - self._last >= _REPORT_EVERY or fraction >= 1.0:
                self._write(now)

    def flush(self) -> None:
        """Write what was held back."""
        with self._lock:
            self._write(self._clock())

    def _write(self, now: datetime) -> None:
        if self._held is not None:
            self._last = now
            (fraction, message), self._held = self._held, None
            self._jobs.progress(self._job, fraction, message, at=now)
