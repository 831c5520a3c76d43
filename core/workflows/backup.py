"""Backing up a home: what the warehouse keeps, and what MLflow keeps in it."""

from collections.abc import Sequence
from pathlib import Path

from core.registry.tracking import ARTIFACTS, DATABASE
from core.workflows.reporting import Clock, Progress, silent
from warehouse.backup import taking
from warehouse.backup.owner_copy import from_owner
from warehouse.backup.taking import BackupReport, Others
from warehouse.home import Warehouse


def back_up(
    target: Path,
    *,
    warehouse: Warehouse,
    clock: Clock,
    actor: str,
    progress: Progress = silent,
    settings: Sequence[str] = (),
    link: bool = False,
    strict: bool = False,
    force: bool = False,
) -> BackupReport:
    """Copy everything that a home holds into the folder `target`, whether the app runs or not.

    Parameters
    ----------
    settings
        Names of files directly in the home that hold a person's settings.
    link, strict, force
        As `warehouse.backup.taking.back_up` takes them.

    Raises
    ------
    BackupError
        Why there is no backup; nothing is left at the target.
    StateUnavailable
        The app runs and its owner of the state does not answer.
    """
    store = warehouse.layout.tracking.relative_to(warehouse.root).as_posix()
    return taking.back_up(
        warehouse,
        target,
        at=clock(),
        state=lambda: from_owner(warehouse, actor=actor, clock=clock),
        others=Others(databases=(f"{store}/{DATABASE}",), folders=(f"{store}/{ARTIFACTS}",), files=settings),
        progress=progress,
        link=link,
        strict=strict,
        force=force,
    )
