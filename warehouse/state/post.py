"""A write from any process: done at once while nobody owns the state, handed to the owner otherwise."""

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final
from uuid import uuid4

from warehouse.documents import JSON
from warehouse.errors import LabelConflict, LabelError, StateLocked, StateUnavailable
from warehouse.home import Warehouse
from warehouse.state.owner import StateOwner

_POLL_S: Final = 0.05


def post(
    warehouse: Warehouse,
    kind: str,
    payload: Mapping[str, JSON],
    *,
    actor: str,
    clock: Callable[[], datetime],
    timeout: float = 15.0,
    write_id: str | None = None,
) -> dict[str, JSON]:
    """Make one write, whether the app runs or not, and return its outcome once it is committed.

    The write is left in the inbox first, so that it survives whatever comes between; then either this
    process takes the lock and folds it, or the owner does.

    Parameters
    ----------
    kind, payload, actor
        As `StateOwner.write` takes them.
    timeout
        Seconds to wait for the owner's acknowledgement.
    write_id
        A UUID; one is made when it is not given.

    Raises
    ------
    LabelConflict
        Another person said something of the event that the writer had not seen; nothing changed.
    LabelError
        It can't be stored as given; nothing changed.
    StateUnavailable
        The owner did not acknowledge it in time; the write still waits for it.
    """
    inbox = warehouse.jobs.inbox
    write_id = write_id or str(uuid4())
    inbox.put(write_id, kind, payload, actor=actor, at=clock())
    deadline = time.monotonic() + timeout
    pause = threading.Event()
    while True:
        settled = inbox.outcome(write_id)
        if settled is not None:
            if settled.error is not None:
                # A refusal with an outcome says whose verdict stands in the way.
                raise LabelConflict.of(settled.outcome) if settled.outcome else LabelError(settled.error)
            return settled.outcome or {}
        owner = StateOwner(warehouse, clock=clock)
        try:
            owner.acquire()
        except StateLocked as error:
            if time.monotonic() > deadline:
                raise StateUnavailable(
                    f"the write was not acknowledged within {timeout:g} s ({error}); it waits in the inbox "
                    "and is stored as soon as the owner answers: look with `telltale status`"
                ) from error
            pause.wait(_POLL_S)
        else:
            try:
                owner.fold_inbox()
            finally:
                owner.release()
