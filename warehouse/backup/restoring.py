"""Restoring a backup into a new home, which is there whole, or not at all.

Every hash is compared before anything is written. The home grows in ``<home>.partial`` and is opened there
once: databases of an older release are migrated, what is in it is counted and compared with ``backup.json``,
jobs that ran are interrupted, so that they go on, and the writes that waited in the inbox are made. Then
the folder is renamed. Locks and logs are not part of a backup.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import uuid4

from warehouse.backup.counting import count
from warehouse.backup.document import HOME, BackupDocument, BackupError, StoredFile, read
from warehouse.backup.places import absolute, grown, refuse_nesting, refuse_too_little_room
from warehouse.backup.transfer import NotSound, Report, Wanted, check, silent, sync_folders, transfer
from warehouse.home import Warehouse
from warehouse.state.owner import REFRESH, StateOwner
from warehouse.versions import makers

ACTOR: Final = "restore"

_NAMED: Final = 5

# What a version says of the job that made it.
_JOB: Final = re.compile(r"job (\d{1,15})")

# Puts right what names the old home: given the folder that grows, the old home and the new one, it returns
# how many addresses it rewrote.
Adapt = Callable[[Path, Path, Path], int]


@dataclass(frozen=True)
class RestoreReport:
    """A home that was restored.

    Parameters
    ----------
    addresses
        Addresses of the old home that were rewritten.
    interrupted_jobs
        Jobs that ran when the backup was made, and go on here.
    folded
        Writes that waited for the state's owner and were made.
    """

    home: Path
    document: BackupDocument
    addresses: int
    interrupted_jobs: int
    folded: int


def restore(
    backup: Path,
    home: Path,
    *,
    clock: Callable[[], datetime],
    adapt: Adapt,
    progress: Report = silent,
    force: bool = False,
) -> RestoreReport:
    """Make a home of the backup in the folder `backup`.

    Parameters
    ----------
    home
        A new or an empty folder.
    force
        Replace what an interrupted restore left at ``<home>.partial``.

    Raises
    ------
    BackupError
        It is no backup, or one of its files is missing or damaged (named); the home is not empty; the disk is
        full; or what was restored is not what was backed up. Nothing is left at `home`.
    """
    backup, home = absolute(backup), absolute(home)
    refuse_nesting(backup, home, f"{home} lies inside the backup {backup}: name another place")
    refuse_nesting(home, backup, f"the backup {backup} lies inside {home}: name another place for the home")
    document = read(backup)
    source = backup / HOME
    with grown(home, "the home", force=force) as partial:
        refuse_too_little_room(partial, document.size, "the home")
        _verify(backup, source, document.files, progress)
        _copy(source, partial, document, progress)
        progress(0.92, "Opening it")
        addresses = adapt(partial, Path(document.home), home)
        interrupted, folded = _open_once(partial, document, clock)
        for lock in (*partial.glob("*.lock"), *partial.glob("*.lock.pid")):
            lock.unlink()
        sync_folders(partial, (one.path for one in document.files))
        progress(1.0, "")
    return RestoreReport(home, document, addresses, interrupted, folded)


def _verify(backup: Path, source: Path, files: tuple[StoredFile, ...], progress: Report) -> None:
    wrong: list[str] = []
    total, done = sum(one.size for one in files) or 1, 0
    for one in files:
        progress(0.4 * done / total, "Comparing hashes")
        done += one.size
        reason = check(source, one)
        if reason is not None:
            wrong.append(f"{one.path} ({reason})")
    if wrong:
        more = f" and {len(wrong) - _NAMED:,} more" if len(wrong) > _NAMED else ""
        raise BackupError(
            f"the backup {backup} is damaged, so nothing was restored: {', '.join(wrong[:_NAMED])}{more}; "
            "use another backup"
        )


def _copy(source: Path, partial: Path, document: BackupDocument, progress: Report) -> None:
    total, done = document.size or 1, 0
    for number, one in enumerate(document.files, start=1):
        progress(0.4 + 0.5 * done / total, f"Copying file {number:,} of {len(document.files):,}")
        done += one.size
        try:
            transfer(source, partial, Wanted(one.path, one.sha256, one.size))
        except NotSound as error:
            raise BackupError(f"{source / one.path} changed while it was restored: {error}") from error


def _open_once(partial: Path, document: BackupDocument, clock: Callable[[], datetime]) -> tuple[int, int]:
    """Return how many jobs were interrupted and how many writes that waited were made."""
    warehouse = Warehouse.open(partial, create=False)
    try:
        found = count(partial)
        if found != document.counts:
            raise BackupError(
                f"the restored home holds {found}, but {document.counts} were backed up: use another backup"
            )
        _count_jobs_on(warehouse)
        running = warehouse.jobs.running()
        for job in running:
            warehouse.jobs.interrupt(job, "it ran in another place when the backup was made", clock())
        folded = len(warehouse.jobs.inbox.pending())
        # The mirror for the first screen may be older than the results that were backed up after it.
        warehouse.jobs.inbox.put(str(uuid4()), REFRESH, {}, actor=ACTOR, at=clock())
        owner = StateOwner(warehouse, clock=clock)
        owner.acquire()
        try:
            owner.fold_inbox()
        finally:
            owner.release()
    finally:
        warehouse.close()
    return len(running), folded


def _count_jobs_on(warehouse: Warehouse) -> None:
    """Give no new job the number of one that made a model version.

    The catalogue is of a later moment than the jobs: a job may have been asked for and done in between, and
    its version would be taken for that of the next job with its number.
    """
    with warehouse.database.reading() as connection:
        numbers = [_JOB.fullmatch(maker) for maker in makers(connection)]
    warehouse.jobs.count_from(max((int(one[1]) for one in numbers if one), default=0))
