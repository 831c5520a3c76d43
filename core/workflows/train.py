"""Training: one sensor, from one snapshot's data to a registered version, or the reason why not."""

import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import uuid4

import polars as pl

from core.ensembles.contract import Raiser
from core.ensembles.presets import new_raiser
from core.errors import CoreError, JobError
from core.registry.artifacts import digests
from core.registry.tracking import NewRun, Registered, Tracking
from core.results import HeldOutFigures
from core.splits import Split
from core.workflows.baseline import evaluated, split_of
from core.workflows.epochs import EpochLog
from core.workflows.promotion import decide
from core.workflows.records import figures, recorded
from core.workflows.reporting import Clock, Metric, Progress, silent, unrecorded
from core.workflows.requests import TrainRequest, checked_preset
from core.workflows.signals import load_signal
from warehouse.catalog import NewVersion, Sensor, Version
from warehouse.documents import JSON
from warehouse.home import Warehouse
from warehouse.manifest import Snapshot
from warehouse.state.published import PublishedLabels, read_labels

FRACTIONS: Final = (0.6, 0.2, 0.2)
NETWORKS: Final[Mapping[str, int]] = {"quick": 0, "standard": 0, "thorough": 1, "telemanom": 1}
"""How many networks each preset trains, one after the other."""


@dataclass(frozen=True)
class TrainOutcome:
    """How a training ended.

    Parameters
    ----------
    version
        The registered version, None if none was registered.
    promoted
        Whether it is the sensor's champion now.
    figures
        On the test part, which neither fitting nor calibration saw.
    reason
        Why it was not registered, or not promoted; empty otherwise.
    remarks
        Sentences that a person must see about what was fitted.
    compared
        What could not be held against the champion; empty when all was.
    """

    version: Version | None
    promoted: bool
    figures: HeldOutFigures
    reason: str
    remarks: tuple[str, ...] = ()
    compared: str = ""


@dataclass(frozen=True)
class _Basis:
    snapshot: Snapshot
    labels: PublishedLabels
    split: Split


@dataclass(frozen=True)
class _Trained:
    sensor: Sensor
    basis: _Basis
    raiser: Raiser
    figures: HeldOutFigures
    curves: Sequence[tuple[int, str, float]]


def train_sensor(
    request: TrainRequest,
    *,
    warehouse: Warehouse,
    clock: Clock,
    progress: Progress = silent,
    metric: Metric = unrecorded,
) -> TrainOutcome:
    """Train a sensor: load, mask, split by time, fit, calibrate, evaluate on what was not seen, register.

    Raises
    ------
    InsufficientData
        The training part is too short; the message has the number needed.
    ConstantSignal
        The training part never changes.
    CoreError
        Why else it can't be trained.
    """
    sensor = warehouse.catalog.sensor(request.sensor_id)
    if sensor.role != "target":
        raise JobError(f"{sensor.key} is a {sensor.role} sensor: it explains others and is not trained")
    progress(0.01, f"Reading {sensor.key}")
    basis = _basis(sensor, warehouse)
    raiser = new_raiser(request.preset, mode=request.mode, seed=request.seed)
    networks = NETWORKS[request.preset]
    epochs = EpochLog(sensor.key, networks, progress=progress, metric=metric)
    progress(0.03, f"{sensor.key}: {'loading TensorFlow' if networks else 'fitting'}")
    raiser.fit(basis.split.train, basis.split.calibrate, progress=epochs)
    progress(0.88, f"{sensor.key}: judging the held-out part")
    found = evaluated(raiser, basis.split, sensor, warehouse)
    if not found.steps:
        reason = "none of the steps of its held-out part could be judged"
        return TrainOutcome(None, False, found, reason, raiser.remarks)
    progress(0.92, f"{sensor.key}: registering")
    version = _register(request, _Trained(sensor, basis, raiser, found, epochs.curves), warehouse, clock())
    decision = decide(version, warehouse)
    if not decision.held_back:
        version = warehouse.catalog.promote(version.id, actor=request.actor, at=clock())
        if version.registered_name is not None:
            Tracking(warehouse.layout.tracking).crown(version.registered_name, version.number)
    return TrainOutcome(
        version, not decision.held_back, found, decision.held_back, raiser.remarks, decision.remark
    )


