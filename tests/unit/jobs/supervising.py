"""A supervisor in a thread of the test, whose workers do trivial work."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from core.jobs.supervisor import Supervisor

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
WORKER = Path(__file__).with_name("programs.py")


def real_clock() -> datetime:
    return datetime.now(UTC)


@contextmanager
def supervising(warehouse, feed=None, clock=real_clock, **rest) -> Iterator[Supervisor]:
    command = [sys.executable, str(WORKER), "--home", str(warehouse.root)]
    supervisor = Supervisor(warehouse, clock=clock, worker=command, feed=feed, **rest)
    stop = threading.Event()
    thread = threading.Thread(target=supervisor.run, args=(stop,))
    thread.start()
    try:
        yield supervisor
    finally:
        stop.set()
        thread.join()


def state(warehouse, job) -> str:
    return warehouse.jobs.get(job.id).state
