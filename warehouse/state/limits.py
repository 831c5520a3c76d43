"""Engineering alarm limits of a sensor: checked, appended to a log, never changed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Self

import duckdb
import polars as pl

from warehouse import schema
from warehouse.catalog import Catalog
from warehouse.documents import JSON
from warehouse.errors import CatalogError, LabelError
from warehouse.state.writes import Write, integer

# From the lowest to the highest, as ISA-18.2 calls them.
NAMES: Final = ("low_low", "low", "high", "high_high")
WORDS: Final = {"low_low": "low-low", "low": "low", "high": "high", "high_high": "high-high"}

LIMITS: Final = pl.Schema(
    [
        ("sensor_id", pl.Int32),
        *((name, pl.Float64) for name in NAMES),
        ("actor", pl.String),
        ("recorded_at", schema.TIME),
    ]
)


@dataclass(frozen=True)
class Limits:
    """The limits of one sensor in the unit that is shown; None where there is none."""

    low_low: float | None = None
    low: float | None = None
    high: float | None = None
    high_high: float | None = None

    def given(self) -> tuple[tuple[str, float], ...]:
        """Return (name, value) of the limits that are set, the lowest first."""
        values = ((name, getattr(self, name)) for name in NAMES)
        return tuple((name, value) for name, value in values if value is not None)

    def problems(self) -> dict[str, str]:
        """Return why these limits can't be stored, by the name of the limit at fault."""
        found = {name: "must be a finite number" for name, value in self.given() if not math.isfinite(value)}
        if found:
            return found
        for (below, lower), (above, upper) in combinations(self.given(), 2):
            if lower >= upper:
                found.setdefault(
                    above, f"must lie above the {WORDS[below]} limit {lower:g}, and {upper:g} does not"
                )
        return found

    def document(self) -> dict[str, JSON]:
        """Return them as a payload states them."""
        return {name: getattr(self, name) for name in NAMES}

    @classmethod
    def of_document(cls, document: Mapping[str, JSON]) -> Self:
        """Return the limits that a payload states.

        Raises
        ------
        LabelError
            One is no number.
        """
        values: dict[str, float | None] = {}
        for name in NAMES:
            value = document.get(name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
                raise LabelError(f"the {WORDS[name]} limit must be a number, not {value!r}")
            values[name] = None if value is None else float(value)
        return cls(**values)


def set_limits(cursor: duckdb.DuckDBPyConnection, write: Write, catalog: Catalog) -> dict[str, JSON]:
    """Append the limits of a sensor in the open transaction and return its id and its former limits.

    Raises
    ------
    LabelError
        The sensor is unknown, or the limits can't be stored as given.
    """
    sensor_id = integer(write.payload, "sensor_id")
    limits = Limits.of_document(write.payload)
    try:
        sensor = catalog.sensor(sensor_id)
    except CatalogError as error:
        raise LabelError(f"limits can't be set: {error}") from error
    for name, problem in limits.problems().items():
        raise LabelError(f"{sensor.key}: the {WORDS[name]} limit {problem}")
    former = cursor.execute(
        "SELECT low_low, low, high, high_high FROM limit_log WHERE sensor_id = ? ORDER BY seq DESC LIMIT 1",
        [sensor_id],
    ).fetchone()
    cursor.execute(
        "INSERT INTO limit_log SELECT coalesce(max(seq), 0) + 1, ?, ?, ?, ?, ?, ?, ?, ? FROM limit_log",
        [write.write_id, sensor_id, *limits.document().values(), write.actor, write.at],
    )
    return {"sensor_id": sensor_id, "former": Limits(*(former or ())).document()}
