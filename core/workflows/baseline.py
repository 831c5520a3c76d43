"""The statistical detector's fit for a sensor without a trained model: a version like any other, no model."""

import shutil
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import uuid4

from core.ensembles.contract import Raiser
from core.errors import CoreError
from core.evaluation.held_out import held_out
from core.registry.artifacts import digests
from core.results import HeldOutFigures
from core.splits import Split, chronological
from core.workflows.methods import new_baseline
from core.workflows.records import figures, recorded
from core.workflows.signals import declared, labelled_steps, load_signal
from warehouse.catalog import NewVersion, Part, Sensor, Version
from warehouse.home import Warehouse
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
    labels = read_labels(warehouse)
    signal = load_signal(warehouse, sensor, snapshot_id=snapshot.id)
    parts = warehouse.catalog.parts(sensor.asset_id)
    split = chronological(signal, declared_test=declared(parts, "test"), fractions=FRACTIONS)
    raiser = new_baseline().fit(split.train, split.calibrate)
    found = evaluated(raiser, split, parts)
    folder = warehouse.layout.models / f"baseline-{sensor.id}-{uuid4().hex[:12]}"
    raiser.save(folder)
    try:
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
