"""The list of fault classes that a verdict can name: a beginning, what people added, less what they retired.

A class that was retired stays on the verdicts that name it.
"""

from typing import Final

import duckdb
import polars as pl

from warehouse import schema
from warehouse.documents import JSON
from warehouse.errors import LabelError
from warehouse.state.labels import MAX_FAULT_CLASS
from warehouse.state.writes import Write, name_of, next_seq

BEGINNING: Final = (
    "bearing",
    "seal leak",
    "blockage",
    "cavitation",
    "sensor fault",
    "process upset",
    "maintenance",
    "other",
)

FAULT_CLASSES: Final = pl.Schema([("name", pl.String), ("actor", pl.String), ("recorded_at", schema.TIME)])


def add_fault_class(cursor: duckdb.DuckDBPyConnection, write: Write) -> dict[str, JSON]:
    """Add a class to the list in the open transaction.

    Raises
    ------
    LabelError
        It has no name, or the list has it, in whatever case.
    """
    name = name_of(write.payload, "name", MAX_FAULT_CLASS)
    known = _listed(cursor, name)
    if known is not None:
        raise LabelError(f"the fault class {known!r} is on the list already")
    return _append(cursor, write, "add", name)


def retire_fault_class(cursor: duckdb.DuckDBPyConnection, write: Write) -> dict[str, JSON]:
    """Take a class off the list in the open transaction; verdicts that name it keep it.

    Raises
    ------
    LabelError
        The list does not have it.
    """
    name = name_of(write.payload, "name", MAX_FAULT_CLASS)
    known = _listed(cursor, name)
    if known is None:
        raise LabelError(f"there is no fault class {name!r} on the list")
    return _append(cursor, write, "retire", known)


def listed(log: pl.DataFrame) -> pl.DataFrame:
    """Return the classes of the list, its beginning first, with the columns of `FAULT_CLASSES`.

    Parameters
    ----------
    log
        All rows of the table ``fault_class_log``. What the list begins with was said by nobody: its rows have
        an empty actor and no time, unless a person took it off and put it back.
    """
    found: dict[str, tuple[str, str, object]] = {name.casefold(): (name, "", None) for name in BEGINNING}
    for row in log.sort("seq").iter_rows(named=True):
        if row["action"] == "retire":
            found.pop(row["name"].casefold(), None)
        else:
            found[row["name"].casefold()] = (row["name"], row["actor"], row["recorded_at"])
    return pl.DataFrame(list(found.values()), schema=FAULT_CLASSES, orient="row")


def _listed(cursor: duckdb.DuckDBPyConnection, name: str) -> str | None:
    """Return the name as the list spells it."""
    names = listed(cursor.sql("SELECT * FROM fault_class_log ORDER BY seq").pl())["name"]
    return next((one for one in names if one.casefold() == name.casefold()), None)


def _append(cursor: duckdb.DuckDBPyConnection, write: Write, action: str, name: str) -> dict[str, JSON]:
    cursor.execute(
        "INSERT INTO fault_class_log VALUES (?, ?, ?, ?, ?, ?)",
        [next_seq(cursor, "fault_class_log"), write.write_id, action, name, write.actor, write.at],
    )
    return {"name": name}
