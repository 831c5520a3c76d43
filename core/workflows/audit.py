"""The audit as a file: every write of a person, and of verdicts each that it gave or took back."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from core.workflows.export import Exported, safe_cell, utc, write_csv
from warehouse.assets import Sensor
from warehouse.backup.owner_copy import from_owner
from warehouse.home import Warehouse
from warehouse.state.labels import current
from warehouse.state.store import StateStore

_OF_WRITES: Final = ("seq", "recorded_utc", "actor", "kind")
_OF_LABELS: Final = (
    "action",
    "label_id",
    "machine",
    "sensor",
    "start_utc",
    "end_utc",
    "verdict",
    "fault_class",
    "note",
    "event_id",
    "version_id",
    "in_force",
)
_REST: Final = ("payload", "outcome", "write_id")


def export_audit(file: Path, *, warehouse: Warehouse, actor: str, clock: Callable[[], datetime]) -> Exported:
    """Write the whole audit trail with the log of verdicts, oldest first, whether the app runs or not.

    A write that gave or took back several verdicts has a row for each. Cells can't be read as formulas.

    Raises
    ------
    BackupError, StateUnavailable
        The owner of the state did not hand a copy of it over.
    CoreError
        The file can't be written.
    """
    copy = from_owner(warehouse, actor=actor, clock=clock)
    try:
        store = StateStore(copy.path)
        try:
            audit = store.query("SELECT * FROM audit ORDER BY seq")
            log = store.query("SELECT * FROM label_log ORDER BY seq")
        finally:
            store.close()
    finally:
        copy.path.unlink(missing_ok=True)
    sensors = {one.id: one for one in warehouse.catalog.sensors()}
    rows = list(_rows(audit, log, sensors))
    write_csv(file, [*_OF_WRITES, *_OF_LABELS, *_REST], ([safe_cell(cell) for cell in row] for row in rows))
    return Exported(len(rows), log["sensor_id"].n_unique())


def _rows(audit: pl.DataFrame, log: pl.DataFrame, sensors: dict[int, Sensor]) -> Iterator[list[str]]:
    in_force = set(current(log)["label_id"])
    known = set(audit["write_id"])
    labels: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in log.iter_rows(named=True):
        # Several verdicts of one write have its id and a number.
        write_id = row["write_id"]
        labels[write_id if write_id in known else write_id.rpartition("/")[0]].append(row)
    for write in audit.iter_rows(named=True):
        start = [str(write["seq"]), utc(write["recorded_at"]), write["actor"], write["kind"]]
        rest = [write["payload"], write["outcome"], write["write_id"]]
        own = [_label(row, sensors, in_force) for row in labels[write["write_id"]]]
        for words in own or [[""] * len(_OF_LABELS)]:
            yield [*start, *words, *rest]


def _label(row: dict[str, Any], sensors: dict[int, Sensor], in_force: set[int]) -> list[str]:
    sensor = sensors.get(row["sensor_id"])
    return [
        row["action"],
        str(row["label_id"]),
        sensor.asset_name if sensor else "",
        sensor.name if sensor else str(row["sensor_id"]),
        utc(row["start"]),
        utc(row["end"]),
        row["verdict"],
        row["fault_class"],
        row["note"],
        row["event_id"] or "",
        "" if row["version_id"] is None else str(row["version_id"]),
        str(row["action"] == "set" and row["label_id"] in in_force).lower(),
    ]
