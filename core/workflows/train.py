"""Training: one sensor's LSTM, from one snapshot's data to a registered version, or the reason why not."""

import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import uuid4

import polars as pl

from core.ensembles.raise_events import EventRaiser
from core.errors import CoreError, JobError
from core.networks.training import Epoch
from core.registry.artifacts import digests
from core.registry.tracking import NewRun, Registered, Tracking
from core.results import HeldOutFigures
from core.splits import Split
from core.workflows.baseline import evaluated, split_of
from core.workflows.methods import new_learned
from core.workflows.records import figures, parameters_of
from core.workflows.reporting import Clock, Metric, Progress, silent, unrecorded
from core.workflows.requests import TrainRequest
from core.workflows.signals import load_signal
from warehouse.catalog import NewVersion, Sensor, Version
from warehouse.documents import JSON
from warehouse.home import Warehouse
from warehouse.manifest import Snapshot
from warehouse.state.published import PublishedLabels, read_labels

FRACTIONS: Final = (0.6, 0.2, 0.2)
TOLERANCE: Final = 1.1
"""A challenger takes over if its held-out error is at most this many times the champion's."""


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
    """

    version: Version | None
    promoted: bool
    figures: HeldOutFigures
    reason: str


@dataclass(frozen=True)
class _Basis:
    snapshot: Snapshot
    labels: PublishedLabels
    split: Split


@dataclass(frozen=True)
class _Trained:
    sensor: Sensor
    basis: _Basis
    raiser: EventRaiser
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
    raiser = new_learned(request.preset, request.seed)
    curves: list[tuple[int, str, float]] = []

    def epoch(one: Epoch) -> None:
        for name, value in (("train loss", one.loss), ("validation loss", one.validation_loss)):
            curves.append((one.number, name, value))
            metric(one.number, name, value)
        progress(
            0.05 + 0.8 * one.number / one.of,
            f"{sensor.key}: epoch {one.number} of at most {one.of}, "
            f"validation loss {one.validation_loss:.4g}",
        )

    progress(0.03, f"{sensor.key}: loading TensorFlow")
    raiser.fit(basis.split.train, basis.split.calibrate, progress=epoch)
    progress(0.88, f"{sensor.key}: judging the held-out part")
    figures_found = evaluated(raiser, basis.split, sensor, warehouse)
    if not math.isfinite(figures_found.normalised_error):
        return TrainOutcome(
            None, False, figures_found, "the held-out part has no step on which its error can be measured"
        )
    progress(0.92, f"{sensor.key}: registering")
    trained = _Trained(sensor, basis, raiser, figures_found, curves)
    version = _register(request, trained, warehouse, clock())
    reason = _held_back(version, warehouse)
    if not reason:
        version = warehouse.catalog.promote(version.id, actor=request.actor, at=clock())
        if version.registered_name is not None:
            Tracking(warehouse.layout.tracking).crown(version.registered_name, version.number)
    return TrainOutcome(version, not reason, figures_found, reason)


def train_job(
    payload: Mapping[str, JSON], *, warehouse: Warehouse, clock: Clock, progress: Progress, metric: Metric
) -> dict[str, JSON]:
    """Train the one sensor of a job and queue its scoring.

    Parameters
    ----------
    payload
        ``sensor_ids`` with one id, ``preset``, ``seed`` and ``actor``.

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
    seed, preset, actor = payload.get("seed", 0), payload.get("preset", "standard"), payload.get("actor")
    if not isinstance(seed, int) or not isinstance(preset, str):
        raise JobError(f"a training needs a preset and a whole number as seed, not {preset!r} and {seed!r}")
    request = TrainRequest(ids[0], preset, seed, str(actor or "telltale"))
    outcome = train_sensor(request, warehouse=warehouse, clock=clock, progress=progress, metric=metric)
    result: dict[str, JSON] = {
        "registered": outcome.version is not None,
        "promoted": outcome.promoted,
        "reason": outcome.reason,
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
    registered_name = f"sensor-{sensor.id}-{raiser.detector.name}"
    parameters = parameters_of(raiser) | {"preset": request.preset}
    try:
        raiser.save(staged)
        artifacts = digests(staged)
        registered = Tracking(warehouse.layout.tracking).register(
            NewRun(
                name=f"{sensor.key} {raiser.detector.name}",
                registered_name=registered_name,
                parameters=parameters,
                metrics=figures(trained.figures),
                curves=trained.curves,
                tags=_tags(request, sensor, basis),
                folder=staged,
                finished_at=at,
            )
        )
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return warehouse.catalog.add_version(
        NewVersion(
            sensor_id=sensor.id,
            method=raiser.detector.name,
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


def _tags(request: TrainRequest, sensor: Sensor, basis: _Basis) -> dict[str, str]:
    spans = {
        f"span.{name}": f"{start.isoformat()} {end.isoformat()}"
        for name, (start, end) in basis.split.spans.items()
    }
    return {
        "sensor": sensor.key,
        "snapshot": basis.snapshot.digest,
        "labels": basis.labels.digest,
        "seed": str(request.seed),
        "actor": request.actor,
        **spans,
    }


def _held_back(version: Version, warehouse: Warehouse) -> str:
    """Return why a new version does not take over; empty when it does."""
    champion = next((one for one in warehouse.catalog.versions(version.sensor_id) if one.champion), None)
    if champion is None:
        return ""
    name = "normalised_error"
    error, bar = version.metrics[name], champion.metrics.get(name, math.inf)
    if error <= TOLERANCE * bar:
        return ""
    return (
        f"its held-out error {error:.3f} is more than a tenth above the champion's {bar:.3f}, "
        f"so version {champion.number} stays in production"
    )


def _summary(outcome: TrainOutcome) -> str:
    found = outcome.figures
    numbers = (
        f"held-out error {found.normalised_error:.3f} of a standard deviation "
        f"(as before: {found.persistence_error:.3f}), {found.alarms_per_week:.2g} alarms a week"
    )
    if found.f1 is not None:
        numbers += f", F1 {found.f1:.2f} against the published labels"
    if outcome.version is None:
        return f"trained but not registered, because {outcome.reason}"
    if not outcome.promoted:
        number = outcome.version.number
        return f"registered as version {number}, {numbers}; not in production, because {outcome.reason}"
    return f"registered as version {outcome.version.number} and in production: {numbers}"
