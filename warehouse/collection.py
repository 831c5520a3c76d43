"""Removal of files that nothing can need any more: replaced long ago and not pinned, or never named."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from warehouse.instants import SECOND_US, microseconds
from warehouse.layout import Layout
from warehouse.parquet import new_stem
from warehouse.room import unwritable
from warehouse.sqlite import Database

# Longer than any query or write.
GRACE_S: Final = 6 * 3600.0

# What may go, as a table of the next statement.
_LOST: Final = (
    "WITH lost AS (SELECT * FROM files WHERE ended_us < ? AND NOT EXISTS"
    " (SELECT 1 FROM pins WHERE snapshot_id >= added_in AND snapshot_id < ended_in)"
    # Until a repair has decided on a damaged file, it stays, and so does what was merged into it.
    " AND id NOT IN (SELECT file_id FROM damage WHERE repair_id IS NULL)"
    " AND ended_in NOT IN (SELECT f.added_in FROM damage AS d JOIN files AS f ON f.id = d.file_id"
    " WHERE d.repair_id IS NULL))"
)


@dataclass(frozen=True)
class Collected:
    """What was removed: files that others replaced, files that no snapshot ever named, and their bytes."""

    ended: int
    unknown: int
    size: int


def collect(root: Path, database: Database, *, grace_s: float, now: datetime) -> Collected:
    """Remove ended files that no pin keeps and unknown files, both older than `grace_s` seconds.

    Snapshots that lose files are marked and can't be read or pinned from then on; those that nothing refers
    to are forgotten.
    """
    limit = microseconds(now) - int(grace_s * SECOND_US)
    # Listed before the manifest is asked, so that a file that is named meanwhile is known.
    found = list(_stored(Layout(root)))
    with database.transaction() as connection:
        ended = connection.execute(f"{_LOST} SELECT path, size FROM lost", (limit,)).fetchall()  # noqa: S608 -- no values
        if ended:
            connection.execute(
                f"{_LOST} UPDATE snapshots SET gone = 1 WHERE gone = 0 AND EXISTS"  # noqa: S608 -- no values
                " (SELECT 1 FROM lost WHERE snapshots.id >= added_in AND snapshots.id < ended_in)",
                (limit,),
            )
            connection.execute(
                f"{_LOST} DELETE FROM damage WHERE file_id IN (SELECT id FROM lost)",  # noqa: S608 -- no values
                (limit,),
            )
            connection.execute(f"{_LOST} DELETE FROM files WHERE id IN (SELECT id FROM lost)", (limit,))  # noqa: S608 -- no values
        connection.execute(
            "DELETE FROM snapshots WHERE created_us < ? AND id < (SELECT max(id) FROM snapshots)"
            " AND NOT EXISTS (SELECT 1 FROM pins WHERE snapshot_id = snapshots.id)"
            " AND NOT EXISTS (SELECT 1 FROM versions WHERE snapshot_id = snapshots.id)"
            " AND NOT EXISTS (SELECT 1 FROM files WHERE added_in = snapshots.id)"
            " AND NOT EXISTS (SELECT 1 FROM files WHERE ended_in = snapshots.id)",
            (limit,),
        )
        known = {path for (path,) in connection.execute("SELECT path FROM files")}
    for path, _ in ended:
        (root / path).unlink(missing_ok=True)
    known.update(path for path, _ in ended)
    unknown = [
        _removed_if_old(path, grace_s) for path in found if path.relative_to(root).as_posix() not in known
    ]
    removed = [size for size in unknown if size is not None]
    return Collected(len(ended), len(removed), sum(size for _, size in ended) + sum(removed))


def _removed_if_old(path: Path, grace_s: float) -> int | None:
    """Remove a file that was last written more than `grace_s` ago and return its size, else None."""
    # Its age is told by the clock that stamped it: the one of the file system.
    probe = path.with_name(f".{new_stem()}.age")
    try:
        probe.touch()
        status = path.stat()
        if probe.stat().st_mtime - status.st_mtime < grace_s:
            return None
        path.unlink()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        probe.unlink(missing_ok=True)
    return status.st_size


def _stored(layout: Layout) -> Iterator[Path]:
    for folder in (layout.telemetry, layout.rollups, layout.results, layout.published):
        yield from folder.rglob("*.parquet")
        yield from folder.rglob(".*.partial")
    yield from layout.staging.rglob("*.arrow")
