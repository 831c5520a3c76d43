"""Opening state.duckdb at the version that this release writes, and locking its settings."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import duckdb

from warehouse.durable import settle
from warehouse.errors import IntegrityError, SchemaError, StateLocked
from warehouse.room import disk_full, is_full, unwritable

_NUMBERED: Final = re.compile(r"^(\d{4})_\w+\.sql$")


def open_migrated(path: Path, migrations: Path) -> duckdb.DuckDBPyConnection:
    """Open `path` at the newest version, in UTC, with no way out to files or extensions.

    A file that holds an older version is first copied beside itself as ``<file>.v<N>.bak``.

    Raises
    ------
    SchemaError
        A newer release wrote the file, or `migrations` skips a number.
    StateLocked
        A program that is not Telltale has it open.
    IntegrityError
        It is damaged or no DuckDB database.
    DiskFull
        There is no room for the copy or the migration; the file is as it was.
    """
    scripts = _scripts(migrations)
    _prepare(path, len(scripts))
    connection = _open(path)
    try:
        _migrate(connection, scripts)
        connection.execute("SET GLOBAL TimeZone = 'UTC'")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
    except duckdb.Error as error:
        connection.close()
        if is_full(error, path):
            raise disk_full(path) from error
        raise
    except BaseException:
        connection.close()
        raise
    return connection


def _open(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(
            path,
            config={
                "threads": 2,
                "memory_limit": "512MB",
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "allow_community_extensions": False,
            },
        )
    except duckdb.IOException as error:
        first = str(error).splitlines()[0]
        if "lock" in first:
            raise StateLocked(f"{path} is open in another program: {first}") from error
        if is_full(error, path):
            raise disk_full(path) from error
        raise IntegrityError(f"{path} can't be opened: {first}; restore it from a backup") from error


def _prepare(path: Path, known: int) -> None:
    """Refuse a newer file and back up an older one."""
    if not path.exists():
        return
    connection = _open(path)
    try:
        found = _version(connection)
        # What the log holds goes into the file, so that copying the file copies all of it.
        connection.execute("CHECKPOINT")
    finally:
        connection.close()
    if found > known:
        raise SchemaError(
            f"{path} has version {found}, this release knows {known}: "
            "start the newer release that wrote it, or restore the backup that was made before it"
        )
    if 0 < found < known:
        target = path.with_name(f"{path.name}.v{found}.bak")
        part = target.with_name(target.name + ".part")
        try:
            shutil.copyfile(path, part)
            settle(part, target)
        except OSError as error:
            raise unwritable(target, error) from error
        finally:
            part.unlink(missing_ok=True)


def _migrate(connection: duckdb.DuckDBPyConnection, scripts: Sequence[Path]) -> None:
    found = _version(connection)
    if found == len(scripts):
        return
    connection.begin()
    connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)")
    for number, script in enumerate(scripts[found:], start=found + 1):
        connection.execute(script.read_text("utf-8"))
        connection.execute("INSERT INTO schema_version VALUES (?)", [number])
    connection.commit()


def _scripts(folder: Path) -> list[Path]:
    scripts = sorted(path for path in folder.glob("*.sql") if _NUMBERED.match(path.name))
    for number, path in enumerate(scripts, start=1):
        if int(path.name[:4]) != number:
            raise SchemaError(f"migration {number:04d} is missing before {path.name}")
    return scripts


def _version(connection: duckdb.DuckDBPyConnection) -> int:
    tables = connection.execute(
        "SELECT count(*) FROM information_schema.tables WHERE table_name = 'schema_version'"
    ).fetchone()
    if tables is None or tables[0] == 0:
        return 0
    row = connection.execute("SELECT max(version) FROM schema_version").fetchone()
    return 0 if row is None or row[0] is None else int(row[0])
