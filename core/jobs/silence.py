"""For how long the processes that run jobs have given no sign of life."""

import time
from collections.abc import Callable, Iterable
from datetime import datetime

from warehouse.jobs import Job


class Silences:
    """Remembers since when each job's lease has not moved.

    That is measured by a clock that stands still while the machine sleeps: a lid that was closed ends every
    lease, and says nothing of who holds it.

    Parameters
    ----------
    now_s
        Returns seconds that never go back.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._since: dict[tuple[int, int], tuple[datetime | None, float]] = {}

    def of(self, jobs: Iterable[Job]) -> dict[int, float]:
        """Return the seconds of silence of each of `jobs` by its id; others are forgotten."""
        now_s = self._now_s()
        since: dict[tuple[int, int], tuple[datetime | None, float]] = {}
        silent: dict[int, float] = {}
        for job in jobs:
            lease, begun = self._since.get((job.id, job.attempt), (job.lease_until, now_s))
            since[job.id, job.attempt] = (job.lease_until, begun if lease == job.lease_until else now_s)
            silent[job.id] = now_s - since[job.id, job.attempt][1]
        self._since = since
        return silent
