"""The statistical detector's fit for a sensor without a trained model: a version like any other, no model."""

import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import uuid4

from core.ensembles.contract import Raiser
from core.ensembles.raise_events import EventRaiser
from core.errors import CoreError
from core.evaluation.held_out import held_out
from core.registry.artifacts import digests
from core.results import HeldOutFigures
from core.splits import Split, chronological
from core.workflows.methods import new_baseline
from core.workflows.records import figures, recorded
from core.workflows.said import confirmed
from core.workflows.signals import declared, labelled_steps, load_signal
from warehouse.catalog import NewVersion, Part, Sensor, Version
from warehouse.durable import sync_folder
from warehouse.home import Warehouse
from warehouse.manifest import Snapshot
from warehouse.state.published import read_labels

FRACTIONS: Final = (0.4, 0.15, 0.45)
"""Train, calibrate and test where the source declares nothing: little is learned, so that much is judged."""


def fit_baseline(sensor: Sensor, *, warehouse: Warehouse, at: datetime) -> Version:
    """Fit the statistical detector on a sensor's earliest part and store it as a baseline version.

    Raises
    ------
    InsufficientData
        The sensor has too few readings to fit, calibrate and judge.
    CoreError
        What the detector can't be fitted on.
    """
    snapshot = warehouse.manifest.snapshot()
    if snapshot is None:
        raise CoreError(f"{sensor.key}: nothing is stored yet, so there is nothing to fit on")
    raiser, split, folder = _fitted(sensor, snapshot.id, warehouse, as_of=at)
    return _added(sensor, snapshot, raiser, split, folder, warehouse=warehouse, at=at)


def fit_again(version: Version, sensor: Sensor, *, warehouse: Warehouse, at: datetime) -> Version:
    """Fit a baseline whose files are missing or changed, on the data that it was fitted on, and return it.

    What was registered comes out again, to the byte, and is put where the files were; what lay there is kept
    beside it. Where something else comes out, as another release may, that is a version of its own.

    Raises
    ------
    CoreError
        What the detector can't be fitted on.
    WarehouseError
        The snapshot that it was fitted on can't be read any more.
    """
    snapshot = warehouse.manifest.snapshot(version.snapshot_id)
    if snapshot is None:
        raise CoreError(f"{sensor.key}: nothing is stored yet, so there is nothing to fit on")
    # By the verdicts of then: later ones are for another fit.
    raiser, split, folder = _fitted(sensor, snapshot.id, warehouse, as_of=version.created_at)
    if digests(folder) != version.artifacts:
        return _added(sensor, snapshot, raiser, split, folder, warehouse=warehouse, at=at)
    place = warehouse.root / version.folder
    if place.exists():
        place.rename(place.with_name(f"{place.name}-damaged-{uuid4().hex[:12]}"))
    folder.rename(place)
    sync_folder(place.parent)
    return version


def _fitted(
    sensor: Sensor, snapshot_id: int, warehouse: Warehouse, *, as_of: datetime
) -> tuple[EventRaiser, Split, Path]:
    """Fit on a state of the data, without what people had confirmed as an anomaly by `as_of`."""
    left_out = confirmed(read_labels(warehouse), sensor.id, warehouse, as_of=as_of)
    signal = load_signal(warehouse, sensor, snapshot_id=snapshot_id).without(left_out)
    test = declared(warehouse.catalog.parts(sensor.asset_id), "test")
    split = chronological(signal, declared_test=test, fractions=FRACTIONS)
    raiser = new_baseline().fit(split.train, split.calibrate)
    folder = warehouse.layout.models / f"baseline-{sensor.id}-{uuid4().hex[:12]}"
    raiser.save(folder)
    return raiser, split, folder


def _added(
    sensor: Sensor,
    snapshot: Snapshot,
    raiser: EventRaiser,
    split: Split,
    folder: Path,
    *,
    warehouse: Warehouse,
    at: datetime,
) -> Version:
    """Register what was fitted, or remove its files."""
    try:
        labels = read_labels(warehouse)
        found = evaluated(raiser, split, warehouse.catalog.parts(sensor.asset_id))
        return warehouse.catalog.add_version(
            NewVersion(
                sensor_id=sensor.id,
                method=raiser.name,
                kind="baseline",
                run_id=None,
                registered_name=None,
                created_at=at,
                snapshot_id=snapshot.id,
                snapshot_digest=snapshot.digest,
                labels_digest=labels.digest,
                seed=0,
                spans=split.spans,
                parameters=recorded(raiser),
                metrics=figures(found),
                artifacts=digests(folder),
                folder=folder.relative_to(warehouse.root).as_posix(),
            )
        )
    except BaseException:
        shutil.rmtree(folder)
        raise


def evaluated(raiser: Raiser, split: Split, parts: Sequence[Part]) -> HeldOutFigures:
    """Return the figures of the test part; one that `parts` declare is a recording of its own."""
    return held_out(
        raiser,
        split,
        labelled=labelled_steps(parts, split.test),
        lead=declared(parts, "test") is None,
    )
