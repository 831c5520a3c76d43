"""Parquet in long or wide form, by the same mapping and the same rules as CSV; rows are counted from 1.

Times may be moments with or without a zone, dates, text, or numbers of a stated epoch; values numbers,
booleans or text. A column of any other type is left out, and refused where the mapping needs it.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa

from warehouse.sources import parquet_file
from warehouse.sources.base import ReadSoFar, SourceBatch, require_aware, untold
from warehouse.sources.cells import as_text
from warehouse.sources.parquet_columns import refuse_type, refuse_value
from warehouse.sources.table_mapping import TableMapping
from warehouse.sources.table_readings import TableReadings

SOURCE: Final = "parquet"
# Cells that are looked at together; a row group is read piece by piece.
_CELLS_AT_ONCE: Final = 1_500_000


def read(
    path: Path,
    mapping: TableMapping,
    *,
    now: datetime,
    name: str | None = None,
    max_bytes: int | None = None,
    spill: Path | None = None,
    progress: ReadSoFar = untold,
) -> SourceBatch:
    """Read a Parquet table as `mapping` says; parameters are those of `warehouse.sources.table.read`.

    The mapping's delimiter counts for nothing here; the file has at most `parquet_file.MAX_BYTES` when
    nothing else is said.

    Raises
    ------
    SourceError
        Nothing can be read, or what is declared does not fit the file; the message names file and row.
    """
    table = TableReadings(
        name or path.name, mapping, source=SOURCE, now=require_aware(now, "now"), spill=spill
    )
    with parquet_file.opened(path, table.name, max_bytes) as file:
        schema = file.schema_arrow
        table.take_header(list(schema.names), None, _unread(schema, mapping))
        wanted = table.wanted
        row = 1
        columns = [schema.names[one] for one in wanted]
        for frame in parquet_file.frames(file, table.name, columns, max(1, _CELLS_AT_ONCE // len(wanted))):
            table.count(frame.height)
            frame.columns = [f"c{schema.names.index(column)}" for column in frame.columns]
            lines = pl.int_range(row, row + frame.height, eager=True).alias("line")
            table.take(pl.DataFrame([lines, *frame]), (), _texts(frame, row))
            row += frame.height
            progress((row - 1) / max(1, file.metadata.num_rows))
    return table.batch()


def _unread(schema: pa.Schema, mapping: TableMapping) -> dict[str, str]:
    """Return the columns that can't be read as what they are to be, with the reason."""
    found = {field.name: refuse_type(field.type) for field in schema}
    for field in schema:
        is_value = (
            field.name == mapping.value_column if mapping.layout == "long" else field.name != mapping.time
        )
        if is_value:
            found[field.name] = refuse_value(field.type)
    return {name: reason for name, reason in found.items() if reason is not None}


def _texts(frame: pl.DataFrame, first: int) -> Callable[[int], str]:
    def text(row: int) -> str:
        one = frame.slice(row - first, 1)
        return ", ".join(as_text(one[column])[0] for column in one.columns)

    return text
