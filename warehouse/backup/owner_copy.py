"""Getting a copy of the state from its owner: the app while it runs, this process while it does not."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import uuid4

from warehouse.backup.document import BackupError
from warehouse.errors import LabelError, StateUnavailable
from warehouse.home import Warehouse
from warehouse.state.copying import COPY, StateCopy
from warehouse.state.post import post

# The owner may be refreshing a large fleet when it is asked.
PATIENCE_S: Final = 120.0


@dataclass(frozen=True)
class WaitingCopy:
    """A copy of the state that waits to be fetched, and its SHA-256."""

    path: Path
    sha256: str


def forget_dead_requests(warehouse: Warehouse, at: datetime) -> None:
    """Refuse what waits of backups that died; only the one backup that runs may call this."""
    for one in warehouse.jobs.inbox.pending():
        if one.kind == COPY:
            warehouse.jobs.inbox.settle(one.write_id, at, error="the backup that asked for it has ended")


def from_owner(
    warehouse: Warehouse, *, actor: str, clock: Callable[[], datetime], timeout: float = PATIENCE_S
) -> WaitingCopy:
    """Have the state copied and return where the copy waits, in the staging folder of the home.

    Raises
    ------
    BackupError
        The owner can't copy it.
    StateUnavailable
        The owner did not answer in time.
    """
    write_id = str(uuid4())
    try:
        outcome = post(warehouse, COPY, {}, actor=actor, clock=clock, timeout=timeout, write_id=write_id)
        copy = StateCopy.of(outcome)
    except LabelError as error:
        raise BackupError(f"{warehouse.layout.state} was not copied: {error}") from error
    except StateUnavailable:
        # Nobody will fetch it any more.
        warehouse.jobs.inbox.settle(write_id, clock(), error="the backup gave up waiting")
        raise
    return WaitingCopy(warehouse.layout.staging / copy.name, copy.sha256)
