"""Folders whose files are taken as they arrive: which, by what mapping, and what became of each file."""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, get_args

from warehouse.documents import dumps, loads
from warehouse.errors import SourceError
from warehouse.instants import microseconds, moment_of
from warehouse.sources.table_mapping import TableMapping
from warehouse.sqlite import Database

Outcome = Literal["waiting", "taken", "refused", "failed"]
"""``waiting``: may still be written. ``refused``: the file is at fault. ``failed``: to be tried again."""

OUTCOMES: Final = get_args(Outcome)


@dataclass(frozen=True)
class WatchedFolder:
    """A folder whose files are taken.

    Parameters
    ----------
    path
        Absolute, without links.
    pattern
        What the names of its files match, such as ``*.csv``; folders in it are not looked into.
    actor
        Who asked for it; what is taken is taken in this name.
    """

    id: int
    path: Path
    pattern: str
    mapping: TableMapping
    actor: str
    added_at: datetime
    paused: bool


@dataclass(frozen=True)
class WatchedFile:
    """A file of a watched folder as it was last looked at.

    Parameters
    ----------
    seen_at
        When it got its outcome.
    error
        Why it was refused or failed.
    """

    name: str
    size: int
    mtime_ns: int
    seen_at: datetime
    outcome: Outcome
    error: str | None


def add(
    database: Database,
    path: Path,
    pattern: str,
    mapping: TableMapping,
    *,
    home: Path,
    actor: str,
    at: datetime,
) -> WatchedFolder:
    """Watch a folder from now on.

    Raises
    ------
    SourceError
        There is no such folder, it is watched already, it and the home lie in each other, or the pattern
        is none.
    """
    folder = _checked(path, home)
    if not pattern.strip() or os.sep in pattern or "\0" in pattern:
        raise SourceError(f"pattern {pattern!r} is no pattern of file names, such as *.csv")
    with database.transaction() as connection:
        row = connection.execute(
            "INSERT INTO watched_folders (path, pattern, mapping, actor, added_us) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (path) DO NOTHING RETURNING id",
            (str(folder), pattern, dumps(mapping.to_document()), actor, microseconds(at)),
        ).fetchone()
    if row is None:
        raise SourceError(f"{folder} is watched already; `telltale watch remove` it to watch it otherwise")
    return WatchedFolder(int(row[0]), folder, pattern, mapping, actor, at, paused=False)


def folders(database: Database) -> tuple[WatchedFolder, ...]:
    """Return all watched folders, oldest first."""
    with database.reading() as connection:
        rows = connection.execute(
            "SELECT id, path, pattern, mapping, actor, added_us, paused FROM watched_folders ORDER BY id"
        ).fetchall()
    return tuple(
        WatchedFolder(
            row[0],
            Path(row[1]),
            row[2],
            TableMapping.of_document(loads(row[3])),
            row[4],
            moment_of(row[5]),
            bool(row[6]),
        )
        for row in rows
    )


def remove(database: Database, path: Path) -> None:
    """Watch a folder no longer; what was taken stays.

    Raises
    ------
    SourceError
        It is not watched.
    """
    with database.transaction() as connection:
        number = _id_of(database, path)
        connection.execute("DELETE FROM watched_files WHERE folder_id = ?", (number,))
        connection.execute("DELETE FROM watched_folders WHERE id = ?", (number,))


def pause(database: Database, path: Path, *, paused: bool) -> None:
    """Leave a folder alone for a while, or go on with it.

    Raises
    ------
    SourceError
        It is not watched.
    """
    number = _id_of(database, path)
    with database.transaction() as connection:
        connection.execute("UPDATE watched_folders SET paused = ? WHERE id = ?", (paused, number))


def files(database: Database, folder_id: int) -> tuple[WatchedFile, ...]:
    """Return what became of the files of a folder, by name."""
    with database.reading() as connection:
        rows = connection.execute(
            "SELECT name, size, mtime_ns, taken_us, outcome, error FROM watched_files WHERE folder_id = ?"
            " ORDER BY name",
            (folder_id,),
        ).fetchall()
    return tuple(WatchedFile(row[0], row[1], row[2], moment_of(row[3]), row[4], row[5]) for row in rows)


def record(database: Database, folder_id: int, file: WatchedFile) -> None:
    """Keep what became of a file; a folder that is no longer watched keeps nothing."""
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO watched_files (folder_id, name, size, mtime_ns, taken_us, outcome, error)"
            " SELECT id, ?, ?, ?, ?, ?, ? FROM watched_folders WHERE id = ?"
            " ON CONFLICT (folder_id, name) DO UPDATE SET size = excluded.size, mtime_ns = excluded.mtime_ns,"
            " taken_us = excluded.taken_us, outcome = excluded.outcome, error = excluded.error",
            (
                file.name,
                file.size,
                file.mtime_ns,
                microseconds(file.seen_at),
                file.outcome,
                file.error,
                folder_id,
            ),
        )


def _checked(path: Path, home: Path) -> Path:
    try:
        folder = path.expanduser().resolve(strict=True)
    except OSError as error:
        raise SourceError(f"{path} can't be watched ({error.strerror or error})") from error
    if not folder.is_dir():
        raise SourceError(f"{path} is no folder; watch the folder that the file lies in")
    place = home.resolve()
    if folder == place or place in folder.parents or folder in place.parents:
        raise SourceError(f"{folder} can't be watched: it and the home {place} lie in each other")
    return folder


def _id_of(database: Database, path: Path) -> int:
    wanted = path.expanduser()
    for folder in folders(database):
        if folder.path in {wanted, wanted.resolve()}:
            return folder.id
    raise SourceError(f"{path} is not watched; `telltale watch list` shows what is")
