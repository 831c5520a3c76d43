"""What a training learns from, fixed before it begins: whoever carries it out learns the same.

A plan names every file with its hash and every interval to leave out, so that learning needs neither the
catalogue nor the newest state of anything, and an attempt that goes on after a kill goes on with the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from core.errors import CoreError, JobError
from core.signal import Signal
from core.splits import Split, chronological
from core.workflows.advanced import fractions_of
from core.workflows.requests import TrainRequest, payload_of, request_of
from core.workflows.said import Confirmations, Intervals, confirmations
from core.workflows.signals import declared, signal_of, with_context
from warehouse import damage
from warehouse.assets import Part, Sensor
from warehouse.documents import JSON
from warehouse.errors import SchemaError
from warehouse.home import Warehouse
from warehouse.parquet import scan
from warehouse.schema import READINGS
from warehouse.selecting import chosen
from warehouse.state.published import read_labels


@dataclass(frozen=True)
class PlannedFile:
    """A file of readings: its path below the home, with forward slashes, and its SHA-256."""

    path: str
    sha256: str


@dataclass(frozen=True)
class TrainingPlan:
    """What one training learns from.

    Parameters
    ----------
    request
        What was asked for.
    sensors
        The target and its context sensors, in the stated order.
    parts
        Declared parts of the target's asset.
    snapshot_id, snapshot_digest
        The state of the data.
    files
        The files of readings of that state that may hold these sensors.
    labels_sequence, labels_digest
        The state of the labels.
    confirmed
        Half-open intervals in UTC that people called true anomalies, each with when they said so: nothing is
        learned from them.
    """

    request: TrainRequest
    sensors: tuple[Sensor, ...]
    parts: tuple[Part, ...]
    snapshot_id: int
    snapshot_digest: str
    files: tuple[PlannedFile, ...]
    labels_sequence: int
    labels_digest: str
    confirmed: Confirmations

    @property
    def sensor(self) -> Sensor:
        """The target."""
        return self.sensors[0]

    def signal(self, root: Path) -> Signal:
        """Read what is learned from and judged, without what people called true anomalies.

        Raises as `readings` does.
        """
        return self.readings(root).without(self.left_out())

    def left_out(self, said_by: datetime | None = None) -> Intervals:
        """Return what people called true anomalies, until `said_by` where it is given."""
        return tuple((start, end) for start, end, at in self.confirmed if said_by is None or at <= said_by)

    def readings(self, root: Path) -> Signal:
        """Read all that the plan names, whatever people said of it.

        Parameters
        ----------
        root
            The folder that the paths of the files start from: the home, or a copy of them.

        Raises
        ------
        IntegrityError
            A file is missing or is not what was written.
        InsufficientData
            The target has no reading.
        """
        ids = [one.id for one in self.sensors]
        rows = scan(root, self.files, READINGS).filter(chosen(ids, None, None))
        return signal_of(rows.sort("sensor_id", "ts").collect(), self.sensors)

    def split(self, signal: Signal) -> Split:
        """Split the signal by time; a declared test part is neither learned from nor calibrated on."""
        return chronological(
            signal, declared_test=declared(self.parts, "test"), fractions=fractions_of(self.request)
        )

    def to_json(self) -> dict[str, JSON]:
        """Return the plan as plain values; `from_json` returns an equal plan."""
        return {
            "request": payload_of(self.request),
            "sensors": [_plain(asdict(one)) for one in self.sensors],
            "parts": [_plain(asdict(one)) for one in self.parts],
            "snapshot_id": self.snapshot_id,
            "snapshot_digest": self.snapshot_digest,
            "files": [asdict(one) for one in self.files],
            "labels_sequence": self.labels_sequence,
            "labels_digest": self.labels_digest,
            "confirmed": [[moment.isoformat() for moment in one] for one in self.confirmed],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Return the plan that `to_json` made plain.

        Raises
        ------
        SchemaError
            The document is not one of a plan of this release.
        """
        try:
            sensors = [{**one, "context": tuple(one["context"])} for one in document["sensors"]]
            return cls(
                request=request_of(document["request"]),
                sensors=tuple(Sensor(**one) for one in sensors),
                parts=tuple(Part(**one | _span(one["start"], one["end"])) for one in document["parts"]),
                snapshot_id=int(document["snapshot_id"]),
                snapshot_digest=str(document["snapshot_digest"]),
                files=tuple(PlannedFile(**one) for one in document["files"]),
                labels_sequence=int(document["labels_sequence"]),
                labels_digest=str(document["labels_digest"]),
                confirmed=tuple(
                    (datetime.fromisoformat(start), datetime.fromisoformat(end), datetime.fromisoformat(at))
                    for start, end, at in document["confirmed"]
                ),
            )
        except (KeyError, TypeError, ValueError, CoreError) as error:
            raise SchemaError(f"this is no plan of a training: {error}") from error


def plan(
    request: TrainRequest,
    warehouse: Warehouse,
    *,
    holder: str | None = None,
    as_of: datetime | None = None,
) -> TrainingPlan:
    """Return what a training that begins now learns from.

    Parameters
    ----------
    holder
        Whom the snapshot is pinned for, so that its files stay until `Manifest.release`; None pins nothing,
        and files that are replaced stay for hours.
    as_of
        Verdicts recorded later are not known to it; all are when it is not given.

    Raises
    ------
    JobError
        The sensor is no target.
    CoreError
        Nothing is stored.
    CatalogError
        There is no such sensor.
    IntegrityError
        A file is damaged.
    """
    sensor = warehouse.catalog.sensor(request.sensor_id)
    if sensor.role != "target":
        raise JobError(f"{sensor.key} is a {sensor.role} sensor: it explains others and is not trained")
    snapshot = warehouse.manifest.snapshot()
    if snapshot is None:
        raise CoreError(f"{sensor.key}: nothing is stored yet, so there is nothing to learn from")
    if holder is not None:
        warehouse.manifest.pin(snapshot.id, holder=holder)
    sensors = with_context(sensor, warehouse)
    ids = [one.id for one in sensors]
    files = warehouse.manifest.live("readings", sensor_ids=ids, snapshot_id=snapshot.id, damaged=True)
    damage.insist(warehouse.root, warehouse.manifest, files)
    labels = read_labels(warehouse)
    return TrainingPlan(
        request=request,
        sensors=sensors,
        parts=warehouse.catalog.parts(sensor.asset_id),
        snapshot_id=snapshot.id,
        snapshot_digest=snapshot.digest,
        files=tuple(PlannedFile(one.path, one.sha256) for one in files),
        labels_sequence=labels.sequence,
        labels_digest=labels.digest,
        confirmed=confirmations(labels, sensor.id, warehouse, as_of=as_of),
    )


def _plain(fields: Mapping[str, Any]) -> dict[str, JSON]:
    return {name: _word(value) for name, value in fields.items()}


def _word(value: "JSON | datetime") -> JSON:
    if isinstance(value, datetime):
        return value.isoformat()
    return [*value] if isinstance(value, Sequence) and not isinstance(value, str) else value


def _span(start: str, end: str) -> dict[str, datetime]:
    return {"start": datetime.fromisoformat(start), "end": datetime.fromisoformat(end)}
