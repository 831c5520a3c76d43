"""Jobs that are over, newest first, with filters that are part of the address."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import pandas as pd
import streamlit as st

from app.charts.zone import Zone
from app.components import address, training_view
from app.components.job_words import ENDED, STATE_WORDS, outcome_text, state_text
from app.queries.job_views import JobRow
from app.theme import Palette

STATE, KIND, SENSOR = "state", "kind", "sensor"
ROUTINE: Final = ("score", "ingest", "compaction")
"""Kinds of jobs that run by themselves, every minute at worst; shown where they failed or are asked for."""

# The least height at which text wraps.
_ROW_PX: Final = 57
_HEAD_PX: Final = 32
_SHOWN: Final = 7


def filters(
    kinds: Mapping[str, str], sensors: Mapping[int, str]
) -> tuple[tuple[str, ...], str | None, int | None]:
    """Draw the filters and return the states, the kind and the sensor asked for; None stands for any.

    Parameters
    ----------
    kinds
        Kinds of jobs in words.
    sensors
        Names by id.
    """
    asked = (address.read(STATE) or "").split(",")
    st.session_state[STATE] = [one for one in ENDED if one in asked]
    address.preset(KIND, kinds)
    names = {str(number): name for number, name in sensors.items()}
    address.preset(SENSOR, names)
    left, middle, right = st.columns([1.1, 0.95, 1.1], gap="xsmall", vertical_alignment="center")
    chosen = left.pills(
        "State",
        ENDED,
        selection_mode="multi",
        format_func=lambda state: STATE_WORDS[state],
        key=STATE,
        label_visibility="collapsed",
        on_change=lambda: address.write(STATE, ",".join(st.session_state[STATE]) or None),
    )
    kind = middle.selectbox(
        "Kind",
        ["", *kinds],
        format_func=lambda name: kinds.get(name, "What people asked for"),
        key=KIND,
        label_visibility="collapsed",
        on_change=address.remember,
        args=(KIND,),
    )
    sensor = right.selectbox(
        "Sensor",
        ["", *names],
        format_func=lambda number: names.get(number, "All sensors"),
        key=SENSOR,
        label_visibility="collapsed",
        on_change=address.remember,
        args=(SENSOR,),
    )
    return tuple(chosen) or ENDED, kind or None, int(sensor) if sensor else None


def history(
    rows: Sequence[JobRow], zone: Zone, now: datetime, palette: Palette, *, filtered: bool
) -> int | None:
    """Draw the table and return the id of the job that was picked, None if none was.

    Parameters
    ----------
    rows
        Newest first.
    now
        The wall clock.
    filtered
        Whether filters may have left something out.
    """
    if not rows:
        st.caption("No job that is over matches the filters." if filtered else "Nothing is over yet.")
        return None
    frame = pd.DataFrame([_cells(row, zone, now) for row in rows])
    red = f"color: {palette.critical_text}; font-weight: 600"
    colours = [red if row.state == "failed" else "" for row in rows]
    state = st.dataframe(
        frame.style.apply(lambda column: colours if column.name == "State" else [""] * len(column)),
        key=f"history_{training_view.visit()}",
        on_select="rerun",
        selection_mode="single-row",
        hide_index=True,
        row_height=_ROW_PX,
        height=_HEAD_PX + _ROW_PX * min(len(rows), _SHOWN) + 2,
        column_config=_columns(),
        alt="Jobs that are over, newest first",
    )
    picked = state["selection"]["rows"]
    return rows[picked[0]].job_id if picked and picked[0] < len(rows) else None


def _cells(row: JobRow, zone: Zone, now: datetime) -> dict[str, Any]:
    return {
        "Job": row.job_id,
        "State": state_text(row),
        "What": f"{row.what} · {row.title}",
        "Result": outcome_text(row),
        "Ended": "" if row.finished_at is None else zone.since(row.finished_at, now),
    }


def _columns() -> dict[str, Any]:
    config = st.column_config
    return {
        "Job": config.NumberColumn(width=42, format="%d"),
        "State": config.TextColumn(width=84),
        "What": config.TextColumn(width=140),
        "Result": config.TextColumn(width=196),
        "Ended": config.TextColumn(width=70),
    }
