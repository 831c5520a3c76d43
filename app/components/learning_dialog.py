"""What verdicts change: tried on the last days first, then applied, and undone with one button."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import streamlit as st

from app.actions import screen
from app.charts.zone import Zone
from app.components import viewer
from app.components.outcome import refusal, tell
from app.components.words import counted, escaped
from app.queries import fleet, house, learning
from app.queries.house import Stamp
from app.queries.learning import Decision

FURTHER: Final = {
    "windows": (
        "Learn nothing from confirmed anomalies",
        "Trainings and bars leave out what was called a true anomaly and keep false positives as normal.",
    ),
    "probability": (
        "Say how likely an event is real by verdicts on its like",
        "From ten verdicts on, over the whole fleet, with the sensor's own record; it ranks the overview.",
    ),
    "telling": (
        "Put events first whose verdicts teach most",
        "In the list Teaches most: what is undecided and unlike what was judged; else the newest first.",
    ),
}
"""Layers that hold nothing back: name → label and help."""

_WORDS: Final = {
    "likeness": "likeness",
    "threshold": "thresholds",
    "windows": "windows",
    "probability": "probability",
    "telling": "order",
}
_HISTORY: Final = 5
_HOUR: Final = timedelta(hours=1)


def learning_button(made: Stamp, held: int) -> None:
    """Draw the button that opens the dialog, with how much is held back."""
    decision = learning.in_force(made)
    label = f"Learning · {held} held back" if decision is not None else "Learn from verdicts…"
    if st.button(label, key="learning", icon=":material/school:", width="stretch"):
        learning_dialog()


@st.dialog("Learn from verdicts", width="medium")
def learning_dialog() -> None:
    """Ask which rules, show what they would have done, and apply or undo them."""
    made = house.stamp()
    as_of = fleet.fleet(made).as_of
    # Of data that has ended, its last days are tried, not those of the calendar.
    now = house.now() if as_of is None else min(house.now(), as_of + _HOUR)
    decision = learning.in_force(made)
    st.markdown(
        "An event like one that was called a false positive on the same sensor is held back from the queue. "
        "It stays stored, and **Held back** lists it with the reason."
    )
    likeness = st.toggle(
        "Hold back what looks like a false positive",
        value=decision.likeness if decision else True,
        key="learning_likeness",
        help="By strength, length and form, on the same sensor; never what is nearer to a true anomaly.",
    )
    threshold = st.toggle(
        "Raise a sensor's threshold above its weak false positives",
        value=decision.threshold if decision else True,
        key="learning_threshold",
        help="From three false positives on; by a factor of 1.65 at most, and below every true anomaly.",
    )
    st.caption("These hide nothing, and are on unless somebody switches them off:")
    further = {name: _switch(name, decision) for name in FURTHER}
    tried = learning.tried(made, likeness=likeness, threshold=threshold, now=now)
    with st.container(border=True):
        st.markdown(f"**{escaped(tried.sentence)}**")
        st.caption("Each event was judged by the verdicts recorded before it ended, and by no later one.")
        st.markdown(f"From now on {counted(tried.now, 'event')} without a verdict would be held back.")
    may_not = refusal("trainer")
    chosen = {"likeness": likeness, "threshold": threshold, **further}
    same = decision is not None and all(getattr(decision, name) == on for name, on in chosen.items())
    usual = not (likeness or threshold) and all(further.values())
    with st.container(horizontal=True):
        if st.button(
            "Apply",
            type="primary",
            key="learning_apply",
            disabled=bool(may_not) or same or usual,
            help=may_not or None,
        ) and tell(
            "Verdicts take effect.",
            lambda: screen.apply_learning(**chosen, previewed=tried.sentence),
        ):
            st.rerun()
        if (
            decision is not None
            and st.button("Undo", key="learning_stop", disabled=bool(may_not), help=may_not or None)
            and tell("Verdicts take no effect any more.", screen.stop_learning)
        ):
            st.rerun()
    _decided(learning.decisions(made), viewer.zone())


def _switch(name: str, decision: Decision | None) -> bool:
    """Draw the switch of a layer that hides nothing and return whether it is on."""
    label, help_ = FURTHER[name]
    value = getattr(decision, name) if decision else True
    return bool(st.toggle(label, value=value, key=f"learning_{name}", help=help_))


def _decided(decisions: Sequence[Decision], zone: Zone) -> None:
    """List the newest decisions, with who made them."""
    for one in decisions[:_HISTORY]:
        off = [word for name, word in _WORDS.items() if not getattr(one, name)]
        what = "applied" if one.applied else "undone"
        what += f" without {', '.join(off)}" if one.applied and off else ""
        when = f"{zone.local(one.at):%d %b %H:%M}"
        st.caption(f"{when}: {what} by {escaped(one.actor)}. {escaped(one.previewed)}")
