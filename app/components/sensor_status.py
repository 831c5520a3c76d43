"""Sensors by how their model is: failing, never trained, stale, trained; some are picked and trained."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import pandas as pd
import streamlit as st

from app.components import address
from app.queries.job_views import SensorStatusRow
from app.theme import Palette

STATUS: Final = "status"
OPENED: Final = "sensor_job"
WORDS: Final = {
    "failing": "Failing",
    "never": "Never trained",
    "stale": "Stale",
    "trained": "Trained",
}
"""The states of a sensor, the one that asks for most first."""

_MARKS: Final = {"failing": "✖", "never": "○", "stale": "◷", "trained": "✓"}
_KEY: Final = "sensor_table"
_LAST: Final = "sensor_table_rows"
# The least height at which text wraps.
_ROW_PX: Final = 57
_HEAD_PX: Final = 32
_SHOWN: Final = 11


def worst_first(rows: Sequence[SensorStatusRow]) -> tuple[SensorStatusRow, ...]:
    """Return rows by status, then by reason so that what failed alike stands together, then by name."""
    order = list(WORDS)
    return tuple(sorted(rows, key=lambda row: (order.index(row.status), row.why, row.name)))


def chips(rows: Sequence[SensorStatusRow]) -> tuple[SensorStatusRow, ...]:
    """Draw how many sensors there are of each status, and return those of the chosen one; all if none is."""
    counts = {name: sum(row.status == name for row in rows) for name in WORDS}
    present = [name for name in WORDS if counts[name]]
    wanted = address.read(STATUS)
    st.session_state[STATUS] = wanted if wanted in present else None
    chosen = st.pills(
        "Status",
        present,
        format_func=lambda name: _chip(name, counts[name]),
        key=STATUS,
        label_visibility="collapsed",
        wrap=True,
        on_change=lambda: address.write(STATUS, st.session_state[STATUS]),
    )
    return tuple(row for row in worst_first(rows) if chosen in {None, row.status})


def sensor_table(
    rows: Sequence[SensorStatusRow], palette: Palette, *, go: Callable[[int], None]
) -> tuple[int, ...]:
    """Draw one row a sensor with why it is as it is, and return the ids of the picked ones.

    Parameters
    ----------
    go
        Opens a job, given its id, as a callback.
    """
    order = [row.sensor_id for row in rows]
    # Rows are picked by place: when other sensors take the places, nothing stays picked.
    if st.session_state.get(_LAST) != order:
        st.session_state[_LAST] = order
        st.session_state.pop(_KEY, None)
    red = f"color: {palette.critical_text}; font-weight: 600"
    colours = [red if row.status == "failing" else "" for row in rows]

    def opened() -> None:
        row = rows[st.session_state[OPENED]["row"]]
        if (job_id := row.busy or row.job_id) is not None:
            go(job_id)

    frame = pd.DataFrame([_cells(row) for row in rows])
    state = st.dataframe(
        frame.style.apply(lambda column: colours if column.name == "Status" else [""] * len(column)),
        key=_KEY,
        on_select="rerun",
        selection_mode="multi-row",
        hide_index=True,
        row_height=_ROW_PX,
        height=_HEAD_PX + _ROW_PX * min(len(rows), _SHOWN) + 2,
        column_config=_columns(opened),
        alt="Sensors that can be trained, with the state of their model",
    )
    return tuple(order[place] for place in state["selection"]["rows"] if place < len(order))


def _chip(name: str, count: int) -> str:
    text = f"{_MARKS[name]} {WORDS[name]} {count}"
    return f":red[{text}]" if name == "failing" else text


def _cells(row: SensorStatusRow) -> dict[str, Any]:
    return {
        "Status": f"{_MARKS[row.status]} {WORDS[row.status]}",
        "Sensor": row.name,
        "Why": _why(row),
        "Job": None if row.job_id is None else str(row.busy or row.job_id),
    }


def _why(row: SensorStatusRow) -> str:
    # The status says that it failed, and the cell has room for the reason alone.
    why = row.why.removeprefix("its last training failed: ")
    busy = f". Job {row.busy} trains it" if row.busy is not None else ""
    return f"{why[:1].upper()}{why[1:]}{busy}"


def _columns(go: Callable[[], None]) -> dict[str, Any]:
    config = st.column_config
    return {
        "Status": config.TextColumn(width=78),
        "Sensor": config.TextColumn(width=116),
        "Why": config.TextColumn(width=164),
        "Job": config.ButtonColumn(
            width=44,
            type="tertiary",
            help="The newest training: why it failed, its log",
            key=OPENED,
            on_click=go,
        ),
    }
