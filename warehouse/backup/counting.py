"""What is in a home that nobody else uses, counted in its files, not only read off its books."""

import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
import polars as pl

from warehouse.backup.document import BackupError, Counts
from warehouse.layout import Layout


def count(root: Path) -> Counts:
    """Count what is in the home at `root`; files that are known to be damaged don't count.

    Raises
    ------
    BackupError
        A store can't be read.
    """
    layout = Layout(root)
    try:
        with closing(sqlite3.connect(f"{layout.catalog.as_uri()}?mode=ro", uri=True)) as catalog:
            machines, sensors, versions = (
                int(catalog.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 -- names
                for table in ("assets", "sensors", "versions")
            )
            readings, events = (_rows(root, catalog, kind) for kind in ("readings", "events"))
        with duckdb.connect(layout.state, read_only=True) as state:
            found = state.execute("SELECT count(*) FROM label_log WHERE action = 'set'").fetchone()
    except (sqlite3.Error, duckdb.Error, pl.exceptions.PolarsError, OSError) as error:
        raise BackupError(f"{root} can't be counted: {error}") from error
    return Counts(
        machines=machines,
        sensors=sensors,
        readings=readings,
        versions=versions,
        verdicts=0 if found is None else int(found[0]),
        events=events,
    )


def _rows(root: Path, catalog: sqlite3.Connection, kind: str) -> int:
    live = catalog.execute(
        "SELECT path FROM files WHERE kind = ? AND ended_in IS NULL"
        " AND id NOT IN (SELECT file_id FROM damage)",
        (kind,),
    ).fetchall()
    if not live:
        return 0
    # Each file says in its footer how many rows it has: cheap at any size.
    return int(
        pl.scan_parquet([root / path for (path,) in live], glob=False).select(pl.len()).collect().item()
    )
