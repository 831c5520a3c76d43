"""The catalogue: assets, sensors, declared parts, settings of sources, and model versions."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from warehouse import asset_table, sensor_search, versions
from warehouse.assets import (
    Asset,
    AssetSpec,
    Part,
    PartSpec,
    Role,
    Sensor,
    SensorSpec,
    sensor_key,
)
from warehouse.documents import JSON
from warehouse.errors import CatalogError
from warehouse.sqlite import Database
from warehouse.versions import NewVersion, Version

__all__ = [
    "JSON",
    "Asset",
    "AssetSpec",
    "Catalog",
    "NewVersion",
    "Part",
    "PartSpec",
    "Role",
    "Sensor",
    "SensorSpec",
    "Version",
    "sensor_key",
]


class Catalog:
    """Who is measured, and which models exist; safe to use from any thread and process.

    Parameters
    ----------
    database
        ``catalog.sqlite``.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def reserve_ids(self, source: str, specs: Sequence[AssetSpec]) -> dict[str, int]:
        """Return the id that each sensor has or will have, by sensor key, without storing any sensor.

        Raises
        ------
        CatalogError
            A name is empty, doubled or holds what it must not; or `put_assets` would refuse a spec.
        """
        asset_table.check(specs)
        with self._database.transaction() as connection:
            asset_table.refuse_contradictions(connection, source, specs)
            return asset_table.reserve(connection, specs)

    def refuse_contradictions(self, source: str, specs: Sequence[AssetSpec]) -> None:
        """Refuse what `put_assets` would refuse, and store nothing.

        Raises
        ------
        CatalogError
            As `put_assets` says.
        """
        asset_table.check(specs)
        with self._database.reading() as connection:
            asset_table.refuse_contradictions(connection, source, specs)

    def put_assets(
        self, source: str, specs: Sequence[AssetSpec], *, within: sqlite3.Connection | None = None
    ) -> dict[str, int]:
        """Store assets with their sensors and parts, or bring stored ones up to date.

        Parameters
        ----------
        source
            Name of the source; an asset belongs to the source that first stated it.
        within
            Connection of an open transaction to take part in; None for one of its own.

        Returns
        -------
        dict
            Sensor id by sensor key.

        Raises
        ------
        CatalogError
            An asset belongs to another source, or a sensor is stored with another unit.
        """
        asset_table.check(specs)
        with self._database.transaction(within) as connection:
            asset_table.refuse_contradictions(connection, source, specs)
            ids = asset_table.reserve(connection, specs)
            asset_table.put(connection, source, specs, ids)
        return ids

    def assets(self) -> tuple[Asset, ...]:
        """Return all assets in the order of their ids."""
        with self._database.reading() as connection:
            return asset_table.assets(connection)

    def sensors(self, role: Role | None = None, asset_id: int | None = None) -> tuple[Sensor, ...]:
        """Return the sensors of a role and of an asset, or of all, in the order of their ids."""
        with self._database.reading() as connection:
            return asset_table.sensors(connection, role=role, asset_id=asset_id)

    def sensor(self, sensor_id: int) -> Sensor:
        """Return one sensor.

        Raises
        ------
        CatalogError
            There is none of that id.
        """
        with self._database.reading() as connection:
            found = asset_table.sensors(connection, sensor_id=sensor_id)
        if not found:
            raise CatalogError(f"there is no sensor #{sensor_id}")
        return found[0]

    def show_unit(self, sensor_id: int, unit: str | None) -> None:
        """Show a sensor in another unit than its source states, None for the stated one; no value changes.

        Raises
        ------
        CatalogError
            There is none of that id.
        """
        with self._database.transaction() as connection:
            asset_table.show_unit(connection, sensor_id, unit)

    def find_sensor(self, text: str) -> Sensor:
        """Return the sensor a person means: ``"P-1"``, ``"Pump 7/outlet temperature"``, ``"#12"``.

        Raises
        ------
        CatalogError
            None or several match; the message lists what is close.
        """
        return sensor_search.find_sensor(text, self.sensors())

    def parts(self, asset_id: int) -> tuple[Part, ...]:
        """Return the declared parts of an asset, earliest first."""
        with self._database.reading() as connection:
            return asset_table.parts(connection, asset_id)

    def add_version(self, new: NewVersion) -> Version:
        """Register a model version and pin its snapshot: the commit point of a registration.

        Where something with its `made_by` is registered already, that one is returned and nothing changes.

        Raises
        ------
        CatalogError
            Its sensor or snapshot is unknown.
        """
        with self._database.transaction() as connection:
            return versions.by_id(connection, versions.insert(connection, new))

    def versions(self, sensor_id: int | None = None) -> tuple[Version, ...]:
        """Return the versions of a sensor, or of all, in the order of their registration."""
        with self._database.reading() as connection:
            return versions.select(connection, sensor_id)

    def version(self, version_id: int) -> Version:
        """Return one version.

        Raises
        ------
        CatalogError
            There is none of that id.
        """
        with self._database.reading() as connection:
            return versions.by_id(connection, version_id)

    def version_made_by(self, made_by: str) -> Version | None:
        """Return the version that `made_by`, such as ``job 17``, registered; None if there is none."""
        with self._database.reading() as connection:
            return versions.made_by(connection, made_by)

    def champion(self, sensor_id: int) -> Version | None:
        """Return the sensor's version in production: the promoted one, else its newest baseline."""
        with self._database.reading() as connection:
            version_id = versions.champions(connection, sensor_id).get(sensor_id)
            return None if version_id is None else versions.by_id(connection, version_id)

    def champions(self) -> dict[int, int]:
        """Return sensor id → version id in production, of every sensor that has one."""
        with self._database.reading() as connection:
            return versions.champions(connection)

    def watching(self, sensor_id: int) -> tuple[Version, ...]:
        """Return the versions that raise a sensor's events, the one in production first."""
        with self._database.reading() as connection:
            ids = versions.watching(connection, sensor_id).get(sensor_id, ())
            return tuple(versions.by_id(connection, one) for one in ids)

    def watchers(self) -> dict[int, tuple[int, ...]]:
        """Return sensor id → ids of the versions that raise its events, the one in production first."""
        with self._database.reading() as connection:
            return versions.watching(connection)

    def promote(self, version_id: int, *, actor: str, at: datetime) -> Version:
        """Make a version its sensor's only champion and return it.

        Raises
        ------
        CatalogError
            There is none of that id.
        """
        with self._database.transaction() as connection:
            versions.promote(connection, version_id, actor, at)
            return versions.by_id(connection, version_id)

    def source_settings(self, name: str) -> dict[str, Any] | None:
        """Return what a source stored of itself, such as the demo's seed; None if nothing."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT settings FROM source_settings WHERE name = ?", (name,)
            ).fetchone()
        if row is None:
            return None
        settings: dict[str, Any] = json.loads(row[0])
        return settings

    def put_source_settings(
        self, name: str, settings: Mapping[str, JSON], *, within: sqlite3.Connection | None = None
    ) -> None:
        """Store what a source needs to know when it is opened again."""
        with self._database.transaction(within) as connection:
            connection.execute(
                "INSERT INTO source_settings (name, settings) VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET settings = excluded.settings",
                (name, json.dumps(dict(settings), sort_keys=True)),
            )
