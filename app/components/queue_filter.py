"""Which events the queue shows: severities and states, kept in the address."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import streamlit as st

from app.components import address
from app.queries.triage_views import Concern, Incident
from app.theme import COLOUR_NAMES, SHAPES, WORST_FIRST

STATES: Final = {
    "new": "New",
    "acknowledged": "Acknowledged",
    "mine": "Assigned to me",
    "unlabelled": "Without a verdict",
    "snoozed": "Snoozed",
    "suppressed": "In maintenance",
}
_SEVERITY: Final = "queue_severity"
_STATE: Final = "queue_state"


@dataclass(frozen=True)
class Filter:
    """What was asked for; nothing asked: everything that is not hidden.

    Parameters
    ----------
    severities
        Some of `WORST_FIRST`.
    states
        Some of `STATES`; an event in any of them passes.
    """

    severities: tuple[str, ...] = ()
    states: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """Return the same in words; empty where nothing was asked for."""
        return ", ".join([*self.severities, *(STATES[name].lower() for name in self.states)])

    def passes(self, one: Concern, person: str) -> bool:
        """Return whether an event is shown to a person."""
        if self.severities and one.event.severity not in self.severities:
            return False
        if not self.states:
            return not one.hidden
        return any(_in_state(one, name, person) for name in self.states)


def asked() -> Filter:
    """Return what the address asks for."""
    states = (address.read("state") or "").split(",")
    return Filter(
        tuple(address.chosen_severities(WORST_FIRST)), tuple(name for name in STATES if name in states)
    )


def show(states: Sequence[str]) -> None:
    """Ask for states; for callbacks."""
    address.write("state", ",".join(states) or None)


def passing(groups: Sequence[Sequence[Concern]], wanted: Filter, person: str) -> list[Incident]:
    """Return the incidents of which any event passes, in the order of their worst event that does."""
    found = []
    for group in groups:
        shown = tuple(one for one in group if wanted.passes(one, person))
        if shown:
            found.append(Incident(shown, tuple(one for one in group if not wanted.passes(one, person))))
    return found


def filter_menu(wanted: Filter, concerns: Sequence[Concern], person: str) -> None:
    """Draw the menu of filters, with how many events each would show."""
    number = len(wanted.severities) + len(wanted.states)
    st.session_state[_SEVERITY], st.session_state[_STATE] = list(wanted.severities), list(wanted.states)
    with st.popover(
        f"Filter · {number}" if number else "Filter", icon=":material/filter_list:", key="filter_menu"
    ):
        st.pills(
            "Severity",
            WORST_FIRST,
            selection_mode="multi",
            format_func=lambda name: f":{COLOUR_NAMES[name]}[{SHAPES[name]}] {name.capitalize()}",
            key=_SEVERITY,
            on_change=_filtered,
        )
        counts = {name: sum(_in_state(one, name, person) for one in concerns) for name in STATES}
        st.pills(
            "State",
            list(STATES),
            selection_mode="multi",
            format_func=lambda name: f"{STATES[name]} {counts[name]}",
            key=_STATE,
            on_change=_filtered,
            help="Snoozed events and those in maintenance are shown only when asked for.",
        )
        st.caption("Machine and time window are picked on the left. All of it is in the address.")
        if number:
            st.button("Show all", key="filter_none", type="tertiary", on_click=_clear)


def _in_state(one: Concern, name: str, person: str) -> bool:
    if name == "snoozed":
        return one.snoozed_until is not None
    if name == "suppressed":
        return one.window is not None
    if one.hidden:
        return False
    if name == "mine":
        return one.assignee == person
    return one.event.verdict is None if name == "unlabelled" else one.state == name


def _filtered() -> None:
    address.write("severity", ",".join(st.session_state[_SEVERITY]) or None)
    show(st.session_state[_STATE])


def _clear() -> None:
    address.write("severity", None)
    show(())
