"""The two ways a write reaches the state's owner: inside the web process, and from any other."""

from collections.abc import Mapping
from typing import Protocol
from uuid import uuid4

from app.clock import now
from warehouse.documents import JSON
from warehouse.home import Warehouse
from warehouse.state.owner import current_owner
from warehouse.state.post import post


class Writer(Protocol):
    """Makes one write and returns its outcome once it is committed."""

    def __call__(self, kind: str, payload: Mapping[str, JSON], *, actor: str) -> dict[str, JSON]:
        """Write `payload` on behalf of `actor`."""


def in_process(kind: str, payload: Mapping[str, JSON], *, actor: str) -> dict[str, JSON]:
    """Write through this process's own state; what the pages use.

    Raises
    ------
    LabelError
        It can't be stored as given; nothing changed.
    StateUnavailable
        This process does not own the state.
    """
    return current_owner().write(kind, payload, actor=actor, write_id=str(uuid4()))


def through(warehouse: Warehouse) -> Writer:
    """Return a writer for a command, which works with the app running and with it stopped."""

    def write(kind: str, payload: Mapping[str, JSON], *, actor: str) -> dict[str, JSON]:
        return post(warehouse, kind, payload, actor=actor, clock=now)

    return write


def number_in(outcome: Mapping[str, JSON], name: str) -> int:
    """Return the whole number that the owner's outcome of such a write always carries."""
    found = outcome.get(name)
    if not isinstance(found, int):
        raise TypeError(f"a write that gives {name} answered {outcome!r}")
    return found


def numbers_in(outcome: Mapping[str, JSON], name: str) -> tuple[int, ...]:
    """Return the whole numbers that the owner's outcome of such a write always carries."""
    found = outcome.get(name)
    if not isinstance(found, list):
        raise TypeError(f"a write that gives {name} answered {outcome!r}")
    return tuple(number_in({name: one}, name) for one in found)
