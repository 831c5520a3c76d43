"""What came of a write: said once, where the person looks."""

from collections.abc import Callable

import streamlit as st

from app import roles
from app.actions.screen import ActionFailed
from app.components.words import escaped
from app.queries import house

_KEY = "outcome"
_TAKEN = "outcome_taken"


def tell(done: str, act: Callable[[], object]) -> bool:
    """Do `act` and keep what to say of it for `said`; for callbacks.

    Parameters
    ----------
    done
        Said when it succeeds.
    """
    try:
        act()
    except ActionFailed as failure:
        st.session_state[_KEY] = (False, str(failure))
        return False
    st.session_state[_KEY] = (True, done)
    return True


def note(text: str, *, good: bool = True) -> None:
    """Keep what to say for `said`, where it is known only afterwards."""
    st.session_state[_KEY] = (good, text)


def pending() -> bool:
    """Return whether there is something that no run has taken up yet."""
    return _KEY in st.session_state


def take() -> None:
    """Let `said` say it in this run: it is not pending any more, and not lost if the run is cut short."""
    if _KEY in st.session_state:
        st.session_state[_TAKEN] = st.session_state.pop(_KEY)


def said() -> None:
    """Say what came of the last write, once."""
    take()
    outcome = st.session_state.pop(_TAKEN, None)
    if outcome is None:
        return
    good, text = outcome
    if good:
        st.markdown(f":gray[:material/check: {escaped(text)}]")
    else:
        st.error(escaped(text), icon=":material/error:")


def refusal(role: str) -> str:
    """Return why this person may not do what takes a role; empty when they may."""
    profile = house.profile()
    if roles.ORDER.index(profile.role) >= roles.ORDER.index(role):
        return ""
    return f"{profile.name} is a {profile.role}; this takes a {role}."
