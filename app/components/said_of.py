"""What people say of the opened event: each person's voice, and whether they agree."""

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from app.charts.zone import Zone
from app.components.words import escaped
from app.queries.views import Verdict
from app.theme import VERDICT_WORDS

_LISTED = 3


def voices(said: Sequence[Verdict], me: str, zone: Zone) -> None:
    """Draw what each person says of an event, and that they disagree when they do.

    Parameters
    ----------
    said
        One a person.
    me
        Name of the person at this screen.
    """
    if {"true_anomaly", "false_positive"} <= {one.verdict for one in said}:
        st.markdown(":orange[:material/forum: People disagree: it teaches nothing until they agree.]")
    for one in said:
        who = "You" if one.actor == me else escaped(one.actor)
        what = f", {escaped(one.fault_class)}" if one.fault_class else ""
        st.markdown(
            f":material/person: {who}: **{VERDICT_WORDS[one.verdict]}**{what} "
            f":gray[· {zone.stamp(one.recorded_at)}]"
            + (f"  \n:gray[{escaped(one.note)}]" if one.note and one.actor != me else "")
        )


def on_sensor(verdicts: Sequence[Verdict], as_of: datetime, zone: Zone) -> None:
    """List the verdicts in force on a sensor, newest first, with names; `as_of` is its newest reading."""
    if not verdicts:
        st.caption("None yet.")
    for verdict in verdicts[:_LISTED]:
        what = f": {escaped(verdict.fault_class)}" if verdict.fault_class else ""
        drawn = "" if verdict.event_id else ", drawn"
        st.markdown(
            f"{zone.day_or_clock(verdict.start, as_of)} {VERDICT_WORDS[verdict.verdict]}{what}{drawn} "
            f":gray[· {escaped(verdict.actor)}]"
            + (f"  \n:gray[{escaped(verdict.note)}]" if verdict.note else "")
        )
    if len(verdicts) > _LISTED:
        st.caption(f"{len(verdicts) - _LISTED} more in the history")
