"""Whether memory grows while a supervisor lives on: small jobs, one after the other, in one set of processes.

    python -m benchmarks.job_memory --jobs 200 --json OUT.json

A home with one made pump. Every tenth job is a quick training of it, the others judge its last day again, so
that each has as much to do as the one before. After each job the resident memory of the supervisor and of
its workers is read; the slope is that of a straight line through what follows the first fifth, in which
libraries are loaded and caches filled.
"""

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
import psutil

from benchmarks.tables import show, write
from core.jobs.parent import end, spawn
from warehouse.assets import AssetSpec, SensorSpec
from warehouse.documents import JSON
from warehouse.home import Warehouse
from warehouse.jobs import Job
from warehouse.schema import TIME
from warehouse.sources.base import SourceBatch

SUPERVISOR: Final = "supervisor"

_START: Final = datetime(2024, 1, 1, tzinfo=UTC)
_STEP: Final = timedelta(minutes=10)
_HISTORY: Final = 3000
_DAY: Final = 144
_TRAINING_EVERY: Final = 10
_PATIENCE_S: Final = 300.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--workers", type=int, default=1, help="beside the light one")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="telltale-") as folder:
        memory_mb = remembered(Path(folder) / "home", options.jobs, options.workers)
    figures: dict[str, float | int] = {"jobs_count": options.jobs, "took_s": time.perf_counter() - begun}
    rows = []
    for name, seen in memory_mb.items():
        key, slope = name.replace(" ", "_"), slope_mb(seen)
        figures |= {f"{key}_first_mb": seen[0], f"{key}_last_mb": seen[-1], f"{key}_peak_mb": max(seen)}
        figures[f"{key}_slope_mb_per_100_jobs"] = slope
        rows.append([name, *(f"{value:.1f}" for value in (seen[0], seen[-1], max(seen), slope))])
    header = ["process", "after the first job MB", "after the last", "at most", "slope, MB per 100 jobs"]
    show(f"Memory over {options.jobs} small jobs", header, rows)
    write(options.json, figures)


def remembered(root: Path, jobs: int, workers: int) -> dict[str, list[float]]:
    """Return the memory in MB of each process of a new home after each of so many jobs."""
    warehouse = Warehouse.open(root)
    bring(warehouse, _HISTORY)
    (sensor,) = warehouse.catalog.sensors(role="target")
    last_day = _START + (_HISTORY - _DAY) * _STEP
    payloads: dict[str, dict[str, JSON]] = {
        "train": {"sensor_ids": [sensor.id], "preset": "quick", "actor": "ada"},
        "score": {"sensor_ids": [sensor.id], "since": last_day.isoformat()},
    }
    memory_mb: dict[str, list[float]] = {}
    with supervised(root, workers) as supervisor:
        for number in range(jobs):
            kind = "train" if number % _TRAINING_EVERY == 0 else "score"
            asked = warehouse.jobs.add(kind, payloads[kind], actor="ada", at=datetime.now(UTC))
            see_through(warehouse, asked)
            for name, process in family(supervisor).items():
                memory_mb.setdefault(name, []).append(process.memory_info().rss / 1024**2)
    warehouse.close()
    return memory_mb


def bring(warehouse: Warehouse, steps: int) -> None:
    """Store so many readings of a pump whose flow follows its load."""
    random = np.random.default_rng(0)
    load = 50 + 10 * np.sin(np.arange(steps) / 20) + random.standard_normal(steps)
    flow = 2 * load + 0.3 * random.standard_normal(steps)
    times = [_START + step * _STEP for step in range(steps)]
    frames = [
        pl.DataFrame({"ts": times, "value": values}).select(
            pl.lit(f"Pump/{name}").alias("key"), pl.col("ts").cast(TIME), pl.col("value")
        )
        for name, values in (("flow", flow), ("load", load))
    ]
    seconds = _STEP.total_seconds()
    sensors = (
        SensorSpec("flow", "m3/h", "target", seconds, ("load",)),
        SensorSpec("load", "%", "context", seconds),
    )
    made = SourceBatch("csv", (AssetSpec("Pump", "pump", sensors=sensors),), iter([pl.concat(frames)]), [])
    warehouse.ingest(made, at=datetime.now(UTC), actor="ada")


@contextmanager
def supervised(root: Path, workers: int) -> Iterator[psutil.Process]:
    """Run a supervisor of a home, as the app does."""
    command = [sys.executable, "-m", "core.jobs.supervisor", "--home", str(root), "--workers", str(workers)]
    process = spawn(command, environment=os.environ, log=root / "logs" / "supervisor.log")
    try:
        yield psutil.Process(process.pid)
    finally:
        end(process, grace_s=20)


def see_through(warehouse: Warehouse, job: Job) -> None:
    """Wait until a job is done.

    Raises
    ------
    RuntimeError
        It failed, or takes far too long.
    """
    pause, deadline = threading.Event(), time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        seen = warehouse.jobs.get(job.id)
        if seen is not None and seen.ended:
            if seen.state != "done":
                raise RuntimeError(f"job {job.id} ({job.kind}) {seen.state}: {seen.error}")
            return
        pause.wait(0.02)
    raise RuntimeError(f"job {job.id} ({job.kind}) was not done after {_PATIENCE_S:.0f} s")


def family(supervisor: psutil.Process) -> dict[str, psutil.Process]:
    """Return the supervisor and its workers by name."""
    found = {SUPERVISOR: supervisor}
    for child in supervisor.children():
        words = child.cmdline()
        found[words[words.index("--name") + 1]] = child
    return found


def slope_mb(seen: Sequence[float]) -> float:
    """Return by how many MB a line through what follows the first fifth rises in 100 jobs."""
    kept = np.asarray(seen[len(seen) // 5 :])
    if kept.shape[0] < 2:
        return 0.0
    return float(100 * np.polynomial.Polynomial.fit(np.arange(kept.shape[0]), kept, 1).convert().coef[1])


if __name__ == "__main__":
    main()
