"""The list of fault classes: what is picked, added in place, and retired."""

from typing import Final

import streamlit as st

from app.actions import screen
from app.components.outcome import said, tell
from app.components.words import escaped
from app.queries import house, labelling
from app.queries.house import Stamp

_NEW: Final = "new_fault_class"
_LONGEST: Final = 80


def edit_button(made: Stamp) -> None:
    """Draw the button that opens the list, beside the field where one is picked."""
    del made
    if st.button("", icon=":material/edit:", key="edit_classes", help="Edit the list of fault classes"):
        _edit()


def add_if_new(name: str) -> None:
    """Put a class that was typed on the list.

    Raises
    ------
    ActionFailed
        It can't be stored.
    """
    known = {one.casefold() for one in labelling.fault_classes(house.stamp())}
    if name and name.casefold() not in known:
        screen.add_fault_class(name)


@st.dialog("Fault classes", width="small")
def _edit() -> None:
    """List the classes with a button each that retires it, and a field for a new one."""
    st.caption("A retired class can't be picked any more; verdicts that name it keep it.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("New class", key=_NEW, max_chars=_LONGEST)
        st.button("Add", key="add_class", on_click=_add)
    for name in labelling.fault_classes(house.stamp()):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(escaped(name))
            st.button("Retire", type="tertiary", key=f"retire_{name}", on_click=_retire, args=(name,))
    said()


def _add() -> None:
    name = st.session_state[_NEW].strip()
    if tell(f"Added: {name}.", lambda: screen.add_fault_class(name)):
        st.session_state[_NEW] = ""


def _retire(name: str) -> None:
    tell(f"Retired: {name}.", lambda: screen.retire_fault_class(name))
