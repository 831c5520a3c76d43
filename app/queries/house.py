"""What every read starts from: the home, the state's owner, and what makes caches exact."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import streamlit as st

from app import clock, settings
from app.queries.failure import answered
from app.roles import NotAllowed, Profile
from warehouse.home import Warehouse
from warehouse.state.owner import StateOwner, current_owner

# Name of the person at this screen, in the session and in the address.
PERSON: Final = "person"


@dataclass(frozen=True)
class Stamp:
    """What a cached answer depends on: the same stamp, the same answer.

    Parameters
    ----------
    home
        Folder of the home.
    snapshot
        Newest state of the files.
    revision
        Newest state of what people say and of the fleet's mirror.
    """

    home: str
    snapshot: int
    revision: int


@st.cache_resource(show_spinner=False)
def _open(root: Path) -> Warehouse:
    return Warehouse.open(root)


@answered
def warehouse() -> Warehouse:
    """Return the home that the settings name, opened once a process."""
    return _open(settings.load().home)


def owner() -> StateOwner:
    """Return this process's owner of the state."""
    return current_owner()


@answered
def stamp() -> Stamp:
    """Return what the answers of this moment depend on; costs two small reads."""
    home = warehouse()
    newest = home.manifest.snapshot()
    return Stamp(str(home.root), 0 if newest is None else newest.id, owner().revision)


def people() -> tuple[Profile, ...]:
    """Return who works at these screens, none where the settings name nobody but the local profile."""
    return settings.load().people


def operators() -> int:
    """Return how many operators share the alarms."""
    return settings.load().operators


@answered
def profile() -> Profile:
    """Return the person at this screen: chosen in this session, else named by the address, else local.

    Raises
    ------
    ReadFailed
        The settings do not know that person.
    """
    known = settings.load()
    name = _named()
    if not known.people or not name:
        return known.local
    chosen = next((one for one in known.people if one.name == name), None)
    if chosen is None:
        names = ", ".join(one.name for one in known.people)
        raise NotAllowed(f"{name} is not one of the people who work here: {names}; choose one of them")
    return chosen


def stranger() -> str | None:
    """Return whom the address names as the person at this screen, where the settings name only others."""
    name, names = _named(), [one.name for one in people()]
    return name if name and names and name not in names else None


def _named() -> str | None:
    return st.session_state.get(PERSON) or st.query_params.get(PERSON)


def opened(made: Stamp) -> Warehouse:
    """Return the home of a stamp, for reads that are cached by it."""
    return _open(Path(made.home))


now = clock.now
