"""Every verdict that was ever given on a sensor: who, when, what, and by whom it was taken back."""

from functools import partial
from typing import Final

import streamlit as st

from app.actions import screen
from app.charts.zone import Zone
from app.components import verdict_card, viewer
from app.components.outcome import refusal, said, tell
from app.components.words import counted, escaped
from app.queries import house, labelling
from app.queries.labelling import LogRow
from app.queries.views import EventRow
from app.theme import VERDICT_WORDS

_LISTED: Final = 50


def history_button(event: EventRow) -> None:
    """Draw the button that opens the history of the opened event's sensor."""
    if st.button(
        "History",
        type="tertiary",
        icon=":material/history:",
        shortcut="Y",
        key="history",
        help="Every verdict on this sensor, those taken back as well, and the audit trail as a file",
    ):
        history_dialog(event)


@st.dialog("History of verdicts", width="large")
def history_dialog(event: EventRow) -> None:
    """List the log of a sensor, newest first, with what takes a verdict back and what exports the log."""
    made, zone = house.stamp(), viewer.zone()
    rows = labelling.log(made, event.sensor_id)
    counting = sum(row.in_force for row in rows)
    st.markdown(f"**{escaped(event.title)}** :gray[· {counted(len(rows), 'verdict')}, {counting} in force]")
    with st.container(horizontal=True):
        _download("Audit of this sensor", made, event.sensor_id, f"verdicts-sensor-{event.sensor_id}.csv")
        _download("Audit of all sensors", made, None, "verdicts-all.csv")
    may_not = refusal("labeller")
    if not rows:
        st.caption("None yet.")
    for row in rows[:_LISTED]:
        with st.container(border=True):
            said_then, back = st.columns([7, 1], vertical_alignment="center")
            said_then.markdown(_words(row, zone))
            if row.in_force:
                back.button(
                    "Take back",
                    type="tertiary",
                    key=f"take_back_{row.verdict.label_id}",
                    disabled=bool(may_not),
                    help=may_not or None,
                    on_click=_take_back,
                    args=(row, event.event_id),
                )
    if len(rows) > _LISTED:
        st.caption(f"{len(rows) - _LISTED} older ones are in the audit file.")
    said()


def _download(label: str, made: house.Stamp, sensor_id: int | None, name: str) -> None:
    st.download_button(
        label,
        data=partial(labelling.audit_csv, made, sensor_id),
        file_name=name,
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=f"audit_{name}",
    )


def _words(row: LogRow, zone: Zone) -> str:
    one = row.verdict
    fault = f": {escaped(one.fault_class)}" if one.fault_class else ""
    said_of = "" if one.event_id else ", drawn"
    lines = [
        f"{zone.stamp(one.recorded_at)} · **{escaped(one.actor)}**: {VERDICT_WORDS[one.verdict]}{fault}",
        f":gray[{zone.stamp(one.start)} to {zone.stamp(one.end)}{said_of}]",
    ]
    if one.note:
        lines.append(f":gray[{escaped(one.note)}]")
    if row.taken_back_at is not None:
        lines.append(f":orange[Taken back by {escaped(row.taken_back_by)}, {zone.stamp(row.taken_back_at)}]")
    elif not row.in_force:
        lines.append(":gray[Replaced by a later verdict of the same person]")
    return "  \n".join(lines)


def _take_back(row: LogRow, opened: str) -> None:
    if tell("Taken back.", lambda: screen.take_back(row.verdict.label_id)):
        verdict_card.forget(opened)
