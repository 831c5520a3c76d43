"""Export: current events as files for other programs."""

import csv
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl

from core.errors import CoreError, ParameterError
from core.workflows.signals import declared
from warehouse.catalog import Sensor
from warehouse.home import Warehouse
from warehouse.state.overlap import with_verdicts
from warehouse.state.published import read_labels

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Exported:
    """What was written: rows, sensors they belong to, and remarks, a sentence each."""

    rows: int
    sensors: int
    notes: tuple[str, ...] = ()


def export_events(file: Path, *, warehouse: Warehouse, sensor_ids: Sequence[int] | None) -> Exported:
    """Write the current events, a row each with the verdict it has; cells can't be read as formulas.

    Raises
    ------
    CoreError
        The file can't be written.
    """
    events = with_verdicts(warehouse.results.events_current(sensor_ids), read_labels(warehouse).frame)
    known = {one.id: one for one in warehouse.catalog.sensors()}
    header = [
        "event_id",
        "machine",
        "sensor",
        "unit",
        "start_utc",
        "end_utc",
        "open",
        "severity",
        "probability",
    ]
    header += [
        "peak_utc",
        "peak_score",
        "threshold",
        "version_id",
        "mode",
        "why",
        "verdict",
        "verdict_by",
        "note",
        "people",
        "disagree",
    ]
    rows = (
        [
            one["event_id"],
            known[one["sensor_id"]].asset_name,
            known[one["sensor_id"]].name,
            known[one["sensor_id"]].unit,
            utc(one["start"]),
            utc(one["end"]),
            str(one["open"]).lower(),
            one["severity"],
            f"{one['probability']:.4f}",
            utc(one["peak_ts"]),
            f"{one['peak_score']:.6g}",
            f"{one['threshold']:.6g}",
            str(one["version_id"]),
            one["mode"],
            one["why"],
            one["verdict"] or "",
            one["label_actor"] or "",
            one["note"] or "",
            str(one["voices"]),
            str(one["disagree"]).lower(),
        ]
        for one in events.iter_rows(named=True)
    )
    write_csv(file, header, ([safe_cell(cell) for cell in row] for row in rows))
    return Exported(events.height, events["sensor_id"].n_unique())


def export_smap_msl(file: Path, *, warehouse: Warehouse, sensor_ids: Sequence[int] | None) -> Exported:
    """Write the events inside declared test parts as channel and inclusive step indices into that part.

    Parameters
    ----------
    sensor_ids
        Targets to write; None for every channel with a trained model.

    Raises
    ------
    ParameterError
        No channel with a declared test part is left to write.
    CoreError
        The file can't be written.
    """
    targets = _channels(warehouse, sensor_ids)
    notes: list[str] = []
    if sensor_ids is None:
        champions = {one.sensor_id for one in warehouse.catalog.versions() if one.champion}
        trained = [one for one in targets if one.id in champions]
        left = len(targets) - len(trained)
        if left:
            notes.append(f"{left} channels without a trained model were left out; name them to write them.")
        targets = trained
    if not targets:
        raise ParameterError(
            "no channel with a declared test part has a trained model: `telltale train P-1` first, or name "
            "the channels"
        )
    rows: list[list[str]] = []
    for sensor in targets:
        part = declared(warehouse.catalog.parts(sensor.asset_id), "test")
        if part is None or sensor.interval_s is None:
            raise ParameterError(f"{sensor.key} has no declared test part on a regular grid")
        events = warehouse.results.events_current([sensor.id]).filter(
            (pl.col("start") < part[1]) & (pl.col("end") > part[0])
        )
        for start, end in events.select("start", "end").iter_rows():
            first = _index(max(start, part[0]), part[0], sensor.interval_s)
            last = _index(min(end, part[1]), part[0], sensor.interval_s) - 1
            rows.append([sensor.asset_name, str(first), str(last)])
    write_csv(file, ["channel", "start", "end"], rows)
    return Exported(len(rows), len(targets), tuple(notes))


def _channels(warehouse: Warehouse, sensor_ids: Sequence[int] | None) -> list[Sensor]:
    if sensor_ids is not None:
        return [warehouse.catalog.sensor(one) for one in sensor_ids]
    targets = warehouse.catalog.sensors(role="target")
    return [one for one in targets if declared(warehouse.catalog.parts(one.asset_id), "test") is not None]


def _index(moment: datetime, start: datetime, interval_s: float) -> int:
    return round((moment - start).total_seconds() / interval_s)


def utc(moment: datetime) -> str:
    """Return a moment as files state it."""
    return moment.isoformat().replace("+00:00", "Z")


def safe_cell(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula (OWASP: CSV injection)."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def write_csv(file: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a table so that the file is there, whole, or as it was.

    Raises
    ------
    CoreError
        The file can't be written.
    """
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with beside.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(header)
            writer.writerows(rows)
        beside.replace(file)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise CoreError(f"{file} can't be written: {error.strerror}") from error
