"""The last thing that was done, and the button that takes it back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import streamlit as st

from app.actions.screen import ActionFailed
from app.components.outcome import note, tell
from app.components.words import escaped
from app.queries import house

KEPT: Final = timedelta(minutes=2)
"""How long it is offered; what was done can be taken back later where it is listed."""

_KEY: Final = "done_last"


@dataclass(frozen=True)
class _Done:
    words: str
    back: Callable[[], object]
    at: datetime


def do(words: str, act: Callable[[], object], back: Callable[[], object]) -> bool:
    """Do `act` and offer to take it back; for callbacks.

    Parameters
    ----------
    words
        Said when it succeeds, such as ``Acknowledged: Pump 1.``
    back
        Takes it back.
    """
    try:
        act()
    except ActionFailed as failure:
        note(str(failure), good=False)
        return False
    st.session_state[_KEY] = _Done(words, back, house.now())
    return True


def offered() -> None:
    """Say what was done last, with its undo, until it is taken back or `KEPT` has passed."""
    done: _Done | None = st.session_state.get(_KEY)
    if done is None:
        return
    if house.now() - done.at > KEPT:
        del st.session_state[_KEY]
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f":gray[:material/check: {escaped(done.words)}]", width="content")
        st.button("Undo", key="undo", type="tertiary", icon=":material/undo:", shortcut="U", on_click=_back)


def _back() -> None:
    done: _Done | None = st.session_state.pop(_KEY, None)
    if done is not None:
        tell(f"Taken back. {done.words}", done.back)
