"""CSV in long or wide form with declared time column, zone, units and roles.

The file is checked whole before anything is given: text that is not UTF-8, a time without a zone, or no
usable row at all is a `SourceError`. A row that is bad alone goes to `refusals` with its line number; in
a wide row a bad cell goes there alone. An empty cell is a missing value and passes as NaN.
"""

import io
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from warehouse.sources.ahead import ahead
from warehouse.sources.base import ReadSoFar, SourceBatch, require_aware, untold
from warehouse.sources.csv_lines import Block, Cells, read_blocks, split_cells
from warehouse.sources.headers import read_header
from warehouse.sources.table_mapping import TableMapping
from warehouse.sources.table_readings import TableReadings

SOURCE: Final = "csv"


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
    """Read a CSV table as `mapping` says; parameters are those of `warehouse.sources.table.read`.

    The file is UTF-8, with or without byte order mark, and its first line the header; it has at most
    `csv_lines.MAX_BYTES` when nothing else is said.

    Raises
    ------
    SourceError
        Nothing can be read, or what is declared does not fit the file; the message names file and line.
    """
    table = TableReadings(
        name or path.name, mapping, source=SOURCE, now=require_aware(now, "now"), spill=spill
    )
    for cells in ahead(_cells(path, table, max_bytes)):
        table.take(cells.rows, cells.refusals, cells.text)
        progress(cells.read)
    return table.batch()


def _cells(path: Path, table: TableReadings, max_bytes: int | None) -> Iterator[Cells]:
    """Yield the rows of a file block by block, having given its header to `table`."""
    delimiter = ""
    for block in read_blocks(path, table.name, max_bytes):
        rows: Block | None = block
        if not table.header:
            rows, delimiter = _take_header(table, block)
        if rows is None or not rows.data:
            continue
        table.count(rows.lines)
        yield split_cells(table.name, rows, delimiter=delimiter, width=len(table.header), wanted=table.wanted)


def _take_header(table: TableReadings, block: Block) -> tuple[Block | None, str]:
    """Return the lines after the header, None where the block has none, and the delimiter."""
    for at, line in enumerate(io.BytesIO(block.data)):
        text = line.decode().removesuffix("\n")
        if text.strip():
            header, delimiter = read_header(table.name, text, table.mapping.delimiter, table.mapping.needed)
            table.take_header(header, block.first + at)
            return block.after(at + 1), delimiter
    return None, ""
