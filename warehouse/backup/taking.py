"""Taking a backup while the app writes: a folder that is there whole, or not at all.

What makes it one consistent home, though its stores are copied one after another:

- ``jobs.sqlite`` first, then the state. A verdict that waits in the inbox at the first copy may be in the
  state at the second: on restore it is made again and, by its id, finds itself there. The other way round
  one that was folded in between would be settled in the inbox and missing in the state.
- The state's owner makes the copy of ``state.duckdb``, for DuckDB lets no other process in: a write of kind
  ``state.copy`` in the inbox. While the app is stopped this process is the owner for that moment. What was
  acknowledged before the backup began is committed, so it is in the copy.
- Then the catalogue, so that every sensor and model version that jobs and state speak of is in it. The copy
  is of one instant; its newest snapshot, and each that something has pinned, is then pinned for the backup
  too, so that no compaction, collection or person takes a file away before it is copied. Where a file was
  gone already, the catalogue is copied anew.
- Then MLflow's database: a version enters the catalogue after MLflow. Then the files, each compared with the
  hash that the catalogue has of it. They are written once and never changed, so time does not matter.
- All of it grows in ``<target>.partial``. ``backup.json`` is written last, everything is forced to the disk,
  then the folder is renamed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from warehouse.backup import databases, pins
from warehouse.backup.counting import count
from warehouse.backup.document import HOME, NAME, BackupDocument, BackupError, StoredFile, Unsound
from warehouse.backup.owner_copy import WaitingCopy, forget_dead_requests
from warehouse.backup.places import absolute, grown, refuse_nesting, refuse_too_little_room
from warehouse.backup.transfer import (
    NotSound,
    Report,
    Wanted,
    as_it_lies,
    silent,
    sync_folders,
    transfer,
    write_durably,
)
from warehouse.home import Warehouse
from warehouse.layout import Layout
from warehouse.parquet import new_stem

# Name of the settings in the catalogue that say when the last backup was taken, where, and what it lacks.
LAST: Final = "backup"

_ATTEMPTS: Final = 5

# Makes a copy of the state as of now and says where it waits.
StateCopier = Callable[[], WaitingCopy]


@dataclass(frozen=True)
class Others:
    """What else in a home is to be copied, by path below it; what is not there is left out.

    Parameters
    ----------
    databases
        SQLite databases, copied after the catalogue as of one instant each.
    folders
        Copied file by file after them.
    files
        Single files.
    """

    databases: Sequence[str] = ()
    folders: Sequence[str] = ()
    files: Sequence[str] = ()


@dataclass(frozen=True)
class BackupReport:
    """A backup that was taken.

    Parameters
    ----------
    size
        Bytes in all.
    linked
        Files that are hard links to those of the home.
    """

    target: Path
    document: BackupDocument
    size: int
    linked: int


def back_up(
    warehouse: Warehouse,
    target: Path,
    *,
    at: datetime,
    state: StateCopier,
    others: Others | None = None,
    progress: Report = silent,
    link: bool = False,
    strict: bool = False,
    force: bool = False,
) -> BackupReport:
    """Copy the home into the folder `target`, which is new or empty.

    Parameters
    ----------
    link
        Hard links instead of copies for files that never change, where the file system can.
    strict
        Stop at the first file that is damaged; otherwise it is left out, named and entered as damaged.
    force
        Replace what an interrupted backup left at ``<target>.partial``.

    Raises
    ------
    BackupError
        The target can't be used, another backup runs, a store can't be copied, or the disk is full. Nothing
        is left at the target.
    """
    target = absolute(target)
    refuse_nesting(
        warehouse.root, target, f"{target} lies inside the home {warehouse.root}: name another place"
    )
    refuse_nesting(
        target, warehouse.root, f"the home {warehouse.root} lies inside {target}: name another place"
    )
    options = _Options(at, state, others or Others(), progress, link, strict)
    with pins.alone(warehouse.layout), grown(target, "the backup", force=force) as partial:
        forget_dead_requests(warehouse, at)
        pins.clear(warehouse.layout, warehouse.database)
        taking = _Taking(warehouse, partial, options)
        try:
            report = taking.run(target)
        finally:
            with warehouse.database.transaction() as connection:
                pins.let_go(connection, taking.holder)
    warehouse.catalog.put_source_settings(
        LAST, {"at": at.isoformat(), "target": str(target), "damaged": len(report.document.damaged)}
    )
    return report


@dataclass(frozen=True)
class _Options:
    at: datetime
    state: StateCopier
    others: Others
    progress: Report
    link: bool
    strict: bool


class _Taking:
    """One backup that grows in the folder `partial`."""

    def __init__(self, warehouse: Warehouse, partial: Path, options: "_Options") -> None:
        self.holder = f"{pins.HOLDER}{new_stem()}"
        self._warehouse = warehouse
        self._partial = partial
        self._copy = Layout(partial / HOME)
        self._options = options
        self._progress = options.progress
        self._files: list[StoredFile] = []
        self._damaged: list[Unsound] = []

    def run(self, target: Path) -> BackupReport:
        home, copy, others = self._warehouse.layout, self._copy, self._options.others
        copy.root.mkdir()
        self._progress(0.0, "Copying jobs")
        databases.copy_database(home.jobs, copy.jobs)
        databases.settle_jobs(copy.jobs)
        self._progress(0.01, "Copying verdicts and what is shown first")
        self._take_state()
        self._progress(0.02, "Copying the catalogue")
        self._take_catalog()
        written = [copy.jobs, copy.state, copy.catalog]
        for name in others.databases:
            if (home.root / name).is_file():
                databases.copy_database(home.root / name, copy.root / name)
                written.append(copy.root / name)
        self._take_files()
        self._progress(0.97, "Counting")
        snapshot_id, digest = databases.settle_catalog(copy.catalog, self._damaged, self._options.at)
        counts = count(copy.root)
        self._files += [as_it_lies(copy.root, one.relative_to(copy.root).as_posix()) for one in written]
        document = BackupDocument(
            release=version("telltale"),
            created_at=self._options.at,
            home=str(home.root),
            snapshot_id=snapshot_id,
            snapshot_digest=digest,
            counts=counts,
            files=tuple(sorted(self._files, key=lambda one: one.path)),
            damaged=tuple(self._damaged),
        )
        self._progress(0.99, "Writing it down")
        write_durably(self._partial / NAME, document.text())
        sync_folders(copy.root, (one.path for one in document.files))
        sync_folders(self._partial, [NAME])
        self._progress(1.0, "")
        linked = sum((copy.root / one.path).stat().st_nlink > 1 for one in document.files)
        return BackupReport(target, document, document.size, linked)

    def _take_state(self) -> None:
        waiting = self._options.state()
        try:
            transfer(waiting.path.parent, self._copy.root, Wanted(waiting.path.name, waiting.sha256, 0))
        except NotSound as error:
            raise BackupError(
                f"{waiting.path}, the copy of the state, is not sound ({error}): try again"
            ) from error
        finally:
            waiting.path.unlink(missing_ok=True)
        (self._copy.root / waiting.path.name).rename(self._copy.state)

    def _take_catalog(self) -> None:
        for _ in range(_ATTEMPTS):
            databases.copy_database(self._warehouse.layout.catalog, self._copy.catalog)
            needed = databases.needed_snapshots(self._copy.catalog)
            if pins.hold(self._warehouse.database, needed, self.holder):
                return
            self._copy.catalog.unlink()
        raise BackupError(
            f"{self._warehouse.layout.catalog}: files were removed {_ATTEMPTS} times while it was copied; "
            "try again"
        )

    def _take_files(self) -> None:
        wanted, given_up = databases.files_of(self._copy.catalog)
        wanted += self._loose({one.path for one in wanted})
        sizes = {one: self._size(one) for one in wanted}
        self._refuse_too_little_room(sizes)
        total, done = sum(sizes.values()) or 1, 0
        for one, size in sizes.items():
            self._progress(
                0.05 + 0.9 * done / total, f"Copying file {len(self._files) + 1:,} of {len(sizes):,}"
            )
            done += size
            try:
                copied = transfer(self._warehouse.root, self._copy.root, one, link=self._options.link)
            except NotSound as error:
                self._miss(one, str(error), given_up)
            else:
                self._files.append(copied)

    def _miss(self, one: Wanted, reason: str, given_up: set[str]) -> None:
        # A file nobody knew the hash of came from a training that has gone on since: no version names it.
        if one.sha256 is None or one.path in given_up:
            return
        if self._options.strict:
            raise BackupError(
                f"{self._warehouse.root / one.path} is damaged: {reason}. Nothing was backed up; run "
                "`telltale repair`, or leave --strict away to back up the rest"
            )
        self._damaged.append(Unsound(one.path, reason))

    def _loose(self, known: set[str]) -> list[Wanted]:
        """Return what nobody has written down the hashes of."""
        root = self._warehouse.root
        found = [root / name for name in self._options.others.files if (root / name).is_file()]
        for folder in self._options.others.folders:
            found += [path for path in sorted((root / folder).rglob("*")) if path.is_file()]
        paths = [path.relative_to(root).as_posix() for path in found]
        return [Wanted(path, None, 0) for path in paths if path not in known]

    def _size(self, wanted: Wanted) -> int:
        try:
            return wanted.size or (self._warehouse.root / wanted.path).stat().st_size
        except OSError:
            return 0  # said when it is copied

    def _refuse_too_little_room(self, sizes: Mapping[Wanted, int]) -> None:
        links = self._options.link and self._partial.stat().st_dev == self._warehouse.root.stat().st_dev
        needed = sum(size for one, size in sizes.items() if not (links and one.unchanging))
        refuse_too_little_room(self._partial, needed, "the backup")
