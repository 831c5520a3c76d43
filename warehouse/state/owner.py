"""The one owner of state.duckdb: whoever holds the lock, writes for everybody and publishes the labels."""

import logging
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from types import TracebackType
from typing import Final, Self

import duckdb
import polars as pl

from warehouse.documents import JSON
from warehouse.errors import LabelConflict, LabelError, StateLocked, StateUnavailable, WarehouseError
from warehouse.home import Warehouse
from warehouse.inbox import InboxWrite
from warehouse.lock import LockHeld, ProcessLock
from warehouse.state import copying, fleet, labels, published
from warehouse.state.applying import BOTH_STORES, Outcome
from warehouse.state.reads import StateReads
from warehouse.state.store import StateStore
from warehouse.state.together import Together
from warehouse.state.writes import Write

REFRESH: Final = "fleet.refresh"
POLL_S: Final = 0.25
BURST_S: Final = 0.1

# What a full disk, a damaged file or a busy database can throw at the owner's thread: it goes on.
_PASSING = (WarehouseError, duckdb.Error, sqlite3.Error, pl.exceptions.PolarsError, OSError)

_log = logging.getLogger(__name__)


class StateOwner(StateReads):
    """Owner of the state while it holds `state.lock`; also a context manager.

    Every write is one transaction with its row in the audit, and is acknowledged after the commit. A write
    that arrives twice, by its id, takes effect once and returns the first outcome.

    Parameters
    ----------
    warehouse
        The home whose state it owns.
    clock
        Returns this moment, with a zone.
    """

    def __init__(self, warehouse: Warehouse, *, clock: Callable[[], datetime]) -> None:
        super().__init__()
        self._warehouse = warehouse
        self._clock = clock
        self._lock = ProcessLock(warehouse.layout.state_lock)
        self._store: StateStore | None = None
        self._together: Together | None = None
        self._fold_lock = threading.Lock()
        self._counter_lock = threading.Lock()
        self._revision = 0
        self._published: int | None = None
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self.failure: str | None = None

    def acquire(self, timeout: float = 0) -> None:
        """Take the lock, waiting up to `timeout` seconds, and open the store.

        Raises
        ------
        StateLocked
            Another process owns the state; the message names it.
        SchemaError, IntegrityError
            As `StateStore` says.
        """
        try:
            self._lock.acquire(timeout)
        except LockHeld as error:
            who = "another process" if error.pid is None else f"process {error.pid}"
            raise StateLocked(f"{self._warehouse.layout.state} is owned by {who}") from error
        try:
            self._store = StateStore(self._warehouse.layout.state)
            self._together = Together(self._store, self._warehouse)
            self._published = None
        except BaseException:
            self._lock.release()
            raise

    def release(self) -> None:
        """Close the store and give the lock back."""
        if self._store is not None:
            self._store.close()
            self._store = self._together = None
        self._lock.release()

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start_thread(self) -> None:
        """Fold, publish, and go on doing so in a thread until `stop`."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._serve, name="state owner", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread after what it is doing, publish what is new, close and release."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._store is not None:
            self._round()
        self.release()

    @property
    def revision(self) -> int:
        """A number that grows with every write: equal numbers, equal answers."""
        return self._revision

    def query(self, sql: str, params: Sequence[object] = ()) -> pl.DataFrame:
        """Run one SELECT and return all its rows; values go into `params`, times are UTC.

        Raises
        ------
        StateUnavailable
            The owner was stopped.
        """
        return self._opened().query(sql, params)

    def write(self, kind: str, payload: Mapping[str, JSON], *, actor: str, write_id: str) -> dict[str, JSON]:
        """Make one write and return its outcome once it is committed.

        Parameters
        ----------
        kind, payload
            ``label.set`` (as `labels.NewLabel.payload` makes it; with ``seen`` it fails where another person
            said something of the event since), ``label.undo`` {label_id}, ``label.set_many`` {labels},
            ``label.undo_many`` {label_ids}, ``event.acknowledge`` {event_id},
            ``event.unacknowledge`` {event_ids}, ``event.assign`` {event_ids, assignee}, ``event.snooze``
            {event_ids, until}, ``maintenance.set`` {asset_id, start, end, reason}, ``maintenance.end``
            {window_id}, ``asset.criticality`` {asset_id, level}, ``view.save`` {page, name, address},
            ``view.remove`` {view_id}, ``fault_class.add``, ``fault_class.retire`` {name},
            ``fleet.refresh`` {sensor_ids; all without it},
            ``learning.apply`` {likeness, threshold, previewed}, ``learning.stop`` {},
            ``limits.set`` {sensor_id, low_low, low, high, high_high}, ``sensor.unit`` {sensor_id, unit},
            ``snapshot.pin`` {snapshot_id, keep}, ``state.copy`` {} (see `copying`).
        actor
            Who is answerable for it.
        write_id
            A UUID of the caller's: a repeated one returns the first outcome.

        Raises
        ------
        LabelError
            It can't be stored as given; nothing changed.
        StateUnavailable
            The owner was stopped; nothing changed.
        """
        write = Write(write_id, kind, payload, actor, self._clock())
        outcome = self._keep_and_take(write) if kind in BOTH_STORES else self._take(write)
        self._wake.set()
        return outcome

    def fold_inbox(self) -> int:
        """Make the writes that wait in the inbox, publish, acknowledge each, and return how many."""
        with self._fold_lock:
            inbox = self._warehouse.jobs.inbox
            waiting = inbox.pending()
            writes = [one for one in waiting if one.kind != REFRESH]
            made = self._fold(writes)
            # Published first: who has the acknowledgement of a verdict may train on it.
            self._publish()
            for one, became in zip(writes, made, strict=True):
                self._acknowledge(one.write_id, became)
            self._fold_refreshes([one for one in waiting if one.kind == REFRESH])
            return len(waiting)

    def _fold(self, waiting: Sequence[InboxWrite]) -> list[Outcome | LabelError]:
        """Make writes that waited, in their order, and return what became of each."""
        made: list[Outcome | LabelError] = []
        for alone, some in groupby(waiting, lambda one: one.kind in BOTH_STORES or one.kind == copying.COPY):
            writes = [_write_of(one) for one in some]
            if alone:
                made += [one if isinstance(one, LabelError) else self._take_or_refuse(one) for one in writes]
            else:
                good = iter(self._take_each([one for one in writes if isinstance(one, Write)]))
                made += [one if isinstance(one, LabelError) else next(good) for one in writes]
        return made

    def _acknowledge(self, write_id: str, became: Outcome | LabelError) -> None:
        at, inbox = self._clock(), self._warehouse.jobs.inbox
        if isinstance(became, LabelConflict):
            inbox.settle(write_id, at, outcome=became.document(), error=str(became))
        elif isinstance(became, LabelError):
            inbox.settle(write_id, at, error=str(became))
        else:
            inbox.settle(write_id, at, outcome=became)

    def _take_or_refuse(self, write: Write) -> Outcome | LabelError:
        try:
            return self._take(write)
        except LabelError as error:
            return error

    def _fold_refreshes(self, waiting: Sequence[InboxWrite]) -> None:
        """Refresh once for all of `waiting`: each asks for the newest state, and there may be many."""
        if not waiting:
            return
        asked = [_sensor_ids(one.payload) for one in waiting]
        ids = None if None in asked else [id_ for some in asked for id_ in some or ()]
        outcome: dict[str, JSON] | None = None
        error_text: str | None = None
        try:
            outcome = self._refresh(ids)
        except WarehouseError as error:
            error_text = str(error)
            _log.warning("the fleet's state was not refreshed: %s", error)
        for one in waiting:
            self._warehouse.jobs.inbox.settle(one.write_id, self._clock(), outcome=outcome, error=error_text)

    def _take(self, write: Write) -> dict[str, JSON]:
        if write.kind == REFRESH:
            return self._refresh(_sensor_ids(write.payload))
        if write.kind == copying.COPY:
            # Changes nothing, so the audit says nothing of it.
            return copying.write(
                self._opened().write(copying.tables), self._warehouse.layout.staging
            ).outcome()
        (made,) = self._take_each([write])
        if isinstance(made, LabelError):
            raise made
        return made

    def _take_each(self, writes: Sequence[Write]) -> list[Outcome | LabelError]:
        """Make writes, together with those of other threads that wait."""
        together = self._together
        if together is None:
            raise StateUnavailable(f"{self._warehouse.layout.state} is not open in this process")
        made = together.write(writes)
        self._count()
        return made

    def _keep_and_take(self, write: Write) -> dict[str, JSON]:
        """Leave the write in the inbox while it is made: a crash between two stores is made good there."""
        inbox = self._warehouse.jobs.inbox
        inbox.put(write.write_id, write.kind, write.payload, actor=write.actor, at=write.at)
        try:
            outcome = self._take(write)
        except LabelError as error:
            inbox.settle(write.write_id, self._clock(), error=str(error))
            raise
        inbox.settle(write.write_id, self._clock(), outcome=outcome)
        return outcome

    def _refresh(self, sensor_ids: Sequence[int] | None) -> dict[str, JSON]:
        # Read before the write lock is taken, so that a verdict never waits for it.
        mirror = fleet.compute(self._warehouse, sensor_ids, self._clock())
        self._opened().write(lambda cursor: fleet.store(cursor, mirror))
        self._count()
        return {"sensors": len(mirror.sensor_ids), "events": mirror.events.height}

    def _publish(self) -> None:
        newest = int(self.query("SELECT coalesce(max(seq), 0) AS seq FROM label_log").item())
        if newest == self._published and not published.is_damaged(self._warehouse):
            return
        # The number is that of the rows read, whatever was written meanwhile.
        log = self.query("SELECT * FROM label_log ORDER BY seq")
        sequence = 0 if log.is_empty() else int(log["seq"][-1])
        published.publish(self._warehouse, labels.current(log), sequence, at=self._clock())
        self._published = sequence

    def _serve(self) -> None:
        watch = self._warehouse.jobs.inbox.watch()
        seen_revision = -1
        try:
            while not self._stopping.is_set():
                if watch.changed() or self._revision != seen_revision or self.failure is not None:
                    seen_revision = self._revision
                    self._round()
                    # The first verdict is published at once; what comes in a burst shares the next round.
                    self._stopping.wait(BURST_S)
                self._wake.wait(POLL_S)
                self._wake.clear()
        finally:
            watch.close()

    def _round(self) -> None:
        try:
            self.fold_inbox()
        except _PASSING as error:
            if self.failure is None:
                _log.exception("writes wait and labels are not published; trying again")
            self.failure = str(error)
        else:
            self.failure = None

    def _count(self) -> None:
        with self._counter_lock:
            self._revision += 1

    def _opened(self) -> StateStore:
        store = self._store
        if store is None:
            raise StateUnavailable(f"{self._warehouse.layout.state} is not open in this process")
        return store


def _write_of(one: InboxWrite) -> Write | LabelError:
    try:
        return Write(one.write_id, one.kind, one.payload, one.actor, one.at)
    except LabelError as error:
        return error


def _sensor_ids(payload: Mapping[str, JSON]) -> list[int] | None:
    asked = payload.get("sensor_ids")
    return [id_ for id_ in asked if isinstance(id_, int)] if isinstance(asked, list) else None


_current: StateOwner | None = None


def install(owner: StateOwner | None) -> None:
    """Make `owner` the one that this process's pages and actions reach; None when it stops."""
    global _current  # noqa: PLW0603 -- one web process, one owner
    _current = owner


def current_owner() -> StateOwner:
    """Return this process's owner of the state.

    Raises
    ------
    StateUnavailable
        This process owns no state.
    """
    if _current is None:
        raise StateUnavailable("this process does not own the state; start the app with `telltale run`")
    return _current
