"""A table of any format that is read: what it is is told by its content, never by its name."""

from datetime import datetime
from pathlib import Path

from warehouse.sources import csv_table, parquet_table
from warehouse.sources.base import ReadSoFar, SourceBatch, untold
from warehouse.sources.parquet_file import is_parquet
from warehouse.sources.table_mapping import TableMapping


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
    """Read a CSV or Parquet table as `mapping` says.

    Parameters
    ----------
    path
        The file.
    mapping
        What its columns mean.
    now
        Rows from a day after it on are refused.
    name
        What the person calls the file; its own name when not given.
    max_bytes
        A larger file is refused; the source's own limit when not given.
    spill
        Folder for readings that outgrow memory, until they are taken; the system's when not given.
    progress
        Told the share of the file that was read.

    Raises
    ------
    SourceError
        Nothing can be read, or what is declared does not fit the file; the message names file and line.
    """
    read_as = parquet_table.read if is_parquet(path) else csv_table.read
    return read_as(path, mapping, now=now, name=name, max_bytes=max_bytes, spill=spill, progress=progress)
