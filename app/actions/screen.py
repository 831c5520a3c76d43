"""The actions as pages call them: plain values in, this machine's profile as actor, one kind of failure."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import duckdb

from app import settings
from app.actions import data, label, uploads, work
from app.queries import house
from app.roles import NotAllowed
from core.errors import CoreError
from warehouse.documents import JSON
from warehouse.errors import WarehouseError
from warehouse.state.labels import NewLabel

_FAILURES = (NotAllowed, WarehouseError, CoreError, OSError, sqlite3.Error, duckdb.Error)


class ActionFailed(Exception):
    """Nothing was stored; the message says why and what to do."""


def give_verdict(
    *,
    sensor_id: int,
    start: datetime,
    end: datetime,
    verdict: str,
    fault_class: str,
    note: str,
    event_id: str,
    version_id: int,
) -> int:
    """Store a verdict on an event and return its label id, once it is committed.

    Raises
    ------
    ActionFailed
        It was not stored.
    """
    new = NewLabel(
        sensor_id=sensor_id,
        start=start,
        end=end,
        verdict=verdict,
        fault_class=fault_class,
        note=note,
        event_id=event_id,
        version_id=version_id,
    )
    try:
        return label.set_label(house.profile(), new)
    except _FAILURES as error:
        raise ActionFailed(str(error)) from error


def take_back(label_id: int) -> None:
    """Take a verdict back; the log keeps both.

    Raises
    ------
    ActionFailed
        It stays.
    """
    try:
        label.undo_label(house.profile(), label_id)
    except _FAILURES as error:
        raise ActionFailed(str(error)) from error


def acknowledge(event_id: str) -> None:
    """Note that this person has seen an event.

    Raises
    ------
    ActionFailed
        It was not stored.
    """
    try:
        label.acknowledge(house.profile(), event_id)
    except _FAILURES as error:
        raise ActionFailed(str(error)) from error


def train(sensor_ids: Sequence[int], preset: str, mode: str) -> tuple[int, ...]:
    """Queue one training a sensor and return the ids of the jobs.

    Raises
    ------
    ActionFailed
        Nothing was queued.
    """
    try:
        jobs = work.start_training(house.profile(), house.warehouse(), sensor_ids, preset=preset, mode=mode)
    except _FAILURES as error:
        raise ActionFailed(str(error)) from error
    return tuple(job.id for job in jobs)


def build_demo() -> None:
    """Queue the demo fleet.

    Raises
    ------
    ActionFailed
        It was not queued.
    """
    try:
        work.start_demo(house.profile(), house.warehouse(), seed=settings.load().demo_seed)
    except _FAILURES as error:
        raise ActionFailed(str(error)) from error


def keep_upload(name: str, content: bytes | memoryview) -> uploads.Upload:
    """Keep a file that was sent until it is stored or dropped.

    Raises
    ------
    ActionFailed
        It is too large, or can't be written.
    """
    if len(content) > uploads.MAX_BYTES:
        raise ActionFailed(
            f"{uploads.plain_name(name)} is larger than {uploads.MAX_BYTES // 2**20} MB; store it with "
            "`telltale ingest`, or split it"
        )
    try:
        return uploads.keep(house.warehouse().layout.uploads, name, content)
    except _FAILURES as error:
        raise ActionFailed(f"{uploads.plain_name(name)} can't be kept: {error}") from error


def store_table(
    upload: uploads.Upload, mapping: Mapping[str, JSON], progress: Callable[[float, str], None]
) -> data.Stored:
    """Store an uploaded table as mapped, and drop the upload.

    Raises
    ------
    ActionFailed
        Nothing was stored.
    """
    try:
        stored = data.store_table(house.profile(), house.warehouse(), upload, mapping, progress=progress)
    except _FAILURES as error:
        raise ActionFailed(str(error)) from error
    upload.drop()
    return stored


def set_limits(sensor_id: int, limits: Mapping[str, float | None]) -> None:
    """Put limits of a sensor into force.

    Raises
    ------
    ActionFailed
        The former ones stay.
    """
    try:
        data.set_limits(house.profile(), sensor_id, limits)
    except _FAILURES as error:
        raise ActionFailed(str(error)) from error


def set_unit(sensor_id: int, unit: str | None) -> None:
    """Show a sensor in another unit; None is the one that its source states.

    Raises
    ------
    ActionFailed
        The former one stays.
    """
    try:
        data.set_unit(house.profile(), sensor_id, unit)
    except _FAILURES as error:
        raise ActionFailed(str(error)) from error


def keep_snapshot(snapshot_id: int, *, keep: bool) -> None:
    """Keep a snapshot, or let go of it.

    Raises
    ------
    ActionFailed
        Nothing changed.
    """
    try:
        data.keep_snapshot(house.profile(), snapshot_id, keep=keep)
    except _FAILURES as error:
        raise ActionFailed(str(error)) from error
