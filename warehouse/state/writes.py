"""A write as the state's owner takes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import duckdb

from warehouse.documents import JSON
from warehouse.errors import LabelError

MAX_ACTOR = 80

_LARGEST: Final = 2**31 - 1


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
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _LARGEST:
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


def integers(payload: Mapping[str, JSON], name: str, *, most: int) -> list[int]:
    """Return the whole numbers `name`, each once, in their order.

    Raises
    ------
    LabelError
        There is none, more than `most`, or something else.
    """
    return list(dict.fromkeys(integer({name: one}, name) for one in _listed(payload, name, most)))


def documents(payload: Mapping[str, JSON], name: str, *, most: int) -> list[dict[str, JSON]]:
    """Return the documents `name` in their order.

    Raises
    ------
    LabelError
        There is none, more than `most`, or something else.
    """
    found: list[dict[str, JSON]] = []
    for one in _listed(payload, name, most):
        if not isinstance(one, dict):
            raise LabelError(f"{name} must be a list of documents, not of {one!r}")
        found.append(one)
    return found


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


def texts(payload: Mapping[str, JSON], name: str, longest: int, *, most: int) -> list[str]:
    """Return the texts `name`, each once, in their order.

    Raises
    ------
    LabelError
        There is none, more than `most`, one that is empty or too long, or something else.
    """
    found = dict.fromkeys(text({name: one}, name, longest) for one in _listed(payload, name, most))
    if "" in found:
        raise LabelError(f"{name} must not hold an empty text")
    return list(found)


def name_of(payload: Mapping[str, JSON], name: str, longest: int) -> str:
    """Return the text `name`, which a person will read as a name: not empty, and all of it can be shown.

    Raises
    ------
    LabelError
        It is something else.
    """
    found = text(payload, name, longest)
    if not found or not found.isprintable():
        raise LabelError(f"{name} must be 1 to {longest} characters that can be shown, not {found!r}")
    return found


def next_seq(cursor: duckdb.DuckDBPyConnection, log: str) -> int:
    """Return the number of the next row of a log; the caller holds the write lock."""
    row = cursor.execute(f"SELECT coalesce(max(seq), 0) + 1 FROM {log}").fetchone()  # noqa: S608 -- a table of ours
    return 1 if row is None else int(row[0])


def moment(payload: Mapping[str, JSON], name: str) -> datetime:
    """Return the moment `name`, given as ISO 8601 with a zone, in UTC.

    Raises
    ------
    LabelError
        It is missing, unreadable or has no zone.
    """
    value = payload.get(name)
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        if found is not None and found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise LabelError(f"{name} must be a time with its zone, such as 2024-05-01T12:00:00Z, not {value!r}")


def _listed(payload: Mapping[str, JSON], name: str, most: int) -> list[JSON]:
    value = payload.get(name)
    if not isinstance(value, list) or not value:
        raise LabelError(f"{name} must be a list that holds something, not {value!r}")
    if len(value) > most:
        raise LabelError(f"{name} has {len(value):,} entries; at most {most:,} are taken at once")
    return value
