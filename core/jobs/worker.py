"""The worker process: claims a job, runs it, records how it ended, and takes the next.

It is spawned by the supervisor, never forked, and ends with it.
"""

import argparse
import logging
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from core.jobs.parent import SAID, exit_with_parent
from core.jobs.run import KINDS, Kind, execute
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

_log = logging.getLogger(__name__)


def threads_environment(cores: int) -> dict[str, str]:
    """Return the environment variables that pin a worker's numerical threads to `cores`."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "POLARS_MAX_THREADS")
    return {**dict.fromkeys(names, str(cores)), "TF_NUM_INTEROP_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"}


def work(
    warehouse: Warehouse,
    *,
    clock: Clock,
    stop: threading.Event,
    kinds: Mapping[str, Kind] = KINDS,
    models: int = MODELS_A_LIFE,
    log: Path | None = None,
) -> int:
    """Run jobs until `stop` is set or `models` were trained, and return how many jobs ran.

    Parameters
    ----------
    log
        The file that a job's unexpected failure refers to.
    """
    watch = Watch(warehouse.layout.jobs)
    ran = trained = 0
    try:
        while not stop.is_set() and trained < models:
            if not watch.changed():
                stop.wait(_POLL_S)
                continue
            while not stop.is_set() and trained < models:
                job = warehouse.jobs.claim(os.getpid(), clock())
                if job is None:
                    break
                _run(job, warehouse, clock, kinds, log)
                ran += 1
                trained += _models(job)
    finally:
        watch.close()
    return ran


def _run(job: Job, warehouse: Warehouse, clock: Clock, kinds: Mapping[str, Kind], log: Path | None) -> None:
    try:
        execute(job, warehouse=warehouse, clock=clock, kinds=kinds)
    # The outermost boundary of a job: a defect in one must neither stop the worker nor leave it "running".
    except Exception as error:  # noqa: BLE001
        _log.exception("job %d (%s) failed unexpectedly", job.id, job.kind)
        where = "the worker's log" if log is None else str(log)
        reason = f"unexpected {type(error).__name__} in the {job.kind} job; the trace is in {where}"
        if is_full(error, warehouse.root):
            reason = str(disk_full(warehouse.root))
        warehouse.jobs.fail(job.id, reason, clock())


def _models(job: Job) -> int:
    """Count the models of a training job: its sensors, one if it names none."""
    if job.kind != "train":
        return 0
    sensors = job.payload.get("sensor_ids")
    return max(1, len(sensors)) if isinstance(sensors, list) else 1


def main(arguments: Sequence[str] | None = None, kinds: Mapping[str, Kind] = KINDS) -> int:
    """Run the worker of one home."""
    exit_with_parent()
    parser = argparse.ArgumentParser(prog="core.jobs.worker", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    home = parser.parse_args(arguments).home
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for name, value in threads_environment(os.cpu_count() or 1).items():
        os.environ.setdefault(name, value)
    if hasattr(os, "nice"):
        os.nice(5)  # the screens come first
    try:
        warehouse = Warehouse.open(home, create=False)
        work(
            warehouse,
            clock=now,
            stop=threading.Event(),
            kinds=kinds,
            log=warehouse.layout.logs / "worker.log",
        )
    except WarehouseError as error:
        sys.stderr.write(f"{SAID}{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
