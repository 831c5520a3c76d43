"""Writes that wait at the same time share a transaction: one commit costs more than all that they do."""

import logging
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import duckdb

from warehouse.errors import LabelError, WarehouseError
from warehouse.home import Warehouse
from warehouse.state.applying import Outcome, apply
from warehouse.state.store import StateStore
from warehouse.state.writes import Write

# What one of several writes can throw that were to be made in one transaction: then each has one of its own.
_FAILURES: Final = (WarehouseError, duckdb.Error, sqlite3.Error, ValueError)

# What DuckDB and JSON throw at values that no check of ours foresaw: refused, or it would come back for ever.
_UNSTORABLE: Final = (duckdb.DataError, duckdb.IntegrityError, ValueError)

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Waiting:
    """Writes of one thread that wait for their turn, and what became of each."""

    writes: Sequence[Write]
    woken: threading.Event = field(default_factory=threading.Event)
    leads: bool = False
    made: list[Outcome | LabelError] | None = None


class Together:
    """Makes writes for many threads at once: one of them at a time makes all that wait.

    Parameters
    ----------
    store
        Open as long as writes come.
    warehouse
        The home that it belongs to.
    """

    def __init__(self, store: StateStore, warehouse: Warehouse) -> None:
        self._store = store
        self._warehouse = warehouse
        self._lock = threading.Lock()
        self._queue: list[_Waiting] = []
        self._led = False

    def write(self, writes: Sequence[Write]) -> list[Outcome | LabelError]:
        """Make each of `writes` and return its outcome, or why it was refused, once they are committed.

        A failure that is no refusal rolls a shared transaction back, and each write is made again in one of
        its own.

        Raises
        ------
        StateUnavailable, DiskFull
            As `StateStore.write` says; of `writes`, those made before stay.
        """
        mine = _Waiting(writes)
        with self._lock:
            self._queue.append(mine)
            mine.leads = not self._led
            self._led = True
        if not mine.leads:
            mine.woken.wait()
        if mine.leads:
            self._lead()
        return [self._alone(one) for one in writes] if mine.made is None else mine.made

    def _lead(self) -> None:
        """Make all that waits in one transaction; if that fails, all is left to the threads that wait."""
        with self._lock:
            batch, self._queue = self._queue, []
        try:
            made = iter(self._made([one for waiting in batch for one in waiting.writes]))
            for waiting in batch:
                waiting.made = [next(made) for _ in waiting.writes]
        except _FAILURES as error:
            _log.debug("%s writes are made one by one: %s", len(batch), error)
        finally:
            with self._lock:
                following = self._queue[:1]
                self._led = bool(following)
                for waiting in following:
                    waiting.leads = True
            for waiting in (*following, *batch):
                waiting.woken.set()

    def _alone(self, write: Write) -> Outcome | LabelError:
        try:
            return self._made([write])[0]
        except _UNSTORABLE as error:
            return LabelError(f"{write.kind} can't be stored as given: {error}")

    def _made(self, writes: Sequence[Write]) -> list[Outcome | LabelError]:
        return self._store.write(lambda cursor: apply(cursor, writes, self._warehouse))
