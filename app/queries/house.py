"""What every read starts from: the home, the state's owner, and what makes caches exact."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from app import clock, settings
from app.queries.failure import answered
from app.roles import Profile
from warehouse.home import Warehouse
from warehouse.state.owner import StateOwner, current_owner


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


def profile() -> Profile:
    """Return the person at this screen."""
    known = settings.load()
    return Profile(known.profile, known.role)


def opened(made: Stamp) -> Warehouse:
    """Return the home of a stamp, for reads that are cached by it."""
    return _open(Path(made.home))


now = clock.now
