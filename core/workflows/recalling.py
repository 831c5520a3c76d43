"""Scores that are kept from one judgement of a sensor to the next; what does not fit is judged anew.

A file a sensor and version. It is no result: without it, or where it is damaged or of other readings, the
stored readings are scored again, which takes longer and says the same.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from core.detectors.folders import read_arrays, write_arrays
from core.ensembles.contract import Raiser
from core.ensembles.panel import Panel
from core.ensembles.raise_events import Detection
from core.ensembles.recalled import Recalled, continued, settled_steps
from core.errors import ArtifactError
from core.signal import Signal, instant
from core.thresholds.said import Said
from core.workflows.events import moment
from core.workflows.said import said_of
from core.workflows.signals import load_signal
from warehouse.catalog import Sensor, Version
from warehouse.home import Warehouse
from warehouse.room import unwritable
from warehouse.state.published import read_labels

_SEAL: Final = "seal"


@dataclass(frozen=True, eq=False)
class Look:
    """What was read and found in it.

    Parameters
    ----------
    cut
        Events that ended by then stay as they are.
    remark
        Why what was kept could not be used, as a sentence; may be empty.
    """

    signal: Signal
    detection: Detection
    cut: datetime
    remark: str = ""


def look(
    raiser: Raiser,
    sensor: Sensor,
    version: Version,
    warehouse: Warehouse,
    *,
    start: datetime | None,
    end: datetime | None,
    cut: datetime,
    until: datetime | None,
) -> Look:
    """Read a sensor and judge it, by what was kept where that fits; keep what the next call may use.

    Parameters
    ----------
    start, end, cut
        What is read without anything kept, and from where on events are judged again.
    until
        The last step that was judged before, if the judgement goes on; None judges all anew.
    """
    if not isinstance(raiser, Panel) or raiser.mode != "causal":
        signal = load_signal(warehouse, sensor, start, end)
        return Look(signal, raiser.detect(signal, said=_said(signal, sensor, version, warehouse)), cut)
    remark = ""
    if until is not None and start is not None and sensor.interval_s is not None:
        step = timedelta(seconds=sensor.interval_s)
        settled = max(cut, until - settled_steps(raiser) * step)
        try:
            kept = recall(sensor, version, warehouse)
            if kept is not None:
                # The grid's first step may lie one after the first moment that is asked for.
                needed = max(start, settled - raiser.panel.recall * step) + step
                signal = _that_fits(kept, sensor, warehouse, needed, end)
                scores = continued(raiser, signal, kept)
                keep(sensor, version, Recalled.of(raiser, signal, scores), warehouse)
                said = _said(signal, sensor, version, warehouse)
                return Look(signal, raiser.detect(signal, given=scores, said=said), settled)
        except ArtifactError as error:
            remark = f"{sensor.key} was read again at length: {error}."
    signal = load_signal(warehouse, sensor, start, end)
    scores = raiser.scores(signal, {})
    keep(sensor, version, Recalled.of(raiser, signal, scores), warehouse)
    said = _said(signal, sensor, version, warehouse)
    return Look(signal, raiser.detect(signal, given=scores, said=said), cut, remark)


def _said(signal: Signal, sensor: Sensor, version: Version, warehouse: Warehouse) -> Said | None:
    """Return what people said of a signal's steps by now, for a version whose bars follow what it judges."""
    if version.kind == "baseline":  # its bar was set once
        return None
    return said_of(read_labels(warehouse), sensor.id, signal, warehouse)


def _that_fits(
    kept: Recalled, sensor: Sensor, warehouse: Warehouse, needed: datetime, end: datetime | None
) -> Signal:
    """Return the signal that begins with what was kept.

    Raises
    ------
    ArtifactError
        What was kept begins after what is needed, or is of other readings.
    """
    if not len(kept.timestamps) or kept.timestamps[0] > instant(needed):
        raise ArtifactError("what was kept of it does not reach back far enough")
    signal = load_signal(warehouse, sensor, moment(kept.timestamps[0]), end)
    if not kept.fits(signal):
        raise ArtifactError("its readings are not those that it was judged by before")
    return signal


def recall(sensor: Sensor, version: Version, warehouse: Warehouse) -> Recalled | None:
    """Return what was kept of a sensor and version; None if nothing was.

    Raises
    ------
    ArtifactError
        The file is damaged, or of other files of the version.
    """
    path = _place(sensor, version, warehouse)
    if not path.exists():
        return None
    try:
        arrays = read_arrays(path, (*Recalled.names(), _SEAL))
    except ArtifactError as error:  # it says what to do about a model, and this is none
        raise ArtifactError("what was kept of it can't be read") from error
    if str(arrays.pop(_SEAL)) != _sealed(version, arrays):
        raise ArtifactError("what was kept of it is damaged, or of another fit")
    return Recalled.from_arrays(arrays)


def keep(sensor: Sensor, version: Version, recalled: Recalled, warehouse: Warehouse) -> None:
    """Keep it in place of what was kept before.

    Raises
    ------
    HomeError
        The file can't be written; on a full disk `DiskFull`.
    """
    path, arrays = _place(sensor, version, warehouse), recalled.arrays()
    part = path.with_name(f".{path.name}.{uuid4().hex[:12]}.partial")
    try:
        write_arrays(part, {**arrays, _SEAL: np.array(_sealed(version, arrays))})
        part.replace(path)
    except OSError as error:
        if part.exists():
            part.unlink()
        raise unwritable(path, error) from error


def forget(sensor: Sensor, watching: Collection[int], warehouse: Warehouse) -> None:
    """Remove what was kept of versions that do not watch a sensor any more."""
    for path in warehouse.layout.recalled.glob(f"{sensor.id}-*.npz"):
        version = path.stem.partition("-")[2]
        if version.isdecimal() and int(version) not in watching:
            path.unlink(missing_ok=True)


def _place(sensor: Sensor, version: Version, warehouse: Warehouse) -> Path:
    return warehouse.layout.recalled / f"{sensor.id}-{version.id}.npz"


def _sealed(version: Version, arrays: Mapping[str, NDArray[Any]]) -> str:
    """Return the SHA-256 of arrays and of the version's registered files."""
    told = hashlib.sha256(repr(sorted(version.artifacts.items())).encode("utf-8"))
    for name in Recalled.names():
        told.update(np.ascontiguousarray(arrays[name]).tobytes())
    return told.hexdigest()
