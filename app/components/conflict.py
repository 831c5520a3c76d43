"""Two people on one event: who stores second sees what the first said, and nothing is overwritten."""

from collections.abc import Callable
from typing import Final

import streamlit as st

from app.actions.screen import VerdictConflict
from app.charts.zone import Zone
from app.components.words import escaped
from app.theme import VERDICT_WORDS

_KEY: Final = "conflict"


def keep(card: str, found: VerdictConflict) -> None:
    """Keep what another person said meanwhile until this one has decided; for callbacks."""
    st.session_state[_KEY] = (card, found)


def forget() -> None:
    """Drop it: the person has decided."""
    st.session_state.pop(_KEY, None)


def standing(card: str) -> VerdictConflict | None:
    """Return what another person said of the event of a card while it was open, as the store found it."""
    name, found = st.session_state.get(_KEY, ("", None))
    return found if name == card else None


def choose(
    found: VerdictConflict, zone: Zone, *, theirs: Callable[[], None], beside: Callable[[], None]
) -> None:
    """Draw what the other person said, with the two ways on; nothing was stored yet.

    Parameters
    ----------
    theirs, beside
        Called to leave it at what the other said, and to store this person's verdict beside it.
    """
    with st.container(border=True, gap="xsmall"):
        st.markdown(
            f":orange[:material/forum:] **{escaped(found.actor)} said {VERDICT_WORDS[found.verdict]} "
            f"{zone.clock(found.at)}**, after you opened this event."
        )
        st.button("Keep theirs", shortcut="1", key="conflict_theirs", width="stretch", on_click=theirs)
        st.button(
            "Store mine beside it", shortcut="2", key="conflict_beside", width="stretch", on_click=beside
        )
