"""Backup and restore as a person starts them."""

from pathlib import Path

from app.clock import now
from app.roles import Profile, require
from core.workflows import backup, restore
from core.workflows.reporting import Progress
from warehouse.backup.restoring import RestoreReport
from warehouse.backup.taking import BackupReport
from warehouse.home import Warehouse

# What a person may have set, in the home itself; see `app.settings`.
SETTINGS = "telltale.toml"


def take_backup(
    profile: Profile,
    home: Path,
    target: Path,
    *,
    progress: Progress,
    link: bool,
    strict: bool,
    force: bool,
) -> BackupReport:
    """Back up the home at `home` into the folder `target`.

    Raises
    ------
    NotAllowed
        The profile is no admin: a backup holds everything.
    HomeError
        There is no home.
    BackupError
        Why there is no backup.
    """
    require(profile, "admin", "back up the home")
    warehouse = Warehouse.open(home, create=False)
    try:
        return backup.back_up(
            target,
            warehouse=warehouse,
            clock=now,
            actor=profile.name,
            progress=progress,
            settings=(SETTINGS,),
            link=link,
            strict=strict,
            force=force,
        )
    finally:
        warehouse.close()


def restore_backup(
    profile: Profile, folder: Path, home: Path, *, progress: Progress, force: bool
) -> RestoreReport:
    """Make a home at `home` of the backup in `folder`.

    Raises
    ------
    NotAllowed
        The profile is no admin.
    BackupError
        Why nothing was restored.
    """
    require(profile, "admin", "restore a backup")
    return restore.restore(folder, home, clock=now, progress=progress, force=force)