def train_job(
    payload: Mapping[str, JSON], *, warehouse: Warehouse, clock: Clock, progress: Progress, metric: Metric
) -> dict[str, JSON]:
    """Train the one sensor of a job and queue its scoring.

    Parameters
    ----------
    payload
        ``sensor_ids`` with one id, ``preset``, ``mode``, ``seed`` and ``actor``.

    Raises
    ------
    JobError
        The payload does not name exactly one sensor.
    CoreError
        Why it can't be trained.
    """
    ids = payload.get("sensor_ids")
    if not isinstance(ids, list) or len(ids) != 1 or not isinstance(ids[0], int):
        raise JobError(f"a training needs exactly one sensor, not {ids!r}")
    seed, preset, mode = (
        payload.get("seed", 0),
        payload.get("preset", "standard"),
        payload.get("mode", "causal"),
    )
    if not isinstance(seed, int) or not isinstance(preset, str) or not isinstance(mode, str):
        raise JobError(
            "a training needs a preset, a mode and a whole number as seed, "
            f"not {preset!r}, {mode!r} and {seed!r}"
        )
    actor = str(payload.get("actor") or "telltale")
    request = TrainRequest(ids[0], preset, seed, actor, checked_preset(preset, mode))
    outcome = train_sensor(request, warehouse=warehouse, clock=clock, progress=progress, metric=metric)
    result: dict[str, JSON] = {
        "registered": outcome.version is not None,
        "promoted": outcome.promoted,
        "reason": outcome.reason,
        "remarks": list(outcome.remarks),
        "figures": dict(figures(outcome.figures)),
        "summary": _summary(outcome),
    }
    if outcome.version is not None:
        result["version_id"] = outcome.version.id
    if outcome.promoted:
        job = warehouse.jobs.add(
            "score", {"sensor_ids": [ids[0]]}, actor=request.actor, at=clock(), key=f"score {ids[0]}"
        )
        result["scoring_job"] = job.id
    return result


def _basis(sensor: Sensor, warehouse: Warehouse) -> _Basis:
    snapshot = warehouse.manifest.snapshot()
    if snapshot is None:
        raise CoreError(f"{sensor.key}: nothing is stored yet, so there is nothing to learn from")
    labels = read_labels(warehouse)
    confirmed = labels.frame.filter(
        (pl.col("sensor_id") == sensor.id) & (pl.col("verdict") == "true_anomaly")
    )
    signal = load_signal(warehouse, sensor, snapshot_id=snapshot.id).without(
        list(confirmed.select("start", "end").iter_rows())
    )
    return _Basis(snapshot, labels, split_of(sensor, signal, warehouse, FRACTIONS))


def _register(request: TrainRequest, trained: _Trained, warehouse: Warehouse, at: datetime) -> Version:
    """Track, copy and register; the row in the catalogue is the commit point."""
    sensor, basis, raiser = trained.sensor, trained.basis, trained.raiser
    staged = warehouse.layout.models / f"staged-{uuid4().hex}"
    registered_name = f"sensor-{sensor.id}-{raiser.name}"
    parameters = recorded(raiser, preset=request.preset)
    try:
        raiser.save(staged)
        artifacts = digests(staged)
        registered = Tracking(warehouse.layout.tracking).register(
            NewRun(
                name=f"{sensor.key} {raiser.name}",
                registered_name=registered_name,
                parameters={name: value for name, value in parameters.items() if name != "remarks"},
                metrics=figures(trained.figures),
                curves=trained.curves,
                tags=_tags(request, trained),
                folder=staged,
                finished_at=at,
            )
        )
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return warehouse.catalog.add_version(
        NewVersion(
            sensor_id=sensor.id,
            method=raiser.name,
            kind="trained",
            run_id=registered.run_id,
            registered_name=registered_name,
            created_at=at,
            snapshot_id=basis.snapshot.id,
            snapshot_digest=basis.snapshot.digest,
            labels_digest=basis.labels.digest,
            seed=request.seed,
            spans=basis.split.spans,
            parameters=parameters,
            metrics=figures(trained.figures),
            artifacts=artifacts,
            folder=_relative(registered, warehouse.root),
        )
    )


def _relative(registered: Registered, root: Path) -> str:
    return registered.folder.relative_to(root).as_posix()


def _tags(request: TrainRequest, trained: _Trained) -> dict[str, str]:
    basis = trained.basis
    spans = {
        f"span.{name}": f"{start.isoformat()} {end.isoformat()}"
        for name, (start, end) in basis.split.spans.items()
    }
    remarks = {"remarks": "\n".join(trained.raiser.remarks)} if trained.raiser.remarks else {}
    return {
        "sensor": trained.sensor.key,
        "snapshot": basis.snapshot.digest,
        "labels": basis.labels.digest,
        "seed": str(request.seed),
        "actor": request.actor,
        **remarks,
        **spans,
    }


def _summary(outcome: TrainOutcome) -> str:
    if outcome.version is None:
        return f"trained but not registered, because {outcome.reason}"
    found, number = outcome.figures, outcome.version.number
    numbers = (
        f"held-out error {found.normalised_error:.3f} of a standard deviation "
        f"(as before: {found.persistence_error:.3f})"
        if math.isfinite(found.normalised_error)
        else "no held-out error, because it predicts no value there"
    )
    numbers += f", {found.alarms_per_week:.2g} alarms a week"
    if found.f1 is not None:
        numbers += f", F1 {found.f1:.2f} against the published labels"
    if outcome.compared:
        numbers += f"; {outcome.compared}"
    if not outcome.promoted:
        return f"registered as version {number}, {numbers}; not in production, because {outcome.reason}"
    return f"registered as version {number} and in production: {numbers}"
