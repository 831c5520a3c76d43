"""Damaged files: found when they are first opened, set aside, and listed until a repair decides."""

import logging
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from warehouse.errors import IntegrityError, ManifestConflict, WarehouseError
from warehouse.files import FILES, File, file_of
from warehouse.instants import microseconds, moment_of
from warehouse.manifest import Manifest
from warehouse.parquet import fault_at_first_sight
from warehouse.sqlite import Database

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Damaged:
    """A file that is not what was written, and waits for a repair; reads go on without it.

    Parameters
    ----------
    file
        What the manifest says of it; `file.ended_in` is None where what is live needs it, else only pinned
        snapshots do.
    reason
        What is wrong with it, as the end of a sentence that begins with its path.
    sensors
        Ids of the sensors that it may hold, ascending.
    """

    file: File
    found_at: datetime
    reason: str
    sensors: tuple[int, ...]


def sound(
    root: Path, manifest: Manifest, files: Sequence[File], *, at: datetime | None = None
) -> tuple[File, ...]:
    """Return those of `files` that are what was written; the others are recorded as damaged.

    A file is read whole when this process first opens it, and believed from then on.

    Parameters
    ----------
    at
        When, for the record; now where it is None.

    Raises
    ------
    IntegrityError
        A damaged file was replaced since `files` were listed: what replaced it has its rows, so leaving it
        out would be wrong. List the files again.
    """
    faults = _faults(root, files)
    if not faults:
        return tuple(files)
    record(manifest.database, faults, at=at)
    bad = {file.id for file, _ in faults}
    replaced = _replaced(manifest.database, bad)
    if replaced is not None:
        [file] = (one for one in files if one.id == replaced)
        raise IntegrityError(f"{root / file.path} was replaced while it was read; read again", file=file)
    return tuple(one for one in files if one.id not in bad)


def insist(root: Path, manifest: Manifest, files: Sequence[File], *, at: datetime | None = None) -> None:
    """Check that every one of `files` is what was written; damaged ones are recorded.

    Raises
    ------
    IntegrityError
        One is damaged: a state that was asked for by its number is whole or is not given.
    """
    faults = _faults(root, files)
    if faults:
        record(manifest.database, faults, at=at)
        file, fault = faults[0]
        raise IntegrityError(f"{root / file.path} {fault}: run `telltale repair`", file=file)


def record(
    database: Database, faults: Iterable[tuple[File, str]], *, at: datetime | None = None
) -> tuple[File, ...]:
    """Note files as damaged, each once, and return those that are new.

    Where the catalogue can't be written to, that is logged and left: whoever opens them next notes them.
    """
    found = microseconds(datetime.now(UTC) if at is None else at)
    new = []
    try:
        with database.transaction() as connection:
            for file, reason in faults:
                # A file that the manifest does not know any more is nobody's loss.
                hit = connection.execute(
                    "INSERT INTO damage (file_id, found_us, reason) SELECT id, ?, ? FROM files WHERE id = ?"
                    " ON CONFLICT (file_id) DO NOTHING",
                    (found, reason, file.id),
                ).rowcount
                if hit == 1:
                    new.append(file)
                    _log.warning("%s %s; reads go on without it: run `telltale repair`", file.path, reason)
    except WarehouseError as error:
        _log.warning("damaged files can't be noted: %s", error)
    return tuple(new)


def conflict_of(manifest: Manifest, error: IntegrityError) -> WarehouseError:
    """Return what a commit raises that met a damaged file: a conflict, as it can be computed without it.

    The file is recorded; where the error is of no file of the manifest, it is returned as it is.
    """
    if error.file is None:
        return error
    record(manifest.database, [(error.file, "was found damaged while it was read")])
    return ManifestConflict(str(error))


def waiting(database: Database) -> tuple[Damaged, ...]:
    """Return the damaged files that no repair has decided on, by kind and time."""
    with database.reading() as connection:
        rows = connection.execute(
            f"SELECT f.*, d.found_us, d.reason FROM ({FILES}) AS f JOIN damage AS d ON d.file_id = f.id"  # noqa: S608
            " WHERE d.repair_id IS NULL ORDER BY f.kind, f.start_us, f.id"
        ).fetchall()
        return tuple(
            Damaged(
                file=file,
                found_at=moment_of(row[-2]),
                reason=row[-1],
                sensors=_sensors(connection, file),
            )
            for row in rows
            for file in (file_of(row[:-2]),)
        )


def waits(database: Database, file: File) -> bool:
    """Tell whether a file is damaged and no repair has decided on it."""
    with database.reading() as connection:
        row = connection.execute(
            "SELECT 1 FROM damage WHERE file_id = ? AND repair_id IS NULL", (file.id,)
        ).fetchone()
    return row is not None


def settle(
    connection: sqlite3.Connection, file: File, outcome: str, *, healed: bool, actor: str, at: datetime
) -> None:
    """Write down for good what became of a damaged file, in the open transaction.

    Parameters
    ----------
    healed
        True where its bytes are again what was written, so that snapshots that hold it can be read.
    """
    entry = connection.execute(
        "INSERT INTO repairs (at_us, actor, kind, path, rows, start_us, end_us, sensor_min, sensor_max,"
        " outcome) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            microseconds(at),
            actor,
            file.kind,
            file.path,
            file.rows,
            microseconds(file.start),
            microseconds(file.end),
            file.sensor_min,
            file.sensor_max,
            outcome,
        ),
    ).lastrowid
    if healed:
        connection.execute("DELETE FROM damage WHERE file_id = ?", (file.id,))
    else:
        connection.execute("UPDATE damage SET repair_id = ? WHERE file_id = ?", (entry, file.id))


def _faults(root: Path, files: Sequence[File]) -> list[tuple[File, str]]:
    looked_at = ((file, fault_at_first_sight(root, file)) for file in files)
    return [(file, fault) for file, fault in looked_at if fault is not None]


def _replaced(database: Database, ids: Iterable[int]) -> int | None:
    with database.reading() as connection:
        for id_ in ids:
            row = connection.execute("SELECT ended_in FROM files WHERE id = ?", (id_,)).fetchone()
            if row is None or row[0] is not None:
                return id_
    return None


def _sensors(connection: sqlite3.Connection, file: File) -> tuple[int, ...]:
    rows = connection.execute(
        "SELECT id FROM sensors WHERE id BETWEEN ? AND ? ORDER BY id", (file.sensor_min, file.sensor_max)
    ).fetchall()
    return tuple(int(id_) for (id_,) in rows)
