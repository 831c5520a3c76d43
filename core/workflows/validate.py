"""Validation: versions judged again, on readings that none of those compared learned from."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl

from core.errors import Cancelled, CoreError, JobError
from core.evaluation.held_out import VerdictRates, figures_of, judged_part, verdict_rates
from core.results import HeldOutFigures
from core.signal import Signal
from core.splits import Split, span
from core.workflows.methods import load_version
from core.workflows.records import figures
from core.workflows.reporting import Task, counted
from core.workflows.requests import ids_of, sensor_ids_of
from core.workflows.said import intervals
from core.workflows.signals import declared, labelled_steps, load_signal, steps_of
from warehouse.assets import Sensor
from warehouse.catalog import Version
from warehouse.documents import JSON
from warehouse.errors import WarehouseError
from warehouse.home import Warehouse
from warehouse.state.published import read_labels

_NAMED: Final = 3
"""Failures that the message of a job tells which could judge nothing."""


@dataclass(frozen=True)
class Validated:
    """What a version does on readings that it did not learn from.

    Parameters
    ----------
    span
        Half-open interval in UTC that it was judged on.
    figures
        Errors, alarms, and precision and recall against anomalies that the publisher labelled there.
    verdicts
        The same against what people said; None where they said nothing of that time.
    """

    version: Version
    span: tuple[datetime, datetime]
    figures: HeldOutFigures
    verdicts: VerdictRates | None


def validate_job(payload: Mapping[str, JSON], task: Task) -> dict[str, JSON]:
    """Judge versions on what none of them learned from; one that fails is named and hides no other.

    Versions of one sensor are judged on one span, so that their figures can be held against each other: what
    follows the newest step that any of them learned from, or the declared test part.

    Parameters
    ----------
    payload
        ``version_ids``; or ``sensor_ids``, for all versions of these sensors.

    Raises
    ------
    JobError
        The payload names no version, or every one of them failed.
    Cancelled
        The job was told to end.
    """
    versions = _named(payload, task.warehouse)
    labels = read_labels(task.warehouse).frame
    done: list[tuple[Sensor, Validated]] = []
    failed: dict[str, JSON] = {}
    position, total = 0, sum(len(one) for one in versions.values())
    for sensor_id, own in versions.items():
        sensor = task.warehouse.catalog.sensor(sensor_id)
        task.check()
        task.progress(position / total, f"Reading {sensor.key}")
        try:
            common = _common(sensor, own, task.warehouse)
        except (CoreError, WarehouseError) as error:
            failed.update({_name(sensor, one): str(error) for one in own})
            position += len(own)
            continue
        for version in own:
            task.check()
            task.progress(position / total, f"Judging {_name(sensor, version)}")
            position += 1
            try:
                done.append((sensor, _validated(version, common, labels, task.warehouse)))
            except Cancelled:
                raise
            except (CoreError, WarehouseError) as error:
                failed[_name(sensor, version)] = str(error)
    if not done:
        told = [f"{name}: {reason}" for name, reason in failed.items()]
        more = f" (and {len(told) - _NAMED} more)" if len(told) > _NAMED else ""
        raise JobError("; ".join(told[:_NAMED]) + more)
    sensors = len({sensor.id for sensor, _ in done})
    summary = (
        f"Judged {counted(len(done), 'version')} of {counted(sensors, 'sensor')} "
        "on readings that none of them learned from."
    )
    if failed:
        summary += f" {len(failed):,} could not be judged."
    return {
        "summary": summary,
        "versions": {str(one.version.id): _plain(sensor, one) for sensor, one in done},
        "failed": failed,
    }


@dataclass(frozen=True, eq=False)
class _Common:
    """What the versions of one sensor are judged on."""

    sensor: Sensor
    signal: Signal
    test: Signal
    declared: bool
    marked: tuple[tuple[int, int], ...] | None


def _named(payload: Mapping[str, JSON], warehouse: Warehouse) -> dict[int, list[Version]]:
    """Return the versions that a payload names, by sensor."""
    found: defaultdict[int, list[Version]] = defaultdict(list)
    if payload.get("version_ids") is not None:
        for one in ids_of(payload["version_ids"], "a validation needs version_ids"):
            version = warehouse.catalog.version(one)
            found[version.sensor_id].append(version)
        return found
    ids = sensor_ids_of(payload, "a validation")
    for one in ids:
        versions = warehouse.catalog.versions(one)
        if versions:
            found[one].extend(versions)
    if not found:
        raise JobError(f"none of the {len(ids)} sensors has a version to validate: train them first")
    return found


def _common(sensor: Sensor, versions: Sequence[Version], warehouse: Warehouse) -> _Common:
    """Return what all versions of a sensor can be judged on.

    Raises
    ------
    CoreError
        There is nothing.
    """
    learned = [one.spans["calibrate"][1] for one in versions if "calibrate" in one.spans]
    if not learned:
        raise CoreError("no version recorded what it learned from, so nothing is known to be new to it")
    parts = warehouse.catalog.parts(sensor.asset_id)
    part = declared(parts, "test")
    start = max(learned) if part is None else max(*learned, part[0])
    signal = load_signal(warehouse, sensor)
    end = span(signal)[1] if part is None else part[1]
    test = signal.between(start, end)
    if not len(test):
        raise CoreError(
            f"{sensor.key} has no reading after {start:%Y-%m-%d %H:%M} UTC, up to which it learned"
        )
    return _Common(sensor, signal, test, part is not None, labelled_steps(parts, test))


def _validated(version: Version, common: _Common, labels: pl.DataFrame, warehouse: Warehouse) -> Validated:
    """Judge one version.

    Raises
    ------
    CoreError
        What it learned from is not known or not stored, its files are not the registered ones, or the span is
        too short for it.
    """
    if not {"train", "calibrate"} <= version.spans.keys():
        raise CoreError("it did not record what it learned from, so nothing is known to be new to it")
    start = span(common.test)[0]
    train = common.signal.between(*version.spans["train"])
    if not len(train):
        raise CoreError("the readings that it learned from are no longer stored")
    calibrate = common.signal.between(version.spans["train"][1], start)
    split = Split(train, calibrate, common.test)
    judged = judged_part(load_version(version, warehouse), split, lead=not common.declared)
    confirmed, refuted = (
        steps_of(intervals(labels, common.sensor.id, verdict), common.test)
        for verdict in ("true_anomaly", "false_positive")
    )
    rates = verdict_rates(judged.events, confirmed, refuted) if confirmed or refuted else None
    return Validated(version, span(common.test), figures_of(judged, common.marked), rates)


def _plain(sensor: Sensor, one: Validated) -> dict[str, JSON]:
    plain: dict[str, JSON] = {
        "name": _name(sensor, one.version),
        "sensor_id": sensor.id,
        "number": one.version.number,
        "method": one.version.method,
        "champion": one.version.champion,
        "span": [moment.isoformat() for moment in one.span],
        "figures": dict(figures(one.figures)),
    }
    if one.verdicts is not None:
        said = one.verdicts
        plain["verdicts"] = {
            "confirmed": said.confirmed,
            "found": said.found,
            "right": said.right,
            "wrong": said.wrong,
            "unjudged": said.unjudged,
            "precision": said.precision,
            "recall": said.recall,
        }
    return plain


def _name(sensor: Sensor, version: Version) -> str:
    return f"{sensor.key} version {version.number} ({version.method})"
