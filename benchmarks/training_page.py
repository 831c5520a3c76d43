"""What the Training page's live parts cost the server: CPU time of the reads of one tick, no drawing.

A home has jobs that are over, a batch over all sensors of which two run, and one training beside it. Each row
is one part of the page as it draws itself again; the live part is the one that ticks while something runs.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from benchmarks.tables import show, write
from warehouse.assets import AssetSpec, SensorSpec
from warehouse.documents import JSON
from warehouse.home import Warehouse
from warehouse.jobs import NewJob

NOW: Final = datetime(2026, 3, 2, 12, tzinfo=UTC)
EPOCHS: Final = 100
BOUND_MS: Final = 50.0


def main(arguments: list[str] | None = None) -> None:
    """Build a home, read it as the page does, and report."""
    parser = argparse.ArgumentParser(prog="benchmarks.training_page", description=__doc__)
    parser.add_argument("--jobs", type=int, default=200, help="jobs that are over")
    parser.add_argument("--sensors", type=int, default=61, help="sensors of the batch")
    parser.add_argument("--ticks", type=int, default=200)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TELLTALE_HOME"] = folder
        os.environ["TELLTALE_PROFILE"] = "ada"
        home = fill(Path(folder), jobs=given.jobs, sensors=given.sensors)
        figures = measure(home, ticks=given.ticks)
        home.close()
    rows = [
        (part.replace("_", " "), *(f"{figures[f'{part}_{name}_ms']:.2f}" for name in ("median", "p95")))
        for part in ("live", "notices", "history", "statuses", "one_job", "one_batch")
    ]
    title = f"CPU ms a tick, {given.jobs} jobs that are over, a batch of {given.sensors} that runs"
    show(title, ("part", "median", "p95"), [*rows, ("bound of the live part", f"{BOUND_MS:g}", "")])
    write(given.json, figures)


def fill(root: Path, *, jobs: int, sensors: int) -> Warehouse:
    """Make a home with jobs in every state, and the curves and logs that trainings leave as they go."""
    home = Warehouse.open(root)
    spec = (SensorSpec("telemetry", "", "target", 60.0),)
    home.catalog.put_assets("csv", [AssetSpec(f"A-{n}", "channel", sensors=spec) for n in range(sensors)])
    ids = [one.id for one in home.catalog.sensors(role="target")]
    for number in range(jobs):
        sensor = ids[number % sensors]
        home.jobs.add("train", _payload(sensor), actor="ada", at=NOW - timedelta(hours=2))
        _run(home, over=True)
    asks = [
        NewJob(
            "train",
            _payload(one),
            f"train {one}",
            exclusive=True,
            then=NewJob("score", {"sensor_ids": [one]}),
        )
        for one in ids
    ]
    alone = home.jobs.add("train", _payload(ids[0]), actor="bob", at=NOW)
    batch = home.jobs.ask_batch(f"Quick training of {sensors} sensors", asks, actor="ada", at=NOW)
    heads = [one for one in batch.job_ids if not _needs(home, one)]
    for one in heads[: sensors // 3]:
        _run(home, one, over=True)
    for one in (*heads[sensors // 3 : sensors // 3 + 2], alone.id):
        _run(home, one, over=False)
    return home


def measure(home: Warehouse, *, ticks: int) -> dict[str, float | int | str]:
    """Return median and 95th percentile of the CPU time of each part of the page, in milliseconds."""
    # Late: the settings of the home are read when these are used.
    from app.queries import batches, training, work
    from app.queries.house import Stamp

    watch = work.ended_since(None).watch
    running = home.jobs.running()[-1].id
    batch = home.jobs.batches(1)[0].id
    stamp = Stamp(str(home.root), 0, 0)
    parts: dict[str, Callable[[], object]] = {
        "live": work.live,
        "notices": lambda: work.ended_since(watch),
        "history": work.jobs,
        "statuses": lambda: training.sensor_statuses(stamp),
        "one_job": lambda: work.job(running),
        "one_batch": lambda: batches.batch(batch),
    }
    figures: dict[str, float | int | str] = {"ticks_count": ticks}
    for name, read in parts.items():
        read()
        spent = sorted(_cpu_ms(read) for _ in range(ticks))
        figures[f"{name}_median_ms"] = round(spent[len(spent) // 2], 3)
        figures[f"{name}_p95_ms"] = round(spent[int(0.95 * (len(spent) - 1))], 3)
    return figures


def _payload(sensor_id: int) -> dict[str, JSON]:
    return {"sensor_ids": [sensor_id], "preset": "telemanom", "mode": "causal", "seed": 0, "actor": "ada"}


def _run(home: Warehouse, job_id: int | None = None, *, over: bool) -> None:
    begun = NOW - timedelta(minutes=30)
    job = home.jobs.claim(os.getpid(), begun, job_id=job_id, lease=timedelta(days=10_000))
    if job is None:
        raise SystemExit(f"job {job_id} can't be run")
    if not over:
        for epoch in range(EPOCHS):
            home.jobs.log(job, f"epoch {epoch} of at most {EPOCHS}", begun)
            for name in ("loss", "validation loss"):
                home.jobs.log_metric(job, epoch, name, 1.0 / (epoch + 1))
        home.jobs.progress(job, 0.4, f"epoch {EPOCHS * 2 // 5} of at most {EPOCHS}", at=begun)
        return
    result: dict[str, JSON] = {
        "registered": True,
        "promoted": True,
        "summary": "registered as version 1 and in production",
        "version_id": 1,
        "figures": {"normalised_error": 0.2, "alarms_per_week": 1.0},
        "seconds": 30.0,
        "steps": 4000,
    }
    home.jobs.finish(job, result, begun + timedelta(seconds=30))


def _needs(home: Warehouse, job_id: int) -> bool:
    job = home.jobs.get(job_id)
    return job is None or bool(job.needs)


def _cpu_ms(read: Callable[[], object]) -> float:
    begun = time.process_time()
    read()
    return (time.process_time() - begun) * 1000


if __name__ == "__main__":
    main()
