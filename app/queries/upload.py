"""A file that was sent and not stored yet: its first look, and what storing it would do."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final
from zoneinfo import available_timezones

from app.clock import now
from app.queries import house
from app.queries.upload_views import Column, FirstLook, Refused, SensorCheck, TableCheck
from core.workflows.rehearse import rehearse
from core.workflows.reporting import Progress, silent
from warehouse.documents import JSON
from warehouse.errors import WarehouseError
from warehouse.sources import table
from warehouse.sources.preview import preview
from warehouse.sources.table_mapping import ROLES, TableMapping

__all__ = ["ROLES", "UploadProblem", "check", "first_look", "goes_on", "machines", "stored_units", "zones"]


MAX_READINGS: Final = 20_000_000


class UploadProblem(Exception):
    """The file can't be read as it is meant; the message says what to change."""


def first_look(path: Path, name: str) -> FirstLook:
    """Return columns, first rows and the guesses.

    Raises
    ------
    UploadProblem
        It is no table that can be read, or has no rows.
    """
    try:
        seen = preview(path, name)
    except (WarehouseError, OSError) as error:
        raise UploadProblem(str(error)) from error
    if not seen.rows:
        raise UploadProblem(f"{name}: has a header and no rows; choose a file with readings")
    return FirstLook(
        kind=seen.kind,
        delimiter=seen.delimiter,
        decimal=seen.decimal,
        columns=tuple(Column(one.name, one.looks, one.sample) for one in seen.columns),
        rows=seen.rows,
        time=seen.guess.time,
        time_format=seen.guess.time_format,
        time_formats=seen.guess.ambiguous,
        needs_zone=seen.guess.needs_zone,
        layout=seen.guess.layout,
        sensor_column=seen.guess.sensor_column,
        value_column=seen.guess.value_column,
        asset_column=seen.guess.asset_column,
    )


def check(path: Path, name: str, mapping: Mapping[str, JSON], *, progress: Progress = silent) -> TableCheck:
    """Read the whole file as `mapping` says and say what storing it would do; nothing is stored.

    Raises
    ------
    UploadProblem
        It can't be read as mapped, or contradicts what is stored.
    """
    home = house.warehouse()
    try:
        meant = TableMapping.of_document(mapping)
        batch = table.read(path, meant, now=now(), name=name, spill=home.layout.staging)
        if batch.rows is not None and batch.rows > MAX_READINGS:
            # A small Parquet file may hold any number of rows.
            raise UploadProblem(
                f"{name}: holds {batch.rows:,} readings, at most {MAX_READINGS:,} are taken here;"
                " store it with `telltale ingest`"
            )
        found = rehearse(batch, warehouse=home, progress=progress)
    except (WarehouseError, OSError) as error:
        raise UploadProblem(str(error)) from error
    return TableCheck(
        sensors=tuple(
            SensorCheck(
                machine=one.asset,
                name=one.spec.name,
                unit=one.spec.unit,
                role=one.spec.role,
                readings=one.readings,
                empty=one.empty,
                doubled=one.doubled,
                start=one.start,
                end=one.end,
                interval_s=one.interval_s,
                gaps=one.gaps,
                longest_gap=one.longest_gap,
                known=one.known,
                new=one.new,
                same=one.same,
                replaced=one.replaced,
            )
            for one in found.sensors
        ),
        refused=tuple(Refused(one.row, one.reason, one.content) for one in found.refusals),
        notes=found.notes,
    )


def stored_units(machine: str) -> dict[str, tuple[str, str]]:
    """Return the stated unit and the role of each stored sensor of a machine, by name."""
    sensors = house.warehouse().catalog.sensors()
    return {one.name: (one.stated_unit, one.role) for one in sensors if one.asset_name == machine}


def goes_on(machine: str) -> bool:
    """Return whether a machine is stored as one that goes on sending; False for one that is not stored."""
    assets = house.warehouse().catalog.assets()
    return any(one.name == machine and not one.historical for one in assets)


def machines() -> tuple[str, ...]:
    """Return the machines that tables have brought so far; others belong to their own source."""
    return tuple(one.name for one in house.warehouse().catalog.assets() if one.source in _TABLES)


_TABLES: Final = ("csv", "parquet")
_ETC: Final = ("Etc/", "SystemV/", "posix", "right/")


def zones(first: str) -> tuple[str, ...]:
    """Return the names of all zones, a viewer's own and UTC before the others."""
    known = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(_ETC))
    return tuple(dict.fromkeys((first, "UTC", *known)))
