"""A copy of state.duckdb as of one moment, made by the one process that may open it.

The owner reads every table inside one transaction, under its write lock, so that the copy holds every write
acknowledged before and none in halves; it then fills a new file in the home's staging folder. DuckDB itself
could copy (``ATTACH``, ``COPY FROM DATABASE``), but the owner's connection is shut off from files for good.
"""

import hashlib
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from warehouse.documents import JSON
from warehouse.durable import make_folder
from warehouse.errors import LabelError, WarehouseError
from warehouse.parquet import new_stem
from warehouse.sqlite import MIGRATIONS
from warehouse.state.migrate import open_migrated

COPY: Final = "state.copy"

_NAME: Final = re.compile(r"state-[0-9a-f]{16}\.duckdb")


@dataclass(frozen=True)
class StateCopy:
    """A copy that waits in the staging folder of the home: its file name, SHA-256 and size in bytes."""

    name: str
    sha256: str
    size: int

    def outcome(self) -> dict[str, JSON]:
        """Return it as the outcome of a ``state.copy`` write."""
        return {"name": self.name, "sha256": self.sha256, "size": self.size}

    @classmethod
    def of(cls, outcome: Mapping[str, JSON]) -> "StateCopy":
        """Return the copy that an outcome states.

        Raises
        ------
        LabelError
            It states none, or a file that no owner would have named so.
        """
        name, sha256, size = outcome.get("name"), outcome.get("sha256"), outcome.get("size")
        if not isinstance(name, str) or not isinstance(sha256, str) or not isinstance(size, int):
            raise LabelError(
                "the state's owner answered without a copy of the state: stop the app, then try again"
            )
        if not _NAME.fullmatch(name):
            raise LabelError(f"{name!r} is no name of a copy of the state")
        return cls(name, sha256, size)


def tables(cursor: duckdb.DuckDBPyConnection) -> dict[str, pl.DataFrame]:
    """Return every table of the state, whole, as the open transaction sees it."""
    names = cursor.execute(
        "SELECT table_name FROM duckdb_tables() WHERE NOT internal AND NOT temporary"
        " AND table_name <> 'schema_version' ORDER BY table_name"
    ).fetchall()
    return {name: cursor.sql(f'SELECT * FROM "{name}"').pl() for (name,) in names}  # noqa: S608 -- our own tables


def write(content: Mapping[str, pl.DataFrame], folder: Path) -> StateCopy:
    """Write `content` as a new state file in `folder`, durably, and return what it is called.

    Raises
    ------
    LabelError
        It can't be written; nothing is left.
    """
    path = folder / f"state-{new_stem()}.duckdb"
    try:
        make_folder(folder)
        _fill(path, content)
        with path.open("rb") as file:
            os.fsync(file.fileno())
            return StateCopy(path.name, hashlib.file_digest(file, "sha256").hexdigest(), file.tell())
    except (duckdb.Error, WarehouseError, OSError) as error:
        for left in (path, path.with_name(f"{path.name}.wal")):
            # Whatever stood in the way of writing may stand in the way of this as well.
            with suppress(OSError):
                left.unlink(missing_ok=True)
        raise LabelError(f"the state can't be copied to {folder}: {error}; make room there") from error


def _fill(path: Path, content: Mapping[str, pl.DataFrame]) -> None:
    connection = open_migrated(path, MIGRATIONS / "state")
    try:
        connection.begin()
        for table, frame in content.items():
            connection.register("incoming", frame)
            connection.execute(f'INSERT INTO "{table}" BY NAME SELECT * FROM incoming')  # noqa: S608 -- our own tables
            connection.unregister("incoming")
        connection.commit()
    finally:
        connection.close()
