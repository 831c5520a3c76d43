"""What is registered of a training: its run in MLflow and its row in the catalogue."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from core.registry.artifacts import digests
from core.registry.tracking import NewRun, Registered
from core.workflows.learn import Learned
from core.workflows.records import figures
from core.workflows.training_plan import TrainingPlan
from warehouse.catalog import NewVersion
from warehouse.durable import make_folder, sync_folder
from warehouse.home import Warehouse


@dataclass(frozen=True)
class Registration:
    """A training that is to be registered.

    Parameters
    ----------
    plan, learned
        What it learned from, and what it came to.
    model
        The folder of the model's files.
    at
        When it is registered.
    made_by
        What makes the version, such as ``job 17``; None where nobody asks.
    """

    plan: TrainingPlan
    learned: Learned
    model: Path
    at: datetime
    made_by: str | None

    @property
    def name(self) -> str:
        """The name under which the registry of models numbers the versions."""
        return f"sensor-{self.plan.sensor.id}-{self.learned.method}"

    def run(self) -> NewRun:
        """Return what MLflow is to track."""
        plan, learned = self.plan, self.learned
        spans = {
            f"span.{name}": " ".join(moment.isoformat() for moment in span)
            for name, span in learned.spans.items()
        }
        remarks = {"remarks": "\n".join(learned.remarks)} if learned.remarks else {}
        return NewRun(
            name=f"{plan.sensor.key} {learned.method}",
            registered_name=self.name,
            parameters={name: value for name, value in learned.parameters.items() if name != "remarks"},
            metrics=figures(learned.figures),
            curves=learned.curves,
            tags={
                "sensor": plan.sensor.key,
                "snapshot": plan.snapshot_digest,
                "labels": plan.labels_digest,
                "seed": str(plan.request.seed),
                "actor": plan.request.actor,
                **remarks,
                **spans,
            },
            folder=self.model,
            finished_at=self.at,
            made_by=self.made_by,
        )

    def version(self, registered: Registered, warehouse: Warehouse) -> NewVersion:
        """Return the row of the catalogue; where a server has the files, they are copied into the home."""
        plan, learned = self.plan, self.learned
        place = registered.folder
        if place is None:
            place = _copied(self.model, learned.artifacts, own_folder(warehouse, registered.run_id))
        return NewVersion(
            sensor_id=plan.sensor.id,
            method=learned.method,
            kind="trained",
            run_id=registered.run_id,
            registered_name=self.name,
            created_at=self.at,
            snapshot_id=plan.snapshot_id,
            snapshot_digest=plan.snapshot_digest,
            labels_digest=plan.labels_digest,
            seed=plan.request.seed,
            spans=learned.spans,
            parameters=learned.parameters,
            metrics=figures(learned.figures),
            artifacts=learned.artifacts,
            folder=place.relative_to(warehouse.root).as_posix(),
            made_by=self.made_by,
        )


def own_folder(warehouse: Warehouse, run_id: str) -> Path:
    """Return where the home keeps the files of a run whose artifacts lie on a server."""
    return warehouse.layout.models / f"run-{run_id}"


def _copied(model: Path, artifacts: Mapping[str, str], place: Path) -> Path:
    """Copy a model's files so that they are there whole or not at all, and return their folder."""
    if place.is_dir() and any(place.iterdir()) and digests(place) == artifacts:
        return place
    shutil.rmtree(place, ignore_errors=True)
    part = place.with_name(f".{place.name}-{uuid4().hex}")
    make_folder(part.parent)
    try:
        shutil.copytree(model, part)
        part.replace(place)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    sync_folder(place.parent)
    return place
