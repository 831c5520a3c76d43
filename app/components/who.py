"""Who is at this screen: shown on every page, and chosen where several people share one."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from app.components import address, conflict, incident, storing, verdict_card
from app.components.words import escaped
from app.queries import house
from app.queries.house import PERSON
from app.roles import Profile

_CHOICE: Final = "who_choice"


def who(profile: Profile) -> None:
    """Draw name and role; where the settings name people, as a button that opens the choice."""
    words = f"{escaped(profile.name)} · {profile.role}"
    people = house.people()
    if not people:
        st.markdown(f":gray[:material/person: {words}]", width="content")
        return
    named = profile if profile in people else None
    if named is not None:
        # The links of the rail drop the address; a reload must not make somebody else of this person.
        st.session_state[PERSON] = named.name
        address.write(PERSON, named.name)
    with st.popover(words, icon=":material/person:", type="tertiary", width="content", key="who"):
        _choice(people, None if named is None else named.name)


def instead_of(stranger: str) -> None:
    """Say that the settings do not know who the address names, and let the person be chosen."""
    st.error(
        f"{escaped(stranger)} is not one of the people who work here. Choose who you are; an administrator "
        "adds people in `telltale.toml`.",
        icon=":material/person_off:",
    )
    _choice(house.people(), None)


def _choice(people: Sequence[Profile], named: str | None) -> None:
    st.session_state[_CHOICE] = named
    st.radio(
        "Who are you?",
        [one.name for one in people],
        captions=[one.role for one in people],
        key=_CHOICE,
        on_change=_choose,
    )
    st.caption("Your name stands with everything you store. Nobody checks it on this machine.")


def _choose() -> None:
    """Go on as the chosen person, without what the one before had begun."""
    name = st.session_state[_CHOICE]
    st.session_state[PERSON] = name
    address.write(PERSON, name)
    verdict_card.forget_all()
    conflict.forget()
    incident.forget()
    storing.forget_last()
