"""The supervisor's worker processes: kept alive, and ended where they don't end a cancelled job."""

import logging
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from core.jobs.parent import end, how_it_ended, spawn
from core.jobs.silence import Silences
from core.workflows.reporting import Clock
from warehouse.home import Warehouse
from warehouse.jobs import Job

TERMINATED_AFTER: Final = timedelta(seconds=2)
KILLED_AFTER: Final = timedelta(seconds=4)

_SHORT_LIFE_S: Final = 10.0
_LONGEST_PAUSE_S: Final = 30.0
_GRACE_S: Final = 3.0
# An import of TensorFlow can keep every other thread of a process waiting for seconds.
_STUCK_S: Final = 45.0

_STOPPED: Final = "the app was stopped"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """Where one process is kept at work.

    Parameters
    ----------
    name
        In words.
    command
        Its command line.
    environment
        Variables that it gets unless the supervisor's own environment sets them.
    log
        Where its output is appended.
    single
        Whether it runs one job at a time, so that ending it ends that job alone.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    single: bool = True


@dataclass
class _Kept:
    place: Place
    process: subprocess.Popen[bytes] | None = None
    born: float = 0.0
    not_before: float = 0.0
    pause_s: float = 0.0
    short_lives: int = 0


class Workers:
    """Processes that run jobs, each replaced when it ends, and what they ran interrupted.

    Parameters
    ----------
    places
        One process is kept at each.
    """

    def __init__(self, warehouse: Warehouse, places: Sequence[Place], *, clock: Clock) -> None:
        self._jobs = warehouse.jobs
        self._clock = clock
        self._kept = [_Kept(place) for place in places]
        self._dead: dict[int, str] = {}
        self._silences = Silences()

    def tend(self) -> None:
        """Replace who ended and end who must; to be called several times a second by one thread."""
        for one in self._kept:
            if one.process is not None:
                status = one.process.poll()
                if status is not None:
                    self._note_end(one, one.process, status)
        self._bury()
        for one in self._kept:
            if one.process is None and time.monotonic() >= one.not_before:
                one.born = time.monotonic()
                environment = {**one.place.environment, **os.environ}
                one.process = spawn(one.place.command, environment=environment, log=one.place.log)
        self._end_who_must()

    def end(self) -> None:
        """End all processes; what they ran waits for the next start of the app."""
        alive = [one.process for one in self._kept if one.process is not None]
        for process in alive:
            process.terminate()
        for process in alive:
            end(process, grace_s=_GRACE_S)
            self._dead[process.pid] = _STOPPED
        for one in self._kept:
            one.process = None
        self._bury()

    @property
    def pids(self) -> tuple[int, ...]:
        """Process numbers of those alive."""
        return tuple(one.process.pid for one in self._kept if one.process is not None)

    def _note_end(self, one: _Kept, process: subprocess.Popen[bytes], status: int) -> None:
        """Note that a process ended; one that keeps dying young without a job waits longer each time."""
        end(process, grace_s=0)
        one.process = None
        how = how_it_ended(status)
        self._dead[process.pid] = f"the worker process ended ({how})"
        lived_s = time.monotonic() - one.born
        if status == 0 or lived_s >= _SHORT_LIFE_S or self._jobs.running(process.pid):
            one.short_lives, pause_s = 0, 0.0
        else:
            _log.warning("%s ended (%s); its log is %s", one.place.name, how, one.place.log)
            one.short_lives += 1
            pause_s = 0.0 if one.short_lives == 1 else min(0.25 * 2**one.short_lives, _LONGEST_PAUSE_S)
        one.not_before = time.monotonic() + pause_s

    def _bury(self) -> None:
        """Interrupt what the dead were running; tried again until it is stored."""
        for pid, how in list(self._dead.items()):
            for job in self._jobs.running(pid):
                stopped = how == _STOPPED
                self._jobs.interrupt(job, f"{how} while {doing(job)}", self._clock(), blameless=stopped)
            del self._dead[pid]

    def _end_who_must(self) -> None:
        processes = {
            one.process.pid: one.process for one in self._kept if one.process is not None and one.place.single
        }
        running = [job for job in self._jobs.running() if job.pid in processes]
        silent_s = self._silences.of(running)
        for job in running:
            if job.pid is not None and self._must_end(job, processes[job.pid], silent_s[job.id]):
                processes[job.pid].kill()

    def _must_end(self, job: Job, process: subprocess.Popen[bytes], silent_s: float) -> bool:
        """Return whether the process of a job is to be killed now; it is asked to end first."""
        if job.cancel_asked_at is not None:
            waited = self._clock() - job.cancel_asked_at
            if waited >= TERMINATED_AFTER:
                process.terminate()
            return waited >= KILLED_AFTER
        if silent_s < _STUCK_S:
            return False
        _log.warning("job %d: its process gave no sign of life for %.0f s and is ended", job.id, silent_s)
        return True


def doing(job: Job) -> str:
    """Return what a job last said it did, in words that follow "while"."""
    return job.message or f"it ran its {job.kind} job"
