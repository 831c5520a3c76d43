"""Quiet tiles: one figure each, and the list behind it."""

from collections.abc import Callable
from typing import Final

import streamlit as st

from app.components.words import counted, escaped
from app.queries.triage_views import Triage
from app.queries.views import Fleet
from app.theme import WORST_FIRST, badge, coloured

LOAD_OPEN: Final = "alarm_load"
"""Whether the popover of the alarm load is open, in the session's state."""


def summary(fleet: Fleet, triaged: Triage) -> str:
    """Return the sentence that says what needs attention, as markdown."""
    if not fleet.live:
        told = f"**{counted(len(fleet.machines), 'historical machine')}, none whose data still arrives.**"
        return f"{told} {counted(len(fleet.events), 'event')} in all"
    live, events = len(fleet.live), triaged.asking
    asking = len({event.machine for event in events})
    critical = sum(event.severity == "critical" for event in events)
    if asking:
        verb = "needs" if asking == 1 else "need"
        first = f"**{asking} of {counted(live, 'machine')} {verb} attention"
        first += f"; :red[▲ {critical} critical].**" if critical else ".**"
    else:
        first = f"**None of {counted(live, 'machine')} needs attention.**"
    each = "operator and " if triaged.operators > 1 else ""
    return (
        f"{first} {counted(triaged.alarms_24h, 'alarm')} in the last 24 h, "
        f"{triaged.alarms_per_10_min:.2f} per {each}10 min :gray[(goal: at most 1)]"
    )


def fleet_tiles(fleet: Fleet, triaged: Triage, load: Callable[[], None]) -> None:
    """Draw the four tiles of the fleet.

    Parameters
    ----------
    load
        Draws the alarm load; called only while its tile is open.
    """
    events = triaged.asking
    columns = st.columns(4, gap="small")
    counts = {severity: [e for e in events if e.severity == severity] for severity in WORST_FIRST}
    shown = " ".join(badge(severity, str(len(found))) for severity, found in counts.items() if found)
    with _tile(columns[0], "Open events by severity", shown or "**0** :gray[open]"):
        for event in events:
            st.markdown(f"{coloured(event.severity)} {escaped(event.title)}")
        if not events:
            st.markdown("No event is open.")
    with columns[1].container(border=True, gap=None, height=78):
        st.caption("Alarms per 10 min")
        opened = st.popover(
            f"**{triaged.alarms_per_10_min:.2f}** :gray[goal: at most 1]",
            type="tertiary",
            key=LOAD_OPEN,
            on_change="rerun",
        )
    if opened.open:
        with opened:
            load()
    sensors = sum(len(machine.sensors) for machine in fleet.live)
    silent = [f"{machine.name} · {name}" for machine in fleet.live for name in machine.silent]
    with _tile(columns[2], "Silent sensors", f"**{len(silent)}** :gray[of {sensors}]"):
        for name in silent:
            st.markdown(escaped(name))
        if not silent:
            st.markdown("Every sensor of a live machine reports.")
    with_targets = [machine for machine in fleet.machines if machine.targets]
    untrained = [machine for machine in with_targets if not machine.trained]
    with _tile(
        columns[3],
        "No trained model",
        f"**{len(untrained)}** :gray[of {counted(len(with_targets), 'machine')}]",
    ):
        st.markdown("Watched by the statistical detector alone:" if untrained else "Every machine has one.")
        st.markdown(", ".join(escaped(machine.name) for machine in untrained))


def _tile(
    column: "st.delta_generator.DeltaGenerator", caption: str, value: str
) -> "st.delta_generator.DeltaGenerator":
    with column.container(border=True, gap=None, height=78):
        st.caption(caption)
        return st.popover(value, type="tertiary")
