"""The unit that a person sets for a sensor: kept in the catalogue, its history in the audit."""

from typing import Final

import duckdb

from warehouse.catalog import Catalog
from warehouse.documents import JSON, loads
from warehouse.errors import CatalogError, LabelError
from warehouse.state.writes import Write, integer, text

MAX_UNIT: Final = 24


def set_unit(cursor: duckdb.DuckDBPyConnection, write: Write, catalog: Catalog) -> dict[str, JSON]:
    """Show a sensor in another unit, None being the one that its source states; no value changes.

    The catalogue is written before the audit's transaction commits. A write that is made again after a crash
    in between writes the same, and finds the former unit in the audit, not in the catalogue.

    Raises
    ------
    LabelError
        The sensor is unknown, or the unit can't be shown.
    """
    sensor_id = integer(write.payload, "sensor_id")
    stated = write.payload.get("unit")
    unit = None if stated is None else text(write.payload, "unit", MAX_UNIT)
    if unit is not None and not unit.isprintable():
        raise LabelError(f"unit {unit!r} holds characters that can't be shown")
    former = _former(cursor, sensor_id)
    try:
        catalog.show_unit(sensor_id, unit)
        shown = catalog.sensor(sensor_id).unit
    except CatalogError as error:
        raise LabelError(f"the unit can't be set: {error}") from error
    cursor.execute("UPDATE fleet SET unit = ? WHERE sensor_id = ?", [shown, sensor_id])
    return {"sensor_id": sensor_id, "unit": shown, "former": former}


def _former(cursor: duckdb.DuckDBPyConnection, sensor_id: int) -> JSON:
    rows = cursor.execute("SELECT payload FROM audit WHERE kind = 'sensor.unit' ORDER BY seq DESC").fetchall()
    payloads = (loads(row[0]) for row in rows)
    unit = next((one.get("unit") for one in payloads if one.get("sensor_id") == sensor_id), None)
    return unit.strip() if isinstance(unit, str) else None
