"""Assets, sensors and parts as rows of the catalogue; every function takes an open connection."""

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from warehouse.assets import Asset, AssetSpec, Part, PartSpec, Role, Sensor, SensorSpec, sensor_key
from warehouse.errors import CatalogError
from warehouse.instants import microseconds, moment_of

_NAME_LENGTH: Final = 120
# Formats that one and the same machine's exports come in.
_TABLES: Final = frozenset({"csv", "parquet"})


def check(specs: Sequence[AssetSpec]) -> None:
    """Refuse specs whose names are empty, doubled, too long, or hold what they must not.

    Raises
    ------
    CatalogError
        The first name at fault and why.
    """
    seen: set[str] = set()
    for spec in specs:
        _check_name("asset", spec.name)
        if "/" in spec.name:
            raise CatalogError(f"asset name {spec.name!r} holds a '/', which separates asset and sensor")
        if spec.name in seen:
            raise CatalogError(f"asset {spec.name!r} is stated twice")
        seen.add(spec.name)
        names = [sensor.name for sensor in spec.sensors]
        for sensor in spec.sensors:
            _check_name(f"asset {spec.name!r}: sensor", sensor.name)
            for other in sensor.context:
                if other not in names or other == sensor.name:
                    raise CatalogError(
                        f"asset {spec.name!r}: context {other!r} of {sensor.name!r} is no other sensor of it"
                    )
        if len(set(names)) != len(names):
            doubled = next(name for name in names if names.count(name) > 1)
            raise CatalogError(f"asset {spec.name!r}: sensor {doubled!r} is stated twice")
        once = [part.name for part in spec.parts if part.name != "anomaly"]
        if len(set(once)) != len(once):
            raise CatalogError(f"asset {spec.name!r}: a train or test part is stated twice")
        for part in spec.parts:
            if microseconds(part.end) <= microseconds(part.start):
                raise CatalogError(f"asset {spec.name!r}: its {part.name} part ends before it starts")


def _check_name(what: str, name: str) -> None:
    if not name.strip() or name != name.strip():
        raise CatalogError(f"{what} name {name!r} is empty or has spaces around it")
    if len(name) > _NAME_LENGTH:
        raise CatalogError(f"{what} name {name[:30]!r}… is longer than {_NAME_LENGTH} characters")
    if not name.isprintable():
        raise CatalogError(f"{what} name {name!r} holds characters that can't be shown")


def reserve(connection: sqlite3.Connection, specs: Sequence[AssetSpec]) -> dict[str, int]:
    """Return the id of each sensor by its key, giving new names their id."""
    ids: dict[str, int] = {}
    for spec in specs:
        known = dict(
            connection.execute(
                "SELECT sensor_name, id FROM sensor_ids WHERE asset_name = ?", (spec.name,)
            ).fetchall()
        )
        for sensor in spec.sensors:
            if sensor.name not in known:
                known[sensor.name] = connection.execute(
                    "INSERT INTO sensor_ids (asset_name, sensor_name) VALUES (?, ?)", (spec.name, sensor.name)
                ).lastrowid
            ids[sensor_key(spec.name, sensor.name)] = int(known[sensor.name])
    return ids


def refuse_contradictions(connection: sqlite3.Connection, source: str, specs: Sequence[AssetSpec]) -> None:
    """Refuse specs that contradict what is stored.

    Raises
    ------
    CatalogError
        An asset belongs to another source, or a sensor is stored with another unit.
    """
    for spec in specs:
        row = connection.execute("SELECT source FROM assets WHERE name = ?", (spec.name,)).fetchone()
        if row is not None and row[0] != source and not {row[0], source} <= _TABLES:
            # Simulated readings must never end up among real ones.
            raise CatalogError(
                f"asset {spec.name!r} holds data of source {row[0]}; data of source {source} can't be mixed "
                "into it: give the asset another name"
            )
        units = dict(
            connection.execute(
                "SELECT s.name, s.unit FROM sensors s JOIN assets a ON a.id = s.asset_id WHERE a.name = ?",
                (spec.name,),
            ).fetchall()
        )
        for sensor in spec.sensors:
            stored = units.get(sensor.name, sensor.unit)
            if stored != sensor.unit:
                raise CatalogError(
                    f"sensor {sensor_key(spec.name, sensor.name)!r} is stored in {stored or 'no unit'!r}, "
                    f"now stated in {sensor.unit or 'no unit'!r}: convert the values or rename the sensor"
                )


def put(connection: sqlite3.Connection, source: str, specs: Sequence[AssetSpec], ids: dict[str, int]) -> None:
    """Store `specs` under the reserved `ids`; what is equal already is not written again."""
    for spec in specs:
        asset_id = _put_asset(connection, source, spec)
        stored = {one.id: one for one in sensors(connection, asset_id=asset_id)}
        mine = {sensor.name: ids[sensor_key(spec.name, sensor.name)] for sensor in spec.sensors}
        for sensor in spec.sensors:
            if mine[sensor.name] not in stored:
                connection.execute(
                    "INSERT INTO sensors (id, asset_id, name, unit, role, interval_s)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    (mine[sensor.name], asset_id, sensor.name, sensor.unit, sensor.role, sensor.interval_s),
                )
        for sensor in spec.sensors:
            _update_sensor(connection, sensor, mine, stored.get(mine[sensor.name]))
        _put_parts(connection, asset_id, spec.parts)


