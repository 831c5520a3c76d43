"""Uploads, limits, units and snapshots, as pages store them."""

from collections.abc import Callable, Mapping

from app.actions import data, uploads
from app.actions.failure import FAILURES, ActionFailed, told
from app.queries import house
from warehouse.documents import JSON


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
    except FAILURES as error:
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
    store = told(data.store_table)
    stored = store(house.profile(), house.warehouse(), upload, mapping, progress=progress)
    upload.drop()
    return stored


@told
def set_limits(sensor_id: int, limits: Mapping[str, float | None]) -> None:
    """Put limits of a sensor into force.

    Raises
    ------
    ActionFailed
        The former ones stay.
    """
    data.set_limits(house.profile(), sensor_id, limits)


@told
def set_unit(sensor_id: int, unit: str | None) -> None:
    """Show a sensor in another unit; None is the one that its source states.

    Raises
    ------
    ActionFailed
        The former one stays.
    """
    data.set_unit(house.profile(), sensor_id, unit)


@told
def keep_snapshot(snapshot_id: int, *, keep: bool) -> None:
    """Keep a snapshot, or let go of it.

    Raises
    ------
    ActionFailed
        Nothing changed.
    """
    data.keep_snapshot(house.profile(), snapshot_id, keep=keep)
