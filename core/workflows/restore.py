"""Restoring a home from a backup: its files, and MLflow's addresses of them."""

from pathlib import Path

from core.registry.addresses import rehome
from core.workflows.reporting import Clock, Progress, silent
from warehouse.backup import restoring
from warehouse.backup.restoring import RestoreReport
from warehouse.layout import Layout


def restore(
    backup: Path, home: Path, *, clock: Clock, progress: Progress = silent, force: bool = False
) -> RestoreReport:
    """Make a home at `home`, which is new or empty, of the backup in the folder `backup`.

    Raises
    ------
    BackupError
        Why nothing was restored; nothing is left at the home.
    RegistryError
        MLflow's database can't be read; nothing is left at the home.
    """
    return restoring.restore(backup, home, clock=clock, adapt=_adapt, progress=progress, force=force)


def _adapt(folder: Path, old: Path, new: Path) -> int:
    tracking = Layout(folder).tracking
    return rehome(tracking, old, new, store=tracking.name)
