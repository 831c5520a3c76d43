"""A write as the state's owner takes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from warehouse.documents import JSON
from warehouse.errors import LabelError

MAX_ACTOR = 80


@dataclass(frozen=True)
class Write:
    """One write, whoever brings it.

    Parameters
    ----------
    write_id
        Chosen by the writer; the same id takes effect once.
    kind
        As `StateOwner.write` lists them.
    actor
        Who is answerable for it.
    at
        When the owner took it.
    """

    write_id: str
    kind: str
    payload: Mapping[str, JSON]
    actor: str
    at: datetime

    def __post_init__(self) -> None:
        if not self.write_id:
            raise LabelError(f"{self.kind}: a write needs an id")
        if not self.actor.strip() or len(self.actor) > MAX_ACTOR:
            raise LabelError(f"{self.kind}: the actor must be 1 to {MAX_ACTOR} characters")


def integer(payload: Mapping[str, JSON], name: str) -> int:
    """Return the whole number `name`.

    Raises
    ------
    LabelError
        It is missing or something else.
    """
    value = payload.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise LabelError(f"{name} must be a whole number, not {value!r}")
    return value


def optional_integer(payload: Mapping[str, JSON], name: str) -> int | None:
    """Return the whole number `name`, None where it is not given.

    Raises
    ------
    LabelError
        It is something else.
    """
    return None if payload.get(name) is None else integer(payload, name)


def text(payload: Mapping[str, JSON], name: str, longest: int) -> str:
    """Return the text `name`, empty where it is not given.

    Raises
    ------
    LabelError
        It is something else, or longer than `longest` characters.
    """
    value = payload.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise LabelError(f"{name} must be text, not {value!r}")
    if len(value) > longest:
        raise LabelError(f"{name} has {len(value)} characters; at most {longest} are stored")
    return value.strip()


def moment(payload: Mapping[str, JSON], name: str) -> datetime:
    """Return the moment `name`, given as ISO 8601 with a zone.

    Raises
    ------
    LabelError
        It is missing, unreadable or has no zone.
    """
    value = payload.get(name)
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise LabelError(f"{name} must be a time with its zone, such as 2024-05-01T12:00:00Z, not {value!r}")
    return found
