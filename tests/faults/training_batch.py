"""A batch of real trainings of small sensors, and what a person would count in it afterwards."""

import re
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import psutil

from core.registry.artifacts import verify
from warehouse.home import Warehouse
from warehouse.jobs import Batch, Job, JobLine, NewJob

sys.path.append(str(Path(__file__).parents[1] / "unit" / "workflows"))

from one_pump import batch, pump

EPOCHS = 8
_EPOCH = re.compile(r"Pump \d+/flow: epoch (\d+) of at most")
_DONE = re.compile(r"attempt \d+ is done after [\d.]+ s")
_BEGINS = re.compile(r"attempt (\d+) begins in (.+), process \d+")


def real_clock() -> datetime:
    return datetime.now(UTC)


def home_with_pumps(root: Path, pumps: int, steps: int = 3000) -> Warehouse:
    """Return a home with so many pumps, on each of which a training takes some seconds."""
    warehouse = Warehouse.open(root)
    for number in range(1, pumps + 1):
        warehouse.ingest(batch(*pump(steps), name=f"Pump {number}"), at=real_clock(), actor="ada")
    return warehouse


def ask_trainings(warehouse: Warehouse) -> tuple[Batch, list[Job]]:
    """Ask for a training of every pump and the scoring that follows; return the batch and its trainings."""
    asks = []
    for sensor in warehouse.catalog.sensors(role="target"):
        payload = {
            "sensor_ids": [sensor.id],
            "preset": "telemanom",
            "mode": "causal",
            "seed": 0,
            "actor": "ada",
            "parameters": {"epochs": EPOCHS},
        }
        then = NewJob("score", {"sensor_ids": [sensor.id]}, key=f"score {sensor.id}")
        asks.append(NewJob("train", payload, key=f"train {sensor.id}", exclusive=True, then=then))
    made = warehouse.jobs.ask_batch("Kills", asks, actor="ada", at=real_clock())
    return made, trainings(warehouse, made)


def trainings(warehouse: Warehouse, made: Batch) -> list[Job]:
    """Return the trainings of a batch as they now are, by id."""
    found = warehouse.jobs.list(kind="train", batch_id=made.id, limit=-1)
    return sorted(found, key=lambda job: job.id)


def lines(warehouse: Warehouse, job_id: int) -> tuple[JobLine, ...]:
    return warehouse.jobs.lines(job_id, limit=500)


def epochs_by_attempt(log: Sequence[JobLine]) -> list[list[int]]:
    """Return which epochs each attempt that came to one ended, in order."""
    found: dict[int, list[int]] = defaultdict(list)
    for line in log:
        told = _EPOCH.match(line.text)
        if told:
            found[line.attempt].append(int(told[1]))
    return [found[attempt] for attempt in sorted(found)]


def repeated(log: Sequence[JobLine]) -> list[int]:
    """Return how many epochs each attempt ended that one before had ended already.

    Raises
    ------
    AssertionError
        An epoch is missing, so the log does not show what was repeated.
    """
    attempts = epochs_by_attempt(log)
    for one in attempts:
        assert one == list(range(one[0], one[-1] + 1)), f"an epoch was not told of: {attempts}"
    for earlier, later in pairwise(attempts):
        assert later[0] <= earlier[-1] + 1, f"an epoch was skipped: {attempts}"
    return [max(0, earlier[-1] - later[0] + 1) for earlier, later in pairwise(attempts)]


def began(log: Sequence[JobLine], attempt: int) -> datetime | None:
    """Return when an attempt began, None if it did not."""
    for line in log:
        told = _BEGINS.fullmatch(line.text)
        if told and int(told[1]) == attempt:
            return line.at
    return None


def half_registered(warehouse: Warehouse) -> set[str | None]:
    """Return the runs that have a version in MLflow or in the catalogue, and not in both."""
    with closing(sqlite3.connect(warehouse.layout.tracking / "mlflow.db")) as store:
        there = {run for (run,) in store.execute("SELECT run_id FROM model_versions")}
    return there ^ {one.run_id for one in warehouse.catalog.versions() if one.kind == "trained"}


def require_whole(warehouse: Warehouse, jobs: Sequence[Job]) -> None:
    """Require exactly one version of each training, whole on disk, and nothing left over."""
    trained = [one for one in warehouse.catalog.versions() if one.kind == "trained"]
    assert sorted(str(one.made_by) for one in trained) == sorted(f"job {job.id}" for job in jobs)
    assert len({one.sensor_id for one in trained}) == len(jobs)
    for one in trained:
        verify(warehouse.root / one.folder, one.artifacts)
    assert half_registered(warehouse) == set()
    for job in jobs:
        done = [line.text for line in lines(warehouse, job.id) if _DONE.fullmatch(line.text)]
        assert len(done) == 1, done
    assert not list(warehouse.layout.checkpoints.glob("job-*"))


def processes_of(home: Path) -> list[psutil.Process]:
    """Return the living processes, other than this one, whose command line names a home."""
    found = []
    for one in psutil.process_iter(["cmdline", "status"]):
        named = any(str(home) in word for word in one.info["cmdline"] or ())
        if named and one.info["status"] != psutil.STATUS_ZOMBIE and one.pid != psutil.Process().pid:
            found.append(one)
    return found
