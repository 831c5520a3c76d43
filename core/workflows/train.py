"""Training: one sensor, from one snapshot's data to a registered version, or the reason why not."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from core.errors import Cancelled, CoreError
from core.workflows.commit import TrainOutcome, commit, committed
from core.workflows.learn import Learner, learn
from core.workflows.records import figures
from core.workflows.reporting import Clock, Metric, Progress, Task, silent, unrecorded
from core.workflows.requests import TrainRequest, request_of
from core.workflows.training_folder import LEARNED, NETWORKS, prepared, put_away
from warehouse.documents import JSON
from warehouse.errors import IntegrityError
from warehouse.home import Warehouse

__all__ = ["TrainOutcome", "train", "train_job", "train_sensor"]


def train_sensor(
    request: TrainRequest,
    *,
    warehouse: Warehouse,
    clock: Clock,
    progress: Progress = silent,
    metric: Metric = unrecorded,
) -> TrainOutcome:
    """Train a sensor here and now, as work that is no job; see `train`."""
    task = Task(warehouse=warehouse, clock=clock, actor=request.actor, progress=progress, metric=metric)
    return train(request, task)


def train(request: TrainRequest, task: Task, learner: Learner = learn) -> TrainOutcome:
    """Train a sensor: plan, learn, commit.

    What a job keeps to go on from stays where it is interrupted, cancelled or can't register its model; it
    is removed where it is done, and where the sensor can't be trained.

    Raises
    ------
    InsufficientData
        The training part is too short; the message has the number needed.
    ConstantSignal
        The training part never changes.
    Cancelled
        The job was told to end.
    CoreError
        Why else it can't be trained or registered.
    """
    if task.made_by is not None:
        first = committed(
            task.made_by,
            actor=request.actor,
            warehouse=task.warehouse,
            clock=task.clock,
            tracking=task.tracking,
        )
        if first is not None:  # an earlier attempt came that far
            put_away(task)
            return first
    made = prepared(request, task)
    with _folder(task) as folder:
        try:
            learner(made, task.warehouse.root, folder, task.keeping(NETWORKS))
        except Cancelled:
            raise
        except (CoreError, IntegrityError):
            put_away(task)  # the same data would fail again
            raise
        task.check()
        task.progress(0.92, f"{made.sensor.key}: registering")
        outcome = commit(
            made,
            folder,
            made_by=task.made_by,
            warehouse=task.warehouse,
            clock=task.clock,
            alive=task.alive,
            tracking=task.tracking,
        )
    put_away(task)
    return outcome


def train_job(payload: Mapping[str, JSON], task: Task, learner: Learner = learn) -> dict[str, JSON]:
    """Train the one sensor of a job; who asked for it asks for the scoring that follows.

    Parameters
    ----------
    payload
        ``sensor_ids`` with one id, ``preset``, ``mode``, ``seed``, ``actor``, and ``parameters`` by name
        where they differ from the preset's.
    learner
        Carries out the plan; by default here.

    Raises
    ------
    JobError
        The payload does not name exactly one sensor.
    CoreError
        Why it can't be trained.
    """
    request = request_of(payload)
    begun = task.clock()
    outcome = train(request, task, learner)
    result: dict[str, JSON] = {
        "registered": outcome.version is not None,
        "promoted": outcome.promoted,
        "reason": outcome.reason,
        "remarks": list(outcome.remarks),
        "figures": dict(figures(outcome.figures)),
        "summary": outcome.summary,
        "steps": outcome.steps,
    }
    if task.attempt == 1:  # a later attempt does only what was left to do
        result["seconds"] = (task.clock() - begun).total_seconds()
    if outcome.version is not None:
        result["version_id"] = outcome.version.id
        result["run_id"] = outcome.version.run_id
    return result


@contextmanager
def _folder(task: Task) -> Iterator[Path]:
    """Give a folder for the model: the job's own, or one that is gone afterwards."""
    if task.checkpoints is not None:
        yield task.checkpoints / LEARNED
        return
    staged = task.warehouse.layout.models / f"staged-{uuid4().hex}"
    try:
        yield staged
    finally:
        shutil.rmtree(staged, ignore_errors=True)