def _put_parts(connection: sqlite3.Connection, asset_id: int, stated: Sequence[PartSpec]) -> None:
    """Make the stated parts the asset's parts; an asset stated without parts keeps those it has."""
    rows = {(part.name, microseconds(part.start), microseconds(part.end)) for part in stated}
    stored = {
        (part.name, microseconds(part.start), microseconds(part.end)) for part in parts(connection, asset_id)
    }
    if not rows or rows == stored:
        return
    connection.execute("DELETE FROM parts WHERE asset_id = ?", (asset_id,))
    connection.executemany(
        "INSERT INTO parts (asset_id, name, start_us, end_us) VALUES (?, ?, ?, ?)",
        [(asset_id, *row) for row in sorted(rows)],
    )


def _put_asset(connection: sqlite3.Connection, source: str, spec: AssetSpec) -> int:
    connection.execute(
        "INSERT INTO assets (name, kind, source, historical) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, historical = excluded.historical"
        " WHERE (kind, historical) != (excluded.kind, excluded.historical)",
        (spec.name, spec.kind, source, spec.historical),
    )
    return int(connection.execute("SELECT id FROM assets WHERE name = ?", (spec.name,)).fetchone()[0])


def _update_sensor(
    connection: sqlite3.Connection, spec: SensorSpec, ids: dict[str, int], stored: Sensor | None
) -> None:
    sensor_id = ids[spec.name]
    if stored is not None and (stored.role, stored.interval_s) != (spec.role, spec.interval_s):
        connection.execute(
            "UPDATE sensors SET role = ?, interval_s = ? WHERE id = ?",
            (spec.role, spec.interval_s, sensor_id),
        )
    context = tuple(ids[name] for name in spec.context)
    if context != (stored.context if stored else ()):
        _put_context(connection, sensor_id, context)


def _put_context(connection: sqlite3.Connection, sensor_id: int, context: tuple[int, ...]) -> None:
    connection.execute("DELETE FROM sensor_context WHERE sensor_id = ?", (sensor_id,))
    connection.executemany(
        "INSERT INTO sensor_context (sensor_id, position, context_id) VALUES (?, ?, ?)",
        [(sensor_id, position, other) for position, other in enumerate(context)],
    )


def assets(connection: sqlite3.Connection) -> tuple[Asset, ...]:
    """Return all assets in the order of their ids."""
    rows = connection.execute("SELECT id, name, kind, source, historical FROM assets ORDER BY id").fetchall()
    return tuple(Asset(row[0], row[1], row[2], row[3], bool(row[4])) for row in rows)


def sensors(
    connection: sqlite3.Connection,
    *,
    role: Role | None = None,
    asset_id: int | None = None,
    sensor_id: int | None = None,
) -> tuple[Sensor, ...]:
    """Return the sensors that meet every given condition, in the order of their ids."""
    chosen = (
        " FROM sensors s JOIN assets a ON a.id = s.asset_id WHERE (:role IS NULL OR s.role = :role)"
        " AND (:asset IS NULL OR s.asset_id = :asset) AND (:sensor IS NULL OR s.id = :sensor)"
    )
    given = {"role": role, "asset": asset_id, "sensor": sensor_id}
    context: defaultdict[int, list[int]] = defaultdict(list)
    for sensor, other in connection.execute(
        "SELECT sensor_id, context_id FROM sensor_context WHERE sensor_id IN (SELECT s.id"  # noqa: S608 -- no values
        + chosen
        + ") ORDER BY sensor_id, position",
        given,
    ):
        context[sensor].append(other)
    rows = connection.execute(
        "SELECT s.id, s.asset_id, a.name, s.name, coalesce(s.shown_unit, s.unit), s.role, s.interval_s,"
        " s.unit" + chosen + " ORDER BY s.id",
        given,
    ).fetchall()
    return tuple(
        Sensor(row[0], row[1], row[2], row[3], row[4], row[5], row[6], tuple(context[row[0]]), row[7])
        for row in rows
    )


def show_unit(connection: sqlite3.Connection, sensor_id: int, unit: str | None) -> None:
    """Set the unit that a sensor is shown in, None for the stated one.

    Raises
    ------
    CatalogError
        There is no such sensor.
    """
    hit = connection.execute("UPDATE sensors SET shown_unit = ? WHERE id = ?", (unit, sensor_id)).rowcount
    if hit != 1:
        raise CatalogError(f"there is no sensor #{sensor_id}")


def parts(connection: sqlite3.Connection, asset_id: int) -> tuple[Part, ...]:
    """Return the declared parts of an asset, earliest first."""
    rows = connection.execute(
        "SELECT asset_id, name, start_us, end_us FROM parts WHERE asset_id = ? ORDER BY start_us", (asset_id,)
    ).fetchall()
    return tuple(Part(row[0], row[1], moment_of(row[2]), moment_of(row[3])) for row in rows)
