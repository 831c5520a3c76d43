"""What a person does to the data: store a table, set limits and units, keep a snapshot."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.actions.uploads import Upload
from app.actions.writers import Writer, in_process
from app.clock import now
from app.roles import Profile, require
from core.workflows.ingest import ingest
from core.workflows.reporting import Progress, silent
from warehouse.documents import JSON
from warehouse.home import Warehouse
from warehouse.sources import table
from warehouse.sources.table_mapping import TableMapping


@dataclass(frozen=True)
class Stored:
    """What came of storing a table.

    Parameters
    ----------
    name
        The file as the person knows it.
    machines
        Names of the machines that it holds.
    added, replaced, unchanged, doubled
        Readings: new ones, those that got another value, those that were stored already, and those left out
        because a later row has their time.
    refused
        Rows that went to quarantine.
    batch_id
        Under which they are found there; None if nothing changed.
    job_id
        Judges what is new; None if there is nothing to judge.
    """

    name: str
    machines: tuple[str, ...]
    added: int
    replaced: int
    unchanged: int
    doubled: int
    refused: int
    batch_id: int | None
    job_id: int | None


def store_table(
    profile: Profile,
    warehouse: Warehouse,
    upload: Upload,
    mapping: Mapping[str, JSON],
    *,
    progress: Progress = silent,
    writer: Writer = in_process,
) -> Stored:
    """Store an uploaded table as `mapping` says, whole or not at all, and queue its scoring.

    Raises
    ------
    NotAllowed
        The profile is no trainer.
    SourceError, CatalogError
        The table can't be read as mapped, or contradicts what is stored; nothing was stored.
    """
    require(profile, "trainer", "store data")
    meant = TableMapping.of_document(mapping)
    batch = table.read(upload.path, meant, now=now(), name=upload.name, spill=warehouse.layout.staging)
    done = ingest(batch, warehouse=warehouse, clock=now, actor=profile.name, progress=progress)
    names = tuple(asset.name for asset in batch.assets)
    if done.report.changed:
        # The machine is on the screens at once, not only when it was scored.
        ids: list[JSON] = [one.id for one in warehouse.catalog.sensors() if one.asset_name in names]
        writer("fleet.refresh", {"sensor_ids": ids}, actor=profile.name)
    return Stored(
        name=upload.name,
        machines=names,
        added=done.report.added,
        replaced=done.report.replaced,
        unchanged=done.report.unchanged,
        doubled=done.report.duplicates,
        refused=done.report.refused,
        batch_id=done.report.batch_id,
        job_id=None if done.scoring is None else done.scoring.id,
    )


def set_limits(
    profile: Profile, sensor_id: int, limits: Mapping[str, JSON], *, writer: Writer = in_process
) -> None:
    """Put limits of a sensor into force; the audit keeps the former ones.

    Parameters
    ----------
    limits
        ``low_low``, ``low``, ``high``, ``high_high`` in the shown unit, None where there is none.

    Raises
    ------
    NotAllowed
        The profile is no trainer.
    LabelError
        They can't be stored as given; nothing changed.
    """
    require(profile, "trainer", "set limits")
    writer("limits.set", {"sensor_id": sensor_id, **limits}, actor=profile.name)


def set_unit(profile: Profile, sensor_id: int, unit: str | None, *, writer: Writer = in_process) -> None:
    """Show a sensor in another unit, None being the one that its source states; no value changes.

    Raises
    ------
    NotAllowed
        The profile is no trainer.
    LabelError
        It can't be shown; nothing changed.
    """
    require(profile, "trainer", "set a unit")
    writer("sensor.unit", {"sensor_id": sensor_id, "unit": unit}, actor=profile.name)


def keep_snapshot(profile: Profile, snapshot_id: int, *, keep: bool, writer: Writer = in_process) -> None:
    """Keep a snapshot's files, or let go of them in the name of all people; versions keep theirs.

    Raises
    ------
    NotAllowed
        The profile is no trainer.
    LabelError
        It is unknown, or its files were removed.
    """
    require(profile, "trainer", "keep a snapshot")
    writer("snapshot.pin", {"snapshot_id": snapshot_id, "keep": keep}, actor=profile.name)
