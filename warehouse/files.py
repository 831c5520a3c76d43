"""What the manifest names: files, snapshots of them, and how both lie in ``catalog.sqlite``."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from warehouse.instants import moment_of

Kind = Literal["readings", "rollups", "scores", "score_rollups", "events", "labels"]


@dataclass(frozen=True)
class NewFile:
    """A file that lies durably in its place and is not in the manifest yet.

    Parameters
    ----------
    path
        Relative to the home, with forward slashes.
    start, end
        Half-open span of its times, UTC.
    sensor_min, sensor_max
        Smallest and largest sensor id in it, both inclusive.
    parent_id
        The file it rewrites, None if it is new.
    """

    kind: Kind
    path: str
    sha256: str
    size: int
    rows: int
    start: datetime
    end: datetime
    sensor_min: int
    sensor_max: int
    version_id: int | None = None
    parent_id: int | None = None


@dataclass(frozen=True)
class File(NewFile):
    """A file of the manifest; `added_in` and `ended_in` are snapshots, `ended_in` None while it is live."""

    id: int = 0
    added_in: int = 0
    ended_in: int | None = None


@dataclass(frozen=True)
class Snapshot:
    """A named, unchanging state of everything stored.

    Parameters
    ----------
    digest
        SHA-256 over path and SHA-256 of every live file of readings, in order of path.
    pinned
        True while its files are kept although newer ones replaced them.
    """

    id: int
    digest: str
    created_at: datetime
    note: str
    pinned: bool


@dataclass(frozen=True)
class Span:
    """What a commit was computed from: times ``[start, end)`` of sensors ``[sensor_min, sensor_max]``."""

    kind: Kind
    start: datetime
    end: datetime
    sensor_min: int
    sensor_max: int
    version_id: int | None = None


FILES: Final = (
    "SELECT kind, path, sha256, size, rows, start_us, end_us, sensor_min, sensor_max, version_id, parent_id,"
    " id, added_in, ended_in FROM files "
)
SNAPSHOTS: Final = (
    "SELECT id, digest, created_us, note, EXISTS (SELECT 1 FROM pins WHERE snapshot_id = snapshots.id), gone"
    " FROM snapshots "
)


def snapshot_of(row: tuple[int, str, int, str, int, int]) -> Snapshot:
    """Return a row of `SNAPSHOTS` as a value."""
    return Snapshot(row[0], row[1], moment_of(row[2]), row[3], bool(row[4]))


def file_of(
    row: tuple[Kind, str, str, int, int, int, int, int, int, int | None, int | None, int, int, int | None],
) -> File:
    """Return a row of `FILES` as a value."""
    kind, path, sha256, size, rows, start, end, low, high, version, parent, id_, added, ended = row
    return File(
        kind=kind,
        path=path,
        sha256=sha256,
        size=size,
        rows=rows,
        start=moment_of(start),
        end=moment_of(end),
        sensor_min=low,
        sensor_max=high,
        version_id=version,
        parent_id=parent,
        id=id_,
        added_in=added,
        ended_in=ended,
    )
