"""The worker process: claims a job, runs it, records how it ended, and takes the next.

It is spawned by the supervisor, never forked, and ends with it.
"""

import argparse
import logging
import os
import sys
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from core.errors import CoreError
from core.jobs.cores import share_of
from core.jobs.holding import Usage
from core.jobs.parent import SAID, exit_with_parent
from core.jobs.run import KINDS, Kind, execute, give_up
from core.workflows.reporting import Clock
from warehouse.clock import now
from warehouse.errors import WarehouseError
from warehouse.home import Warehouse
from warehouse.inbox import Watch
from warehouse.jobs import Job
from warehouse.room import disk_full, is_full

# TensorFlow does not give all its memory back between models.
MODELS_A_LIFE: Final = 50

_POLL_S: Final = 0.1
# The time of a job that waits for one comes without a commit.
_LOOK_EVERY_S: Final = 1.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Post:
    """What one worker is for.

    Parameters
    ----------
    name
        Said in the log of each job that it runs.
    takes
        The kinds that it claims; None for any.
    models
        After so many trained models it ends, to be replaced.
    log
        The file that a job's unexpected failure refers to.
    tracking
        Address of MLflow's server; empty for the home's own store.
    """

    name: str = "the worker"
    takes: Collection[str] | None = None
    models: int = MODELS_A_LIFE
    log: Path | None = None
    tracking: str = ""


def work(
    warehouse: Warehouse,
    *,
    clock: Clock,
    stop: threading.Event,
    kinds: Mapping[str, Kind] = KINDS,
    post: Post | None = None,
) -> int:
    """Run jobs until `stop` is set or as many models were trained as `post` allows.

    Returns
    -------
    int
        How many jobs ran.
    """
    post = post or Post()
    watch = Watch(warehouse.layout.jobs)
    ran = trained = 0
    looked = time.monotonic()
    try:
        while not stop.is_set() and trained < post.models:
            if not watch.changed() and time.monotonic() - looked < _LOOK_EVERY_S:
                stop.wait(_POLL_S)
                continue
            looked = time.monotonic()
            while not stop.is_set() and trained < post.models:
                job = warehouse.jobs.claim(os.getpid(), clock(), kinds=post.takes)
                if job is None:
                    break
                run_claimed(job, warehouse, clock, kinds, post)
                ran += 1
                trained += _models(job)
    finally:
        watch.close()
    return ran


def run_claimed(
    job: Job,
    warehouse: Warehouse,
    clock: Clock,
    kinds: Mapping[str, Kind],
    post: Post,
    *,
    usage: Usage | None = None,
) -> None:
    """Run a claimed job to its end; nothing that its work raises gets out."""
    try:
        execute(
            job,
            warehouse=warehouse,
            clock=clock,
            kinds=kinds,
            runner=post.name,
            tracking=post.tracking,
            usage=usage,
        )
    # The outermost boundary of a job: a defect in one must neither stop the worker nor leave it "running".
    except Exception as error:  # noqa: BLE001
        _log.exception("job %d (%s) failed unexpectedly", job.id, job.kind)
        where = "the worker's log" if post.log is None else str(post.log)
        told: Exception = CoreError(
            f"unexpected {type(error).__name__} in the {job.kind} job; the trace is in {where}"
        )
        if is_full(error, warehouse.root):
            told = disk_full(warehouse.root)
        give_up(job, told, warehouse=warehouse, clock=clock, kinds=kinds)


def _models(job: Job) -> int:
    """Count the models of a training job: its sensors, one if it names none."""
    if job.kind != "train":
        return 0
    sensors = job.payload.get("sensor_ids")
    return max(1, len(sensors)) if isinstance(sensors, list) else 1


def main(arguments: Sequence[str] | None = None, kinds: Mapping[str, Kind] = KINDS) -> int:
    """Run a worker of one home."""
    exit_with_parent()
    parser = argparse.ArgumentParser(prog="core.jobs.worker", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--name", default="the worker")
    parser.add_argument("--light", action="store_true", help="take only what never lasts long")
    parser.add_argument("--without", action="append", default=[], metavar="KIND", help="leave it to others")
    parser.add_argument("--models", type=int, default=MODELS_A_LIFE)
    parser.add_argument("--tracking", default="")
    parser.add_argument("--log", type=Path)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for name, value in share_of(1).items():
        os.environ.setdefault(name, value)
    if hasattr(os, "nice"):
        os.nice(5)  # the screens come first
    takes = None
    if options.light or options.without:
        takes = [
            name
            for name, kind in kinds.items()
            if not (options.light and kind.heavy) and name not in options.without
        ]
    post = Post(options.name, takes, options.models, options.log, options.tracking)
    try:
        warehouse = Warehouse.open(options.home, create=False)
        ran = work(warehouse, clock=now, stop=threading.Event(), kinds=kinds, post=post)
    except WarehouseError as error:
        sys.stderr.write(f"{SAID}{error}\n")
        return 1
    used = psutil.Process().memory_info().rss / 1e6
    _log.info("%s ends to be replaced after %d jobs; it used %.0f MB in the end", post.name, ran, used)
    return 0


if __name__ == "__main__":
    sys.exit(main())
