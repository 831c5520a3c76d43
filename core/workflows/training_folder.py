"""What a training that is a job keeps until it is done: its folder, its plan and the pin of its data."""

import json
import logging
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from core.errors import RegistryError
from core.workflows.commit import REGISTERING, take_back
from core.workflows.reporting import Task
from core.workflows.requests import TrainRequest
from core.workflows.training_plan import TrainingPlan, plan
from warehouse.documents import store
from warehouse.durable import make_folder
from warehouse.errors import CatalogError, SchemaError
from warehouse.home import Warehouse
from warehouse.jobs import ENDED

PLAN: Final = "plan.json"

LEARNED: Final = "learned"
"""Below a job's folder: what `core.workflows.learn.learn` leaves for `core.workflows.commit.commit`."""

NETWORKS: Final = "networks"
"""Below a job's folder: what networks keep after each epoch."""

KEPT: Final = timedelta(days=30)
"""For so long after its end, a job that failed or was cancelled can go on from what it kept."""

_FOLDER: Final = re.compile(r"job-(\d+)")
_HOLDER: Final = "job "

_log = logging.getLogger(__name__)


def prepared(request: TrainRequest, task: Task) -> TrainingPlan:
    """Return the plan of a job's training: the one that an earlier attempt made, else a new one.

    Its snapshot is pinned for the job until `put_away`. Work that is no job gets a plan that pins nothing.

    Raises
    ------
    CoreError, WarehouseError
        As `core.workflows.training_plan.plan` says.
    """
    holder, folder = task.made_by, task.checkpoints
    if holder is None or folder is None:
        return plan(request, task.warehouse, as_of=task.clock())
    known = _stored(folder)
    if known is not None and known.request == request:
        try:
            task.warehouse.manifest.pin(known.snapshot_id, holder=holder)
        except CatalogError as error:
            task.log(f"starting anew: what it learned from is gone ({error})")
        else:
            task.log(f"going on with the data of snapshot {known.snapshot_id}")
            return known
    # What lies there is of other data. The folder comes first: a pin without one is nobody's.
    shutil.rmtree(folder, ignore_errors=True)
    make_folder(folder)
    task.warehouse.manifest.release(holder)
    made = plan(request, task.warehouse, holder=holder, as_of=task.clock())
    store(made.to_json(), folder / PLAN)
    return made


def put_away(task: Task) -> None:
    """Remove what a job kept to go on from, and let go of its data."""
    if task.checkpoints is not None:
        shutil.rmtree(task.checkpoints, ignore_errors=True)
    if task.made_by is not None:
        task.warehouse.manifest.release(task.made_by)


@dataclass(frozen=True)
class Swept:
    """What jobs that will not go on had left: folders, pins of snapshots, and runs in MLflow."""

    folders: int
    pins: int
    runs: int


def sweep(warehouse: Warehouse, *, now: datetime, tracking: str = "") -> Swept:
    """Remove what jobs left that will not go on; what waits or runs is not touched.

    A version that reached MLflow and not the catalogue is taken back as soon as its job has ended.
    """
    folders = runs = 0
    for job_id, folder in _folders(warehouse):
        job = warehouse.jobs.get(job_id)
        if job is not None and job.state not in ENDED:
            continue
        begun = folder / LEARNED / REGISTERING
        if begun.is_file():
            try:
                runs += len(take_back(f"{_HOLDER}{job_id}", warehouse, tracking=tracking))
                begun.unlink(missing_ok=True)
            except RegistryError as error:
                _log.warning("%s: %s; trying again at the next sweep", folder, error)
                continue
        ended = None if job is None else job.finished_at
        if job is None or job.state == "done" or ended is None or now - ended >= KEPT:
            shutil.rmtree(folder, ignore_errors=True)
            folders += 1
    return Swept(folders, _release_forgotten(warehouse), runs)


def _release_forgotten(warehouse: Warehouse) -> int:
    """Let go of the snapshots of jobs that keep no folder any more."""
    kept = {job_id for job_id, _ in _folders(warehouse)}
    gone = 0
    for holder in warehouse.manifest.held_by(_HOLDER):
        number = holder.removeprefix(_HOLDER)
        if number.isdecimal() and int(number) not in kept:
            gone += warehouse.manifest.release(holder)
    return gone


def _folders(warehouse: Warehouse) -> Iterator[tuple[int, Path]]:
    """Yield the folders of jobs with their ids."""
    for folder in sorted(warehouse.layout.checkpoints.glob("job-*")):
        named = _FOLDER.fullmatch(folder.name)
        if named is not None and folder.is_dir():
            yield int(named[1]), folder


def _stored(folder: Path) -> TrainingPlan | None:
    try:
        return TrainingPlan.from_json(json.loads((folder / PLAN).read_text()))
    except (FileNotFoundError, ValueError, SchemaError):
        return None
