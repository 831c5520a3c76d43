"""Rows for a table of the state in one statement, however many they are."""

from collections.abc import Sequence
from typing import Final

import duckdb
import polars as pl

# Up to here parameters are quicker than a frame.
_FEW: Final = 4


def append(
    cursor: duckdb.DuckDBPyConnection, table: str, columns: pl.Schema, rows: Sequence[Sequence[object]]
) -> None:
    """Insert rows in the open transaction.

    Parameters
    ----------
    table
        A table of ours.
    columns
        Its columns, in its order.
    rows
        Values in the order of the columns.
    """
    # What was asked before may not have been read to its end.
    cursor.complete()
    if not rows:
        return
    if len(rows) <= _FEW:
        places = ", ".join([f"({', '.join('?' * len(columns))})"] * len(rows))
        cursor.execute(f"INSERT INTO {table} VALUES {places}", [value for row in rows for value in row])  # noqa: S608 -- a table of ours
        return
    cursor.register("incoming", pl.DataFrame(rows, schema=columns, orient="row"))
    cursor.execute(f"INSERT INTO {table} BY NAME SELECT * FROM incoming")  # noqa: S608 -- a table of ours
    cursor.unregister("incoming")
